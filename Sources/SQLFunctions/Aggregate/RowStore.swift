import Columnar
import Glibc

/// Remembers one row of a column per slot: how aggregates keep values of any type.
///
/// Rows are copied out of their batch once per batch, in `endBatch`, into chunks of the store's own; when many chunks
/// have gathered they are packed into one, which also drops replaced rows.
///
/// - Threads: one owner.
final class RowStore {
  /// Where a slot's row lies; `chunk` −1: the slot is empty.
  struct Location: BitwiseCopyable {
    var chunk: Int32
    var row: Int32
  }
  let type: DataType
  private(set) var locations = GroupArray<Location>(empty: Location(chunk: -1, row: 0))
  private var chunks: [Column] = []
  private var batch: Column?
  private var touched: [Int32] = []
  private var comparators: [RowComparator?] = []
  private static let pending: Int32 = -2
  private static let chunkLimit = 32

  private let unorderedFirst: Bool

  /// - Parameter unorderedFirst: whether `order` puts NaN, also inside of values, below all numbers instead of above.
  init(_ type: DataType, unorderedFirst: Bool = false) {
    self.type = type
    self.unorderedFirst = unorderedFirst
  }

  func resize(_ count: Int) { locations.resize(count) }

  func isEmpty(_ slot: Int) -> Bool { locations.pointer[slot].chunk == -1 }

  // MARK: Adding rows of a batch

  func beginBatch(_ column: Column) {
    batch = column
    touched.removeAll(keepingCapacity: true)
    comparators = Array(repeating: nil, count: chunks.count + 1)
  }

  /// Lets `slot` hold row `row` of the batch.
  func set(_ slot: Int, row: Int) {
    locations.pointer[slot] = Location(chunk: RowStore.pending, row: Int32(truncatingIfNeeded: row))
    touched.append(Int32(truncatingIfNeeded: slot))
  }

  /// Empties a slot.
  func clear(_ slot: Int) { locations.pointer[slot] = Location(chunk: -1, row: 0) }

  /// Order of a batch row and the row a slot holds; neither is NULL.
  func order(batchRow: Int, slot: Int) -> Int {
    let location = locations.pointer[slot]
    return comparator(location.chunk).order(batchRow, Int(location.row))
  }

  /// Whether `<` of a batch row and a slot's row meets a NULL element before a difference.
  func meetsNull(batchRow: Int, slot: Int) -> Bool {
    let location = locations.pointer[slot]
    return comparator(location.chunk).meetsNull(batchRow, Int(location.row))
  }

  private func comparator(_ chunk: Int32) -> RowComparator {
    let index = chunk == RowStore.pending ? chunks.count : Int(chunk)
    if let known = comparators[index] { return known }
    let made = RowComparator(
      batch!, chunk == RowStore.pending ? batch! : chunks[index], unorderedFirst: unorderedFirst)
    comparators[index] = made
    return made
  }

  /// Copies the rows that slots took from the batch.
  func endBatch() {
    defer {
      batch = nil
      comparators = []
    }
    if touched.isEmpty { return }
    let locations = locations.pointer
    let rows = Buffer(byteCount: touched.count * 4)
    let list = rows.typed(Int32.self)
    var count = 0
    let chunk = Int32(chunks.count)
    for slot in touched where locations[Int(slot)].chunk == RowStore.pending {
      list[count] = locations[Int(slot)].row
      locations[Int(slot)] = Location(chunk: chunk, row: Int32(count))
      count += 1
    }
    chunks.append(batch!.take(list, count: count).detached())
    if chunks.count >= RowStore.chunkLimit { pack() }
  }

  private func pack() {
    var taken: [[Int32]] = Array(repeating: [], count: chunks.count)
    let p = locations.pointer
    var starts = Array(repeating: Int32(0), count: chunks.count)
    for slot in 0..<locations.count where p[slot].chunk >= 0 { starts[Int(p[slot].chunk)] += 1 }
    var total: Int32 = 0
    for chunk in starts.indices { (starts[chunk], total) = (total, total + starts[chunk]) }
    for slot in 0..<locations.count where p[slot].chunk >= 0 {
      let chunk = Int(p[slot].chunk)
      let row = p[slot].row
      p[slot] = Location(chunk: 0, row: starts[chunk] + Int32(taken[chunk].count))
      taken[chunk].append(row)
    }
    let parts = chunks.indices.map { chunk in
      taken[chunk].withUnsafeBufferPointer { rows in
        rows.isEmpty ? Column.empty(type) : chunks[chunk].take(rows.baseAddress!, count: rows.count)
      }
    }
    chunks = [Column.concatenate(parts, type: type).detached()]
  }

