import QueryEngine

/// A test of a statement: tables it is given, and what is expected of its rows and its cost.
struct SQLTest {
  /// A table or its data.
  struct Given {
    enum Source {
      /// Rows with a header; as they stand in the test.
      case csv(String)
      /// An object a line.
      case json(String)
      /// `(1, 'a'), (2, 'b')`.
      case values(String)
      /// A file or folder, relative to the test's file.
      case path(String)
    }
    var name: String
    var source: Source
    /// `id bigint, amount decimal(10,2)`: types of columns, or nil for those that are found out.
    var columns: String?
    var partitionColumns: [String] = []
    var line: Int
  }

  enum Expectation {
    /// Rows with a header, as CSV: an empty field is NULL, `""` is the empty text.
    case rows(String, inOrder: Bool)
    case count(Int)
    case error(code: String, text: String)
    case mostBytes(Int)
    case mostFiles(Int)
    /// Hive's names of the partitions read: `dt=2024-01-01`.
    case partitions([String])
    case columnsRead([String])
  }

  var file: String
  var line: Int
  var name: String
  var given: [Given]
  /// Statements of the file that stand before it and are no tests.
  var setup: [String]
  var sql: String
  var expectations: [(expectation: Expectation, line: Int)]
}

/// What running a test gave.
struct SQLTestOutcome {
  var test: SQLTest
  /// What was not as expected, each a text of one or more lines; none when it passed.
  var failures: [String] = []
  /// Why it could not be run at all.
  var error: String?
  var milliseconds = 0.0
  var bytesScanned = 0

  var hasPassed: Bool { failures.isEmpty && error == nil }
}

/// A mistake in a test file.
struct SQLTestFileError: Error {
  var line: Int
  var message: String
}
