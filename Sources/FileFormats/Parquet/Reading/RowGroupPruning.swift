import Columnar
import ObjectStore
import QueryErrors

extension ValueBounds {
  /// The bounds that footer statistics tell; none when their order is not known to be the type's.
  ///
  /// - Source: parquet.thrift, `Statistics` and `ColumnOrder`; parquet-mr for what old writers got wrong.
  init(_ statistics: RawStatistics, _ plan: ColumnPlan, _ footer: ParquetFooter) {
    self = .unknown
    guard case .leaf(let type, _, let leaf, _, _) = plan, leaf.physical != .int96, leaf.annotation != .interval else {
      return
    }
    if let known = footer.hasKnownOrder, !known[leaf.index] { return }
    let isBytes = leaf.physical == .byteArray || leaf.physical == .fixedByteArray
    if let low = statistics.minValue, let high = statistics.maxValue {
      // Floats: NaN and the zeros' signs are not told.
      let isExact = !type.isFloating && (statistics.isMinExact ?? !isBytes) && (statistics.isMaxExact ?? !isBytes)
      self.init(
        min: ValueBounds.scalar(low, plan), max: ValueBounds.scalar(high, plan),
        isExact: isExact && ValueBounds.keepsValues(plan))
    } else if let low = statistics.oldMin, let high = statistics.oldMax {
      // Ordered as signed values: right for these types only, or when there is one value.
      var isSigned = !isBytes
      if case .integer(_, false) = leaf.annotation { isSigned = false }
      guard isSigned || (low == high && !(isBytes && footer.writer.hasCorruptByteBounds)) else { return }
      self.init(
        min: ValueBounds.scalar(low, plan), max: ValueBounds.scalar(high, plan),
        isExact: isSigned && !type.isFloating && ValueBounds.keepsValues(plan))
    }
  }

  /// Whether bounds that occur are values that occur once converted; of text that is cut off this is not sure.
  private static func keepsValues(_ plan: ColumnPlan) -> Bool {
    if case .leaf(_, _, _, _, .text) = plan { return false }
    return true
  }

  /// A plain-encoded value in the column's type; nil when it cannot be one.
  static func scalar(_ bytes: [UInt8], _ plan: ColumnPlan) -> Scalar? {
    guard case .leaf(let type, _, let leaf, let layout, let conversion) = plan else { return nil }
    // Spaces at the end of char values are dropped, which is not in their order.
    if type.isChar { return nil }
    switch leaf.physical {
    case .boolean: guard bytes.count == 1, bytes[0] <= 1 else { return nil }
    case .int32, .float: guard bytes.count == 4 else { return nil }
    case .int64, .double: guard bytes.count == 8 else { return nil }
    case .int96: return nil
    case .byteArray: guard bytes.count <= 1 << 16 else { return nil }
    case .fixedByteArray: if case .fixed(let width) = layout, bytes.count != width { return nil }
    }
    let source = Buffer.zeroed(byteCount: bytes.count + 16)
    bytes.withUnsafeBytes { all in
      if let base = all.baseAddress { source.pointer.copyMemory(from: base, byteCount: all.count) }
    }
    let target = Buffer.zeroed(byteCount: 16)
    do throws(ParquetDamage) {
      if layout == .views {
        let view = Buffer(byteCount: 16)
        view.typed(StringView.self)[0] = StringView(source.pointer, count: bytes.count)
        defer { withExtendedLifetime(view) {} }
        try conversion.convert(view.pointer, 1, into: target.pointer, byteWidth: type.physicalType.byteWidth)
      } else {
        try conversion.convert(source.pointer, 1, into: target.pointer, byteWidth: type.physicalType.byteWidth)
      }
    } catch { return nil }
    let column = Column(flat: type, count: 1, values: target, validity: nil, heap: StringHeap([source]))
    let value = column.scalar(0)
    switch value {
    case .real(let x) where x.isNaN: return nil
    case .double(let x) where x.isNaN: return nil
    default: return value
    }
  }
}

/// Tells from the footer alone which row groups cannot hold rows of a request.
enum RowGroupPruning {
  /// The domains that some row of the row group may miss, as far as the footer tells; nil when no row satisfies them all.
  static func undecided(
    _ domains: [Int: Domain], _ plans: [ColumnPlan], file: ParquetFile, rowGroup: Int, metrics: ScanMetrics
  ) throws(QueryError) -> [Int: Domain]? {
    var left = domains
    for (column, domain) in domains where column >= 0 && column < plans.count {
      if domain.isNone { return nil }
      let plan = plans[column]
      if case .null = plan {
        if !domain.allowsNull { return nil }
        continue
      }
      guard let leaf = plan.flatLeaf else { continue }
      let metadata = try file.chunk(rowGroup, leaf)
      let rows = file.footer.rowGroups[rowGroup].rowCount
      let nulls = metadata.nullCount(leaf, rowCount: rows)
      let bounds = ValueBounds(metadata.statistics, plan, file.footer)
      if bounds.isContradictory {
        metrics.note(
          "\(file.source.path): the statistics of column '\(leaf.path)' are not used, their least value is above the greatest")
      }
      if !BlockPruning.mayHold(domain, bounds, nullCount: nulls, rowCount: rows, type: plan.type) { return nil }
      if BlockPruning.holds(domain, bounds, nullCount: nulls, type: plan.type) { left[column] = nil }
    }
    return left
  }
}
