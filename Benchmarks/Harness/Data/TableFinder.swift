import Foundation

/// Finds the tables in folders of files.
enum TableFinder {
  /// Every `<name>.<format>` and every folder of `folder`; a folder that holds `key=value` folders is one table.
  static func tables(in folder: String, format: TableFormat, partitionedName: String) throws -> [TableSource] {
    let entries: [String]
    do { entries = try FileManager.default.contentsOfDirectory(atPath: folder).sorted() } catch {
      throw ReportedError("There is no folder \(folder).")
    }
    if entries.contains(where: { $0.contains("=") }) { return [try table(partitionedName, at: folder, format: format)] }
    return try entries.compactMap { entry in
      let path = folder + "/" + entry
      if isFolder(path) { return try table(entry, at: path, format: format) }
      guard entry.hasSuffix("." + format.rawValue) || entry.hasSuffix("." + format.rawValue + ".gz") else { return nil }
      return try table(String(entry.prefix { $0 != "." }), at: path, format: format)
    }
  }

  /// The table at `path`; a file's own ending decides its format.
  static func table(_ name: String, at path: String, format: TableFormat) throws -> TableSource {
    guard FileManager.default.fileExists(atPath: path) else { throw ReportedError("There is no file or folder \(path).") }
    let folder = isFolder(path)
    let endings: [String: TableFormat] = [
      "parquet": .parquet, "csv": .csv, "tsv": .csv, "json": .json, "jsonl": .json, "ndjson": .json,
    ]
    let ending = endings.first { path.hasSuffix("." + $0.key) || path.contains("." + $0.key + ".") }?.value
    var keys: [String] = []
    var inner = path
    while folder, let next = try FileManager.default.contentsOfDirectory(atPath: inner).first(where: { $0.contains("=") }) {
      keys.append(String(next.prefix { $0 != "=" }))
      inner += "/" + next
    }
    return TableSource(
      name: name, path: URL(fileURLWithPath: path).standardizedFileURL.path, format: (folder ? nil : ending) ?? format,
      isFolder: folder, partitionKeys: keys)
  }

  /// Gives CSV and JSON tables the types of the Parquet files of the same names in `folder`.
  ///
  /// - Parameter linkFolder: where JSON files get folders of their own, since external tables lie in folders.
  static func declareTypes(_ tables: [TableSource], from folder: String, linkFolder: String) throws -> [TableSource] {
    try tables.map { table in
      var table = table
      let model = "\(folder)/\(table.name).parquet"
      guard FileManager.default.fileExists(atPath: model) else {
        throw ReportedError("--declared takes types from \(model), which does not exist.")
      }
      table.columns = try EngineServer.columns(ofFile: model)
      if table.format == .json, !table.isFolder {
        let own = "\(linkFolder)/\(table.name)"
        try FileManager.default.createDirectory(atPath: own, withIntermediateDirectories: true)
        try FileManager.default.createSymbolicLink(
          atPath: own + "/" + (table.path as NSString).lastPathComponent, withDestinationPath: table.path)
        table.path = own
        table.isFolder = true
      }
      return table
    }
  }

  private static func isFolder(_ path: String) -> Bool {
    var isFolder: ObjCBool = false
    return FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) && isFolder.boolValue
  }
}
