import Columnar
import QueryErrors

/// Arrays of evenly spaced values.
package enum SequenceFunctions: FunctionFamily {
  package static let title = "Sequences"

  package static let functions: [ScalarFunction] = [
    ScalarFunction(
      "sequence", summary: "The values from start to stop, both included, by a step (1 or −1 unless given).",
      examples: [
        Example("sequence(1, 4)", "[1, 2, 3, 4]"), Example("sequence(10, 4, -3)", "[10, 7, 4]"),
        Example("sequence(DATE '2024-01-30', DATE '2024-02-01')", "[2024-01-30, 2024-01-31, 2024-02-01]"),
      ],
      overloads: [
        .columns([.bigint, .bigint], returns: .exact(.array(.bigint))) {
          (columns, n, context) throws(QueryError) -> Column in
          try plain(Int64.self, columns, n, &context) { (start, stop, _, _) in start <= stop ? 1 : -1 }
        },
        .columns([.bigint, .bigint, .bigint], returns: .exact(.array(.bigint))) {
          (columns, n, context) throws(QueryError) -> Column in
          let steps = columns[2].view
          return try plain(Int64.self, columns, n, &context) { (_, _, row, _) in
            Int128(steps.value(row, as: Int64.self))
          }
        },
        .columns([.date, .date], returns: .exact(.array(.date))) {
          (columns, n, context) throws(QueryError) -> Column in
          try plain(Int32.self, columns, n, &context) { (start, stop, _, _) in start <= stop ? 1 : -1 }
        },
        .columns([.date, .date, .exact(.intervalDayToSecond)], returns: .exact(.array(.date))) {
          (columns, n, context) throws(QueryError) -> Column in
          let steps = columns[2].view
          return try plain(Int32.self, columns, n, &context) { (_, _, row, errors) in
            let millis = steps.value(row, as: Int64.self)
            if millis % 86_400_000 != 0 {
              errors.record(
                row, .invalidFunctionArgument,
                "sequence step must be a day interval if start and end values are dates")
              return nil
            }
            return Int128(millis / 86_400_000)
          }
        },
        .columns([.date, .date, .exact(.intervalYearToMonth)], returns: .exact(.array(.date))) {
          (columns, n, context) throws(QueryError) -> Column in
          try months(Int32.self, columns, n, &context, unitsPerDay: 1)
        },
        timestamps(.intervalDayToSecond), timestamps(.intervalYearToMonth),
      ])
  ]

  private static func timestamps(_ interval: DataType) -> ScalarOverload {
    let resolve: @Sendable ([DataType]) -> SignatureBinding? = { types in
      guard types.count == 3 else { return nil }
      var precision = 0
      for type in types.prefix(2) {
        if case .timestamp(let p) = type {
          precision = max(precision, p)
        } else if case .timestamp(let p)? = TypeCoercion.coerced(type, toBaseOf: .timestamp(precision: 0)) {
          precision = max(precision, p)
        } else {
          return nil
        }
      }
      let type = DataType.timestamp(precision: precision)
      return SignatureBinding(argumentTypes: [type, type, interval], returnType: .array(type))
    }
    let signature = Signature(
      [.timestamp, .timestamp, .exact(interval)], returns: .exact(.array(.timestamp(precision: 3))), resolve: resolve)
    return ScalarOverload(signature) { (binding) throws(QueryError) -> Kernel in
      let isWide = binding.argumentTypes[0].physicalType == .int128
      return { (columns, n, context) throws(QueryError) -> Column in
        if interval == .intervalYearToMonth {
          return isWide
            ? try months(Int128.self, columns, n, &context, unitsPerDay: 86_400_000_000_000_000)
            : try months(Int64.self, columns, n, &context, unitsPerDay: 86_400_000_000)
        }
        let steps = columns[2].view
        return isWide
          ? try plain(Int128.self, columns, n, &context) { (_, _, row, _) in
            Int128(steps.value(row, as: Int64.self)) * 1_000_000_000
          }
          : try plain(Int64.self, columns, n, &context) { (_, _, row, _) in
            Int128(steps.value(row, as: Int64.self)) * 1000
          }
      }
    }
  }

  private static let largestCount: Int128 = 10_000

  /// Whether start, stop and step make a sequence; records what is wrong.
  private static func isValid(
    _ start: Int128, _ stop: Int128, _ step: Int128, _ row: Int, _ errors: inout RowErrors
  ) -> Bool {
    if step == 0 {
      errors.record(row, .invalidFunctionArgument, "step must not be zero")
      return false
    }
    if step > 0 ? stop < start : stop > start {
      errors.record(
        row, .invalidFunctionArgument,
        "sequence stop value should be greater than or equal to start value if step is greater than zero otherwise stop should be less than or equal to start"
      )
      return false
    }
    return true
  }

  private static func isShort(_ count: Int128, _ row: Int, _ errors: inout RowErrors) -> Bool {
    if count <= largestCount { return true }
    errors.record(
      row, .invalidFunctionArgument, "result of sequence function must not have more than 10000 entries")
    return false
  }

  /// Sequences by a fixed step.
  @inline(__always)
  private static func plain<T: FixedWidthInteger & BitwiseCopyable>(
    _: T.Type, _ columns: [Column], _ n: Int, _ context: inout KernelContext,
    _ step: (Int128, Int128, Int, inout RowErrors) -> Int128?
  ) throws(QueryError) -> Column {
    let (starts, stops) = (columns[0].view, columns[1].view)
    return try arrays(T.self, columns, n, &context) { (row, errors, add) in
      let (start, stop) = (Int128(starts.value(row, as: T.self)), Int128(stops.value(row, as: T.self)))
      guard let step = step(start, stop, row, &errors), isValid(start, stop, step, row, &errors) else { return }
      let count = (stop - start) / step + 1
      guard isShort(count, row, &errors) else { return }
      var value = start
      for _ in 0..<Int(count) {
        add(T(truncatingIfNeeded: value))
        value += step
      }
    }
  }

  /// Sequences by months, with days past a month's end moved to its last.
  @inline(__always)
  private static func months<T: FixedWidthInteger & BitwiseCopyable>(
    _: T.Type, _ columns: [Column], _ n: Int, _ context: inout KernelContext, unitsPerDay: Int128
  ) throws(QueryError) -> Column {
    let (starts, stops, steps) = (columns[0].view, columns[1].view, columns[2].view)
    func plus(_ value: Int128, _ months: Int) -> Int128 {
      var day = value / unitsPerDay
      var time = value % unitsPerDay
      if time < 0 {
        time += unitsPerDay
        day -= 1
      }
      return Int128(CalendarDate.adding(months: months, to: Int(day))) * unitsPerDay + time
    }
    /// Whole months from the earlier to the later value.
    func difference(_ from: Int128, _ to: Int128) -> Int {
      let (a, b) = (
        CalendarDate.civil(Int((from - (from < 0 ? unitsPerDay - 1 : 0)) / unitsPerDay)),
        CalendarDate.civil(Int((to - (to < 0 ? unitsPerDay - 1 : 0)) / unitsPerDay))
      )
      var months = (b.year - a.year) * 12 + b.month - a.month
      if plus(from, months) > to { months -= 1 }
      return months
    }
    return try arrays(T.self, columns, n, &context) { (row, errors, add) in
      let (start, stop) = (Int128(starts.value(row, as: T.self)), Int128(stops.value(row, as: T.self)))
      let step = Int(steps.value(row, as: Int32.self))
      guard isValid(start, stop, Int128(step), row, &errors) else { return }
      let span = start <= stop ? difference(start, stop) : -difference(stop, start)
      let count = span / step + 1
      guard isShort(Int128(count), row, &errors) else { return }
      for k in 0..<count { add(T(truncatingIfNeeded: plus(start, k * step))) }
    }
  }

  /// Arrays whose elements `body` adds row by row.
  @inline(__always)
  private static func arrays<T: BitwiseCopyable>(
    _: T.Type, _ columns: [Column], _ n: Int, _ context: inout KernelContext,
    _ body: (Int, inout RowErrors, (T) -> Void) -> Void
  ) throws(QueryError) -> Column {
    let validity = commonValidity(columns)
    var elements: [T] = []
    let offsets = Buffer(byteCount: (n + 1) * 4)
    let starts = offsets.typed(Int32.self)
    starts[0] = 0
    for row in 0..<n {
      if validity.map({ $0[row] }) ?? true { body(row, &context.errors) { elements.append($0) } }
      if elements.count > 1 << 17, row & 15 == 0 { try MemoryAccount.require(elements.count * 4 * MemoryLayout<T>.stride) }
      starts[row + 1] = Int32(truncatingIfNeeded: elements.count)
    }
    try checkElementCount(elements.count)
    let values = Buffer(byteCount: elements.count * MemoryLayout<T>.stride)
    elements.withUnsafeBytes {
      if let base = $0.baseAddress { values.pointer.copyMemory(from: base, byteCount: $0.count) }
    }
    let child = Column(
      flat: context.returnType.childTypes[0], count: elements.count, values: values, validity: nil)
    return withExtendedLifetime(columns) {
      Column(nested: context.returnType, count: n, offsets: offsets, children: [child], validity: validity)
    }
  }
}