  // MARK: Merging and reading

  /// Lets slots take over rows of another store; between `beginAdopting` and the end of the merge.
  ///
  /// - Returns: the number to add to the other store's chunk numbers.
  func adoptChunks(of other: RowStore) -> Int32 {
    let offset = Int32(chunks.count)
    chunks += other.chunks
    return offset
  }

  /// Lets `slot` hold what `other`'s slot `source` holds; its chunks have been adopted at `offset`.
  func take(_ slot: Int, from other: RowStore, _ source: Int, offset: Int32) {
    let location = other.locations.pointer[source]
    locations.pointer[slot] =
      location.chunk < 0 ? location : Location(chunk: location.chunk + offset, row: location.row)
  }

  /// Packs when merges have gathered many chunks.
  func packIfNeeded() { if chunks.count >= RowStore.chunkLimit { pack() } }

  /// Order of the rows of two slots; neither slot is empty, neither row NULL.
  func order(slot a: Int, _ other: RowStore, slot b: Int) -> Int {
    let (x, y) = (locations.pointer[a], other.locations.pointer[b])
    return RowComparator(chunks[Int(x.chunk)], other.chunks[Int(y.chunk)], unorderedFirst: unorderedFirst)
      .order(Int(x.row), Int(y.row))
  }

  /// The rows of the slots, NULL for empty ones.
  ///
  /// - Shape: `slots`: `count` slot numbers; nil for `first`, `first` + 1 ….
  func column(_ count: Int, as type: DataType, slot: (Int) -> Int) -> Column {
    if count == 0 { return .empty(type) }
    if chunks.isEmpty { return .nulls(type, count: count) }
    if chunks.count > 1 { pack() }
    let rows = Buffer(byteCount: count * 4)
    let list = rows.typed(Int32.self)
    let valid = Bitmap(count: count, filled: true)
    var hasNulls = false
    let locations = locations.pointer
    for k in 0..<count {
      let location = locations[slot(k)]
      if location.chunk < 0 {
        list[k] = 0
        valid.clear(k)
        hasNulls = true
      } else {
        list[k] = location.row
      }
    }
    let base = chunks[0]
    if base.count == 0 { return .nulls(type, count: count) }
    let taken = base.take(list, count: count).retyped(type)
    return hasNulls ? taken.withValidity(Bitmap.intersection(valid, taken.validity)) : taken
  }

  var byteCount: Int { locations.byteCount + chunks.reduce(0) { $0 + $1.approximateByteCount } }
}

extension Column {
  /// A flat copy that keeps nothing of the original alive but what it shows: long strings are copied.
  func detached() -> Column {
    let flat = flattened()
    switch type.physicalType {
    case .string:
      guard let heap = flat.heap, let values = flat.values, !heap.owners.isEmpty else { return flat }
      let copy = Buffer(byteCount: count * 16)
      let (from, to) = (values.typed(StringView.self), copy.typed(StringView.self))
      var arena = StringArena()
      for row in 0..<count { to[row] = flat.isNull(row) ? StringView() : arena.add(from[row]) }
      return Column(flat: type, count: count, values: copy, validity: flat.validity, heap: arena.heap)
    case .array, .map:
      let first = count == 0 ? 0 : flat.elementRange(0).lowerBound
      let last = count == 0 ? 0 : flat.elementRange(count - 1).upperBound
      let offsets = Buffer(byteCount: (count + 1) * 4)
      let (from, to) = (flat.offsets!.typed(Int32.self), offsets.typed(Int32.self))
      if count == 0 { to[0] = 0 } else { for row in 0...count { to[row] = from[row] - Int32(first) } }
      return Column(
        nested: type, count: count, offsets: offsets,
        children: flat.children.map { $0.slice(offset: first, count: last - first).detached() },
        validity: flat.validity)
    case .row:
      return Column(row: type, count: count, children: flat.children.map { $0.detached() }, validity: flat.validity)
    default: return flat
    }
  }

  /// Bytes held, without shared buffers being told apart.
  var approximateByteCount: Int {
    var total = (values?.byteCount ?? 0) + (indices?.byteCount ?? 0) + (offsets?.byteCount ?? 0) + count / 8
    for child in children { total += child.approximateByteCount }
    if let base { total += base.approximateByteCount }
    if let heap { for owner in heap.owners { total += (owner as? Buffer)?.byteCount ?? 0 } }
    return total
  }
}
