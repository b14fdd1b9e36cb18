package import Columnar
package import ObjectStore
package import QueryErrors

/// How the rows of a table's files are spread over buckets: one file, or several, for each in a partition.
package struct TableBuckets: Hashable, Sendable {
  package var function: BucketFunction
  package var count: Int
  /// Indices into the table's columns.
  package var columns: [Int]
  package var types: [DataType]

  /// - Parameter properties: the table's, keys in lower case.
  /// - Throws: `NOT_SUPPORTED` for columns that cannot be bucketed by, `INVALID_TABLE_PROPERTY` for unknown functions.
  package init(_ definition: BucketDefinition, _ schema: [Field], properties: [String: String]) throws(QueryError) {
    count = definition.count
    function = try TableBuckets.function(properties)
    columns = []
    types = []
    for name in definition.columns {
      guard let index = schema.firstIndex(where: { $0.name.lowercased() == name.lowercased() }) else { continue }
      guard function.supports(schema[index].type) else {
        throw .notSupported("Bucketing by column '\(name)' of type \(schema[index].type) is not supported for \(function.rawValue) buckets")
      }
      columns.append(index)
      types.append(schema[index].type)
    }
  }

  /// The hash function that a table's properties name: `bucketing_format`, `bucketing_version`.
  package static func function(_ properties: [String: String]) throws(QueryError) -> BucketFunction {
    switch properties["bucketing_format"]?.lowercased() {
    case nil, "hive": break
    case "spark": return .spark
    case let value?:
      throw QueryError(
        .invalidTableProperty, "Invalid value for bucketing_format: '\(value)'", hint: "Write 'hive' or 'spark'.")
    }
    switch properties["bucketing_version"] {
    case nil, "1": return .hive
    case "2": return .hive2
    case let value?:
      throw QueryError(.invalidTableProperty, "Invalid value for bucketing_version: '\(value)'", hint: "Write '1' or '2'.")
    }
  }

  /// The bucket that a file's name tells: `000003_0` of Hive, `…_bucket-00003` of Trino, `part-…_00003.c000` of Spark.
  package func bucket(ofFileNamed name: String) -> Int? {
    let digits: Substring
    if function == .spark {
      let stem = name.prefix { $0 != "." }
      guard let mark = stem.lastIndex(of: "_") else { return nil }
      digits = stem[stem.index(after: mark)...]
    } else if let mark = name.firstRange(of: "bucket-") ?? name.firstRange(of: "bucket_") {
      digits = name[mark.upperBound...].prefix { $0.isASCII && $0.isNumber }
    } else {
      digits = name.prefix { $0.isASCII && $0.isNumber }
      guard digits.first == "0", name[digits.endIndex...].hasPrefix("_") else { return nil }
    }
    guard !digits.isEmpty, let number = Int(digits), number >= 0, number < count else { return nil }
    return number
  }

  /// The buckets that rows can be in when each column holds one of these values; nil when that is not worth telling.
  package func buckets(holding domains: [Domain?]) -> Set<Int>? {
    var rows: [[Scalar]] = [[]]
    for domain in domains {
      guard let domain, let values = domain.singleValues else { return nil }
      // 0 and -0 are equal but hash differently.
      if values.contains(where: { $0 == .double(0) || $0 == .real(0) }) { return nil }
      let choices = values + (domain.allowsNull ? [.null] : [])
      rows = rows.flatMap { row in choices.map { row + [$0] } }
      // More rows than buckets hit most of them.
      if rows.count > max(1000, count) { return nil }
    }
    return Set(rows.map { function.bucket(of: $0, types, count: count) })
  }
}

/// The files of a bucketed table, each with its bucket.
///
/// Where no name of a partition's files tells its bucket, and there are as many files as buckets, they are taken in the order
/// of their names, as Trino does. A file whose bucket cannot be told is read always.
package struct BucketedFiles: TableFiles {
  private let base: any TableFiles
  private let buckets: TableBuckets

  package init(_ base: any TableFiles, _ buckets: TableBuckets) {
    self.base = base
    self.buckets = buckets
  }

  package var location: String { base.location }

  package func list(_ predicate: (any PartitionPredicate)?, meter: ScanMeter) throws(QueryError) -> TableListing {
    var listing = try base.list(predicate, meter: meter)
    var places: [String?: [Int]] = [:]
    for (index, file) in listing.files.enumerated() {
      let name = file.info.path.split(separator: "/").last.map(String.init) ?? ""
      listing.files[index].bucket = buckets.bucket(ofFileNamed: name)
      places[file.partitionName, default: []].append(index)
    }
    for indices in places.values where indices.count == buckets.count && indices.allSatisfy({ listing.files[$0].bucket == nil }) {
      for (bucket, index) in indices.sorted(by: { listing.files[$0].info.path < listing.files[$1].info.path }).enumerated() {
        listing.files[index].bucket = bucket
      }
    }
    return listing
  }
}
