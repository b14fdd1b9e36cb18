import Columnar
import Glibc

/// The texts of a nested column's values as a tree: what a text reader fills value by value and converts at once.
///
///     array map    offsets into the children, which hold elements, or keys and values
///     row          one child per field
///     leaf         an address and a length per value
///
/// - Threads: one owner.
final class NestedSpans {
  let type: DataType
  let children: [NestedSpans]
  private(set) var count = 0
  private let isLeaf: Bool
  private let isRow: Bool
  private let spans: TextSpans
  private let converter: ValueConverter?
  private var offsets: [Int32] = [0]
  private var nullRows: [Int32] = []

  /// Whether a column of the type can be read: its leaves can.
  static func supports(_ type: DataType) -> Bool {
    type.isNested ? type.childTypes.allSatisfy(supports) : ValueConverter.supports(type)
  }

  init(_ type: DataType, _ policy: ValuePolicy) {
    self.type = type
    isLeaf = !type.isNested
    if case .row = type { isRow = true } else { isRow = false }
    children = type.childTypes.map { NestedSpans($0, policy) }
    spans = TextSpans(capacity: isLeaf ? 64 : 1)
    converter = isLeaf ? ValueConverter(type, policy, capacity: 64) : nil
  }

  // MARK: Filling

  func appendNull() {
    if isLeaf { return append(NestedSpans.nothing, -1) }
    nullRows.append(Int32(truncatingIfNeeded: count))
    if isRow {
      for child in children { child.appendNull() }
    } else {
      offsets.append(offsets[count])
    }
    count += 1
  }

  /// A leaf's text; -1 for NULL.
  func append(_ start: UnsafePointer<UInt8>, _ length: Int) {
    if count == spans.capacity { spans.grow(to: count + 1, keeping: count) }
    spans.starts[count] = start
    spans.lengths[count] = Int32(truncatingIfNeeded: length)
    count += 1
  }

  /// A leaf's text out of a field with quotes or escapes.
  func append(_ start: UnsafePointer<UInt8>, _ length: Int, _ field: DelimitedField) {
    if count == spans.capacity { spans.grow(to: count + 1, keeping: count) }
    field.resolve(start, length, into: spans, count)
    count += 1
  }

  /// Room for a rewritten text of a leaf.
  func reserve(_ count: Int) -> UnsafeMutablePointer<UInt8> { spans.reserve(count) }

  /// Gives back the last bytes of that room.
  func unreserve(_ count: Int) { spans.arena.unreserve(count) }

  /// Whether the last entries of a map, those from `first` on, hold a leaf of this text.
  func contains(_ text: UnsafePointer<UInt8>, _ length: Int, from first: Int) -> Bool {
    var i = first
    while i < count {
      if Int(spans.lengths[i]) == length, memcmp(spans.starts[i], text, length) == 0 { return true }
      i &+= 1
    }
    return false
  }

  /// Entries of the children that belong to ended arrays or maps.
  var endedChildCount: Int { Int(offsets[count]) }

  /// Takes the last value of a leaf off again.
  func removeLastLeaf() { count -= 1 }

  /// The last value of a leaf.
  var lastLeaf: (start: UnsafePointer<UInt8>, length: Int) { (spans.starts[count - 1], Int(spans.lengths[count - 1])) }

  /// Ends an array or map whose entries were appended to the children.
  func endList() {
    offsets.append(Int32(truncatingIfNeeded: children[0].count))
    count += 1
  }

  /// Ends a row whose fields were appended to the children.
  func endRow() { count += 1 }

  nonisolated(unsafe) private static let nothing: UnsafePointer<UInt8> = {
    let p = UnsafeMutablePointer<UInt8>.allocate(capacity: 64)
    p.initialize(repeating: 0, count: 64)
    return UnsafePointer(p)
  }()

  /// Forgets all values.
  func reset() {
    count = 0
    offsets.removeAll(keepingCapacity: true)
    offsets.append(0)
    nullRows.removeAll(keepingCapacity: true)
    _ = spans.takeHeap()
    for child in children { child.reset() }
  }

  // MARK: Converting

  /// The column; nothing is left here.
  ///
  /// - Parameter failure: set to the first row with a malformed value, and to that value's text.
  func finish(isASCII: Bool, owner: AnyObject, failure: inout (row: Int, value: String)?) -> Column {
    let rowCount = count
    defer {
      count = 0
      offsets = [0]
      nullRows = []
    }
    if isLeaf {
      var failed: Int?
      let column = converter!.convert(spans, count: rowCount, isASCII: isASCII, owner: owner, failure: &failed)
      if let failed {
        let bytes = UnsafeBufferPointer(
          start: spans.starts[failed], count: max(0, min(100, Int(spans.lengths[failed]))))
        failure = (failed, String(decoding: bytes, as: UTF8.self))
      }
      return column
    }
    var inner: (row: Int, value: String)?
    let columns = children.map { child in
      var found: (row: Int, value: String)?
      let column = child.finish(isASCII: isASCII, owner: owner, failure: &found)
      if inner == nil { inner = found }
      return column
    }
    if let inner {
      var row = inner.row
      if !isRow { row = max(0, (offsets.firstIndex { Int($0) > inner.row } ?? 1) - 1) }
      failure = (row, inner.value)
    }
    var validity: Bitmap?
    if !nullRows.isEmpty {
      let bitmap = Bitmap(count: rowCount, filled: true)
      for row in nullRows { bitmap.clear(Int(row)) }
      validity = bitmap
    }
    if isRow { return Column(row: type, count: rowCount, children: columns, validity: validity) }
    let buffer = Buffer(byteCount: offsets.count * 4)
    offsets.withUnsafeBytes { buffer.pointer.copyMemory(from: $0.baseAddress!, byteCount: $0.count) }
    return Column(nested: type, count: rowCount, offsets: buffer, children: columns, validity: validity)
  }
}
