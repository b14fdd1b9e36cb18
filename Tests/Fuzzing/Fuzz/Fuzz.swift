import Glibc
import QueryEngine

/// libFuzzer's loop. It calls `test` with one input after the other until one ends the process.
@_silgen_name("LLVMFuzzerRunDriver")
private func runDriver(
  _ count: UnsafeMutablePointer<CInt>, _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>>,
  _ test: @convention(c) (UnsafePointer<UInt8>?, Int) -> CInt
) -> CInt

/// Feeds libFuzzer's inputs to the engine: `SQLQ_FUZZ_TARGET=csv Fuzz CORPUS -max_total_time=60`.
///
/// An input is a statement for the targets `sql` and `plan`, else a file of which the target is the name's ending. Whatever
/// the engine answers is right; what ends the process, reads foreign memory or does not stop when told to is a fault.
@main enum Fuzz {
  nonisolated(unsafe) static var target: Target?

  static func main() throws {
    guard let name = getenv("SQLQ_FUZZ_TARGET").map({ String(cString: $0) }) else { fatalError("SQLQ_FUZZ_TARGET is not set") }
    target = try Target(name)
    var count = CommandLine.argc
    var arguments = CommandLine.unsafeArgv
    exit(
      runDriver(&count, &arguments) { bytes, count in
        Fuzz.target?.test(UnsafeBufferPointer(start: bytes, count: count))
        return 0
      })
  }
}
