import Glibc

/// Points in time as HTTP writes them.
enum HTTPDate {
  private static let days = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"]
  private static let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]

  /// `Sat, 21 Nov 2026 01:02:03 GMT` of seconds since 1970-01-01 UTC.
  static func text(now seconds: Int) -> String {
    var (time, t) = (time_t(seconds), tm())
    gmtime_r(&time, &t)
    return
      "\(days[Int(t.tm_wday)]), \(pad(t.tm_mday)) \(months[Int(t.tm_mon)]) \(t.tm_year + 1900) \(pad(t.tm_hour)):\(pad(t.tm_min)):\(pad(t.tm_sec)) GMT"
  }

  /// `2026-11-21T01:02:03.004Z` of nanoseconds since 1970-01-01 UTC.
  static func iso(nanoseconds: Int64) -> String {
    var (time, t) = (time_t(nanoseconds / 1_000_000_000), tm())
    gmtime_r(&time, &t)
    let millis = String(1000 + nanoseconds / 1_000_000 % 1000).dropFirst()
    return "\(t.tm_year + 1900)-\(pad(t.tm_mon + 1))-\(pad(t.tm_mday))T\(pad(t.tm_hour)):\(pad(t.tm_min)):\(pad(t.tm_sec)).\(millis)Z"
  }

  private static func pad(_ value: Int32) -> String { value < 10 ? "0\(value)" : String(value) }
}
