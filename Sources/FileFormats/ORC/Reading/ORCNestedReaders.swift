import Columnar
import ObjectStore

/// Rows: fields have values only where the row is not NULL.
final class ORCStructReader: ORCColumnReader {
  private let type: DataType
  private let fields: [ORCColumnReader]

  init(_ type: DataType, _ node: ORCNode, _ plans: [ORCColumnPlan], _ stripe: ORCStripe) throws(ORCDamage) {
    self.type = type
    var fields: [ORCColumnReader] = []
    for plan in plans { fields.append(try ORCColumnReader.make(plan, stripe)) }
    self.fields = fields
    try super.init(node, stripe)
  }

  override func readValues(_ count: Int, of rowCount: Int, validity: Bitmap?) throws(ORCDamage) -> Column {
    var children: [Column] = []
    for (field, type) in zip(fields, type.childTypes) {
      let dense = try field.read(count)
      children.append(ORCStructReader.spread(dense, over: rowCount, validity, type))
    }
    return Column(row: type, count: rowCount, children: children, validity: validity)
  }

  /// A dense column's values at the rows that are not NULL.
  static func spread(_ dense: Column, over rowCount: Int, _ validity: Bitmap?, _ type: DataType) -> Column {
    guard let validity else { return dense.flattenedRow }
    if dense.count == 0 { return Column.nulls(type, count: rowCount).flattened() }
    let rows = Buffer(byteCount: rowCount * 4)
    let p = rows.typed(Int32.self)
    var next: Int32 = 0
    for row in 0..<rowCount {
      p[row] = min(next, Int32(dense.count - 1))
      if validity[row] { next += 1 }
    }
    return withExtendedLifetime(rows) { dense.take(p, count: rowCount) }.flattenedRow
  }

  override func skipValues(_ count: Int) throws(ORCDamage) { for field in fields { try field.skip(count) } }
  override func seekValues(_ positions: inout ORCPositions) throws(ORCDamage) {}

  override func seek(_ rowGroup: Int, _ stripe: ORCStripe) throws(ORCDamage) {
    try super.seek(rowGroup, stripe)
    for field in fields { try field.seek(rowGroup, stripe) }
  }
}

/// Lists and maps: a length a row.
final class ORCListReader: ORCColumnReader {
  private let type: DataType
  private let lengths: ORCIntegerDecoder
  /// Elements, or keys and values.
  private let children: [ORCColumnReader]
  private var scratch = Buffer(byteCount: 0)

  init(_ type: DataType, _ node: ORCNode, _ plans: [ORCColumnPlan], _ stripe: ORCStripe) throws(ORCDamage) {
    self.type = type
    lengths = ORCIntegerDecoder(
      try stripe.requiredStream(node.id, .length), isSigned: false, isVersion2: try stripe.encoding(node.id).isVersion2)
    var children: [ORCColumnReader] = []
    for plan in plans { children.append(try ORCColumnReader.make(plan, stripe)) }
    self.children = children
    try super.init(node, stripe)
  }

  override func readValues(_ count: Int, of rowCount: Int, validity: Bitmap?) throws(ORCDamage) -> Column {
    if scratch.byteCount < count * 8 { scratch = Buffer(byteCount: max(count * 8, 32 << 10)) }
    let sizes = scratch.typed(Int64.self)
    try lengths.read(into: sizes, count: count)
    let offsets = Buffer(byteCount: (rowCount + 1) * 4)
    let starts = offsets.typed(Int32.self)
    var total = 0
    var next = 0
    for row in 0..<rowCount {
      starts[row] = Int32(total)
      if let validity, !validity[row] { continue }
      guard sizes[next] >= 0, sizes[next] < 1 << 31 else { throw ORCDamage("a list has \(sizes[next]) elements") }
      total += Int(sizes[next])
      guard total < 1 << 31 else { throw ORCDamage("lists have more than 2³¹ elements") }
      next += 1
    }
    starts[rowCount] = Int32(total)
    var columns: [Column] = []
    for child in children { columns.append(try child.read(total).flattenedRow) }
    return Column(nested: type, count: rowCount, offsets: offsets, children: columns, validity: validity)
  }

  override func skipValues(_ count: Int) throws(ORCDamage) {
    let total = try lengths.sum(count)
    for child in children { try child.skip(total) }
  }

  override func seekValues(_ positions: inout ORCPositions) throws(ORCDamage) { try lengths.seek(&positions) }

  override func seek(_ rowGroup: Int, _ stripe: ORCStripe) throws(ORCDamage) {
    try super.seek(rowGroup, stripe)
    for child in children { try child.seek(rowGroup, stripe) }
  }
}

/// Unions: each row's tag says which member has its value.
final class ORCUnionReader: ORCColumnReader {
  private let type: DataType
  private let tags: ORCByteDecoder
  private let members: [ORCColumnReader]

  init(_ type: DataType, _ node: ORCNode, _ plans: [ORCColumnPlan], _ stripe: ORCStripe) throws(ORCDamage) {
    self.type = type
    tags = ORCByteDecoder(try stripe.requiredStream(node.id, .data))
    var members: [ORCColumnReader] = []
    for plan in plans { members.append(try ORCColumnReader.make(plan, stripe)) }
    self.members = members
    try super.init(node, stripe)
  }

  private func readTags(_ count: Int) throws(ORCDamage) -> Buffer {
    let values = Buffer(byteCount: count)
    try tags.read(into: values.typed(UInt8.self), count: count)
    for i in 0..<count where values.typed(UInt8.self)[i] >= members.count {
      throw ORCDamage("a union has the tag \(values.typed(UInt8.self)[i])")
    }
    return values
  }

  override func readValues(_ count: Int, of rowCount: Int, validity: Bitmap?) throws(ORCDamage) -> Column {
    let dense = try readTags(count)
    let tagValues = ORCColumnReader.spread(dense, byteWidth: 1, count: count, over: rowCount, validity)
    let rowTags = tagValues.typed(UInt8.self)
    var columns = [Column(flat: .tinyint, count: rowCount, values: tagValues, validity: validity)]
    for (index, member) in members.enumerated() {
      let own = Bitmap(count: rowCount, filled: false)
      var n = 0
      for row in 0..<rowCount where validity.map({ $0[row] }) ?? true && rowTags[row] == index {
        own.set(row)
        n += 1
      }
      let values = ORCStructReader.spread(try member.read(n), over: rowCount, own, type.childTypes[index + 1])
      columns.append(values.withValidity(Bitmap.intersection(values.validity, own)))
    }
    return Column(row: type, count: rowCount, children: columns, validity: validity)
  }

  override func skipValues(_ count: Int) throws(ORCDamage) {
    let values = try readTags(count)
    var counts = [Int](repeating: 0, count: members.count)
    for i in 0..<count { counts[Int(values.typed(UInt8.self)[i])] += 1 }
    for (member, n) in zip(members, counts) { try member.skip(n) }
  }

  override func seekValues(_ positions: inout ORCPositions) throws(ORCDamage) { try tags.seek(&positions) }

  override func seek(_ rowGroup: Int, _ stripe: ORCStripe) throws(ORCDamage) {
    try super.seek(rowGroup, stripe)
    for member in members { try member.seek(rowGroup, stripe) }
  }
}

extension Column {
  /// Children of nested columns are flat or dictionaries of as many rows; a constant is written out.
  var flattenedRow: Column { encoding == .constant ? flattened() : self }
}
