package import Columnar
import Glibc
package import ObjectStore
package import QueryErrors

/// A table whose partitions are computed from its properties; those registered in the catalog do not count.
///
///     projection.day.type = date    range = 2024-01-01,NOW    →    day=2024-01-01, day=2024-01-02, …
///
/// Whether a computed partition's folder exists is seen when it is listed; one that does not holds no rows.
///
/// - Source: Athena User Guide, "Partition projection with Amazon Athena".
package struct ProjectedPartitions: TableFiles {
  package let location: String
  private let table: TableName
  private let columns: [Field]
  private let properties: [String: String]
  private let stores: ObjectStores

  /// More partitions than this are refused before any is listed.
  private static let maximumCount = 1_000_000

  /// Whether a table's properties, keys in lower case, ask for projection.
  package static func isEnabled(_ properties: [String: String]) -> Bool {
    properties["projection.enabled"]?.lowercased() == "true"
  }

  /// - Parameter properties: the table's, keys in lower case; what is wrong with them is said when files are listed,
  ///   since a table may be declared and altered step by step.
  package init(
    table: TableName, location: String, columns: [Field], properties: [String: String], stores: ObjectStores
  ) {
    self.stores = stores
    self.table = table
    self.location = location
    self.columns = columns
    self.properties = properties
  }

  /// - Throws: `HIVE_METASTORE_ERROR` when a partition column has no projection, `INVALID_TABLE_PROPERTY` for wrong
  ///   properties.
  private func projections() throws(QueryError) -> [ColumnProjection] {
    let missing = columns.filter { properties["projection.\($0.name.lowercased()).type"] == nil }.map(\.name)
    guard missing.isEmpty else {
      throw QueryError(
        .hiveMetastoreError,
        "Table \(table.database).\(table.name) is configured for partition projection, but the following partition columns are missing projection configuration: \(missing.joined(separator: ", "))",
        hint: "Set 'projection.\(missing[0]).type' and its other properties by ALTER TABLE … SET TBLPROPERTIES.")
    }
    var projections: [ColumnProjection] = []
    for column in columns {
      projections.append(
        try ColumnProjection(
          column, type: properties["projection.\(column.name.lowercased()).type"] ?? "", properties: properties))
    }
    return projections
  }

  /// A value of a partition column and what stands for it in the folder's name.
  private struct Value {
    var scalar: Scalar
    var text: String
  }

  package func list(_ predicate: (any PartitionPredicate)?, meter: ScanMeter) throws(QueryError) -> TableListing {
    let template = try LocationTemplate(
      properties["storage.location.template"], location: location, columns: columns.map(\.name))
    var choices: [[Value]] = []
    let now = ProjectedPartitions.nowMicros()
    var total: Int? = 1
    for (index, column) in try projections().enumerated() {
      let (values, count) = try values(of: column, domain: predicate?.domain(ofPartitionColumn: index), now: now)
      choices.append(values)
      total = total.flatMap { known in count.map { known.multipliedReportingOverflow(by: $0) } }
        .flatMap { $0.overflow ? nil : $0.partialValue }
    }
    var folders: [(location: String, values: [Scalar], name: String)] = []
    let names = columns.map(\.name)
    try enumerate(choices, [], predicate) { (values) throws(QueryError) in
      guard folders.count < ProjectedPartitions.maximumCount else {
        throw QueryError(
          .hiveMetastoreError, "Partition projection of \(location) gives more than \(ProjectedPartitions.maximumCount) partitions",
          hint: "Filter by more partition columns, or narrow the ranges of the projection.")
      }
      folders.append(
        (template.location(values.map(\.text)), values.map(\.scalar), PartitionFolder.name(names, values.map(\.text))))
    }
    let files = try PartitionFolderListing.files(of: folders, stores, meter: meter)
    return TableListing(files: files, partitionsRead: folders.count, partitionsTotal: total)
  }

  /// The folder of the partition with these values.
  ///
  /// - Throws: `HIVE_INVALID_PARTITION_VALUE` for values that are not projected: no query would find their rows.
  package func location(of values: [Scalar]) throws(QueryError) -> String {
    let template = try LocationTemplate(
      properties["storage.location.template"], location: location, columns: columns.map(\.name))
    let now = ProjectedPartitions.nowMicros()
    var texts: [String] = []
    for (value, projection) in zip(values, try projections()) {
      let column = projection.column
      let domain = Domain(type: column.type, ranges: value.isNull ? [] : [.equal(value)], allowsNull: value.isNull)
      let found = value.isNull ? nil : try self.values(of: projection, domain: domain, now: now).values.first { $0.scalar == value }
      guard let found else {
        throw QueryError(
          .hiveInvalidPartitionValue,
          "The projection of partition column '\(column.name)' of \(table) does not have the value \(value.stringValue ?? "\(value)")",
          hint: "Widen the projection, or filter such rows: no query would find them.")
      }
      texts.append(found.text)
    }
    return template.location(texts)
  }

  private static func nowMicros() -> Int64 {
    var time = timespec()
    clock_gettime(CLOCK_REALTIME, &time)
    return Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_nsec / 1000)
  }

  /// Goes through all combinations whose beginnings the predicate does not rule out.
  private func enumerate(
    _ choices: [[Value]], _ prefix: [Value], _ predicate: (any PartitionPredicate)?,
    _ body: ([Value]) throws(QueryError) -> Void
  ) throws(QueryError) {
    if prefix.count == choices.count { return try body(prefix) }
    let open = choices.count - prefix.count - 1
    for value in choices[prefix.count] {
      let next = prefix + [value]
      if let predicate {
        let known = next.map { Optional($0.scalar) } + Array(repeating: nil, count: open)
        if try !predicate.mayMatch(known) { continue }
      }
      try enumerate(choices, next, predicate, body)
    }
  }

  // MARK: Values of one column

  /// The values that may count, and how many there are without a filter (nil when nobody can tell).
  private func values(
    of projection: ColumnProjection, domain: Domain?, now: Int64
  ) throws(QueryError) -> (values: [Value], count: Int?) {
    switch projection.kind {
    case .list(let texts):
      var values: [Value] = []
      for text in texts { values.append(try value(text, projection.column)) }
      return (values, values.count)
    case .integers(let low, let high, let interval, let digits):
      return try integers(projection, domain, low, high, interval, digits)
    case .dates(let low, let high, let interval, let unit, let format):
      return try dates(
        projection, domain, instant(low, now, format), instant(high, now, format), interval, unit, format)
    case .injected:
      guard let values = domain?.singleValues, !values.isEmpty else {
        throw QueryError(
          .constraintViolation,
          "For the injected projected partition column \(projection.column.name), the WHERE clause must contain only static equality conditions, and at least one such condition must be present.",
          hint: "Add \(projection.column.name) = '…' to the WHERE clause.")
      }
      return (values.map { Value(scalar: $0, text: $0.stringValue ?? "") }, nil)
    }
  }

  private func value(_ text: String, _ column: Field) throws(QueryError) -> Value {
    Value(scalar: try PartitionValue.parse(text, column, in: text, of: location), text: text)
  }

  private func integers(
    _ projection: ColumnProjection, _ domain: Domain?, _ low: Int64, _ high: Int64, _ interval: Int64, _ digits: Int
  ) throws(QueryError) -> (values: [Value], count: Int?) {
    guard low <= high else { return ([], 0) }
    let (span, overflow) = high.subtractingReportingOverflow(low)
    let count = overflow ? nil : Int(span / interval) &+ 1
    var values: [Value] = []
    func add(_ number: Int64) throws(QueryError) {
      guard values.count < ProjectedPartitions.maximumCount else { throw tooMany(projection) }
      let digitsText = String(number.magnitude)
      let zeros = String(repeating: "0", count: max(0, digits - digitsText.count - (number < 0 ? 1 : 0)))
      values.append(try value((number < 0 ? "-" : "") + zeros + digitsText, projection.column))
    }
    // The filter's ranges, where the column is a number: 2³¹ projected values are no trouble for `id = 7`.
    let isNumber = if case .varchar = projection.column.type { false } else if case .char = projection.column.type { false } else { true }
    guard isNumber, let domain else {
      var number = low
      while number <= high {
        try add(number)
        let (next, overflow) = number.addingReportingOverflow(interval)
        if overflow { break }
        number = next
      }
      return (values, count)
    }
    for range in domain.ranges {
      let from = max(low, range.low.flatMap(ProjectedPartitions.int64) ?? low)
      let to = min(high, range.high.flatMap(ProjectedPartitions.int64) ?? high)
      guard from <= to else { continue }
      // The first value on the grid that is not below the range.
      let offset = UInt64(bitPattern: from &- low) % UInt64(interval)
      let (start, passed) = offset == 0 ? (from, false) : from.addingReportingOverflow(interval - Int64(offset))
      var number = start
      while !passed, number <= to {
        try add(number)
        let (next, overflow) = number.addingReportingOverflow(interval)
        if overflow { break }
        number = next
      }
    }
    return (values, count)
  }

  private static func int64(_ scalar: Scalar) -> Int64? { if case .integer(let value) = scalar { value } else { nil } }

  private func instant(_ bound: ColumnProjection.DateBound, _ now: Int64, _ format: ProjectionDateFormat) -> Int64 {
    switch bound {
    case .fixed(let micros): micros
    case .now(let count, let unit): format.truncated(unit.adding(count, to: now))
    }
  }

  private func dates(
    _ projection: ColumnProjection, _ domain: Domain?, _ low: Int64, _ high: Int64, _ interval: Int,
    _ unit: ColumnProjection.DateUnit, _ format: ProjectionDateFormat
  ) throws(QueryError) -> (values: [Value], count: Int?) {
    var values: [Value] = []
    var count = 0
    while true {
      // Always from the first bound: months after the 31st do not lose days on the way.
      let micros = unit.adding(count * interval, to: low)
      if micros > high { break }
      count += 1
      guard count < ProjectedPartitions.maximumCount else { throw tooMany(projection) }
      let text = format.format(micros)
      let scalar: Scalar
      switch projection.column.type {
      case .date: scalar = .integer(CalendarDate.floorDivide(micros, 86_400_000_000))
      case .timestamp: scalar = .integer(micros)
      default: scalar = .string(text)
      }
      if let domain, !domain.overlaps(min: scalar, max: scalar, mayHaveNulls: false) { continue }
      // Steps smaller than what the pattern tells apart name one partition several times.
      if values.last?.text == text { continue }
      values.append(Value(scalar: scalar, text: text))
    }
    return (values, count)
  }

  private func tooMany(_ projection: ColumnProjection) -> QueryError {
    QueryError(
      .hiveMetastoreError,
      "Partition projection of column '\(projection.column.name)' of \(location) gives more than \(ProjectedPartitions.maximumCount) values",
      hint: "Filter by this column, or narrow its range.")
  }
}

