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

  /// Each thread asks the system once: on the main thread that reads the list of all mappings.
  package init() {
    if let key = StackGuard.key, let known = pthread_getspecific(key) {
      lowestAddress = UInt(bitPattern: known)
      return
    }
    lowestAddress = StackGuard.findLowestAddress()
    if let key = StackGuard.key { pthread_setspecific(key, UnsafeRawPointer(bitPattern: lowestAddress)) }
  }

  /// Where a thread keeps its lowest address.
  private static let key: pthread_key_t? = {
    var key = pthread_key_t()
    return pthread_key_create(&key, nil) == 0 ? key : nil
  }()

  /// The end of the calling thread's stack; 0 when the system does not say.
  private static func findLowestAddress() -> UInt {
    #if canImport(Darwin)
      let top = UInt(bitPattern: pthread_get_stackaddr_np(pthread_self()))
      return top - UInt(pthread_get_stacksize_np(pthread_self()))
    #else
      var attributes = pthread_attr_t()
      guard pthread_getattr_np(pthread_self(), &attributes) == 0 else { return 0 }
      var address: UnsafeMutableRawPointer?
      var byteCount = 0
      let status = pthread_attr_getstack(&attributes, &address, &byteCount)
      pthread_attr_destroy(&attributes)
      return status == 0 ? UInt(bitPattern: address) : 0
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
