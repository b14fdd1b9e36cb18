/// Hive's folder names for partitions: `year=2024/month=05`, values percent-encoded.
///
/// - Source: Hive `FileUtils.escapePathName`.
package enum PartitionFolder {
  /// The folder of rows whose partition value is NULL or empty.
  package static let defaultValue = "__HIVE_DEFAULT_PARTITION__"

  /// The key and value of one folder name; nil when it is no `key=value`. The value is nil for the default partition.
  package static func parse(_ name: some StringProtocol) -> (key: String, value: String?)? {
    guard let equals = name.firstIndex(of: "="), equals != name.startIndex else { return nil }
    let value = decode(name[name.index(after: equals)...])
    return (decode(name[..<equals]), value == defaultValue ? nil : value)
  }

  /// The values of `a=1/b=2`.
  package static func values(_ folder: String) -> [String?] {
    folder.split(separator: "/").map { parse($0)?.value ?? nil }
  }

  /// `a=1/b=2` of columns and values.
  package static func name(_ columns: [String], _ values: [String?]) -> String {
    zip(columns, values).map { encode($0.lowercased()) + "=" + ($1.map(encode) ?? defaultValue) }.joined(separator: "/")
  }

  /// `%2F` and the like turned into what they stand for.
  package static func decode(_ text: some StringProtocol) -> String {
    guard text.utf8.contains(UInt8(ascii: "%")) else { return String(text) }
    let bytes = Array(text.utf8)
    var out: [UInt8] = []
    var at = 0
    while at < bytes.count {
      if bytes[at] == UInt8(ascii: "%"), at + 2 < bytes.count, let high = digit(bytes[at + 1]), let low = digit(bytes[at + 2]) {
        out.append(high << 4 | low)
        at += 3
      } else {
        out.append(bytes[at])
        at += 1
      }
    }
    return String(decoding: out, as: UTF8.self)
  }

  private static func digit(_ byte: UInt8) -> UInt8? {
    switch byte {
    case 0x30...0x39: byte - 0x30
    case 0x41...0x46: byte - 0x37
    case 0x61...0x66: byte - 0x57
    default: nil
    }
  }

  package static func encode(_ text: String) -> String {
    let special = Set("\"#%'*/:=?\\{[]^\u{7f}".utf8)
    var out: [UInt8] = []
    for byte in text.utf8 {
      if byte < 0x20 || special.contains(byte) {
        out += Array("%".utf8)
        out.append(hex(byte >> 4))
        out.append(hex(byte & 15))
      } else {
        out.append(byte)
      }
    }
    return String(decoding: out, as: UTF8.self)
  }

  private static func hex(_ digit: UInt8) -> UInt8 { digit < 10 ? 0x30 + digit : 0x37 + digit }
}
