import ObjectStore

extension QueryHistory {
  /// The statement whose id is, or begins with, a text of at least four letters, as footers show ids.
  ///
  /// - Throws: `NOT_FOUND`, `INVALID_ARGUMENTS` when several do.
  public func find(_ id: String) throws(QueryError) -> QueryRecord {
    if let record = try execution(id) { return record }
    let id = id.hasSuffix("…") ? String(id.dropLast()) : id
    let found = id.count < 4 ? [] : try engine.openLedger()?.records(beginningWith: id) ?? []
    if found.count == 1 { return found[0] }
    if found.isEmpty { throw QueryError(.notFound, "QueryExecution \(id) was not found", hint: "sqlq history lists the ids.") }
    throw QueryError(.invalidArguments, "\(found.count) statements have ids that begin with \(id)")
  }

  /// Hands out the rows that a statement left in the results folder, with the types it had; those that a result's text does
  /// not tell (arrays, maps, rows, shapes) as text, unless there is a typed twin. Of statements that write files, their names.
  ///
  /// - Throws: `INVALID_ARGUMENTS` when it has not succeeded, `NOT_FOUND` when it left no result or that is gone.
  public func readResult(of record: QueryRecord, into consumer: any ResultConsumer) throws(QueryError) {
    guard record.state == .succeeded else {
      let reason = record.errorText.map { ": " + $0 } ?? ""
      throw QueryError(.invalidArguments, "Query \(record.id) has not succeeded. State: \(record.state.rawValue)\(reason)")
    }
    guard let place = record.statistics.resultLocation else {
      throw QueryError(.notFound, "Query \(record.id) left no result in a folder", hint: "It has none, or it ran with --no-results.")
    }
    let location = try engine.stores.resolve(record.statistics.manifestLocation ?? place)
    guard try location.exists() else { throw QueryError(.notFound, "The result of query \(record.id) is gone: \(place)") }
    let columns: Schema
    if record.statistics.manifestLocation != nil {
      columns = Schema([Field("file", .text)])
    } else if let known = record.statistics.resultColumns {
      columns = known.schema
    } else {
      columns = try ResultMetadata.schema(at: location)
    }
    let reader = try ResultReader(location, columns: columns)
    try consumer.begin(reader.schema)
    try reader.read(ScanMeter()) { (batch) throws(QueryError) in try consumer.receive(batch) }
  }
}
