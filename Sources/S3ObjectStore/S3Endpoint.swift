/// Where a bucket's requests go.
struct S3Endpoint: Sendable {
  /// `https://bucket.s3.eu-west-1.amazonaws.com`.
  var base: String
  /// What stands before the key: `/` or `/bucket/`.
  var prefix: String
  var host: String

  init(_ configuration: S3Configuration, bucket: String, region: String) {
    if let endpoint = configuration.endpoint, !(configuration.usesPathStyle == false) {
      base = endpoint
      prefix = "/" + bucket + "/"
    } else if let endpoint = configuration.endpoint {
      let parts = S3Endpoint.split(endpoint)
      base = parts.scheme + bucket + "." + parts.rest
      prefix = "/"
    } else {
      let suffix = region.hasPrefix("cn-") ? "amazonaws.com.cn" : "amazonaws.com"
      // The certificate's wildcard spans no dot.
      let isInPath = configuration.usesPathStyle ?? bucket.contains(".")
      base = isInPath ? "https://s3.\(region).\(suffix)" : "https://\(bucket).s3.\(region).\(suffix)"
      prefix = isInPath ? "/" + bucket + "/" : "/"
    }
    host = S3Endpoint.host(of: base)
    // An endpoint below a path of its own.
    let rest = S3Endpoint.split(base).rest
    if let slash = rest.firstIndex(of: "/") {
      prefix = rest[slash...] + prefix
      base = S3Endpoint.split(base).scheme + rest[..<slash]
    }
  }

  /// The host and port of an address, as the `host` header names them.
  static func host(of url: String) -> String {
    var host = String(split(url).rest.prefix { $0 != "/" })
    if url.hasPrefix("http://"), host.hasSuffix(":80") { host.removeLast(3) }
    if url.hasPrefix("https://"), host.hasSuffix(":443") { host.removeLast(4) }
    return host
  }

  static func trimmed(_ url: String) -> String {
    var url = url
    while url.hasSuffix("/") { url.removeLast() }
    return url
  }

  private static func split(_ url: String) -> (scheme: String, rest: String) {
    for scheme in ["https://", "http://"] where url.hasPrefix(scheme) { return (scheme, String(url.dropFirst(scheme.count))) }
    return ("https://", url)
  }
}
