import Columnar
import QueryErrors

/// The functions as `SHOW FUNCTIONS` lists them.
package enum FunctionReference {
  /// One form of a function.
  package struct Entry: Sendable {
    package var name: String
    package var returnType: String
    package var argumentTypes: [String]
    package var isVariadic: Bool
    package var kind: Kind
    package var isDeterministic: Bool
    /// Whether Athena lacks the function.
    package var isExtension: Bool
    package var summary: String
    package var examples: [Example]
  }

  package enum Kind: String, Sendable { case scalar, aggregate, window }

  /// The forms of all functions users may call, sorted by name; forms of one function in the order of their declaration.
  package static var entries: [Entry] {
    FunctionRegistry.names.flatMap { name in
      var list: [Entry] = []
      if let function = FunctionRegistry.scalar(name), !function.isHidden {
        list += function.overloads.map { overload in
          entry(name, overload.signature, .scalar, function.determinism != .volatile, function.summary, function.examples)
        }
      }
      if let function = FunctionRegistry.aggregate(name), !function.isHidden {
        list += function.overloads.map { overload in
          entry(name, overload.signature, .aggregate, true, function.summary, function.examples)
        }
      }
      if let function = FunctionRegistry.window(name) {
        list += function.signatures.map { signature in
          entry(name, signature, .window, true, function.summary, function.examples)
        }
      }
      return list
    }
  }

  private static func entry(
    _ name: String, _ signature: Signature, _ kind: Kind, _ isDeterministic: Bool, _ summary: String,
    _ examples: [Example]
  ) -> Entry {
    Entry(
      name: name, returnType: returnType(of: signature), argumentTypes: signature.parameters.map(\.description),
      isVariadic: signature.isVariadic, kind: kind, isDeterministic: isDeterministic,
      isExtension: FunctionRegistry.isExtension(name), summary: summary, examples: examples)
  }

  // MARK: Return types

  /// A form's return type in the words of its parameters; `unknown` where only a call's types tell.
  static func returnType(of signature: Signature) -> String {
    switch signature.returns {
    case .pattern(let pattern): return pattern == .varchar ? "varchar" : pattern.description
    case .computed(let compute):
      let types = signature.parameters.map(sample)
      guard let type = try? compute(types) else { return "unknown" }
      return words(for: type)
    }
  }

  private static let sampleVariable = "$"
  private static let samplePrecision = 11

  /// A type that stands for all that match a pattern.
  private static func sample(_ pattern: TypePattern) -> DataType {
    switch pattern {
    case .exact(let type): type
    case .variable(let name), .comparable(let name), .orderable(let name), .anyRow(let name):
      .row([DataType.RowField(name: sampleVariable + name, type: .unknown)])
    case .varchar: .text
    case .char: .char(length: samplePrecision)
    case .decimal: .decimal(precision: samplePrecision, scale: 0)
    case .time: .time(precision: samplePrecision)
    case .timeWithTimeZone: .timeWithTimeZone(precision: samplePrecision)
    case .timestamp: .timestamp(precision: samplePrecision)
    case .timestampWithTimeZone: .timestampWithTimeZone(precision: samplePrecision)
    case .array(let element): .array(sample(element))
    case .map(let key, let value): .map(key: sample(key), value: sample(value))
    case .function(let parameters, let result): .function(parameters: parameters.map(sample), result: sample(result))
    }
  }

  private static func words(for type: DataType) -> String {
    switch type {
    case .row(let fields):
      if fields.count == 1, let name = fields[0].name, name.hasPrefix(sampleVariable) { return String(name.dropFirst()) }
      return "row(" + fields.map { words(for: $0.type) }.joined(separator: ", ") + ")"
    case .array(let element): return "array(\(words(for: element)))"
    case .map(let key, let value): return "map(\(words(for: key)),\(words(for: value)))"
    case .char: return "char(x)"
    case .decimal: return "decimal(p,s)"
    case .time(samplePrecision): return "time(p)"
    case .timeWithTimeZone(samplePrecision): return "time(p) with time zone"
    case .timestamp(samplePrecision): return "timestamp(p)"
    case .timestampWithTimeZone(samplePrecision): return "timestamp(p) with time zone"
    default: return type.description
    }
  }
}
