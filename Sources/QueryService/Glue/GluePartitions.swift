import ObjectStore
import QueryEngine
import QueryErrors
import TableCatalog

/// Glue's partitions.
extension GlueService {
  static let partitionOperations: [String: Operation] = [
    "GetPartitions": Operation([
      catalogID, databaseName, tableName, .string("Expression", 0...2048), token,
      .structure(
        "Segment",
        [.integer("SegmentNumber", minimum: 0, required: true), .integer("TotalSegments", minimum: 1, maximum: 10, required: true)]),
      maxResults(1000), .boolean("ExcludeColumnSchema"),
    ]) { service, input in
      let table = try service.requireTable(name(input))
      var partitions = try service.engine.openCatalog().partitions(of: table.name)
      if let expression = input["Expression"]?.string, !expression.isEmpty {
        partitions = try service.filter.matching(partitions, expression, table)
      }
      if let segment = input["Segment"], let number = segment["SegmentNumber"]?.integer, let total = segment["TotalSegments"]?.integer {
        partitions = partitions.enumerated().filter { $0.offset % total == number }.map(\.element)
      }
      let page = try page(partitions, input, maximum: 1000)
      let isShort = input["ExcludeColumnSchema"]?.bool ?? false
      return ["Partitions": .array(page.items.map { service.describe($0, table, withColumns: !isShort) }), "NextToken": page.next]
    },
    "GetPartition": Operation([catalogID, databaseName, tableName, .list("PartitionValues", required: true)]) { service, input in
      let table = try service.requireTable(name(input))
      return ["Partition": service.describe(try service.partition(input["PartitionValues"], table), table, withColumns: true)]
    },
    "BatchGetPartition": Operation([catalogID, databaseName, tableName, .list("PartitionsToGet", 0...1000, required: true)]) { service, input in
      let table = try service.requireTable(name(input))
      var (found, missing): ([JSONValue], [JSONValue]) = ([], [])
      for item in input["PartitionsToGet"]?.array ?? [] {
        do { found.append(service.describe(try service.partition(item["Values"], table), table, withColumns: true)) } catch is AWSError {
          missing.append(item)
        }
      }
      return ["Partitions": .array(found), "UnprocessedKeys": .array(missing)]
    },
    "CreatePartition": Operation([catalogID, databaseName, tableName, .structure("PartitionInput", required: true)]) { service, input in
      let table = try service.requireTable(name(input))
      try service.create(input["PartitionInput"] ?? .null, in: table)
      return [:]
    },
    "BatchCreatePartition": Operation([catalogID, databaseName, tableName, .list("PartitionInputList", 0...100, required: true)]) {
      service, input in
      let table = try service.requireTable(name(input))
      return ["Errors": .array(try each(input["PartitionInputList"]) { try service.create($0, in: table) })]
    },
    "UpdatePartition": Operation([
      catalogID, databaseName, tableName, .list("PartitionValueList", 0...100, required: true), .structure("PartitionInput", required: true),
    ]) { service, input in
      let table = try service.requireTable(name(input))
      try service.update(input["PartitionValueList"], input["PartitionInput"] ?? .null, in: table)
      return [:]
    },
    "BatchUpdatePartition": Operation([catalogID, databaseName, tableName, .list("Entries", 1...100, required: true)]) { service, input in
      let table = try service.requireTable(name(input))
      var errors: [JSONValue] = []
      for entry in input["Entries"]?.array ?? [] {
        do { try service.update(entry["PartitionValueList"], entry["PartitionInput"] ?? .null, in: table) } catch let error as AWSError {
          errors.append(["PartitionValueList": entry["PartitionValueList"] ?? [], "ErrorDetail": detail(error)])
        }
      }
      return ["Errors": .array(errors)]
    },
    "DeletePartition": Operation([catalogID, databaseName, tableName, .list("PartitionValues", required: true)]) { service, input in
      let table = try service.requireTable(name(input))
      try service.delete(input["PartitionValues"], of: table)
      return [:]
    },
    "BatchDeletePartition": Operation([catalogID, databaseName, tableName, .list("PartitionsToDelete", 0...25, required: true)]) {
      service, input in
      let table = try service.requireTable(name(input))
      return ["Errors": .array(try each(input["PartitionsToDelete"]) { try service.delete($0["Values"], of: table) })]
    },
    "GetPartitionIndexes": Operation([catalogID, databaseName, tableName, token]) { service, input in
      _ = try service.requireTable(name(input))
      return ["PartitionIndexDescriptorList": []]
    },
    "GetColumnStatisticsForTable": Operation([catalogID, databaseName, tableName, .list("ColumnNames", 0...100, required: true)]) {
      service, input in
      _ = try service.requireTable(name(input))
      let errors = (input["ColumnNames"]?.array ?? []).map { column -> JSONValue in
        ["ColumnName": column, "Error": ["ErrorCode": "EntityNotFoundException", "ErrorMessage": "There are no statistics of the column"]]
      }
      return ["ColumnStatisticsList": [], "Errors": .array(errors)]
    },
  ]

