import CCurl
import Glibc
package import ObjectStore
package import QueryErrors
import Synchronization

/// A request under way. The transport's thread fills in the answer; others wait for it or give it up.
///
/// - Threads: any.
package final class HTTPTransfer: @unchecked Sendable {
  let request: HTTPRequest

  // Of the transport's thread.
  var handle: UnsafeMutableRawPointer?
  var headerList: UnsafeMutablePointer<curl_slist>?
  private var answer = HTTPAnswer()

  // Guarded by `lock`.
  private let lock = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
  private let done = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
  private var finished: HTTPAnswer?

  private let isGivenUp = Atomic<Bool>(false)

  /// How often a waiting thread looks whether its query was stopped.
  private static let checkNanoseconds = 10_000_000

  init(_ request: HTTPRequest) {
    self.request = request
    pthread_mutex_init(lock, nil)
    pthread_cond_init(done, nil)
  }

  deinit {
    pthread_mutex_destroy(lock)
    pthread_cond_destroy(done)
    lock.deallocate()
    done.deallocate()
  }

  var wasGivenUp: Bool { isGivenUp.load(ordering: .relaxed) }

  /// Nobody wants the answer any more.
  package func giveUp() { isGivenUp.store(true, ordering: .relaxed) }

  /// The answer, if it is there.
  package var isFinished: Bool {
    pthread_mutex_lock(lock)
    defer { pthread_mutex_unlock(lock) }
    return finished != nil
  }

  /// Waits for the answer.
  ///
  /// - Throws: `USER_CANCELED`, `EXCEEDED_TIME_LIMIT` within 10 ms; the transfer is given up then.
  package func wait(_ cancellation: CancellationFlag) throws(QueryError) -> HTTPAnswer {
    while true {
      let answer = waitShortly()
      do throws(QueryError) { try cancellation.check() } catch {
        giveUp()
        throw error
      }
      if let answer { return answer }
    }
  }

  /// Waits for the answer; nil when the query was stopped, which is asked every 10 ms: the transfer is given up then.
  package func wait(isCancelled: () -> Bool) -> HTTPAnswer? {
    while true {
      let answer = waitShortly()
      if isCancelled() {
        giveUp()
        return nil
      }
      if let answer { return answer }
    }
  }

  /// Waits for 10 ms at most; the answer if it is there.
  private func waitShortly() -> HTTPAnswer? {
    pthread_mutex_lock(lock)
    defer { pthread_mutex_unlock(lock) }
    if finished == nil {
      var until = timespec()
      clock_gettime(CLOCK_REALTIME, &until)
      until.tv_nsec += HTTPTransfer.checkNanoseconds
      if until.tv_nsec >= 1_000_000_000 {
        until.tv_nsec -= 1_000_000_000
        until.tv_sec += 1
      }
      pthread_cond_timedwait(done, lock, &until)
    }
    return finished
  }

  // MARK: On the transport's thread

  func finish(failure: (code: Int, text: String)?) {
    answer.failure = failure
    pthread_mutex_lock(lock)
    finished = answer
    pthread_cond_broadcast(done)
    pthread_mutex_unlock(lock)
  }

  /// Takes a header line.
  func take(header line: UnsafeRawBufferPointer) {
    var text = String(decoding: line, as: UTF8.self)
    while let last = text.unicodeScalars.last, last == "\r" || last == "\n" { text.unicodeScalars.removeLast() }
    if text.hasPrefix("HTTP/") {
      let words = text.split(separator: " ")
      answer = HTTPAnswer()
      answer.status = words.count > 1 ? Int(words[1]) ?? 0 : 0
      return
    }
    guard let colon = text.firstIndex(of: ":") else { return }
    let value = text[text.index(after: colon)...].drop { $0 == " " || $0 == "\t" }
    answer.headers[text[..<colon].lowercased()] = String(value)
  }

  /// Takes bytes of the body; false ends the transfer.
  func take(body bytes: UnsafeRawBufferPointer) -> Bool {
    if wasGivenUp || request.cancellation?.isRaised == true { return false }
    defer { answer.byteCount += bytes.count }
    if let target = request.target, (200..<300).contains(answer.status) {
      // More than was asked for: the server ignores ranges.
      guard answer.byteCount + bytes.count <= target.count else { return false }
      if let base = bytes.baseAddress { memcpy(target.buffer.pointer + target.offset + answer.byteCount, base, bytes.count) }
      return true
    }
    guard answer.body.count + bytes.count <= request.largestBody else {
      answer.isTooLarge = true
      return false
    }
    answer.body.append(contentsOf: bytes)
    return true
  }
}
