import TableCatalog

/// One column of the ledger: what it is called, and which figure of a statement it keeps.
struct LedgerColumn: Sendable {
  typealias Value = SQLiteDatabase.Value

  let name: String
  let type: String
  let write: @Sendable (QueryRecord) -> Value
  let read: @Sendable (inout QueryRecord, Value) -> Void

  private init(
    _ name: String, _ type: String, write: @escaping @Sendable (QueryRecord) -> Value,
    read: @escaping @Sendable (inout QueryRecord, Value) -> Void
  ) {
    (self.name, self.type, self.write, self.read) = (name, type, write, read)
  }

  private static func integer(_ name: String, _ path: any WritableKeyPath<QueryStatistics, Int> & Sendable) -> LedgerColumn {
    LedgerColumn(
      name, "INTEGER", write: { .integer(Int64($0.statistics[keyPath: path])) },
      read: { $0.statistics[keyPath: path] = Int(clamping: $1.integer ?? 0) })
  }

  private static func optional(_ name: String, _ path: any WritableKeyPath<QueryStatistics, Int?> & Sendable) -> LedgerColumn {
    LedgerColumn(
      name, "INTEGER", write: { $0.statistics[keyPath: path].map { .integer(Int64($0)) } ?? .null },
      read: { $0.statistics[keyPath: path] = $1.integer.map { Int(clamping: $0) } })
  }

  private static func real(_ name: String, _ path: any WritableKeyPath<QueryStatistics, Double> & Sendable) -> LedgerColumn {
    LedgerColumn(
      name, "REAL", write: { .double($0.statistics[keyPath: path]) }, read: { $0.statistics[keyPath: path] = $1.double ?? 0 })
  }

  private static func text(_ name: String, _ path: any WritableKeyPath<QueryStatistics, String?> & Sendable) -> LedgerColumn {
    LedgerColumn(
      name, "TEXT", write: { $0.statistics[keyPath: path].map { .text($0) } ?? .null }, read: { $0.statistics[keyPath: path] = $1.text })
  }

  private static func text(record name: String, _ path: any WritableKeyPath<QueryRecord, String?> & Sendable) -> LedgerColumn {
    LedgerColumn(name, "TEXT", write: { $0[keyPath: path].map { .text($0) } ?? .null }, read: { $0[keyPath: path] = $1.text })
  }

  private static func text(record name: String, _ path: any WritableKeyPath<QueryRecord, String> & Sendable) -> LedgerColumn {
    LedgerColumn(
      name, "TEXT", write: { .text($0[keyPath: path]) }, read: { if let text = $1.text { $0[keyPath: path] = text } })
  }

  /// What is known when a statement begins.
  static let begun = all.filter {
    [
      "query_id", "sql", "database", "state", "submitted_at", "submitted_us", "pid", "process_start", "workgroup", "tags", "parameters",
      "output_folder",
    ]
    .contains($0.name)
  }

