#if canImport(Darwin)
  import Darwin
#else
  import Glibc

  // glibc declares it for GNU sources only, which the module map does not ask for.
  @_silgen_name("pthread_getattr_np")
  private func pthread_getattr_np(_ thread: pthread_t, _ attributes: UnsafeMutablePointer<pthread_attr_t>) -> Int32
#endif

/// Knows how much of the calling thread's stack is left, so that recursion over nested SQL can stop in time.
///
/// - Threads: valid on the thread that made it.
package struct StackGuard {
  private let lowestAddress: UInt

  /// Asks the system for the thread's stack; costs some ten microseconds on the main thread.
  package init() {
    #if canImport(Darwin)
      let top = UInt(bitPattern: pthread_get_stackaddr_np(pthread_self()))
      lowestAddress = top - UInt(pthread_get_stacksize_np(pthread_self()))
    #else
      var attributes = pthread_attr_t()
      guard pthread_getattr_np(pthread_self(), &attributes) == 0 else {
        lowestAddress = 0
        return
      }
      var address: UnsafeMutableRawPointer?
      var byteCount = 0
      let status = pthread_attr_getstack(&attributes, &address, &byteCount)
      pthread_attr_destroy(&attributes)
      lowestAddress = status == 0 ? UInt(bitPattern: address) : 0
    #endif
  }

  /// Bytes between the caller's frame and the stack's end; very many when the system does not say.
  @inline(never)
  package var remainingByteCount: Int {
    var mark: UInt8 = 0
    let here = withUnsafeMutablePointer(to: &mark) { UInt(bitPattern: $0) }
    return lowestAddress == 0 || here < lowestAddress ? Int.max : Int(here - lowestAddress)
  }
}
