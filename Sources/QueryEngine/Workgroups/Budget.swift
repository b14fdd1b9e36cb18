/// What a workgroup, a tag or the whole home may spend in a day or a month.
public struct Budget: Hashable, Codable, Sendable {
  /// Whose spending counts.
  public enum Scope: Hashable, Codable, Sendable, CustomStringConvertible {
    case home
    case workgroup(String)
    case tag(key: String, value: String)

    /// `workgroup=analysts`, `tag:team=growth`, `home`.
    public var description: String {
      switch self {
      case .home: "home"
      case .workgroup(let name): "workgroup=\(name)"
      case .tag(let key, let value): "tag:\(key)=\(value)"
      }
    }
  }

  /// Days and months begin at midnight UTC.
  public enum Period: String, CaseIterable, Codable, Sendable {
    case day
    case month

    /// Its words in messages.
    var now: String { self == .day ? "today" : "this month" }

    /// Microseconds since 1970-01-01 UTC at which the period that holds `micros` began.
    func start(_ micros: Int64) -> Int64 {
      let dayLength: Int64 = 86_400_000_000
      let day = CalendarDate.floorDivide(micros, dayLength)
      switch self {
      case .day: return day * dayLength
      case .month:
        let (_, _, date) = CalendarDate.civil(Int(day))
        return (day - Int64(date) + 1) * dayLength
      }
    }
  }

  public var scope: Scope
  public var period: Period
  /// US dollars.
  public var dollars: Double
  /// Whether a statement that would pass it is stopped; else a note tells of it.
  public var stops = true

  public init(_ scope: Scope, per period: Period, dollars: Double, stops: Bool = true) {
    self.scope = scope
    self.period = period
    self.dollars = dollars
    self.stops = stops
  }

  /// Share of a budget from which on statements are told.
  static let warningShare = 0.8
}
