import Foundation
import HTTPClient
import S3ObjectStore
import Testing

@testable import QueryService

/// The S3 service; expected answers are Amazon S3's.
@Suite("S3's protocol") struct StorageProtocolTests {
  @Test func objectsComeAndGo() throws {
    try ServiceTesting.withService { client, folder in
      #expect(try client.request("HEAD", "/data-bucket").status == 404)
      #expect(try client.request("PUT", "/data-bucket").status == 200)
      let put = try client.request("PUT", "/data-bucket/a/b%20c.txt", ["x-amz-meta-who": "me", "Content-Type": "text/plain"], text: "0123456789")
      #expect(put.status == 200 && put.headers["etag"] != nil)
      let got = try client.request("GET", "/data-bucket/a/b%20c.txt")
      #expect(got.status == 200 && got.text == "0123456789" && got.headers["x-amz-meta-who"] == "me" && got.headers["content-type"] == "text/plain")
      for (range, wanted) in [("bytes=2-4", "234"), ("bytes=7-", "789"), ("bytes=-3", "789"), ("bytes=8-99", "89")] {
        let part = try client.request("GET", "/data-bucket/a/b%20c.txt", ["Range": range])
        #expect(part.status == 206 && part.text == wanted, "\(range)")
      }
      #expect(try client.request("GET", "/data-bucket/a/b%20c.txt", ["Range": "bytes=10-"]).status == 416)
      #expect(try client.request("GET", "/data-bucket/a/b%20c.txt", ["If-Match": "\"other\""]).status == 412)
      #expect(try client.request("GET", "/data-bucket/a/b%20c.txt", ["If-None-Match": put.headers["etag"] ?? ""]).status == 304)
      let head = try client.request("HEAD", "/data-bucket/a/b%20c.txt")
      #expect(head.headers["content-length"] == "10")
      #expect(try client.request("PUT", "/data-bucket/a/b%20c.txt", ["If-None-Match": "*"], text: "x").status == 412)
      let copied = try client.request("PUT", "/data-bucket/copy", ["x-amz-copy-source": "/data-bucket/a/b%20c.txt"])
      #expect(copied.status == 200 && copied.text.contains("CopyObjectResult"))
      #expect(try client.request("GET", "/data-bucket/copy").text == "0123456789")
      // Virtual-hosted style.
      #expect(try client.request("GET", "/copy", ["Host": "x"]).status == 404)
      #expect(try client.request("DELETE", "/data-bucket").status == 409)
      #expect(try client.request("DELETE", "/data-bucket/a/b%20c.txt").status == 204)
      #expect(!FileManager.default.fileExists(atPath: folder + "/s3/data-bucket/a"))
      #expect(try client.request("GET", "/data-bucket/a/b%20c.txt").status == 404)
    }
  }

  @Test func keysNeverLeaveTheFolder() throws {
    try ServiceTesting.withService { client, folder in
      _ = try client.request("PUT", "/data-bucket")
      for target in [
        "/data-bucket/../catalog.sqlite", "/data-bucket/%2e%2e/%2e%2e/catalog.sqlite", "/data-bucket/a/../../../x", "/../catalog.sqlite",
        "/data-bucket/%2e%2e%2fx", "//etc/passwd", "/data-bucket//etc/passwd", "/.uploads/x", "/data-bucket/a%00b",
      ] {
        for method in ["GET", "PUT", "DELETE"] {
          let status = try client.request(method, target).status
          #expect((400...405).contains(status) || status == 204, "\(method) \(target) is \(status)")
        }
      }
      #expect(FileManager.default.fileExists(atPath: folder + "/catalog.sqlite"))
      let answer = try client.run("SELECT * FROM 's3://data-bucket/../../catalog.sqlite'")
      #expect(answer["Status"]?["State"]?.string == "FAILED")
    }
  }

