/// A column of a statement's result.
public struct ResultColumn: Hashable, Codable, Sendable {
  public var name: String
  /// As `typeof` names it: `decimal(10,2)`, `array(varchar)`.
  public var type: String

  public init(name: String, type: String) {
    self.name = name
    self.type = type
  }
}

extension [ResultColumn] {
  init(_ schema: Schema) { self = schema.fields.map { ResultColumn(name: $0.name, type: $0.type.description) } }

  /// The columns with types; text where a type's name cannot be read.
  var schema: Schema { Schema(map { Field($0.name, DataType(parsing: $0.type) ?? .text) }) }
}