  /// Does something for each item of a batch; what went wrong.
  private static func each(_ list: JSONValue?, _ body: (JSONValue) throws -> Void) throws -> [JSONValue] {
    var errors: [JSONValue] = []
    for item in list?.array ?? [] {
      do { try body(item) } catch let error as AWSError {
        errors.append(["PartitionValues": item["Values"] ?? [], "ErrorDetail": detail(error)])
      }
    }
    return errors
  }

  private static func detail(_ error: AWSError) -> JSONValue { ["ErrorCode": .string(error.type), "ErrorMessage": .text(error.message)] }

  /// The values of a partition; nil for the default one's.
  private func values(_ list: JSONValue?, _ table: TableDefinition) throws -> [String?] {
    let values = (list?.array ?? []).map { value -> String? in
      value.string == "__HIVE_DEFAULT_PARTITION__" ? nil : value.string ?? ""
    }
    guard values.count == table.partitionColumns.count else {
      throw GlueService.invalid("The number of partition keys do not match the number of partition values")
    }
    return values
  }

  private func partition(_ list: JSONValue?, _ table: TableDefinition) throws -> PartitionDefinition {
    let values = try values(list, table)
    guard let found = try engine.openCatalog().partition(values, of: table.name, columns: table.partitionColumns.map(\.name)) else {
      throw GlueService.notFound("Cannot find partition.")
    }
    return found
  }

  private func definition(_ input: JSONValue, _ table: TableDefinition) throws -> PartitionDefinition {
    let values = try values(input["Values"], table)
    for (value, column) in zip(values, table.partitionColumns) {
      guard let value, PartitionValue.parse(value, column.type) == nil else { continue }
      throw GlueService.invalid("'\(value)' is no value of the partition key '\(column.name)' of type \(column.type)")
    }
    let storage = input["StorageDescriptor"]
    let folder = table.location + (table.location.hasSuffix("/") ? "" : "/") + PartitionFolder.name(table.partitionColumns.map(\.name), values)
    let location = try engine.stores.resolve(storage?["Location"]?.string ?? folder).description
    let columns = try GlueService.columns(storage?["Columns"])
    let serde = storage?["SerdeInfo"]?["SerializationLibrary"]?.string
    return PartitionDefinition(
      values: values, location: location, columns: columns.isEmpty || columns == table.columns ? nil : columns,
      serde: serde == table.serde ? nil : serde, properties: input["Parameters"]?.strings ?? [:])
  }

  private func create(_ input: JSONValue, in table: TableDefinition) throws {
    let columns = table.partitionColumns.map(\.name)
    let new = try definition(input, table)
    let catalog = try engine.openCatalog()
    guard try catalog.partition(new.values, of: table.name, columns: columns) == nil else {
      throw GlueService.alreadyExists("Partition already exists.")
    }
    try catalog.add([new], to: table.name, columns: columns)
  }

  private func update(_ list: JSONValue?, _ input: JSONValue, in table: TableDefinition) throws {
    let old = try partition(list, table)
    let new = try definition(input, table)
    let columns = table.partitionColumns.map(\.name)
    let catalog = try engine.openCatalog()
    if new.values != old.values { try catalog.drop(partition: old.values, of: table.name, columns: columns) }
    try catalog.add([new], to: table.name, columns: columns)
  }

  private func delete(_ list: JSONValue?, of table: TableDefinition) throws {
    let known = try partition(list, table)
    try engine.openCatalog().drop(partition: known.values, of: table.name, columns: table.partitionColumns.map(\.name))
  }

  private func describe(_ partition: PartitionDefinition, _ table: TableDefinition, withColumns: Bool) -> JSONValue {
    var shape = table
    if let columns = partition.columns { shape.columns = columns }
    if let serde = partition.serde { shape.serde = serde }
    var storage = storage(shape, location: partition.location, said: nil).object ?? [:]
    if !withColumns { storage["Columns"] = nil }
    return [
      "Values": .array(partition.values.map { .string($0 ?? "__HIVE_DEFAULT_PARTITION__") }),
      "DatabaseName": .string(table.name.database), "TableName": .string(table.name.name), "CatalogId": .string(settings.account),
      "CreationTime": partition.createdAtMicros.map { .time(micros: $0) } ?? .null, "StorageDescriptor": .object(storage),
      "Parameters": .strings(partition.properties),
    ]
  }
}
