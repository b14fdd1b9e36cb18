package import Columnar
package import ObjectStore
package import QueryErrors

/// All files below one folder: a declared table without partitions.
package struct FolderFiles: TableFiles {
  package let location: String
  private let store: any ObjectStore
  private let root: String

  package init(location: String, store: any ObjectStore, root: String) {
    self.location = location
    self.store = store
    self.root = root
  }

  package func list(_ predicate: (any PartitionPredicate)?, meter: ScanMeter) throws(QueryError) -> TableListing {
    let objects = try DirectoryWalker(store, root: root, meter: meter).walk()
    // Empty objects hold no rows in any format: marks for folders, and writers that had nothing to say.
    let files = objects.filter { $0.info.byteCount > 0 }.map { TableFile(info: $0.info, partitionValues: []) }
    return TableListing(files: files, partitionsRead: 1, partitionsTotal: 1)
  }
}

/// A table whose partitions stand in the catalog, each with a folder of its own.
package struct CatalogPartitions: TableFiles {
  package let location: String
  private let table: TableName
  private let fileColumns: [Field]
  private let matchesByName: Bool
  private let columns: [Field]
  private let partitions: [PartitionDefinition]
  private let stores: ObjectStores

  /// - Parameters:
  ///   - fileColumns: the table's columns in files.
  ///   - matchesByName: whether files find columns by name rather than by position.
  ///   - columns: the partition columns.
  package init(
    table: TableName, location: String, fileColumns: [Field], matchesByName: Bool, columns: [Field],
    partitions: [PartitionDefinition], stores: ObjectStores
  ) {
    self.table = table
    self.fileColumns = fileColumns
    self.matchesByName = matchesByName
    self.stores = stores
    self.location = location
    self.columns = columns
    self.partitions = partitions
  }

  package func list(_ predicate: (any PartitionPredicate)?, meter: ScanMeter) throws(QueryError) -> TableListing {
    var folders: [(location: String, values: [Scalar], name: String)] = []
    let names = columns.map(\.name)
    var absent: [String: Set<Int>] = [:]
    for partition in partitions {
      var values: [Scalar] = []
      for (column, text) in zip(columns, partition.values) {
        values.append(try PartitionValue.parse(text, column, in: partition.location, of: location))
      }
      if let predicate, try !predicate.mayMatch(values.map { Optional($0) }) { continue }
      let name = PartitionFolder.name(names, partition.values)
      folders.append((partition.location, values, name))
      guard let own = partition.columns else { continue }
      let missing = try PartitionSchema.absentColumns(of: own, in: fileColumns, matchesByName: matchesByName) {
        ("\(table.database).\(table.name)", name)
      }
      if !missing.isEmpty { absent[name] = missing }
    }
    var files = try PartitionFolderListing.files(of: folders, stores, meter: meter)
    if !absent.isEmpty {
      for index in files.indices {
        files[index].absentColumns = files[index].partitionName.flatMap { absent[$0] } ?? []
      }
    }
    return TableListing(files: files, partitionsRead: folders.count, partitionsTotal: partitions.count)
  }
}

/// Turns a folder name's value into a value of the partition column's type.
package enum PartitionValue {
  /// - Parameter text: nil for the default partition.
  /// - Throws: `HIVE_INVALID_PARTITION_VALUE`.
  package static func parse(
    _ text: String?, _ column: Field, in folder: String, of location: String
  ) throws(QueryError) -> Scalar {
    guard let text else { return .null }
    if let value = parse(text, column.type) { return value }
    throw QueryError(
      .hiveInvalidPartitionValue,
      "Invalid partition value '\(text)' for \(column.type) partition key: \(column.name)",
      data: DataLocation(path: ObjectPath.join(location, folder), column: column.name, value: text),
      hint: "Declare the partition column as varchar (string), or rename the folder.")
  }

  /// The value, or nil when the text is none of the type.
  package static func parse(_ text: String, _ type: DataType) -> Scalar? {
    switch type {
    case .varchar: return .string(text)
    case .char:
      var trimmed = text
      while trimmed.last == " " { trimmed.removeLast() }
      return .string(trimmed)
    case .tinyint: return Int8(text).map { .integer(Int64($0)) }
    case .smallint: return Int16(text).map { .integer(Int64($0)) }
    case .integer: return Int32(text).map { .integer(Int64($0)) }
    case .bigint: return Int64(text).map { .integer($0) }
    case .boolean:
      switch text.lowercased() {
      case "true": return .boolean(true)
      case "false": return .boolean(false)
      default: return nil
      }
    case .double: return Double(text).map { .double($0) }
    case .real: return Float(text).map { .real($0) }
    case .date: return days(text).map { .integer($0) }
    case .decimal(_, let scale): return decimal(text, scale: scale, physical: type.physicalType)
    case .timestamp(let precision) where precision <= DataType.maxShortTimestampPrecision:
      return micros(text).map { .integer($0) }
    default: return nil
    }
  }

  /// Days since 1970-01-01 of `yyyy-MM-dd`.
  package static func days(_ text: String) -> Int64? {
    let parts = text.split(separator: "-", omittingEmptySubsequences: false)
    guard parts.count == 3, parts[0].count == 4, let year = Int64(parts[0]), let month = Int64(parts[1]),
      let day = Int64(parts[2]), (1...12).contains(month), day >= 1
    else { return nil }
    let isLeap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0
    let lengths: [Int64] = [31, isLeap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
    guard day <= lengths[Int(month) - 1] else { return nil }
    // Days from civil (Howard Hinnant).
    let y = month <= 2 ? year - 1 : year
    let era = (y >= 0 ? y : y - 399) / 400
    let yearOfEra = y - era * 400
    let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
    return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
  }

  private static func micros(_ text: String) -> Int64? {
    let parts = text.split(separator: " ", maxSplits: 1)
    guard let first = parts.first, let day = days(String(first)) else { return nil }
    guard parts.count == 2 else { return day * 86_400_000_000 }
    let clock = parts[1].split(separator: ":")
    guard clock.count == 3, let hour = Int64(clock[0]), let minute = Int64(clock[1]), let second = Double(clock[2]),
      (0..<24).contains(hour), (0..<60).contains(minute), second >= 0, second < 60
    else { return nil }
    return day * 86_400_000_000 + (hour * 3600 + minute * 60) * 1_000_000 + Int64((second * 1_000_000).rounded())
  }

  private static func decimal(_ text: String, scale: Int, physical: PhysicalType) -> Scalar? {
    var digits = text
    let isNegative = digits.hasPrefix("-")
    if isNegative || digits.hasPrefix("+") { digits.removeFirst() }
    let parts = digits.split(separator: ".", omittingEmptySubsequences: false)
    guard parts.count <= 2, let whole = parts.first else { return nil }
    let fraction = parts.count == 2 ? String(parts[1]) : ""
    guard fraction.count <= scale, var value = Int128(whole + fraction) else { return nil }
    for _ in fraction.count..<scale {
      let (product, overflow) = value.multipliedReportingOverflow(by: 10)
      if overflow { return nil }
      value = product
    }
    if isNegative { value = -value }
    return physical == .int64 ? Int64(exactly: value).map { .integer($0) } : .int128(value)
  }
}
