package import QueryErrors

/// A kind of file that is known but has no reader.
package struct UnsupportedFormat: Sendable {
  /// As messages say it: `Excel`.
  package var name: String
  /// File name endings without the dot.
  package var extensions: [String]
  /// Whether such files hold rows, so that one beside others is not passed over.
  package var isData: Bool
  /// Bytes that such files begin with.
  var magics: [[UInt8]]

  init(_ name: String, _ extensions: [String], isData: Bool = true, magics: [[UInt8]] = []) {
    self.name = name
    self.extensions = extensions
    self.isData = isData
    self.magics = magics
  }

  /// The error for a file of this kind.
  package func refusal(_ path: String) -> QueryError {
    .notSupported("\(name) files are not supported: \(path)")
  }

  /// The kinds met in folders of data, so that they are refused by name. A format that gets a reader leaves this list.
  static let all: [UnsupportedFormat] = [
    UnsupportedFormat("Excel", ["xlsx", "xlsm", "xls"], magics: [[0xd0, 0xcf, 0x11, 0xe0]]),
    UnsupportedFormat("OpenDocument", ["ods", "odt"], isData: false),
    UnsupportedFormat("Word", ["doc", "docx"], isData: false),
    UnsupportedFormat("XML", ["xml", "xsd", "kml", "gpx"], magics: [Array("<?xml".utf8)]),
    UnsupportedFormat("HTML", ["html", "htm"], isData: false, magics: [Array("<!DOCTYPE html".utf8), Array("<html".utf8)]),
    UnsupportedFormat("YAML", ["yaml", "yml"], isData: false),
    UnsupportedFormat("TOML", ["toml"], isData: false),
    UnsupportedFormat("Arrow", ["arrow", "arrows", "feather", "ipc"], magics: [Array("ARROW1".utf8), Array("FEA1".utf8)]),
    UnsupportedFormat("encrypted Parquet", [], magics: [Array("PARE".utf8)]),
    UnsupportedFormat("SQLite", ["sqlite", "sqlite3", "db"], magics: [Array("SQLite format 3".utf8)]),
    UnsupportedFormat("DuckDB", ["duckdb", "ddb"]),
    UnsupportedFormat("RCFile", ["rc", "rcfile"], magics: [Array("RCF".utf8)]),
    UnsupportedFormat("SequenceFile", ["seq"], magics: [Array("SEQ".utf8)]),
    UnsupportedFormat("HDF5", ["h5", "hdf5"], magics: [[0x89] + Array("HDF".utf8)]),
    UnsupportedFormat("SAS", ["sas7bdat", "xpt"]),
    UnsupportedFormat("Stata", ["dta"]),
    UnsupportedFormat("SPSS", ["sav"]),
    UnsupportedFormat("R", ["rds", "rda", "rdata"], isData: false),
    UnsupportedFormat("NumPy", ["npy", "npz"], magics: [[0x93] + Array("NUMPY".utf8)]),
    UnsupportedFormat("pickle", ["pkl", "pickle"], isData: false),
    UnsupportedFormat("MessagePack", ["msgpack"]),
    UnsupportedFormat("Protocol Buffers", ["pb", "proto"], isData: false),
    UnsupportedFormat("Zip", ["zip", "jar"], isData: false, magics: [Array("PK".utf8) + [3, 4]]),
    UnsupportedFormat("Tar", ["tar", "tgz"], isData: false),
    UnsupportedFormat("7-Zip", ["7z"], isData: false, magics: [Array("7z".utf8) + [0xbc, 0xaf]]),
    UnsupportedFormat("XZ", ["xz"], magics: [[0xfd] + Array("7zXZ".utf8)]),
    UnsupportedFormat("PDF", ["pdf"], isData: false, magics: [Array("%PDF-".utf8)]),
  ]
}
