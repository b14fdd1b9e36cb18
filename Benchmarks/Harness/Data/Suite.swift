import Foundation

/// A folder of queries and the data they run over.
struct Suite {
  let name: String
  let summary: String
  /// Where the queries are.
  let folder: String
  let format: TableFormat
  /// What `--scale` means when it is not given.
  let defaultScale: Double
  /// What the data sets are for a scale, a format and a root folder.
  let dataSets: @Sendable (_ scale: Double, _ format: TableFormat, _ root: String) -> [DataSet]
  /// Of those, which hold tables, and what a table of `key=value` folders is called.
  let tableFolders: @Sendable (_ scale: Double, _ format: TableFormat, _ root: String) -> [(path: String, name: String)]

  /// The suites by name.
  static let all: [Suite] = [
    tpchLike("tpch", "TPC-H's 22 queries; scale 1 = 1 GB", .parquet, 1),
    Suite(
      name: "clickbench", summary: "43 shapes of ClickBench over a web log; scale = millions of rows",
      folder: BenchmarkFolder.path + "/Suites/clickbench", format: .parquet, defaultScale: 3,
      dataSets: { scale, _, root in [DataSets.webLog(scale, root)] },
      tableFolders: { scale, _, root in [(DataSets.webLog(scale, root).path, "hits")] }),
    tpchLike("csv", "6 queries over CSV; scale 1 = 1.1 GB", .csv, 1),
    tpchLike("json", "6 queries over JSON lines; scale 0.4 = 1.1 GB", .json, 0.4),
    Suite(
      name: "partitions", summary: "lineitem in 84 folders, a table in 10,000 folders; keys in all their forms",
      folder: BenchmarkFolder.path + "/Suites/partitions", format: .parquet, defaultScale: 1,
      dataSets: { scale, _, root in
        [DataSets.tpch(scale, root), DataSets.partitioned(scale, root), DataSets.tree(10_000, root)]
      },
      tableFolders: { scale, _, root in
        [(DataSets.partitioned(scale, root).path, "lineitem"), (DataSets.tree(10_000, root).path, "tree")]
      }),
    Suite(
      name: "tree", summary: "a point query over 100,000 partition folders",
      folder: BenchmarkFolder.path + "/Suites/tree", format: .parquet, defaultScale: 1,
      dataSets: { _, _, root in [DataSets.tree(100_000, root)] },
      tableFolders: { _, _, root in [(DataSets.tree(100_000, root).path, "tree")] }),
    tpchLike("micro", "one operator or function family a query, over TPC-H's tables", .parquet, 1),
    Suite(
      name: "tpcds", summary: "TPC-DS's 103 statements; scale 1 = 1 GB",
      folder: BenchmarkFolder.path + "/Suites/tpcds", format: .parquet, defaultScale: 1,
      dataSets: { scale, _, root in [DataSets.tpcds(scale, root)] },
      tableFolders: { scale, _, root in [(DataSets.tpcds(scale, root).path, "")] }),
  ]

  private static func tpchLike(_ name: String, _ summary: String, _ format: TableFormat, _ scale: Double) -> Suite {
    Suite(
      name: name, summary: summary, folder: BenchmarkFolder.path + "/Suites/" + name, format: format,
      defaultScale: scale,
      dataSets: { scale, format, root in
        [DataSets.tpch(scale, root)] + (format == .parquet ? [] : [DataSets.tpch(scale, root, as: format)])
      },
      tableFolders: { scale, format, root in [(DataSets.tpch(scale, root, as: format).path, "lineitem")] })
  }

  /// The suite called `name`, or the folder of queries at that path, whose tables the user names.
  static func named(_ name: String) throws -> Suite {
    if let suite = all.first(where: { $0.name == name }) { return suite }
    guard FileManager.default.fileExists(atPath: name) else {
      throw ReportedError(
        "There is no suite '\(name)': neither one of \(all.map(\.name).joined(separator: ", ")) nor a folder of .sql files.")
    }
    return Suite(
      name: (name as NSString).lastPathComponent, summary: "", folder: name, format: .parquet, defaultScale: 1,
      dataSets: { _, _, _ in [] }, tableFolders: { _, _, _ in [] })
  }
}

/// The data sets of the suites under a root folder.
enum DataSets {
  private static let gigabyte = 1_000_000_000.0

  /// TPC-H's tables: Parquet as tpchgen-cli writes it, or text made from that.
  static func tpch(_ scale: Double, _ root: String, as format: TableFormat = .parquet) -> DataSet {
    let size = [TableFormat.parquet: 0.36, .csv: 1.12, .json: 2.84][format]! * gigabyte * scale
    let name = "tpch\(text(scale))" + (format == .parquet ? "" : "_" + format.rawValue)
    return DataSet(
      title: "TPC-H scale \(text(scale)), \(format.rawValue)", path: root + "/" + name,
      maker: ["make_tpch.py", text(scale), root, "--only", format.rawValue], expectedByteCount: Int(size))
  }

  static func partitioned(_ scale: Double, _ root: String) -> DataSet {
    DataSet(
      title: "lineitem in 84 folders, scale \(text(scale))",
      path: root + (scale == 1 ? "/lineitem_partitioned" : "/tpch\(text(scale))_partitioned"),
      maker: ["make_tpch.py", text(scale), root, "--only", "partitioned"],
      expectedByteCount: Int(0.2 * gigabyte * scale))
  }

  static func webLog(_ millions: Double, _ root: String) -> DataSet {
    let folder = root + (millions == 3 ? "/hits" : "/hits\(text(millions))")
    return DataSet(
      title: "web log of \(text(millions)) million rows", path: folder,
      maker: ["make_weblog.py", "\(Int(millions * 1e6))", folder + "/hits.parquet"],
      expectedByteCount: Int(0.136 * gigabyte * millions))
  }

  static func tree(_ folders: Int, _ root: String) -> DataSet {
    let folder = root + (folders == 100_000 ? "/tree" : "/tree\(folders)")
    return DataSet(
      title: "\(folders) partition folders", path: folder,
      maker: ["make_partition_tree.py", folder, "--folders", "\(folders)"], expectedByteCount: folders * 9000)
  }

  static func tpcds(_ scale: Double, _ root: String) -> DataSet {
    DataSet(
      title: "TPC-DS scale \(text(scale))", path: root + "/tpcds\(text(scale))",
      maker: ["make_tpcds.py", text(scale), root], expectedByteCount: Int(0.28 * gigabyte * scale))
  }

  private static func text(_ scale: Double) -> String {
    scale == scale.rounded() ? "\(Int(scale))" : "\(scale)"
  }
}
