import Columnar

/// Reads arrays, maps and rows as LazySimpleSerDe writes them: one separator character per level.
///
/// - Source: Hive `LazyArray`, `LazyMap`, `LazyStruct`.
final class NestedTextReader {
  private let root: NestedSpans
  private let field: DelimitedField
  private let separators: [UInt8]
  private let escape: UInt8?
  private let nullText: [UInt8]?

  /// - Parameter separators: of each level, that of the columns first.
  init(_ type: DataType, _ policy: ValuePolicy, _ dialect: DelimitedDialect, _ separators: [UInt8]) {
    root = NestedSpans(type, policy)
    field = DelimitedField(dialect)
    self.separators = separators
    escape = dialect.escape
    nullText = dialect.nullText
  }

  deinit { field.destroy() }

  /// The values of the first `count` texts.
  func read(_ spans: TextSpans, count: Int, isASCII: Bool, owner: AnyObject, failure: inout Int?) -> Column {
    for row in 0..<count {
      append(root, spans.starts[row], Int(spans.lengths[row]), level: 1)
    }
    var failed: (row: Int, value: String)?
    let column = root.finish(isASCII: isASCII, owner: owner, failure: &failed)
    failure = failed?.row
    return column
  }

  private func append(_ node: NestedSpans, _ p: UnsafePointer<UInt8>, _ count: Int, level: Int) {
    if count < 0 || isNull(p, count) { return node.appendNull() }
    guard node.type.isNested else { return node.append(p, count, field) }
    // Past the last separator nothing is split any more.
    let separator = level < separators.count ? separators[level] : nil
    switch node.type {
    case .array:
      if count > 0 {
        split(p, count, separator) { start, n in append(node.children[0], p + start, n, level: level + 1) }
      }
      node.endList()
    case .map:
      if count > 0 {
        let keySeparator = level + 1 < separators.count ? separators[level + 1] : nil
        split(p, count, separator) { start, n in
          let at = keySeparator.flatMap { find($0, p + start, n) }
          let key = at ?? n
          if isNull(p + start, key) { return }
          append(node.children[0], p + start, key, level: level + 2)
          if let at {
            append(node.children[1], p + start + at + 1, n - at - 1, level: level + 2)
          } else {
            node.children[1].appendNull()
          }
        }
      }
      node.endList()
    default:
      var field = 0
      split(p, count, separator) { start, n in
        if field < node.children.count { append(node.children[field], p + start, n, level: level + 1) }
        field += 1
      }
      while field < node.children.count {
        node.children[field].appendNull()
        field += 1
      }
      node.endRow()
    }
  }

  private func isNull(_ p: UnsafePointer<UInt8>, _ count: Int) -> Bool {
    guard let nullText, nullText.count == count else { return false }
    for i in 0..<count where p[i] != nullText[i] { return false }
    return true
  }

  /// Where the separator first stands unescaped.
  private func find(_ separator: UInt8, _ p: UnsafePointer<UInt8>, _ count: Int) -> Int? {
    var i = 0
    while i < count {
      if let escape, p[i] == escape {
        i += 2
        continue
      }
      if p[i] == separator { return i }
      i += 1
    }
    return nil
  }

  private func split(_ p: UnsafePointer<UInt8>, _ count: Int, _ separator: UInt8?, _ body: (Int, Int) -> Void) {
    var start = 0
    while let separator, let at = find(separator, p + start, count - start) {
      body(start, at)
      start += at + 1
    }
    body(start, count - start)
  }
}
