import Columnar
import QueryErrors

/// A Swift value on its way into a table: what `Encodable` says of it.
indirect enum HostValue {
  case null
  case scalar(Scalar, DataType)
  case list([HostValue])
  case fields([(name: String, value: HostValue)])
}

/// Makes columns of what `Encodable` values tell of themselves.
enum HostTableEncoder {
  static func table<Row: Encodable>(_ rows: [Row]) throws(QueryError) -> HostTable {
    var shape = Shape.unknown
    var values: [HostValue] = []
    values.reserveCapacity(rows.count)
    for row in rows {
      let value = try encode(row)
      guard case .fields = value else {
        throw QueryError(.typeMismatch, "Values of type \(Row.self) have no properties to make columns of")
      }
      try shape.merge(value)
      values.append(value)
    }
    guard case .fields(let columns) = shape, !columns.isEmpty else {
      throw QueryError(
        .tableHasNoColumns, "No row of type \(Row.self) tells a column", hint: "Columns are told by the rows: register at least one.")
    }
    let schema = Schema(columns.map { Field($0.name.lowercased(), $0.shape.type) })
    return HostTable(schema: schema, rows: values.map { value in columns.map { $0.shape.scalar(value[$0.name]) } })
  }

  private static func encode(_ value: some Encodable) throws(QueryError) -> HostValue {
    do { return try ValueEncoder.encode(value) } catch let error as QueryError { throw error } catch {
      throw QueryError(.typeMismatch, "A value of type \(type(of: value)) cannot be a row: \(error)")
    }
  }
}

extension HostValue {
  /// The value of a property; absent ones are NULL.
  subscript(name: String) -> HostValue {
    guard case .fields(let fields) = self else { return .null }
    return fields.first { $0.name == name }?.value ?? .null
  }
}

/// The SQL type that values seen so far have in common.
private indirect enum Shape {
  case unknown
  case scalar(DataType)
  case list(Shape)
  case fields([(name: String, shape: Shape)])

  mutating func merge(_ value: HostValue) throws(QueryError) {
    switch (self, value) {
    case (_, .null): break
    case (.unknown, .scalar(_, let type)): self = .scalar(type)
    case (.scalar(let known), .scalar(_, let type)):
      if known == type { break }
      guard let common = TypeCoercion.commonSuperType(known, type), TypeCoercion.isTypeOnly(type, to: common) || common == known,
        TypeCoercion.isTypeOnly(known, to: common) || common == type
      else { throw QueryError(.typeMismatch, "A property has values of types \(known) and \(type)") }
      self = .scalar(common)
    case (.unknown, .list(let items)):
      var element = Shape.unknown
      for item in items { try element.merge(item) }
      self = .list(element)
    case (.list(var element), .list(let items)):
      for item in items { try element.merge(item) }
      self = .list(element)
    case (.unknown, .fields):
      self = .fields([])
      try merge(value)
    case (.fields(var known), .fields(let fields)):
      for field in fields {
        if let index = known.firstIndex(where: { $0.name == field.name }) {
          try known[index].shape.merge(field.value)
        } else {
          var shape = Shape.unknown
          try shape.merge(field.value)
          known.append((field.name, shape))
        }
      }
      self = .fields(known)
    default: throw QueryError(.typeMismatch, "A property has values of different kinds: single ones, lists or nested ones")
    }
  }

  var type: DataType {
    switch self {
    case .unknown: .text
    case .scalar(let type): type
    case .list(let element): .array(element.type)
    case .fields(let fields): .row(fields.map { DataType.RowField(name: $0.name.lowercased(), type: $0.shape.type) })
    }
  }

  func scalar(_ value: HostValue) -> Scalar {
    switch (self, value) {
    case (.scalar, .scalar(let scalar, _)): scalar
    case (.list(let element), .list(let items)): .array(items.map(element.scalar))
    case (.fields(let fields), .fields): .row(fields.map { $0.shape.scalar(value[$0.name]) })
    default: .null
    }
  }
}
