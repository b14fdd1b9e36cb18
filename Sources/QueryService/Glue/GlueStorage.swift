import FileFormats
import TableCatalog

/// The classes that Hive's catalog names for a table, from its format where the table names none.
struct GlueStorage {
  var serde: String
  var inputFormat: String
  var outputFormat: String

  init(_ table: TableDefinition) {
    let format = FormatRegistry.format(named: table.serde ?? table.format) ?? FormatRegistry.format(named: table.format)
    let descriptor = format?.descriptor
    // Text formats share the classes of plain text.
    let text = FormatRegistry.format(named: "textfile")?.descriptor
    serde = table.serde ?? descriptor?.serdes.first ?? ""
    inputFormat = table.inputFormat ?? descriptor?.inputFormats.first ?? text?.inputFormats.first ?? ""
    outputFormat = table.outputFormat ?? descriptor?.outputFormats.first ?? text?.outputFormats.first ?? ""
  }
}
