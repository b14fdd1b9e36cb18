import Columnar
import Glibc

/// Reads nested JSON values into the tree of a column's type.
///
/// Recursion follows the type, never the data.
final class JSONNestedReader {
  /// Why a value could not be read.
  enum Failure: Error {
    case malformed
    /// Well formed, but not of the type.
    case mismatch(DataType)
    /// An object has a key that its type lacks.
    case unknownKey
  }

  let root: NestedSpans
  private let fields: FieldNames
  private let refusesUnknownKeys: Bool

  /// The keys of a row's fields, at every level.
  private final class FieldNames {
    let keys: [[UInt8]]
    let children: [FieldNames]
    let mapping: JSONKeyMapping
    var next = 0

    init(_ type: DataType, _ mapping: JSONKeyMapping) {
      self.mapping = mapping
      children = type.childTypes.map { FieldNames($0, mapping) }
      if case .row(let fields) = type {
        keys = fields.map { Array(mapping.key(for: $0.name ?? "").utf8) }
      } else {
        keys = []
      }
    }

    /// Which field a key means, or nil.
    func index(_ p: UnsafePointer<UInt8>, _ n: Int) -> Int? {
      if keys.isEmpty { return nil }
      if next >= keys.count { next = 0 }
      if matches(next, p, n) {
        next += 1
        return next - 1
      }
      for i in keys.indices where matches(i, p, n) {
        next = i + 1
        return i
      }
      var isPlain = !mapping.replacesDots
      for i in 0..<n where p[i] >= 0x80 || p[i] == 0x5c { isPlain = false }
      if isPlain { return nil }
      let wanted = Array(mapping.normalise(JSONText.string(p, n)).utf8)
      return keys.firstIndex(of: wanted)
    }

    /// Compares ASCII; other keys are compared by the caller.
    private func matches(_ i: Int, _ p: UnsafePointer<UInt8>, _ n: Int) -> Bool {
      let key = keys[i]
      if key.count != n { return false }
      for k in 0..<n {
        var c = p[k]
        if mapping.isCaseInsensitive, c &- 0x41 < 26 { c |= 0x20 }
        if c != key[k] || c == 0x5c { return false }
      }
      return true
    }
  }

  /// - Parameter refusesUnknownKeys: whether keys that no field stands for are failures.
  init(_ type: DataType, _ policy: ValuePolicy, _ mapping: JSONKeyMapping, refusesUnknownKeys: Bool = false) {
    self.refusesUnknownKeys = refusesUnknownKeys
    root = NestedSpans(type, policy)
    fields = FieldNames(type, mapping)
  }

  /// Adds one value, the text of `p[0 ..< count]`.
  func append(_ p: UnsafePointer<UInt8>, _ count: Int) throws(Failure) {
    var at = 0
    try read(root, fields, p, &at, count)
  }

  private func read(
    _ node: NestedSpans, _ names: FieldNames, _ p: UnsafePointer<UInt8>, _ at: inout Int, _ end: Int
  ) throws(Failure) {
    at = JSONText.skipBlanks(p, at, end)
    guard at < end else { throw .malformed }
    let c = p[at]
    if !node.type.isNested { return try readLeaf(node, p, &at, end) }
    if c == 0x6e {
      guard let after = JSONText.valueEnd(p, at, end) else { throw .malformed }
      at = after
      return node.appendNull()
    }
    switch node.type {
    case .array:
      guard c == 0x5b else { throw .mismatch(node.type) }
      try readList(p, &at, end) { (place) throws(Failure) in
        try read(node.children[0], names.children[0], p, &place, end)
      }
      node.endList()
    case .map:
      guard c == 0x7b else { throw .mismatch(node.type) }
      let first = node.endedChildCount
      try readObject(p, &at, end) { (key, count, place) throws(Failure) in
        try appendString(node.children[0], key, count)
        let last = node.children[0].lastLeaf
        node.children[0].removeLastLeaf()
        if node.children[0].contains(last.start, last.length, from: first) {
          guard let after = JSONText.valueEnd(p, place, end) else { throw .malformed }
          place = after
          return
        }
        node.children[0].append(last.start, last.length)
        try read(node.children[1], names.children[1], p, &place, end)
      }
      node.endList()
    default:
      if c == 0x5b {
        // An array stands for a row by position.
        var field = 0
        try readList(p, &at, end) { (place) throws(Failure) in
          if field < node.children.count {
            try read(node.children[field], names.children[field], p, &place, end)
          } else {
            guard let after = JSONText.valueEnd(p, place, end) else { throw .malformed }
            place = after
          }
          field += 1
        }
      } else {
        guard c == 0x7b else { throw .mismatch(node.type) }
        names.next = 0
        try readObject(p, &at, end) { (key, count, place) throws(Failure) in
          let index = names.index(key, count)
          if let field = index, node.children[field].count == node.count {
            try read(node.children[field], names.children[field], p, &place, end)
          } else {
            if index == nil, refusesUnknownKeys { throw .unknownKey }
            guard let after = JSONText.valueEnd(p, place, end) else { throw .malformed }
            place = after
          }
        }
      }
      for child in node.children where child.count == node.count { child.appendNull() }
      node.endRow()
    }
  }

