package import QueryEngine

/// The line behind a result, on stderr:
///
///     12 rows · 0.41 s · read 38.2 MB of 9.81 GB (3/730 partitions, 41/512 row groups, 4/61 columns) · $0.0002 · id 7f3a…
package enum StatusFooter {
  package static func text(_ statistics: QueryStatistics) -> String {
    var parts: [String] = []
    let base = statistics.unitBase
    if statistics.isDryRun {
      parts.append("dry run" + (statistics.costTier.map { ", \($0.rawValue)" } ?? ""))
      parts.append("would read \(bytes(statistics.bytesScanned, base))\(of(statistics))\(pruning(statistics))")
      parts.append("\(dollars(statistics.dollars)) for \(bytes(statistics.bytesBilled, base)) billed (\(base.rawValue) units)")
      return parts.joined(separator: " · ")
    }
    if statistics.state != .succeeded { parts.append(statistics.state.rawValue.lowercased()) }
    if statistics.type != .ddl { parts.append(statistics.rows == 1 ? "1 row" : "\(grouped(statistics.rows)) rows") }
    parts.append(seconds(statistics.wallMilliseconds))
    if statistics.bytesTotal > 0 || statistics.bytesScanned > 0 {
      parts.append("read \(bytes(statistics.bytesScanned, base))\(of(statistics))\(pruning(statistics))")
    }
    if statistics.spilledBytes > 0 { parts.append("spilled \(bytes(statistics.spilledBytes, base))") }
    parts.append(dollars(statistics.dollars))
    if statistics.s3Requests > 0 {
      parts.append("\(grouped(statistics.s3Requests)) S3 requests \(dollars(statistics.s3Dollars))")
    }
    parts.append("id \(statistics.queryID.prefix(4))…")
    return parts.joined(separator: " · ")
  }

  private static func of(_ statistics: QueryStatistics) -> String {
    statistics.bytesTotal > statistics.bytesScanned ? " of \(bytes(statistics.bytesTotal, statistics.unitBase))" : ""
  }

  private static func pruning(_ statistics: QueryStatistics) -> String {
    var parts: [String] = []
    if let total = statistics.partitionsTotal, total > 1 {
      parts.append("\(grouped(statistics.partitionsRead))/\(grouped(total)) partitions")
    } else if statistics.partitionsTotal == nil {
      parts.append("\(grouped(statistics.partitionsRead)) partitions")
    }
    if statistics.rowGroupsTotal > 0 { parts.append("\(grouped(statistics.rowGroupsRead))/\(grouped(statistics.rowGroupsTotal)) row groups") }
    if statistics.columnsTotal > 0 { parts.append("\(statistics.columnsRead)/\(statistics.columnsTotal) columns") }
    return parts.isEmpty ? "" : " (" + parts.joined(separator: ", ") + ")"
  }

  /// Three digits and a unit: `38.2 MB`.
  package static func bytes(_ count: Int, _ base: EngineConfiguration.UnitBase) -> String {
    let step = base == .binary ? 1024.0 : 1000.0
    let units = ["B", "KB", "MB", "GB", "TB", "PB"]
    var value = Double(count)
    var unit = 0
    while value >= step, unit < units.count - 1 {
      value /= step
      unit += 1
    }
    return (unit == 0 ? String(count) : fixed(value, digits: value < 10 ? 2 : (value < 100 ? 1 : 0))) + " " + units[unit]
  }

  package static func dollars(_ amount: Double) -> String {
    if amount == 0 { return "$0" }
    var digits = 2
    var probe = amount
    while probe < 1, digits < 8 {
      probe *= 10
      digits += 1
    }
    var text = fixed(amount, digits: min(8, max(2, digits)))
    while text.hasSuffix("0"), text.split(separator: ".").last.map({ $0.count > 2 }) ?? false { text.removeLast() }
    return "$" + text
  }

  package static func seconds(_ milliseconds: Double) -> String {
    if milliseconds < 10 { return fixed(milliseconds / 1000, digits: 3) + " s" }
    if milliseconds < 100_000 { return fixed(milliseconds / 1000, digits: 2) + " s" }
    return "\(Int(milliseconds / 60_000)) min \(Int(milliseconds / 1000) % 60) s"
  }

  static func fixed(_ value: Double, digits: Int) -> String {
    var scale = 1.0
    for _ in 0..<digits { scale *= 10 }
    let scaled = Int((value * scale).rounded())
    if digits == 0 { return String(scaled) }
    let fraction = String(scaled % Int(scale))
    return "\(scaled / Int(scale))." + String(repeating: "0", count: digits - fraction.count) + fraction
  }

  static func grouped(_ value: Int) -> String {
    let digits = String(value)
    var result = ""
    for (index, digit) in digits.enumerated() {
      if index > 0, (digits.count - index) % 3 == 0 { result.append(",") }
      result.append(digit)
    }
    return result
  }

  /// The statistics as one JSON object on one line.
  package static func json(_ statistics: QueryStatistics) -> String {
    func text(_ value: String) -> String { String(decoding: JSONText.quoted(value), as: UTF8.self) }
    func number(_ value: Double) -> String { "\(value)" }
    let fields: [(String, String)] = [
      ("query_id", text(statistics.queryID)), ("state", text(statistics.state.rawValue)),
      ("rows", "\(statistics.rows)"), ("bytes_scanned", "\(statistics.bytesScanned)"),
      ("metadata_bytes", "\(statistics.metadataBytes)"), ("bytes_total", "\(statistics.bytesTotal)"),
      ("bytes_billed", "\(statistics.bytesBilled)"), ("cost_usd", number(statistics.dollars)),
      ("s3_requests", "\(statistics.s3Requests)"), ("s3_list_requests", "\(statistics.s3ListRequests)"),
      ("s3_get_requests", "\(statistics.s3GetRequests)"), ("s3_put_requests", "\(statistics.s3PutRequests)"),
      ("s3_bytes_received", "\(statistics.s3BytesReceived)"), ("s3_bytes_sent", "\(statistics.s3BytesSent)"),
      ("s3_cost_usd", number(statistics.s3Dollars)),
      ("unit_base", text(statistics.unitBase.rawValue)), ("wall_ms", number(statistics.wallMilliseconds)),
      ("planning_ms", number(statistics.planningMilliseconds)), ("files_read", "\(statistics.filesRead)"),
      ("files_total", statistics.filesTotal.map(String.init) ?? "null"), ("partitions_read", "\(statistics.partitionsRead)"),
      ("partitions_total", statistics.partitionsTotal.map(String.init) ?? "null"),
      ("row_groups_read", "\(statistics.rowGroupsRead)"), ("row_groups_total", "\(statistics.rowGroupsTotal)"),
      ("columns_read", "\(statistics.columnsRead)"), ("columns_total", "\(statistics.columnsTotal)"),
      ("peak_memory_bytes", "\(statistics.peakMemoryBytes)"), ("spilled_bytes", "\(statistics.spilledBytes)"),
      ("result_location", statistics.resultLocation.map(text) ?? "null"),
      ("reused_query_id", statistics.reusedQueryID.map(text) ?? "null"), ("reuse_miss", statistics.reuseMiss.map(text) ?? "null"),
      ("notes", "[" + statistics.notes.map(text).joined(separator: ",") + "]"),
      ("statement_type", text(statistics.statementType)), ("substatement_type", statistics.substatementType.map(text) ?? "null"),
      ("cost_tier", statistics.costTier.map { text($0.rawValue) } ?? "null"), ("dry_run", statistics.isDryRun ? "true" : "false"),
      ("rows_written", "\(statistics.rowsWritten)"),
      ("bytes_written", "\(statistics.bytesWritten)"), ("files_written", "\(statistics.filesWritten)"),
      ("bad_rows", "\(statistics.badRows)"),
    ]
    return "{" + fields.map { "\"\($0.0)\":\($0.1)" }.joined(separator: ",") + "}"
  }
}
