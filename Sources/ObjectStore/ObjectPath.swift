import Glibc

/// Reads and joins paths, which separate names by `/`.
package enum ObjectPath {
  /// Whether tables skip this name, as Hive does; `_$folder$` ends the marks that EMR leaves on S3 for folders.
  package static func isHidden(_ name: String) -> Bool {
    let first = name.utf8.first
    return first == UInt8(ascii: "_") || first == UInt8(ascii: ".")
      || (name.utf8.last == UInt8(ascii: "$") && name.hasSuffix("_$folder$"))
  }

  /// `directory/name`, with one slash between.
  package static func join(_ directory: String, _ name: String) -> String {
    if directory.isEmpty { return name }
    if name.isEmpty { return directory }
    return directory.utf8.last == UInt8(ascii: "/") ? directory + name : directory + "/" + name
  }

  /// The last name of a path: `c.csv` of `a/b/c.csv` and `b` of `a/b/`.
  package static func lastName(_ path: String) -> String {
    path.split(separator: "/").last.map(String.init) ?? ""
  }

  /// The path without its last name: `a/b` of `a/b/c.csv`, `.` of `c.csv`, `/` of `/c.csv`.
  package static func parent(_ path: String) -> String {
    var bytes = Array(path.utf8)
    let slash = UInt8(ascii: "/")
    while bytes.count > 1, bytes.last == slash { bytes.removeLast() }
    guard let last = bytes.lastIndex(of: slash) else { return "." }
    if last == 0 { return "/" }
    return String(decoding: bytes[..<last], as: UTF8.self)
  }

  /// The scheme in lower case and what follows its colon, or nil for a plain path.
  ///
  /// - Source: RFC 3986, section 3.1; a single letter is not taken for a scheme.
  package static func splitScheme(_ location: String) -> (scheme: String, rest: String)? {
    guard let colon = location.utf8.firstIndex(of: UInt8(ascii: ":")) else { return nil }
    let rest = location[location.index(after: colon)...]
    guard rest.hasPrefix("/") else { return nil }
    let scheme = location[..<colon].lowercased()
    guard scheme.utf8.count > 1, let first = scheme.utf8.first, (97...122).contains(first) else { return nil }
    for byte in scheme.utf8 {
      let isLetter = (97...122).contains(byte)
      let isDigit = (48...57).contains(byte)
      if !isLetter, !isDigit, byte != 0x2B, byte != 0x2D, byte != 0x2E { return nil }
    }
    return (scheme, String(rest))
  }

  /// `~` and `~/x` with the home folder in place of `~`.
  package static func expandHome(_ path: String) -> String {
    guard path == "~" || path.hasPrefix("~/"), let home = getenv("HOME") else { return path }
    return String(cString: home) + path.dropFirst(1)
  }
}