  /// Pages of every size give the same keys as sorting all keys by their bytes.
  @Test func listingsPageInByteOrder() throws {
    try ServiceTesting.withService { client, folder in
      let keys = ["a-b", "a.txt", "a/1", "a/2/x", "a/2/y", "a0", "b/c/d/e", "b/c/f", "Z", "é/ü", "z z"]
      _ = try client.request("PUT", "/data-bucket")
      for key in keys {
        #expect(try client.request("PUT", "/data-bucket/" + PercentEncoding.encode(key, keepsSlashes: true), text: key).status == 200)
      }
      let sorted = keys.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
      for prefix in ["", "a", "a/", "a/2", "b/c/", "none"] {
        let matching = sorted.filter { $0.utf8.starts(with: prefix.utf8) }
        var grouped: [String] = []
        for key in matching {
          let item = key.dropFirst(prefix.count).firstIndex(of: "/").map { String(key[...$0]) } ?? key
          if grouped.last != item { grouped.append(item) }
        }
        for size in [1, 2, 3, 1000] {
          #expect(try list(client, prefix: prefix, delimiter: "", size: size) == matching, "prefix \(prefix), pages of \(size)")
          #expect(
            try list(client, prefix: prefix, delimiter: "/", size: size).sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) } == grouped,
            "prefix \(prefix), pages of \(size), grouped")
        }
      }
    }
  }

  private func list(_ client: ServiceClient, prefix: String, delimiter: String, size: Int) throws -> [String] {
    var (found, token): ([String], String?) = ([], nil)
    repeat {
      var target = "/data-bucket?list-type=2&max-keys=\(size)&prefix=\(PercentEncoding.encode(prefix))&delimiter=\(PercentEncoding.encode(delimiter))"
      if let token { target += "&continuation-token=" + PercentEncoding.encode(token) }
      let xml = try #require(XMLElement.parse(try client.request("GET", target).body))
      let page =
        xml.children.filter { $0.name == "Contents" }.compactMap { $0.text(of: "Key") }
        + xml.children.filter { $0.name == "CommonPrefixes" }.compactMap { $0.text(of: "Prefix") }
      #expect(page.count <= size)
      found += page
      token = xml.text(of: "NextContinuationToken")
    } while token != nil
    return found
  }

  @Test func uploadsInPartsBecomeOneObject() throws {
    try ServiceTesting.withService { client, _ in
      _ = try client.request("PUT", "/data-bucket")
      let begun = try #require(XMLElement.parse(try client.request("POST", "/data-bucket/big?uploads").body))
      let id = try #require(begun.text(of: "UploadId"))
      var list = ""
      for (number, text) in [(1, "first "), (3, "third")] {
        let part = try client.request("PUT", "/data-bucket/big?partNumber=\(number)&uploadId=\(id)", text: text)
        list += "<Part><PartNumber>\(number)</PartNumber><ETag>\(part.headers["etag"] ?? "")</ETag></Part>"
      }
      #expect(try client.request("GET", "/data-bucket/big").status == 404)
      let done = try client.request(
        "POST", "/data-bucket/big?uploadId=\(id)", text: "<CompleteMultipartUpload>\(list)</CompleteMultipartUpload>")
      #expect(done.status == 200, "\(done.text)")
      #expect(try client.request("GET", "/data-bucket/big").text == "first third")
      #expect(try client.request("DELETE", "/data-bucket/big?uploadId=\(id)").status == 404)
    }
  }

  @Test func bodiesInChunksAreDecoded() throws {
    try ServiceTesting.withService { client, _ in
      _ = try client.request("PUT", "/data-bucket")
      let body = "5;chunk-signature=0\r\nhello\r\n6\r\n world\r\n0\r\nx-amz-checksum-crc32:AAAAAA==\r\n\r\n"
      let put = try client.request(
        "PUT", "/data-bucket/k", ["x-amz-content-sha256": "STREAMING-UNSIGNED-PAYLOAD-TRAILER", "Content-Encoding": "aws-chunked"], text: body)
      #expect(put.status == 200, "\(put.text)")
      #expect(try client.request("GET", "/data-bucket/k").text == "hello world")
    }
  }

  @Test func clientsThatAskAreToldToGoOn() throws {
    try ServiceTesting.withService { client, _ in
      _ = try client.request("PUT", "/data-bucket")
      client.write("PUT /data-bucket/k HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n")
      #expect(try client.read().status == 100)
      client.write("ok")
      #expect(try client.read().status == 200)
      #expect(try client.request("GET", "/data-bucket/k").text == "ok")
    }
  }

  @Test func bodiesThatAreTooLargeAreRefused() throws {
    try ServiceTesting.withService({ $0.limits.bodyByteCount = 1000 }) { client, _ in
      let answer = try client.request("POST", "/", ["X-Amz-Target": "AmazonAthena.ListWorkGroups"], [UInt8](repeating: 0x20, count: 2000))
      #expect(answer.status == 413)
    }
  }
}
