/// The offsets of one time zone, to be fetched once per batch and asked per row.
///
/// - Units: seconds since 1970-01-01, offsets in seconds east of UTC.
package final class TimeZoneRules: Sendable {
  package let key: TimeZoneKey
  /// As values with time zone print it: `UTC`, `+02:00`, `Europe/Berlin`.
  package let name: String
  /// The offset when it never changes.
  package let fixedOffset: Int?
  private let file: TimeZoneFile?

  package init(key: TimeZoneKey, name: String, fixedOffset: Int) {
    self.key = key
    self.name = name
    self.fixedOffset = fixedOffset
    file = nil
  }

  init(key: TimeZoneKey, name: String, file: TimeZoneFile) {
    self.key = key
    self.name = name
    fixedOffset = file.transitions.isEmpty ? file.firstOffset : nil
    self.file = file
  }

  /// The offset in force at an instant.
  package func offset(utcSeconds: Int64) -> Int {
    if let fixedOffset { return fixedOffset }
    return interval(utcSeconds).offset
  }

  /// The offset at an instant, and the instants from and until which it holds.
  package func interval(_ utcSeconds: Int64) -> (offset: Int, from: Int64, until: Int64) {
    guard let file, !file.transitions.isEmpty else { return (fixedOffset ?? 0, Int64.min, Int64.max) }
    let last = file.transitions[file.transitions.count - 1]
    if file.repeats, utcSeconds >= last {
      let cycles = (utcSeconds &- last) / TimeZoneFile.cycleSeconds &+ 1
      let shift = cycles &* TimeZoneFile.cycleSeconds
      let found = search(file, utcSeconds &- shift)
      return (found.offset, max(found.from, last &- shift) &+ shift, found.until &+ shift)
    }
    return search(file, utcSeconds)
  }

  private func search(_ file: TimeZoneFile, _ utcSeconds: Int64) -> (offset: Int, from: Int64, until: Int64) {
    let n = file.transitions.count
    return file.transitions.withUnsafeBufferPointer { p in
      var (low, high) = (0, n)
      while low < high {
        let middle = (low &+ high) >> 1
        if p[middle] <= utcSeconds { low = middle &+ 1 } else { high = middle }
      }
      let offset = low == 0 ? file.firstOffset : Int(file.offsets[low &- 1])
      return (offset, low == 0 ? Int64.min : p[low &- 1], low == n ? Int64.max : p[low])
    }
  }

  /// The instant of a local time: in a gap moved forward by its length, in an overlap the earlier one.
  ///
  /// - Source: Java `ZonedDateTime.ofLocal`; Joda `DateTimeZone.convertLocalToUTC`.
  package func utcSeconds(localSeconds: Int64) -> Int64 {
    if let fixedOffset { return localSeconds &- Int64(fixedOffset) }
    let before = Int64(offset(utcSeconds: localSeconds &- 86_400))
    let early = localSeconds &- before
    if Int64(offset(utcSeconds: early)) == before { return early }
    let after = Int64(offset(utcSeconds: localSeconds &+ 86_400))
    let late = localSeconds &- after
    if Int64(offset(utcSeconds: late)) == after { return late }
    return early
  }
}

/// Offsets for many instants of one or a few zones; remembers the last stretch of constant offset.
package struct TimeZoneCursor {
  private var rules: TimeZoneRules
  private var from: Int64 = 1
  private var until: Int64 = 0
  private var current = 0

  package init(_ key: TimeZoneKey = .utc) { rules = TimeZoneDatabase.rules(key) }

  /// The rules of `key`.
  package mutating func zone(_ key: TimeZoneKey) -> TimeZoneRules {
    if rules.key != key { change(key) }
    return rules
  }

  @inline(never)
  private mutating func change(_ key: TimeZoneKey) {
    rules = TimeZoneDatabase.rules(key)
    from = 1
    until = 0
  }

  /// The offset of `key` at an instant.
  ///
  /// - Units: seconds.
  package mutating func offset(_ key: TimeZoneKey, utcSeconds: Int64) -> Int64 {
    if rules.key != key { change(key) }
    if utcSeconds >= from, utcSeconds < until { return Int64(current) }
    let found = rules.interval(utcSeconds)
    from = found.from
    until = found.until
    current = found.offset
    return Int64(current)
  }
}
