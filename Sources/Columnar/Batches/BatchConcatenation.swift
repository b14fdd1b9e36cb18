extension Column {
  /// The rows of all columns, in order; those of one dictionary stay dictionary-encoded.
  ///
  /// - Shape: all of one physical type; the result has type `type`.
  package static func joined(_ columns: [Column], type: DataType) -> Column {
    guard columns.count > 1, let base = columns[0].base,
      columns.allSatisfy({ $0.encoding == .dictionary && $0.base === base })
    else { return concatenate(columns, type: type) }
    let total = columns.reduce(0) { $0 + $1.count }
    let indices = Buffer(byteCount: total * 4)
    var done = 0
    for column in columns {
      (indices.pointer + done * 4).copyMemory(from: column.indices!.pointer, byteCount: column.count * 4)
      done += column.count
    }
    return .dictionary(base, indices: indices, count: total, validity: validity(of: columns, total)).retyped(type)
  }

  /// The validity of all columns, in order.
  private static func validity(of columns: [Column], _ total: Int) -> Bitmap? {
    guard columns.contains(where: { $0.validity != nil }) else { return nil }
    let bitmap = Bitmap(count: total, filled: true)
    var done = 0
    for column in columns {
      if let own = column.validity { bitmap.copy(own.words, count: column.count, to: done) }
      done += column.count
    }
    return bitmap
  }

  /// The rows of all columns, in order, as one flat column (a lone column stays as it is).
  ///
  /// - Shape: all of one physical type; the result has type `type`.
  public static func concatenate(_ columns: [Column], type: DataType) -> Column {
    if columns.count == 1 { return columns[0].retyped(type) }
    let total = columns.reduce(0) { $0 + $1.count }
    if total == 0 { return .empty(type) }
    if columns.allSatisfy(\.isAllNull) { return .nulls(type, count: total) }
    let validity = validity(of: columns, total)
    switch type.physicalType {
    case .null: return .nulls(type, count: total)
    case .row:
      let flats = columns.map { $0.flattened() }
      let children = type.childTypes.enumerated().map { index, child in
        Column.concatenate(flats.map { $0.children[index] }, type: child)
      }
      return Column(row: type, count: total, children: children, validity: validity)
    case .array, .map:
      let offsets = Buffer(byteCount: (total + 1) * 4)
      let out = offsets.typed(Int32.self)
      out[0] = 0
      var row = 0
      var sources: [[Column]] = type.childTypes.map { _ in [] }
      for column in columns where column.count > 0 {
        let flat = column.flattened()
        let first = flat.elementRange(0).lowerBound
        let last = flat.elementRange(flat.count - 1).upperBound
        for index in sources.indices {
          sources[index].append(flat.children[index].slice(offset: first, count: last - first))
        }
        let from = flat.offsets!.typed(Int32.self)
        let start = out[row]
        for i in 0..<flat.count { out[row + i + 1] = start + from[i + 1] - Int32(first) }
        row += flat.count
      }
      let children = zip(sources, type.childTypes).map { Column.concatenate($0, type: $1) }
      return Column(nested: type, count: total, offsets: offsets, children: children, validity: validity)
    default:
      let width = type.physicalType.byteWidth
      let values = Buffer(byteCount: total * width)
      var at = 0
      var heap: StringHeap?
      var owners: [AnyObject] = []
      for column in columns {
        column.writeValues(to: values.pointer + at)
        at += column.count * width
        if let own = column.storage.heap, owners.last !== own { owners.append(own) }
      }
      if !owners.isEmpty { heap = owners.count == 1 ? owners[0] as? StringHeap : StringHeap(owners) }
      return Column(flat: type, count: total, values: values, validity: validity, heap: heap)
    }
  }
}

extension Batch {
  /// All rows as one batch.
  public static func concatenate(_ batches: [Batch], types: [DataType]) -> Batch {
    if batches.count == 1 { return batches[0] }
    let columns = types.enumerated().map { index, type in
      Column.concatenate(batches.map { $0.columns[index] }, type: type)
    }
    return Batch(columns: columns, rowCount: batches.reduce(0) { $0 + $1.rowCount })
  }
}
