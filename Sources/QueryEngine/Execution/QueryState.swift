/// Where a statement is in its life; raw values as Athena's API has them.
public enum QueryState: String, Codable, CaseIterable, Sendable {
  case queued = "QUEUED"
  case running = "RUNNING"
  case succeeded = "SUCCEEDED"
  case failed = "FAILED"
  case cancelled = "CANCELLED"

  /// Whether nothing will change any more.
  public var isFinal: Bool {
    switch self {
    case .queued, .running: false
    case .succeeded, .failed, .cancelled: true
    }
  }
}