  /// All columns, in the order the table has had since its first version; new ones come last.
  static let all: [LedgerColumn] = [
    text(record: "query_id", \.id), text(record: "sql", \.sql), text(record: "database", \.database),
    LedgerColumn("statement_type", "TEXT", write: { .text($0.statistics.statementType) }) {
      $0.statistics.type = $1.text.flatMap(StatementType.init)
    },
    LedgerColumn("state", "TEXT", write: { .text($0.state.rawValue) }) { record, value in
      record.state = value.text.flatMap(QueryState.init) ?? .failed
      record.statistics.state = record.state
    },
    text(record: "error", \.errorText),
    LedgerColumn("submitted_at", "TEXT", write: { .text(Ledger.timestamp($0.submittedAtMicros)) }) {
      $0.submittedAtMicros = Ledger.micros($1.text ?? "")
    },
    real("wall_ms", \.wallMilliseconds), real("planning_ms", \.planningMilliseconds), integer("rows", \.rows),
    integer("bytes_scanned", \.bytesScanned), integer("bytes_billed", \.bytesBilled), real("cost_usd", \.dollars),
    text("result_location", \.resultLocation),
    LedgerColumn("pid", "INTEGER", write: { _ in .integer(ProcessIdentity.current.id) }) {
      $0.process = $1.integer.map { ProcessIdentity(id: $0, start: 0) }
    },
    // Since the second version.
    text("substatement_type", \.substatementType), text(record: "error_code", \.errorCode),
    LedgerColumn("process_start", "INTEGER", write: { _ in .integer(ProcessIdentity.current.start) }) {
      $0.process?.start = $1.integer ?? 0
    },
    LedgerColumn("submitted_us", "INTEGER", write: { .integer($0.submittedAtMicros) }) {
      if let micros = $1.integer { $0.submittedAtMicros = micros }
    },
    integer("metadata_bytes", \.metadataBytes), integer("bytes_total", \.bytesTotal),
    integer("peak_memory_bytes", \.peakMemoryBytes), integer("rows_written", \.rowsWritten),
    integer("bytes_written", \.bytesWritten), integer("files_written", \.filesWritten),
    text(record: "output_folder", \.outputFolder),
    // Since the third: what GetQueryExecution tells, and what reports are made of.
    text(record: "workgroup", \.workgroup),
    LedgerColumn("tags", "TEXT", write: { $0.tags.isEmpty ? .null : .text(LedgerText.object($0.tags)) }) {
      $0.tags = LedgerText.object($1.text ?? "")
    },
    LedgerColumn("parameters", "TEXT", write: { $0.parameters.isEmpty ? .null : .text(LedgerText.array($0.parameters)) }) {
      $0.parameters = LedgerText.array($1.text ?? "")
    },
    real("queue_ms", \.queueMilliseconds), real("publishing_ms", \.publishingMilliseconds), integer("result_bytes", \.resultBytes),
    text("manifest_location", \.manifestLocation), text("reused_query_id", \.reusedQueryID),
    integer("files_read", \.filesRead), optional("files_total", \.filesTotal), integer("partitions_read", \.partitionsRead),
    optional("partitions_total", \.partitionsTotal), integer("row_groups_read", \.rowGroupsRead),
    integer("row_groups_total", \.rowGroupsTotal), integer("columns_read", \.columnsRead), integer("columns_total", \.columnsTotal),
    integer("spilled_bytes", \.spilledBytes), real("s3_cost_usd", \.s3Dollars),
    LedgerColumn(
      "result_columns", "TEXT",
      write: { record in record.statistics.resultColumns.map { .text(LedgerText.array($0.flatMap { [$0.name, $0.type] })) } ?? .null }
    ) { record, value in
      let texts = LedgerText.array(value.text ?? "")
      record.statistics.resultColumns = value.text.map { _ in
        stride(from: 0, to: texts.count - 1, by: 2).map { ResultColumn(name: texts[$0], type: texts[$0 + 1]) }
      }
    },
    text("reuse_key", \.reuseKey), text("reuse_data", \.reuseData),
  ]
}

/// Texts in a column as SQLite's own functions read them: flat JSON.
enum LedgerText {
  static func object(_ values: [String: String]) -> String {
    var out: [UInt8] = [0x7b]
    for (index, (key, value)) in values.sorted(by: { $0.key < $1.key }).enumerated() {
      if index > 0 { out.append(0x2c) }
      out.append(jsonString: Array(key.utf8))
      out.append(0x3a)
      out.append(jsonString: Array(value.utf8))
    }
    return String(decoding: out + [0x7d], as: UTF8.self)
  }

  static func array(_ values: [String]) -> String {
    var out: [UInt8] = [0x5b]
    for (index, value) in values.enumerated() {
      if index > 0 { out.append(0x2c) }
      out.append(jsonString: Array(value.utf8))
    }
    return String(decoding: out + [0x5d], as: UTF8.self)
  }

  static func object(_ text: String) -> [String: String] {
    let texts = array(text)
    return Dictionary(stride(from: 0, to: texts.count - 1, by: 2).map { (texts[$0], texts[$0 + 1]) }, uniquingKeysWith: { $1 })
  }

  /// The strings of what the two functions above wrote.
  static func array(_ text: String) -> [String] {
    var texts: [String] = []
    var bytes = Array(text.utf8)[...]
    while let start = bytes.firstIndex(of: 0x22) {
      bytes = bytes[(start + 1)...]
      var value: [UInt8] = []
      while let byte = bytes.popFirst(), byte != 0x22 {
        guard byte == 0x5c, let escaped = bytes.popFirst() else {
          value.append(byte)
          continue
        }
        switch escaped {
        case 0x6e: value.append(0x0a)
        case 0x72: value.append(0x0d)
        case 0x74: value.append(0x09)
        case 0x75:
          // Only control characters are written so.
          value.append(UInt8(String(decoding: bytes.prefix(4), as: UTF8.self), radix: 16) ?? 0)
          bytes = bytes.dropFirst(4)
        default: value.append(escaped)
        }
      }
      texts.append(String(decoding: value, as: UTF8.self))
    }
    return texts
  }
}
