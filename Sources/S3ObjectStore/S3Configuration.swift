import Glibc

/// How S3 is reached: what a program says, and where it says nothing the environment and the profile, as AWS' own clients.
///
/// - Source: AWS SDKs and Tools Reference Guide, settings reference.
package struct S3Configuration: Hashable, Sendable {
  /// `https://host`, of a service that speaks S3's protocol; nil: Amazon's of the bucket's region.
  package var endpoint: String?
  package var region: String?
  package var profile: String?
  package var credentials: AWSCredentials?
  /// Requests are not signed: public buckets.
  package var isAnonymous = false
  /// The caller pays for requests to buckets of that kind.
  package var isRequesterPaying = false
  /// Whether the bucket stands in the path; nil: with an endpoint of one's own.
  package var usesPathStyle: Bool?

  package init() {}

  package init(
    endpoint: String?, region: String?, profile: String?, isAnonymous: Bool, isRequesterPaying: Bool
  ) {
    (self.endpoint, self.region, self.profile) = (endpoint, region, profile)
    (self.isAnonymous, self.isRequesterPaying) = (isAnonymous, isRequesterPaying)
  }

  static func environment(_ name: String) -> String? {
    guard let value = getenv(name), value.pointee != 0 else { return nil }
    return String(cString: value)
  }

  /// With everything filled in that the environment and the profile tell.
  func resolved(_ profiles: AWSProfiles) -> S3Configuration {
    var result = self
    result.profile = profile ?? Self.environment("AWS_PROFILE") ?? Self.environment("AWS_DEFAULT_PROFILE") ?? "default"
    let settings = profiles[result.profile ?? "default"]
    result.region =
      region ?? Self.environment("AWS_REGION") ?? Self.environment("AWS_DEFAULT_REGION") ?? settings?["region"]
    if result.endpoint == nil, Self.environment("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS")?.lowercased() != "true" {
      result.endpoint =
        Self.environment("AWS_ENDPOINT_URL_S3") ?? Self.environment("AWS_ENDPOINT_URL")
        ?? settings?["services"].flatMap { profiles.service("s3", of: $0)?["endpoint_url"] } ?? settings?["endpoint_url"]
    }
    while result.endpoint?.hasSuffix("/") == true { result.endpoint?.removeLast() }
    return result
  }
}
