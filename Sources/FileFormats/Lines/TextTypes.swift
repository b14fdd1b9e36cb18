package import Columnar

/// Types told from text.
package enum TextTypes {
  /// The narrowest type that holds the values of `type` and a text that does not read as one.
  package static func widened(_ type: DataType, by text: String) -> DataType {
    let bytes = Array(text.utf8) + [UInt8](repeating: 0, count: 64)
    let (kinds, digits, _) = bytes.withUnsafeBufferPointer { ColumnGuesses.kinds($0.baseAddress!, text.utf8.count) }
    let own: DataType
    if kinds & ColumnGuesses.boolean != 0 {
      own = .boolean
    } else if kinds & ColumnGuesses.bigint != 0 {
      own = .bigint
    } else if kinds & ColumnGuesses.wideInteger != 0 {
      own = .decimal(precision: 38, scale: 0)
    } else if kinds & ColumnGuesses.double != 0 {
      own = .double
    } else if kinds & ColumnGuesses.date != 0 {
      own = .date
    } else if kinds & ColumnGuesses.timestamp != 0 {
      own = .timestamp(precision: ColumnGuesses.precision(digits))
    } else {
      own = .text
    }
    let merged = SchemaMerge.merge(type, own, isText: true) ?? .text
    return merged == type ? .text : merged
  }
}
