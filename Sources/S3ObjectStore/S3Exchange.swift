import Glibc
import HTTPClient
import ObjectStore
import QueryErrors

/// A call under way: sent once when it began, and again while somebody waits for it.
///
/// - Threads: one waits for the answer; any may give it up.
final class S3Exchange: @unchecked Sendable {
  private let client: S3Client
  let call: S3Call
  private let meter: ScanMeter
  private var transfer: HTTPTransfer?

  /// Tries of one call, the first included.
  static let maximumTries = 5
  /// Redirections to other regions and settings of the clock are no tries.
  private static let maximumTurns = 4

  init(_ client: S3Client, _ call: S3Call, _ meter: ScanMeter) {
    self.client = client
    self.call = call
    self.meter = meter
  }

  func begin() throws(QueryError) {
    transfer = client.transport.submit(try client.request(call, cancellation: meter.cancellation))
  }

  /// Nobody waits any more.
  func giveUp() {
    guard let transfer, !transfer.isFinished else { return }
    transfer.giveUp()
    client.transport.wake()
  }

  /// Waits; tries again what may go well the next time.
  ///
  /// - Throws: what the service said; `USER_CANCELED`, `EXCEEDED_TIME_LIMIT`.
  func answer(allowing statuses: Set<Int> = []) throws(QueryError) -> HTTPAnswer {
    var (tries, turns) = (1, 0)
    while true {
      if transfer == nil { try begin() }
      let answer: HTTPAnswer
      do throws(QueryError) { answer = try transfer!.wait(meter.cancellation) } catch {
        client.transport.wake()
        throw error
      }
      transfer = nil
      meter.addRequest(call.kind, received: answer.byteCount, sent: call.body?.count ?? 0)
      if answer.isSuccess {
        // S3 answers some calls with 200 before it knows; the error then stands in the body.
        guard call.target == nil, call.method != "GET", !answer.body.isEmpty, XMLElement.parse(answer.body)?.name == "Error"
        else { return answer }
      } else if answer.failure == nil, statuses.contains(answer.status) {
        return answer
      }
      let error = S3Failure(answer, call)
      if turns < S3Exchange.maximumTurns, turn(answer, error) {
        turns += 1
        continue
      }
      guard error.isWorthAnotherTry, tries < S3Exchange.maximumTries else { throw error.queryError(tries: tries) }
      try pause(tries)
      tries += 1
    }
  }

  /// Takes what an answer tells of where and when to sign; whether another try with it makes sense.
  private func turn(_ answer: HTTPAnswer, _ error: S3Failure) -> Bool {
    let told = answer.headers["x-amz-bucket-region"] ?? error.region
    let isAboutRegion =
      answer.status == 301 || answer.status == 307 || error.code == "AuthorizationHeaderMalformed"
      || (answer.status == 400 && call.method == "HEAD")
    if isAboutRegion, let told, told != client.region(of: call.bucket) {
      client.learn(region: told, of: call.bucket)
      return true
    }
    if error.code == "RequestTimeTooSkewed", let now = answer.headers["date"].flatMap(UTCTime.seconds(http:)) {
      client.learn(clock: now)
      return true
    }
    return false
  }

  /// Waits 50 ms · 2ⁿ at most, by chance less, so that many clients do not come back at once.
  private func pause(_ tries: Int) throws(QueryError) {
    var left = Int.random(in: 1...min(5000, 50 << tries))
    while left > 0 {
      try meter.cancellation.check()
      usleep(UInt32(min(left, 10)) * 1000)
      left -= 10
    }
  }
}
