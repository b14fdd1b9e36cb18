import Glibc
package import QueryErrors

/// Runs code on a thread whose stack is as deep as asked.
///
/// The pages of such a stack cost nothing until they are touched, so sizes may be generous.
package enum DeepStack {
  /// Bytes for each level of a tree: the frames of several functions.
  #if DEBUG
    static let levelByteCount = 96 * 1024
  #else
    static let levelByteCount = 24 * 1024
  #endif
  private static let smallestByteCount = 8 << 20

  /// Waits until `body` has ended on another thread.
  ///
  /// - Throws: what `body` throws; `STACK_OVERFLOW` where the system has no memory for the stack.
  package static func run<Result>(
    byteCount: Int, _ body: () throws(QueryError) -> Result
  ) throws(QueryError) -> Result {
    var outcome: Swift.Result<Result, QueryError>?
    let isStarted = withoutActuallyEscaping(body) { body in
      let work = Work {
        do throws(QueryError) { outcome = .success(try body()) } catch { outcome = .failure(error) }
      }
      return onThread(byteCount: max(byteCount, smallestByteCount), work)
    }
    guard isStarted, let outcome else {
      throw QueryError(.stackOverflow, "statement is too large (no memory for the stack that it needs)")
    }
    return try outcome.get()
  }

  private final class Work {
    let body: () -> Void
    init(_ body: @escaping () -> Void) { self.body = body }
  }

  /// Whether the thread could be made; it has ended then.
  private static func onThread(byteCount: Int, _ work: Work) -> Bool {
    let attributes = UnsafeMutablePointer<pthread_attr_t>.allocate(capacity: 1)
    defer { attributes.deallocate() }
    guard pthread_attr_init(attributes) == 0 else { return false }
    defer { pthread_attr_destroy(attributes) }
    guard pthread_attr_setstacksize(attributes, byteCount) == 0 else { return false }
    let argument = Unmanaged.passRetained(work)
    var thread = pthread_t()
    let status = pthread_create(
      &thread, attributes,
      { pointer in
        if let pointer { Unmanaged<Work>.fromOpaque(pointer).takeRetainedValue().body() }
        return nil
      }, argument.toOpaque())
    guard status == 0 else {
      argument.release()
      return false
    }
    pthread_join(thread, nil)
    return true
  }
}
