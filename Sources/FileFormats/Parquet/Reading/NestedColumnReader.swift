import Columnar

/// Puts arrays, maps and rows together from the levels and values of their leaves.
///
///     column tags array(varchar), rows ["a", null], [], NULL
///     repetition 0 1 0 0    definition 3 2 1 0    values "a"
///     → offsets 0 2 2 2, validity 1 1 0, elements "a", NULL
///
/// - Source: Melnik et al., "Dremel", VLDB 2010.
final class NestedColumnReader: ColumnReader {
  private let plan: ColumnPlan
  /// By leaf index.
  private let leaves: [Int: NestedLeafReader]

  init(_ plan: ColumnPlan, leaves: [Int: NestedLeafReader]) {
    self.plan = plan
    self.leaves = leaves
  }

  override var fileOffset: UInt64? { plan.levelLeaf.flatMap { leaves[$0.index]?.leaf.pages.pageOffset } }
  override var prunedPageCount: Int { leaves.values.reduce(0) { $0 + $1.leaf.pages.prunedCount } }

  override func read(
    from start: Int, count: Int, selection: UnsafePointer<Int32>?, selectionCount: Int, keepsCodes: Bool
  ) throws(ParquetDamage) -> Column {
    guard let selection else { return try window(start, count) }
    var pieces: [Column] = []
    var taken = 0
    while taken < selectionCount {
      // The selected rows of a window's length.
      let first = selection[taken]
      var last = taken
      while last &+ 1 < selectionCount, selection[last &+ 1] &- first < Int32(DecodeScratch.rowCount) { last &+= 1 }
      let n = last &- taken &+ 1
      let span = Int(selection[last] &- first) &+ 1
      let column = try window(start &+ Int(first), span)
      if n == span {
        pieces.append(column)
      } else {
        let rows = Buffer(byteCount: n * 4)
        let p = rows.typed(Int32.self)
        for i in 0..<n { p[i] = selection[taken &+ i] &- first }
        pieces.append(withExtendedLifetime(rows) { column.take(p, count: n) })
      }
      taken = last &+ 1
    }
    if pieces.isEmpty { return .empty(plan.type) }
    return Column.concatenate(pieces, type: plan.type)
  }

  private func window(_ start: Int, _ count: Int) throws(ParquetDamage) -> Column {
    for reader in leaves.values { try reader.read(from: start, count: count) }
    let column = try assemble(plan)
    guard column.count == count else { throw ParquetDamage("levels and rows do not go together") }
    return column
  }

  private func assemble(_ plan: ColumnPlan, slots: Int? = nil) throws(ParquetDamage) -> Column {
    switch plan {
    case .null(let type): return Column.nulls(type, count: slots ?? 0).flattened()
    case .leaf(_, let node, let leaf, _, _): return leaves[leaf.index]!.column(node)
    case .variant(let type, let node, let group):
      return try VariantColumn.json(try assemble(group, slots: slots), node, type: type)
    case .row(let type, let node, let fields):
      let (count, validity) = slotValidity(plan, node)
      var children: [Column] = []
      for field in fields {
        let child = try assemble(field, slots: count)
        guard child.count == count else { throw ParquetDamage("fields of a group have different numbers of values") }
        children.append(child)
      }
      return Column(row: type, count: count, children: children, validity: validity)
    case .array(let type, let node, let element):
      let (count, validity, offsets, elements) = slotOffsets(plan, node)
      let child = try assemble(element, slots: elements)
      guard child.count == elements else { throw ParquetDamage("elements of a list do not match its levels") }
      return Column(nested: type, count: count, offsets: offsets, children: [child], validity: validity)
    case .map(let type, let node, let key, let value):
      let (count, validity, offsets, elements) = slotOffsets(plan, node)
      let keys = try assemble(key, slots: elements)
      let values = try assemble(value, slots: elements)
      guard keys.count == elements, values.count == elements else {
        throw ParquetDamage("keys and values of a map do not match its levels")
      }
      return Column(nested: type, count: count, offsets: offsets, children: [keys, values], validity: validity)
    }
  }

  /// How many values or NULLs a group has, and which are not NULL.
  private func slotValidity(_ plan: ColumnPlan, _ node: ParquetNode) -> (Int, Bitmap?) {
    let reader = leaves[plan.levelLeaf!.index]!
    let definitions = reader.definitions.typed(UInt8.self)
    let repetitions = reader.leaf.leaf.maxRepetition > 0 ? reader.repetitions.typed(UInt8.self) : nil
    let n = reader.levelCount
    let bitmap = Bitmap(count: n, filled: false)
    let words = bitmap.words
    defer { withExtendedLifetime(bitmap) {} }
    var slot = 0
    var present = 0
    var i = 0
    while i < n {
      let level = definitions[i]
      if level >= node.slotDefinition, repetitions == nil || repetitions![i] <= node.slotRepetition {
        let isPresent = bit(level >= node.notNullDefinition)
        words[slot >> 6] |= UInt64(truncatingIfNeeded: isPresent) &<< UInt64(slot & 63)
        present &+= isPresent
        slot &+= 1
      }
      i &+= 1
    }
    if present == slot { return (slot, nil) }
    return (slot, slot == n ? bitmap : bitmap.slice(offset: 0, count: slot))
  }

  /// The same for a list or map, with where each one's elements start, and how many elements there are.
  private func slotOffsets(_ plan: ColumnPlan, _ node: ParquetNode) -> (Int, Bitmap?, Buffer, Int) {
    let reader = leaves[plan.levelLeaf!.index]!
    let definitions = reader.definitions.typed(UInt8.self)
    let repetitions = reader.repetitions.typed(UInt8.self)
    let n = reader.levelCount
    let bitmap = Bitmap(count: n, filled: false)
    let words = bitmap.words
    defer { withExtendedLifetime(bitmap) {} }
    let offsets = Buffer(byteCount: (n + 1) * 4)
    let starts = offsets.typed(Int32.self)
    let elementRepetition = node.slotRepetition &+ 1
    var slot = 0
    var present = 0
    var elements: Int32 = 0
    var i = 0
    while i < n {
      let level = definitions[i]
      let repetition = repetitions[i]
      if level >= node.slotDefinition, repetition <= node.slotRepetition {
        let isPresent = bit(level >= node.notNullDefinition)
        words[slot >> 6] |= UInt64(truncatingIfNeeded: isPresent) &<< UInt64(slot & 63)
        present &+= isPresent
        starts[slot] = elements
        slot &+= 1
      }
      elements &+= Int32(truncatingIfNeeded: bit(level >= node.repeatedDefinition && repetition <= elementRepetition))
      i &+= 1
    }
    starts[slot] = elements
    let validity = present == slot ? nil : slot == n ? bitmap : bitmap.slice(offset: 0, count: slot)
    return (slot, validity, offsets, Int(elements))
  }
}
