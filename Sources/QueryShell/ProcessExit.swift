import CKernels

/// Ends the program of a user who does not want to wait.
package enum ProcessExit {
  /// Ends the process at once, without waiting for the kernel to free its memory (45 to 50 ms per GB); no `atexit`
  /// handler runs.
  package static func leavingMemory(code: Int32) -> Never { ck_exit_leaving_memory(code) }
}
