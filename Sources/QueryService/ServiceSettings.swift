public import QueryEngine

/// How `sqlq serve` serves.
public struct ServiceSettings: Sendable {
  public var host = "127.0.0.1"
  /// 0: one that is free.
  public var port = 8090
  /// Secrets by access key; none: requests are not checked.
  public var keys: [String: String] = [:]
  /// Whether to listen beyond this machine without keys.
  public var isForced = false
  /// The folder whose folders are the buckets of the S3 service.
  public var bucketFolder: String
  /// Where results go that neither request nor workgroup places: `s3://bucket/prefix/`.
  public var outputLocation = "s3://sqlq-results/"
  public var region = "us-east-1"
  public var account = "000000000000"
  public var session = SessionDefaults()
  public var limits = ServiceLimits()

  public init(bucketFolder: String) { self.bucketFolder = bucketFolder }
}
