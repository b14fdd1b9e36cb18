import ObjectStore
import QueryErrors

/// What was declared about files whose columns are not; what is nil is found out.
struct CSVGiven: Sendable {
  var separator: UInt8?
  /// `.some(nil)`: no quotes.
  var quote: UInt8??
  /// `.some(nil)`: no escape but doubled quotes.
  var escape: UInt8??
  var header: Bool?
  /// Records above the header or the data.
  var skipped: Int?
  /// `.some(nil)`: no comments.
  var comment: UInt8??
  /// The character set, when declared.
  var encoding: TextEncoding?
  var compression: CompressionCodec?
  /// Forms of dates and timestamps besides ISO's.
  var datePatterns: [DateTimePattern] = []
  var timestampPatterns: [DateTimePattern] = []
  /// Whether all rows are looked at before types are told.
  var samplesAll = false
  /// Bytes of small files looked at; larger ones are sampled in many places.
  var sampleByteCount = 4 << 20
}