  /// Passes over `[…]`, handing each element's start to `body`, which moves it behind the element.
  private func readList(
    _ p: UnsafePointer<UInt8>, _ at: inout Int, _ end: Int, _ body: (inout Int) throws(Failure) -> Void
  ) throws(Failure) {
    at = JSONText.skipBlanks(p, at + 1, end)
    if at < end, p[at] == 0x5d {
      at += 1
      return
    }
    while true {
      at = JSONText.skipBlanks(p, at, end)
      try body(&at)
      at = JSONText.skipBlanks(p, at, end)
      guard at < end else { throw .malformed }
      at += 1
      if p[at - 1] == 0x5d { return }
      guard p[at - 1] == 0x2c else { throw .malformed }
    }
  }

  /// Passes over `{…}`, handing each key's content and value's start to `body`, which moves the start behind the value.
  private func readObject(
    _ p: UnsafePointer<UInt8>, _ at: inout Int, _ end: Int,
    _ body: (UnsafePointer<UInt8>, Int, inout Int) throws(Failure) -> Void
  ) throws(Failure) {
    at = JSONText.skipBlanks(p, at + 1, end)
    if at < end, p[at] == 0x7d {
      at += 1
      return
    }
    while true {
      at = JSONText.skipBlanks(p, at, end)
      guard at < end, p[at] == 0x22, let close = JSONText.stringEnd(p, at, end) else { throw .malformed }
      let key = p + at + 1
      let count = close - at - 1
      at = JSONText.skipBlanks(p, close + 1, end)
      guard at < end, p[at] == 0x3a else { throw .malformed }
      at = JSONText.skipBlanks(p, at + 1, end)
      try body(key, count, &at)
      at = JSONText.skipBlanks(p, at, end)
      guard at < end else { throw .malformed }
      at += 1
      if p[at - 1] == 0x7d { return }
      guard p[at - 1] == 0x2c else { throw .malformed }
    }
  }

  private func readLeaf(
    _ node: NestedSpans, _ p: UnsafePointer<UInt8>, _ at: inout Int, _ end: Int
  ) throws(Failure) {
    guard let after = JSONText.valueEnd(p, at, end) else { throw .malformed }
    let start = at
    at = after
    let c = p[start]
    if c == 0x22, node.type != .json { return try appendString(node, p + start + 1, after - start - 2) }
    if JSONText.isNull(p + start, after - start), node.type != .json { return node.appendNull() }
    if c == 0x7b || c == 0x5b {
      guard node.type.isCharacter || node.type == .json else { throw .mismatch(node.type) }
    }
    node.append(p + start, after - start)
  }

  private func appendString(_ node: NestedSpans, _ p: UnsafePointer<UInt8>, _ count: Int) throws(Failure) {
    guard count > 0, memchr(p, 0x5c, count) != nil else { return node.append(p, count) }
    let out = node.reserve(count)
    guard let n = JSONText.unescape(p, count, into: out) else { throw .malformed }
    node.append(UnsafePointer(out), n)
  }
}
