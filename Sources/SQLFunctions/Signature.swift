package import Columnar
import QueryErrors

/// A type a parameter accepts, with variables that the arguments bind.
package indirect enum TypePattern: Sendable, Hashable {
  /// This type, and what coerces to it.
  case exact(DataType)
  /// Any type, the same wherever the variable stands.
  case variable(String)
  /// Like `variable`, for types that have `=`.
  case comparable(String)
  /// Like `variable`, for types that have `<`.
  case orderable(String)
  /// varchar of any length; the argument keeps its length.
  case varchar
  /// char of any length.
  case char
  /// decimal of any precision and scale; the argument keeps both.
  case decimal
  /// time(p), timestamp(p) …: the argument keeps its precision.
  case time
  case timeWithTimeZone
  case timestamp
  case timestampWithTimeZone
  /// Any row type; binds the variable to it.
  case anyRow(String)
  case array(TypePattern)
  case map(TypePattern, TypePattern)
  case function([TypePattern], TypePattern)

  package static let boolean = TypePattern.exact(.boolean)
  package static let tinyint = TypePattern.exact(.tinyint)
  package static let smallint = TypePattern.exact(.smallint)
  package static let integer = TypePattern.exact(.integer)
  package static let bigint = TypePattern.exact(.bigint)
  package static let real = TypePattern.exact(.real)
  package static let double = TypePattern.exact(.double)
  package static let varbinary = TypePattern.exact(.varbinary)
  package static let date = TypePattern.exact(.date)
  package static let json = TypePattern.exact(.json)
  package static let unknown = TypePattern.exact(.unknown)
  /// The type variable `T`.
  package static let t = TypePattern.variable("T")
}

/// What an overload returns, given the types its arguments were coerced to.
package enum ReturnType: Sendable {
  /// The pattern with its variables replaced; `varchar` stands for unbounded varchar.
  case pattern(TypePattern)
  /// Anything else, from the coerced argument types (a lambda's is `.function`).
  case computed(ReturnTypeRule)

  package static func exact(_ type: DataType) -> ReturnType { .pattern(.exact(type)) }
  package static let boolean = ReturnType.exact(.boolean)
  package static let integer = ReturnType.exact(.integer)
  package static let bigint = ReturnType.exact(.bigint)
  package static let double = ReturnType.exact(.double)
  package static let real = ReturnType.exact(.real)
  package static let varchar = ReturnType.exact(.text)
  package static let varbinary = ReturnType.exact(.varbinary)
  package static let date = ReturnType.exact(.date)
  package static let json = ReturnType.exact(.json)
  /// The type of argument `index`.
  package static func argument(_ index: Int) -> ReturnType {
    .computed { (types: [DataType]) throws(QueryError) -> DataType in types[index] }
  }
}

/// How an overload's call was bound: the types the kernel will meet.
package struct SignatureBinding: Sendable, Hashable {
  /// The types arguments are coerced to; a lambda's is `.function`.
  package var argumentTypes: [DataType]
  package var returnType: DataType

  package init(argumentTypes: [DataType], returnType: DataType) {
    self.argumentTypes = argumentTypes
    self.returnType = returnType
  }
}

/// Parameters and result of one form of a function.
package struct Signature: Sendable {
  package var parameters: [TypePattern]
  /// Whether the last parameter may stand any number of times, none included.
  package var isVariadic: Bool
  package var returns: ReturnType
  /// Replaces pattern matching: from actual argument types to the types wanted and the result; nil when it does not fit.
  package var resolve: (@Sendable ([DataType]) -> SignatureBinding?)?

  package init(
    _ parameters: [TypePattern], variadic: Bool = false, returns: ReturnType,
    resolve: (@Sendable ([DataType]) -> SignatureBinding?)? = nil
  ) {
    self.parameters = parameters
    isVariadic = variadic
    self.returns = returns
    self.resolve = resolve
  }
}

/// An example in a function's documentation; a test runs it.
package struct Example: Sendable {
  /// A SQL expression.
  package var expression: String
  /// Its value as the result CSV prints it; NULL for null.
  package var result: String

  package init(_ expression: String, _ result: String) {
    self.expression = expression
    self.result = result
  }
}

/// Whether equal arguments give equal results.
package enum Determinism: Sendable {
  /// Always: may be folded, cached and evaluated on dictionary entries.
  case immutable
  /// Within one query (`now()`): may be folded.
  case stable
  /// Never (`random()`).
  case volatile
}
