import SQLFunctions

/// What is known of a function, for people.
public struct FunctionHelp: Hashable, Sendable {
  public var name: String
  public var kind: Kind
  /// `substr(varchar, bigint, bigint) → varchar`, a form each.
  public var signatures: [String]
  public var summary: String
  public var examples: [Example]
  /// Whether Athena lacks it.
  public var isExtension: Bool

  public enum Kind: String, Hashable, Sendable { case scalar, aggregate, window }

  /// An expression and its value as a result file has it.
  public struct Example: Hashable, Sendable {
    public var expression: String
    public var result: String
  }

  /// Names of all functions that users may call.
  public static var allNames: [String] { FunctionRegistry.names }

  /// The function of that name, in any case, or nil.
  public static func named(_ name: String) -> FunctionHelp? {
    let name = name.lowercased()
    if let function = FunctionRegistry.scalar(name), !function.isHidden {
      return FunctionHelp(
        name: name, kind: .scalar, signatures: describe(name, function.overloads.map(\.signature)), summary: function.summary,
        examples: function.examples.map(Example.init), isExtension: function.isExtension)
    }
    if let function = FunctionRegistry.aggregate(name), !function.isHidden {
      return FunctionHelp(
        name: name, kind: .aggregate, signatures: describe(name, function.overloads.map(\.signature)),
        summary: function.summary, examples: function.examples.map(Example.init), isExtension: function.isExtension)
    }
    if let function = FunctionRegistry.window(name) {
      return FunctionHelp(
        name: name, kind: .window, signatures: describe(name, function.signatures), summary: function.summary,
        examples: function.examples.map(Example.init), isExtension: false)
    }
    return nil
  }

  /// Each form once.
  private static func describe(_ name: String, _ signatures: [Signature]) -> [String] {
    var seen: Set<String> = []
    return signatures.map { describe(name, $0) }.filter { seen.insert($0).inserted }
  }

  private static func describe(_ name: String, _ signature: Signature) -> String {
    var parameters = signature.parameters.map(describe)
    if signature.isVariadic {
      let last = parameters.popLast() ?? "any"
      parameters.append("[" + last + ", …]")
    }
    let result: String
    switch signature.returns {
    case .pattern(let pattern): result = " → " + describe(pattern)
    case .computed: result = ""
    }
    return name + "(" + parameters.joined(separator: ", ") + ")" + result
  }

  private static func describe(_ pattern: TypePattern) -> String {
    switch pattern {
    case .exact(let type): type.description
    case .variable(let name), .comparable(let name), .orderable(let name): name
    case .varchar: "varchar"
    case .char: "char"
    case .decimal: "decimal"
    case .time: "time"
    case .timeWithTimeZone: "time with time zone"
    case .timestamp: "timestamp"
    case .timestampWithTimeZone: "timestamp with time zone"
    case .anyRow: "row"
    case .array(let element): "array(" + describe(element) + ")"
    case .map(let key, let value): "map(" + describe(key) + ", " + describe(value) + ")"
    case .function(let parameters, let result):
      (parameters.count == 1 ? describe(parameters[0]) : "(" + parameters.map(describe).joined(separator: ", ") + ")") + " -> "
        + describe(result)
    }
  }
}

extension FunctionHelp.Example {
  fileprivate init(_ example: SQLFunctions.Example) { self.init(expression: example.expression, result: example.result) }
}
