import Testing

@testable import S3ObjectStore

@Suite struct ConfigurationTests {
  @Test func profiles() {
    var profiles = AWSProfiles()
    profiles.add(
      """
      # mine
      [default]
      region = eu-west-1
      [profile work]
      region=us-west-2 # far
      services = local
      s3 =
        max_concurrent_requests = 20
      role_arn = arn:aws:iam::1:role/r
      [services local]
      s3 =
        endpoint_url = http://localhost:9000
      [sso-session x]
      region = no
      """, isConfig: true)
    profiles.add("[work]\naws_access_key_id = A\naws_secret_access_key = b+/=c\n", isConfig: false)
    #expect(profiles["default"]?["region"] == "eu-west-1")
    #expect(profiles["work"]?["region"] == "us-west-2")
    #expect(profiles["work"]?["aws_secret_access_key"] == "b+/=c")
    #expect(profiles["work"]?["max_concurrent_requests"] == nil)
    #expect(profiles.service("s3", of: "local")?["endpoint_url"] == "http://localhost:9000")
    #expect(profiles["x"] == nil)
  }

  @Test func endpoints() {
    var configuration = S3Configuration()
    func place(_ bucket: String, _ region: String = "eu-west-1") -> String {
      let endpoint = S3Endpoint(configuration, bucket: bucket, region: region)
      return endpoint.base + endpoint.prefix
    }
    #expect(place("b") == "https://b.s3.eu-west-1.amazonaws.com/")
    #expect(place("a.b") == "https://s3.eu-west-1.amazonaws.com/a.b/")
    #expect(place("b", "cn-north-1") == "https://b.s3.cn-north-1.amazonaws.com.cn/")
    configuration.endpoint = "http://localhost:80/base"
    #expect(place("b") == "http://localhost:80/base/b/")
    #expect(S3Endpoint(configuration, bucket: "b", region: "x").host == "localhost")
    configuration.usesPathStyle = false
    configuration.endpoint = "http://s3.test:99"
    #expect(place("b") == "http://b.s3.test:99/")
  }

  @Test func credentialsOfPrograms() throws {
    let keys = try CredentialProcess.run(
      #"echo '{"Version":1,"AccessKeyId":"A","SecretAccessKey":"s\/x","SessionToken":"t","Expiration":"2026-11-21T01:02:03Z","x":{"y":["}"]}}'"#,
      profile: "p")
    #expect(keys == AWSCredentials(accessKey: "A", secretKey: "s/x", sessionToken: "t", expiration: 1_795_222_923))
    #expect(throws: (any Error).self) { try CredentialProcess.run("exit 3", profile: "p") }
    #expect(throws: (any Error).self) { try CredentialProcess.run("echo {}", profile: "p") }
  }

  @Test func xml() {
    let document = XMLElement.parse(Array("<?xml v?><!-- x --><a b='>'><c>1 &lt;&#x41;&amp;</c><d/><n:e><![CDATA[<z>]]></n:e></a>".utf8))
    #expect(document?.text(of: "c") == "1 <A&" && document?["d"]?.text == "" && document?.text(of: "e") == "<z>")
    for broken in ["", "<a>", "<a></b>", "<!DOCTYPE a><a/>", "<a>&x;</a>", "text"] {
      #expect(XMLElement.parse(Array(broken.utf8)) == nil)
    }
  }

  @Test func nearRangesAreJoined() {
    func merged(_ ranges: [Range<UInt64>]) -> [Range<UInt64>] { S3ByteSource.merged(ranges) }
    #expect(merged([0..<10, 20..<30]) == [0..<30])
    #expect(merged([0..<10, 2_000_000..<2_000_010]) == [0..<10, 2_000_000..<2_000_010])
    #expect(merged([0..<10_000_000, 11_500_000..<21_500_000]) == [0..<21_500_000])
    #expect(merged([5..<9, 0..<10]) == [0..<10])
  }
}
