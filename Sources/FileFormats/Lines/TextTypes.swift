package import Columnar

/// Types told from text.
package enum TextTypes {
  /// The narrowest type that holds the values of `type` and a text that does not read as one.
  package static func widened(_ type: DataType, by text: String) -> DataType {
    let bytes = Array(text.utf8) + [UInt8](repeating: 0, count: 64)
    let (kinds, digits, _) = bytes.withUnsafeBufferPointer { ColumnGuesses.kinds($0.baseAddress!, text.utf8.count) }
    let own = ColumnGuesses.type(of: kinds, digits)
    let merged = SchemaMerge.merge(type, own, isText: true) ?? .text
    return merged == type ? .text : merged
  }
}