/// Where the folder of a projected partition lies: `s3://b/logs/${region}/${day}/`.
private struct LocationTemplate {
  /// The text before each column, and which column it is.
  private var places: [(text: String, column: Int)] = []
  private var rest = ""
  private let isDefault: Bool

  /// - Parameter template: nil for `<location>/column=value/…`.
  /// - Throws: `INVALID_TABLE_PROPERTY`.
  init(_ template: String?, location: String, columns: [String]) throws(QueryError) {
    isDefault = template == nil
    guard let template else {
      var base = location
      while base.hasSuffix("/"), base.count > 1 { base.removeLast() }
      for (index, name) in columns.enumerated() {
        places.append((base + "/" + PartitionFolder.encode(name.lowercased()) + "=", index))
        base = ""
      }
      return
    }
    var text = ""
    var at = template.startIndex
    while at < template.endIndex {
      guard template[at...].hasPrefix("${"), let close = template[at...].firstIndex(of: "}") else {
        text.append(template[at])
        at = template.index(after: at)
        continue
      }
      let name = template[template.index(at, offsetBy: 2)..<close]
      guard let column = columns.firstIndex(where: { $0.lowercased() == name.lowercased() }) else {
        throw LocationTemplate.invalid(template, "'${\(name)}' names no partition column")
      }
      places.append((text, column))
      text = ""
      at = template.index(after: close)
    }
    rest = text
    for (index, name) in columns.enumerated() where !places.contains(where: { $0.column == index }) {
      throw LocationTemplate.invalid(template, "'${\(name)}' is missing")
    }
  }

  private static func invalid(_ template: String, _ why: String) -> QueryError {
    QueryError(
      .invalidTableProperty, "Invalid value for property 'storage.location.template': '\(template)'; \(why)",
      hint: "Each partition column stands in it once as ${column}.")
  }

  func location(_ values: [String]) -> String {
    var result = ""
    for place in places {
      result += place.text
      result += isDefault ? PartitionFolder.encode(values[place.column]) : values[place.column]
    }
    return result + rest
  }
}
