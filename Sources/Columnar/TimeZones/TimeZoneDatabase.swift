import Glibc
package import QueryErrors
import Synchronization

/// Time zones by name and by key, read from the system's zoneinfo files when first asked for.
///
/// - Threads: safe.
/// - Source: Trino `TimeZoneKey`; the names are those of the tz database.
package enum TimeZoneDatabase {
  private struct State {
    var keys: [String: TimeZoneKey] = [:]
    var zones: [TimeZoneRules] = []
    var fixed: [UInt16: TimeZoneRules] = [:]
    var spellings: [String: String]?
  }
  private static let state = Mutex(State())
  private static let utcRules = TimeZoneRules(key: .utc, name: "UTC", fixedOffset: 0)

  /// Where the system keeps zoneinfo; nil when it has none.
  private static let directory: String? = {
    var candidates = ["/usr/share/zoneinfo", "/usr/lib/zoneinfo", "/usr/share/lib/zoneinfo", "/etc/zoneinfo"]
    if let named = getenv("TZDIR") { candidates.insert(String(cString: named), at: 0) }
    return candidates.first { access($0, R_OK) == 0 }
  }()

  /// The key of a zone: `UTC`, `America/New_York` in any case, `+05:30`, `UTC+1`, `Etc/GMT-5`.
  ///
  /// - Throws: `INVALID_CAST_ARGUMENT` when there is no such zone, `NOT_FOUND` when the system has no zoneinfo.
  package static func key(named name: String) throws(QueryError) -> TimeZoneKey {
    if let key = find(name) { return key }
    if let missing { throw missing }
    throw QueryError(.invalidCastArgument, "'\(name)' is not a valid time zone")
  }

  /// What is wrong when the system has no zoneinfo.
  package static var missing: QueryError? {
    if directory != nil { return nil }
    return QueryError(
      .notFound, "The system's time zone database was not found",
      hint: "Install the tzdata package, or set TZDIR to the folder that holds zoneinfo.")
  }

  /// Like `key(named:)`, nil when there is no such zone.
  package static func find(_ name: String) -> TimeZoneKey? {
    guard !name.isEmpty, name.utf8.count <= 64 else { return nil }
    let folded = asciiLowercased(name)
    if let known = state.withLock({ $0.keys[folded] }) { return known }
    var key: TimeZoneKey?
    let normal = normalized(folded)
    if normal == "utc" {
      key = .utc
    } else if let minutes = offsetMinutes(normal) {
      key = minutes == 0 ? .utc : TimeZoneKey(offsetMinutes: minutes)
    } else {
      key = load(name, folded)
    }
    if let key { state.withLock { $0.keys[folded] = key } }
    return key
  }

  /// The rules of a key made in this process; an unknown key counts as UTC.
  package static func rules(_ key: TimeZoneKey) -> TimeZoneRules {
    if key == .utc { return utcRules }
    if let minutes = key.fixedOffsetMinutes {
      return state.withLock { state in
        if let known = state.fixed[key.rawValue] { return known }
        let rules = TimeZoneRules(key: key, name: offsetName(minutes), fixedOffset: minutes * 60)
        state.fixed[key.rawValue] = rules
        return rules
      }
    }
    return state.withLock { state in
      let index = Int(key.rawValue) - Int(TimeZoneKey.firstNamed)
      return state.zones.indices.contains(index) ? state.zones[index] : utcRules
    }
  }

  /// The name that values with time zone print.
  package static func name(_ key: TimeZoneKey) -> String { rules(key).name }

  /// `+05:30`.
  package static func offsetName(_ minutes: Int) -> String {
    let value = abs(minutes)
    func two(_ n: Int) -> String { n < 10 ? "0\(n)" : "\(n)" }
    return "\(minutes < 0 ? "-" : "+")\(two(value / 60)):\(two(value % 60))"
  }

  // MARK: Names

  private static func asciiLowercased(_ text: String) -> String {
    String(decoding: text.utf8.map { $0 >= 0x41 && $0 <= 0x5a ? $0 | 0x20 : $0 }, as: UTF8.self)
  }

  private static let utcNames: Set<String> = ["utc", "z", "ut", "uct", "gmt", "gmt0", "greenwich", "universal", "zulu"]

  /// Folds the spellings of UTC and of fixed offsets into `utc` and `+hh:mm`; other names stay.
  ///
  /// - Parameter folded: lower case.
  /// - Source: Trino `TimeZoneKey.normalizeZoneId`.
  private static func normalized(_ folded: String) -> String {
    var text = Array(folded.utf8)
    let isEtc = text.starts(with: Array("etc/".utf8))
    if isEtc { text.removeFirst(4) }
    if utcNames.contains(String(decoding: text, as: UTF8.self)) { return "utc" }
    var isInverted = false
    if text.count > 3, text.starts(with: Array("utc".utf8)) || text.starts(with: Array("gmt".utf8)) {
      isInverted = isEtc && text[0] == UInt8(ascii: "g")
      text.removeFirst(3)
    } else if text.count > 2, text.starts(with: Array("ut".utf8)) {
      text.removeFirst(2)
    }
    guard let sign = text.first, sign == UInt8(ascii: "+") || sign == UInt8(ascii: "-") else { return folded }
    if text.count == 6, text[3] == UInt8(ascii: ":") { return String(decoding: text, as: UTF8.self) }
    guard text.count == 2 || text.count == 3, text.dropFirst().allSatisfy({ $0 >= 0x30 && $0 <= 0x39 }) else {
      return folded
    }
    let hours = text.dropFirst().reduce(0) { $0 * 10 + Int($1 - 0x30) }
    if hours == 0 { return "utc" }
    let isNegative = (sign == UInt8(ascii: "-")) != isInverted
    return "\(isNegative ? "-" : "+")\(hours < 10 ? "0" : "")\(hours):00"
  }

  /// Minutes of `+hh:mm`, −14:00 to +14:00.
  package static func offsetMinutes(_ text: String) -> Int? {
    let p = Array(text.utf8)
    guard p.count == 6, p[0] == UInt8(ascii: "+") || p[0] == UInt8(ascii: "-"), p[3] == UInt8(ascii: ":") else {
      return nil
    }
    for k in [1, 2, 4, 5] where p[k] < 0x30 || p[k] > 0x39 { return nil }
    let (hours, minutes) = (Int(p[1] - 0x30) * 10 + Int(p[2] - 0x30), Int(p[4] - 0x30) * 10 + Int(p[5] - 0x30))
    guard minutes < 60, hours * 60 + minutes <= 840 else { return nil }
    return p[0] == UInt8(ascii: "-") ? -(hours * 60 + minutes) : hours * 60 + minutes
  }

  // MARK: Files

  private static func load(_ name: String, _ folded: String) -> TimeZoneKey? {
    let isSafe = folded.utf8.allSatisfy { byte in
      (byte >= 0x61 && byte <= 0x7a) || (byte >= 0x30 && byte <= 0x39) || byte == 0x2f || byte == 0x5f || byte == 0x2b
        || byte == 0x2d
    }
    guard isSafe, let directory, let spelling = spellings(directory)[folded],
      let data = readFile(directory + "/" + spelling), let file = TimeZoneFile(data)
    else { return nil }
    return state.withLock { state in
      if let known = state.keys[folded] { return known }
      let raw = Int(TimeZoneKey.firstNamed) + state.zones.count
      guard raw <= Int(UInt16.max) else { return nil }
      let key = TimeZoneKey(rawValue: UInt16(raw))
      state.zones.append(TimeZoneRules(key: key, name: spelling, file: file))
      state.keys[folded] = key
      return key
    }
  }

  /// Lower-case names → names as the files spell them.
  private static func spellings(_ directory: String) -> [String: String] {
    if let known = state.withLock({ $0.spellings }) { return known }
    var table: [String: String] = [:]
    func walk(_ prefix: String, _ depth: Int) {
      guard depth < 4, let handle = opendir(directory + "/" + prefix) else { return }
      defer { closedir(handle) }
      while let entry = readdir(handle) {
        let isFolder = entry.pointee.d_type == UInt8(DT_DIR)
        let name = withUnsafePointer(to: &entry.pointee.d_name) { tuple in
          tuple.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
        }
        if name.hasPrefix(".") || name.utf8.contains(UInt8(ascii: ".")) { continue }
        if prefix.isEmpty, ["posix", "right", "posixrules", "localtime", "leapseconds", "Factory"].contains(name) {
          continue
        }
        let path = prefix.isEmpty ? name : prefix + "/" + name
        if isFolder { walk(path, depth + 1) } else { table[asciiLowercased(path)] = path }
      }
    }
    walk("", 0)
    state.withLock { $0.spellings = table }
    return table
  }

  private static func readFile(_ path: String) -> [UInt8]? {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return nil }
    defer { close(descriptor) }
    var data = [UInt8](repeating: 0, count: 1 << 18)
    var count = 0
    while count < data.count {
      let got = data.withUnsafeMutableBytes { read(descriptor, $0.baseAddress! + count, $0.count - count) }
      if got <= 0 { break }
      count += got
    }
    data.removeLast(data.count - count)
    return data
  }
}
