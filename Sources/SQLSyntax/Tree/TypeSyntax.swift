package import QueryErrors

/// A type as written, in Trino's or Hive's spelling.
///
///     array(row(a bigint))   array<struct<a:bigint>>   →  .array(.row([a: .named("bigint")]))
package indirect enum TypeSyntax: Hashable, Sendable {
  /// `bigint`, `varchar(10)`, `decimal(10,2)`, `double precision` (as `double`), and any other name.
  case named(NamedTypeSyntax)
  /// `array(t)`, `array<t>`, `t array`.
  case array(ArrayTypeSyntax)
  /// `map(k, v)`, `map<k,v>`.
  case map(MapTypeSyntax)
  /// `row(a t, …)`, `struct<a:t,…>`.
  case row(RowTypeSyntax)
  /// `time`, `timestamp`, with precision and time zone.
  case dateTime(DateTimeTypeSyntax)
  /// `interval day to second`.
  case interval(IntervalTypeSyntax)

  package var range: SourceRange {
    switch self {
    case .named(let type): type.range
    case .array(let type): type.range
    case .map(let type): type.range
    case .row(let type): type.range
    case .dateTime(let type): type.range
    case .interval(let type): type.range
    }
  }
}

/// A type name with its parameters: `decimal(10, 2)`.
package struct NamedTypeSyntax: Hashable, Sendable {
  package var name: Identifier
  package var parameters: [TypeParameterSyntax]
  @Positional package var range: SourceRange

  package init(name: Identifier, parameters: [TypeParameterSyntax] = [], range: SourceRange) {
    self.name = name
    self.parameters = parameters
    self.range = range
  }
}

/// A number or a type inside a type's parentheses.
package enum TypeParameterSyntax: Hashable, Sendable {
  case integer(Int64)
  case type(TypeSyntax)
}

/// An array type.
package struct ArrayTypeSyntax: Hashable, Sendable {
  package var element: TypeSyntax
  @Positional package var range: SourceRange
}

/// A map type.
package struct MapTypeSyntax: Hashable, Sendable {
  package var key: TypeSyntax
  package var value: TypeSyntax
  @Positional package var range: SourceRange
}

/// A row type; Hive says struct.
package struct RowTypeSyntax: Hashable, Sendable {
  package var fields: [RowTypeFieldSyntax]
  @Positional package var range: SourceRange
}

/// One field of a row type; Trino allows fields without names.
package struct RowTypeFieldSyntax: Hashable, Sendable {
  package var name: Identifier?
  package var type: TypeSyntax
  /// Hive's `COMMENT 'text'` inside a struct.
  package var comment: StringSyntax?
  @Positional package var range: SourceRange
}

/// `TIME` or `TIMESTAMP` with `(precision)` and `WITH TIME ZONE`.
package struct DateTimeTypeSyntax: Hashable, Sendable {
  package enum Base: String, Hashable, Sendable { case time, timestamp }

  package var base: Base
  /// Nil when not written; Trino's default is 3.
  package var precision: Int64?
  package var isWithTimeZone: Bool
  @Positional package var range: SourceRange
}

/// `INTERVAL YEAR TO MONTH`, `INTERVAL DAY TO SECOND`.
package struct IntervalTypeSyntax: Hashable, Sendable {
  package var from: IntervalField
  package var to: IntervalField?
  @Positional package var range: SourceRange
}
