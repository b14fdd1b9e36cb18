import QueryErrors

/// One row of a result.
///
///     for row in result.rows { print(try row["name", as: String.self], try row[1, as: Int?.self]) }
public struct ResultRow: Sendable {
  public let schema: Schema
  private let batch: Batch
  private let row: Int

  init(_ schema: Schema, _ batch: Batch, _ row: Int) {
    self.schema = schema
    self.batch = batch
    self.row = row
  }

  /// Columns.
  public var count: Int { batch.columns.count }

  /// A value as it is kept; what it means follows from the column's type.
  public subscript(index: Int) -> Scalar { batch.columns[index].scalar(row) }

  /// A value read as a Swift type.
  ///
  /// - Throws: `TYPE_MISMATCH`, `NUMERIC_VALUE_OUT_OF_RANGE`, naming the column.
  public subscript<T: ScalarDecodable>(index: Int, as type: T.Type) -> T {
    get throws(QueryError) {
      guard index >= 0, index < count else {
        throw QueryError(.columnNotFound, "The row has \(count) columns, and none at \(index)")
      }
      do throws(QueryError) { return try T(self[index], of: schema[index].type) } catch {
        throw QueryError(error.code, "Column '\(schema[index].name)': \(error.message)", hint: error.hint)
      }
    }
  }

  /// The value of the first column of that name, case ignored.
  public subscript<T: ScalarDecodable>(name: String, as type: T.Type) -> T {
    get throws(QueryError) {
      let lower = name.lowercased()
      guard let index = schema.fields.firstIndex(where: { $0.name.lowercased() == lower }) else {
        throw QueryError(
          .columnNotFound, "The result has no column '\(name)'",
          hint: NameSuggestion.hint(for: name, among: schema.fields.map(\.name)))
      }
      return try self[index, as: type]
    }
  }

  /// All values, a type a column.
  public func decode<each T: ScalarDecodable>(_ types: (repeat (each T)).Type) throws(QueryError) -> (repeat each T) {
    var wanted = 0
    for _ in repeat (each T).self { wanted += 1 }
    guard wanted == count else {
      throw QueryError(.typeMismatch, "The result has \(count) columns, but \(wanted) are read")
    }
    var index = -1
    func next<V: ScalarDecodable>(_ type: V.Type) throws(QueryError) -> V {
      index += 1
      return try self[index, as: type]
    }
    return (repeat try next((each T).self))
  }
}

extension QueryResult {
  /// The rows, made as they are asked for.
  public var rows: Rows { Rows(schema: schema, batches: batches) }

  /// All rows, a type a column.
  public func decoded<each T: ScalarDecodable>(
    as types: (repeat (each T)).Type
  ) throws(QueryError) -> [(repeat each T)] {
    var decoded: [(repeat each T)] = []
    for row in rows { decoded.append(try row.decode(types)) }
    return decoded
  }

  public struct Rows: Sequence, Sendable {
    fileprivate let schema: Schema
    fileprivate let batches: [Batch]

    public func makeIterator() -> Iterator { Iterator(rows: self) }

    public struct Iterator: IteratorProtocol {
      fileprivate let rows: Rows
      private var batch = 0
      private var row = 0

      fileprivate init(rows: Rows) { self.rows = rows }

      public mutating func next() -> ResultRow? {
        while batch < rows.batches.count {
          if row < rows.batches[batch].rowCount {
            defer { row += 1 }
            return ResultRow(rows.schema, rows.batches[batch], row)
          }
          batch += 1
          row = 0
        }
        return nil
      }
    }
  }
}
