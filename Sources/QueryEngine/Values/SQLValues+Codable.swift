import Columnar

// In rows these types are columns' values; elsewhere, in JSON say, they are their texts.

extension SQLDate: Codable {
  public func encode(to encoder: any Encoder) throws { try CodableText.encode(description, encoder) }

  /// Reads `2024-02-29`.
  public init(from decoder: any Decoder) throws {
    self.init(days: Int(try CodableText.decode(SQLDate.self, decoder) { TimestampText.parseDate($0, $1) }))
  }
}

extension SQLTimestamp: Codable {
  public func encode(to encoder: any Encoder) throws { try CodableText.encode(description, encoder) }

  /// Reads `2024-02-29 13:05:00.123`.
  public init(from decoder: any Decoder) throws {
    let parts = try CodableText.decode(SQLTimestamp.self, decoder) { TimestampText.parse($0, $1) }
    try self.init(.int128(parts.picos(precision: 12)), of: .timestamp(precision: 12))
  }
}

extension SQLTime: Codable {
  public func encode(to encoder: any Encoder) throws { try CodableText.encode(description, encoder) }

  /// Reads `13:05:00.123`.
  public init(from decoder: any Decoder) throws {
    let parts = try CodableText.decode(SQLTime.self, decoder) { TimestampText.parseTime($0, $1) }
    self.init(picoseconds: Int64(parts.picos(precision: 12)))
  }
}

extension SQLDecimal: Codable {
  public func encode(to encoder: any Encoder) throws { try CodableText.encode(description, encoder) }

  /// Reads `12.50`.
  public init(from decoder: any Decoder) throws {
    self = try CodableText.decode(SQLDecimal.self, decoder) {
      SQLDecimal(String(decoding: UnsafeBufferPointer(start: $0, count: $1), as: UTF8.self))
    }
  }
}

private enum CodableText {
  static func encode(_ text: String, _ encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(text)
  }

  static func decode<T, R>(_ type: T.Type, _ decoder: any Decoder, _ parse: (UnsafePointer<UInt8>, Int) -> R?) throws -> R {
    let container = try decoder.singleValueContainer()
    var text = try container.decode(String.self)
    let parsed = text.withUTF8 { bytes in bytes.baseAddress.flatMap { parse($0, bytes.count) } }
    guard let parsed else {
      throw DecodingError.dataCorruptedError(in: container, debugDescription: "'\(text)' is no \(type)")
    }
    return parsed
  }
}
