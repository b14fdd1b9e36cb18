import Columnar

/// A column and what its declared type stands for.
struct SQLiteColumn {
  var name: String
  var kind: Kind

  /// What values a column may hold here. SQLite itself lets any value stand in any column: those that are of another kind fail
  /// the query that reads them.
  enum Kind: Hashable {
    case integer
    case boolean
    case double
    case decimal(precision: Int, scale: Int)
    case text
    case blob
    /// Texts of the form 2024-03-31.
    case date
    /// Texts of the form 2024-03-31 12:30:00.123456.
    case timestamp

    /// - Source: SQLite "Datatypes In SQLite", section 3.1: the affinity follows from words in the declared type.
    init?(declared: String) {
      let words = declared.uppercased()
      let name = words.prefix { $0 != "(" }.split(separator: " ").joined(separator: " ")
      let inner = words.split(separator: "(").dropFirst().first.map { $0.prefix { $0 != ")" } }
      let arguments = inner.map { $0.split(separator: ",").map { Int($0.filter { $0 != " " }) ?? 0 } } ?? []
      switch name {
      case "BOOLEAN", "BOOL": self = .boolean
      case "DATE": self = .date
      case "DATETIME", "TIMESTAMP": self = .timestamp
      case "DECIMAL", "NUMERIC", "DEC":
        guard let precision = arguments.first else {
          self = .double
          return
        }
        let scale = arguments.count > 1 ? arguments[1] : 0
        guard arguments.count <= 2, (1...38).contains(precision), (0...precision).contains(scale) else { return nil }
        self = .decimal(precision: precision, scale: scale)
      default:
        if name.contains("INT") {
          self = .integer
        } else if ["CHAR", "CLOB", "TEXT"].contains(where: { name.contains($0) }) || name == "STRING" || name == "JSON" {
          self = .text
        } else if name.contains("BLOB") {
          self = .blob
        } else if ["REAL", "FLOA", "DOUB"].contains(where: { name.contains($0) }) {
          self = .double
        } else {
          return nil
        }
      }
    }

    var type: DataType {
      switch self {
      case .integer: .bigint
      case .boolean: .boolean
      case .double: .double
      case .decimal(let precision, let scale): .decimal(precision: precision, scale: scale)
      case .text: .text
      case .blob: .varbinary
      case .date: .date
      case .timestamp: .timestamp(precision: 6)
      }
    }
  }
}
