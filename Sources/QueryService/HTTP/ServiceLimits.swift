/// What one server takes from its clients.
///
/// - Units: bytes and seconds.
public struct ServiceLimits: Sendable {
  /// Of a request that is no upload: a statement of 262,144 letters and a table of some thousand columns fit in.
  public var bodyByteCount = 8 << 20
  /// Of one upload, as S3's own limit.
  public var uploadByteCount = 5 << 30
  public var connectionCount = 2000
  /// From one answer to the next request's headers, whole.
  public var idleSeconds = 60
  /// For the body of a request that is no upload, whole; an upload has it for each piece.
  public var bodySeconds = 60
  /// Queries that run at once; further ones wait.
  public var runningCount = 4
  /// Queries that wait; further ones are refused.
  public var queuedCount = 200
  /// How long an answer about a running query is held back for its end.
  public var pollMilliseconds = 500
  /// How long queries may go on when the server is told to end; then they are cancelled.
  public var shutdownSeconds = 30

  public init() {}
}
