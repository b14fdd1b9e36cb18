import Glibc
import HTTPClient
import ObjectStore
import QueryErrors
import Synchronization

/// One call of S3: what it is, before it is addressed and signed.
struct S3Call: Sendable {
  var method: String
  var kind: RequestKind
  var bucket: String
  /// Empty for calls on the bucket.
  var key = ""
  var query: [(name: String, value: String)] = []
  var headers: [(name: String, value: String)] = []
  var body: HTTPBody?
  var target: HTTPTarget?

  /// As users write it.
  var place: String { "s3://" + bucket + (key.isEmpty ? "" : "/" + key) }
}

/// Addresses, signs, sends and tries again.
///
/// - Threads: any.
final class S3Client: Sendable {
  let configuration: S3Configuration
  let transport: HTTPTransport
  private let chain: CredentialsChain
  private let state = Mutex(State())

  private struct State {
    /// Regions of buckets, as the service told.
    var regions: [String: String] = [:]
    /// Seconds that the service's clock is ahead of ours.
    var clockOffset = 0
  }

  init(_ configuration: S3Configuration) throws(QueryError) {
    let profiles = AWSProfiles.load()
    self.configuration = configuration.resolved(profiles)
    transport = try HTTPTransport(certificates: S3Configuration.environment("AWS_CA_BUNDLE"))
    chain = CredentialsChain(self.configuration, profiles, transport)
  }

  /// Sends a call; it is on its way when this returns.
  func begin(_ call: S3Call, meter: ScanMeter) throws(QueryError) -> S3Exchange {
    let exchange = S3Exchange(self, call, meter)
    try exchange.begin()
    return exchange
  }

  /// Sends a call and waits for its answer, a success or one of the statuses that the caller knows.
  func send(_ call: S3Call, allowing statuses: Set<Int> = [], meter: ScanMeter) throws(QueryError) -> HTTPAnswer {
    try begin(call, meter: meter).answer(allowing: statuses)
  }

  func region(of bucket: String) -> String {
    state.withLock { $0.regions[bucket] } ?? configuration.region ?? "us-east-1"
  }

  func learn(region: String, of bucket: String) { state.withLock { $0.regions[bucket] = region } }

  func learn(clock: Int) { state.withLock { $0.clockOffset = clock - UTCTime.now } }

  /// The request of a call, signed now.
  func request(_ call: S3Call, cancellation: CancellationFlag) throws(QueryError) -> HTTPRequest {
    let (region, offset) = state.withLock {
      (
        $0.regions[call.bucket] ?? configuration.region ?? "us-east-1", $0.clockOffset
      )
    }
    let endpoint = S3Endpoint(configuration, bucket: call.bucket, region: region)
    var path = endpoint.prefix + PercentEncoding.encode(call.key, keepsSlashes: true)
    // The bucket itself has no slash behind it in some services' signatures; S3 takes both.
    if call.key.isEmpty, path.count > 1, path.hasSuffix("/") { path.removeLast() }
    let query = call.query.map { (PercentEncoding.encode($0.name), PercentEncoding.encode($0.value)) }
    var headers = [("host", endpoint.host)] + call.headers.map { ($0.name, $0.value) }
    if configuration.isRequesterPaying { headers.append(("x-amz-request-payer", "requester")) }
    if !configuration.isAnonymous {
      let payload = call.body.map { Digests.hex(Digests.sha256($0.bytes)) } ?? AWSSignature.emptyPayload
      let signature = AWSSignature(credentials: try chain.current(cancellation), region: region, service: "s3")
      headers += signature.headers(
        method: call.method, path: path, query: query, headers: headers, payload: payload, time: UTCTime.now + offset)
    }
    var url = endpoint.base + path
    if !query.isEmpty { url += "?" + query.map { $0.1.isEmpty ? $0.0 + "=" : $0.0 + "=" + $0.1 }.joined(separator: "&") }
    return HTTPRequest(method: call.method, url: url, headers: headers, body: call.body, target: call.target, cancellation: cancellation)
  }
}
