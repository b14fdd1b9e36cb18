import Glibc

/// Points in time as AWS writes them.
///
/// - Units: seconds since 1970-01-01 UTC.
package enum UTCTime {
  package static var now: Int { time(nil) }

  /// `20261121T010203Z`.
  package static func compact(_ seconds: Int) -> String {
    let t = parts(seconds)
    return pad(t.tm_year + 1900, 4) + pad(t.tm_mon + 1) + pad(t.tm_mday) + "T" + pad(t.tm_hour) + pad(t.tm_min)
      + pad(t.tm_sec) + "Z"
  }

  /// Seconds of `2026-11-21T01:02:03.000Z`; nil for what is no such time.
  package static func seconds(iso text: String) -> Int? {
    let numbers = text.split { !$0.isNumber }.compactMap { Int32($0) }
    guard numbers.count >= 6 else { return nil }
    return seconds(year: numbers[0], month: numbers[1], day: numbers[2], numbers[3], numbers[4], numbers[5])
  }

  /// Seconds of a header's `Sat, 21 Nov 2026 01:02:03 GMT`.
  package static func seconds(http text: String) -> Int? {
    let words = text.split { $0 == " " || $0 == ":" }
    let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
    guard words.count >= 7, let day = Int32(words[1]), let month = months.firstIndex(of: String(words[2])),
      let year = Int32(words[3]), let hour = Int32(words[4]), let minute = Int32(words[5]), let second = Int32(words[6])
    else { return nil }
    return seconds(year: year, month: Int32(month) + 1, day: day, hour, minute, second)
  }

  private static func seconds(
    year: Int32, month: Int32, day: Int32, _ hour: Int32, _ minute: Int32, _ second: Int32
  ) -> Int? {
    guard (1970...9999).contains(year), (1...12).contains(month), (1...31).contains(day) else { return nil }
    var t = tm()
    (t.tm_year, t.tm_mon, t.tm_mday, t.tm_hour, t.tm_min, t.tm_sec) = (year - 1900, month - 1, day, hour, minute, second)
    return timegm(&t)
  }

  private static func parts(_ seconds: Int) -> tm {
    var (time, t) = (time_t(seconds), tm())
    gmtime_r(&time, &t)
    return t
  }

  private static func pad(_ value: Int32, _ width: Int = 2) -> String {
    let digits = String(value)
    return String(repeating: "0", count: max(0, width - digits.count)) + digits
  }
}
