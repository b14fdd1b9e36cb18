import Foundation
import S3ObjectStore
import Testing

@testable import QueryService

/// Signatures: made by the client's own code, which is checked against botocore's.
@Suite("Signatures of requests") struct AuthorizationTests {
  private func headers(
    _ client: ServiceClient, _ method: String, _ path: String, _ service: String, _ body: [UInt8], secret: String = "secret", time: Int? = nil
  ) -> [String: String] {
    let signer = AWSSignature(credentials: AWSCredentials(accessKey: "key", secretKey: secret), region: "us-east-1", service: service)
    let payload = Digests.hex(body.withUnsafeBytes { Digests.sha256($0) })
    let added = signer.headers(
      method: method, path: path, query: [], headers: [("host", "127.0.0.1:\(client.port)")], payload: payload, time: time ?? UTCTime.now)
    return Dictionary(added.map { ($0.name, $0.value) }, uniquingKeysWith: { $1 })
  }

  @Test func onlySignedRequestsAreLetIn() throws {
    try ServiceTesting.withService({ $0.keys = ["key": "secret"] }) { client, folder in
      let body = Array("{}".utf8)
      func call(_ headers: [String: String], _ body: [UInt8]) throws -> (Int, String?) {
        let answer = try client.request("POST", "/", headers.merging(["X-Amz-Target": "AmazonAthena.ListWorkGroups"]) { $1 }, body)
        return (answer.status, answer.json["__type"]?.string)
      }
      #expect(try call([:], body) == (403, "MissingAuthenticationTokenException"))
      #expect(try call(headers(client, "POST", "/", "athena", body), body).0 == 200)
      #expect(try call(headers(client, "POST", "/", "athena", body, secret: "wrong"), body) == (403, "InvalidSignatureException"))
      #expect(try call(headers(client, "POST", "/", "athena", body), Array("{ }".utf8)) == (403, "InvalidSignatureException"))
      #expect(try call(headers(client, "POST", "/", "athena", body, time: UTCTime.now - 3600), body) == (403, "InvalidSignatureException"))
      // S3: an unsigned upload is refused before its bytes are taken, a changed one after.
      #expect(try client.request("PUT", "/data-bucket", headers(client, "PUT", "/data-bucket", "s3", [])).status == 200)
      let good = Array("good".utf8)
      #expect(try client.request("PUT", "/data-bucket/k", headers(client, "PUT", "/data-bucket/k", "s3", good), good).status == 200)
      let changed = try client.request("PUT", "/data-bucket/k", headers(client, "PUT", "/data-bucket/k", "s3", good), Array("evil".utf8))
      #expect(changed.status == 400 && changed.text.contains("XAmzContentSHA256Mismatch"))
      #expect(try String(contentsOfFile: folder + "/s3/data-bucket/k", encoding: .utf8) == "good")
      #expect(try client.request("PUT", "/data-bucket/k", [:], good).status == 403)
      // Trino's clients are refused too.
      let other = try ServiceClient(port: client.port)
      #expect(try other.request("POST", "/v1/statement", ["X-Trino-User": "me"], text: "SELECT 1").status == 401)
    }
  }

  @Test func othersAreNotServedWithoutKeys() throws {
    #expect(throws: (any Error).self) { try ServiceTesting.withService({ $0.host = "0.0.0.0" }) { _, _ in } }
  }
}
