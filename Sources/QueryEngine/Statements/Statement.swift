import QueryErrors
import QueryPlan
import SQLSyntax

/// One kind of statement: a new one is one conforming type in one file and one line in `StatementSyntax.kind`.
///
/// `prepare` looks names up, binds and checks, and has no effect whatever; what the statement does stands in the
/// `PreparedStatement` it answers. A dry run never calls that, so no kind can forget to look.
protocol Statement: Sendable {
  /// - Throws: everything that can be known to be wrong before anything is done.
  func prepare(_ context: StatementContext) throws(QueryError) -> PreparedStatement
}

/// A statement that is bound and checked, ready to be run once.
struct PreparedStatement {
  /// The columns of its rows; none for statements without rows.
  var schema: Schema
  /// The query that it runs: what figures, forecasts and limits are read off.
  var plan: LogicalPlan?
  /// What it leaves in the results folder.
  var file = ResultFile.text
  /// What its result depends on, when it is a query.
  var identity: (() -> Result<ResultIdentity, ResultIdentity.Obstacle>)?
  /// Does it: every effect of the statement is in here.
  var run: (StatementOutput) throws(QueryError) -> Void

  /// What a statement leaves in the results folder.
  enum ResultFile {
    /// `<id>.csv`, with a header.
    case csv
    /// `<id>.txt`.
    case text
    /// `<id>-manifest.csv`: the files that were written.
    case manifest
    /// Nothing.
    case none
  }

  /// A statement without rows.
  static func effect(file: ResultFile = .text, _ run: @escaping () throws(QueryError) -> Void) -> PreparedStatement {
    PreparedStatement(schema: Schema([]), file: file) { (_) throws(QueryError) in try run() }
  }

  /// A statement that turns out to have nothing to do: IF EXISTS, IF NOT EXISTS.
  static var nothing: PreparedStatement { .effect { () throws(QueryError) in } }

  /// A statement with rows of texts that are known already.
  static func listing(_ columns: [String], _ rows: [[String?]]) -> PreparedStatement {
    listing(columns) { () throws(QueryError) in rows }
  }

  /// A statement with rows of texts that running it gives.
  static func listing(
    _ columns: [String], _ rows: @escaping () throws(QueryError) -> [[String?]]
  ) -> PreparedStatement {
    PreparedStatement(schema: Schema(columns.map { Field($0, .text) })) { (output) throws(QueryError) in
      try output.receive(rows: try rows())
    }
  }
}

/// What a statement is for: as Athena's API reports it.
public enum StatementType: String, Codable, Sendable {
  case dml = "DML"
  case ddl = "DDL"
  case utility = "UTILITY"
}

/// How a kind of statement is classified, and the type that runs it.
struct StatementKind: Sendable {
  /// The words that name it: `INSERT INTO`.
  var name: String
  var type: StatementType
  /// Athena's SubstatementType: `CREATE_TABLE_AS_SELECT`.
  var subtype: String
  /// Whether it pays for the tables it reads.
  var isBilled: Bool
  var statement: any Statement

  init(_ name: String, _ type: StatementType, _ subtype: String, isBilled: Bool = false, _ statement: any Statement) {
    self.name = name
    self.type = type
    self.subtype = subtype
    self.isBilled = isBilled
    self.statement = statement
  }
}
