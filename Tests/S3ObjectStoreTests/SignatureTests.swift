import Foundation
import Testing

@testable import S3ObjectStore

/// Signatures that botocore made of 60 requests.
@Suite struct SignatureTests {
  private struct Vector: Decodable {
    var service: String
    var region: String
    var access_key: String
    var secret_key: String
    var session_token: String?
    var time: String
    var method: String
    var url: String
    var headers: [String: String]
    var body: String
    var expect: [String: String]
  }

  @Test func allVectors() throws {
    let file = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "signatures.json")
    let vectors = try JSONDecoder().decode([Vector].self, from: Data(contentsOf: file))
    #expect(vectors.count == 60)
    for vector in vectors {
      let rest = vector.url.dropFirst("http://".count)
      let slash = rest.firstIndex(of: "/")!
      let parts = rest[slash...].split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
      let query =
        parts.count < 2
        ? []
        : parts[1].split(separator: "&").map { pair -> (name: String, value: String) in
          let sides = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
          return (String(sides[0]), sides.count > 1 ? String(sides[1]) : "")
        }
      let body = Data(base64Encoded: vector.body)!
      let payload = Digests.hex(body.withUnsafeBytes { Digests.sha256($0) })
      let signature = AWSSignature(
        credentials: AWSCredentials(
          accessKey: vector.access_key, secretKey: vector.secret_key, sessionToken: vector.session_token),
        region: vector.region, service: vector.service)
      var headers = vector.headers.map { (name: $0.key, value: $0.value) }
      headers.append(("host", S3Endpoint.host(of: vector.url)))
      let added = signature.headers(
        method: vector.method, path: String(parts[0]), query: query, headers: headers, payload: payload,
        time: UTCTime.seconds(iso: vector.time)!)
      for (name, value) in vector.expect {
        #expect(added.first { $0.name == name.lowercased() }?.value == value, "\(vector.method) \(vector.url) \(name)")
      }
    }
  }

  @Test func times() {
    #expect(UTCTime.compact(1_795_222_923) == "20261121T010203Z")
    #expect(UTCTime.seconds(http: "Sat, 21 Nov 2026 01:02:03 GMT") == 1_795_222_923)
    #expect(UTCTime.seconds(iso: "2026-11-21T01:02:03.000Z") == 1_795_222_923)
    #expect(UTCTime.seconds(iso: "yesterday") == nil)
  }
}
