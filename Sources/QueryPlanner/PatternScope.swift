import Columnar
import QueryErrors
import QueryPlan
import SQLExpressions
import SQLSyntax

/// The variables of a row pattern, and what the expressions of MEASURES and DEFINE look up in matches.
final class PatternScope {
  /// Primary variables in order.
  let variables: [String]
  /// Primary and union variables by name, as numbers of primary ones.
  let labels: [String: [Int]]
  /// Whether this is a window's pattern.
  let isWindow: Bool
  let classifier: ColumnReference
  let matchNumber: ColumnReference
  /// What the expression being bound looks up.
  var inputs: [PatternInput] = []
  /// Variables named in the calls around, innermost last; nil stands for names without a variable.
  var used: [Set<String?>] = []

  init(
    variables: [String], labels: [String: [Int]], isWindow: Bool, classifier: ColumnReference,
    matchNumber: ColumnReference
  ) {
    self.variables = variables
    self.labels = labels
    self.isWindow = isWindow
    self.classifier = classifier
    self.matchNumber = matchNumber
  }

  /// A name as variables are compared: in upper case unless it stands in quotes.
  static func label(_ name: Identifier) -> String { name.isDelimited ? name.name : name.name.uppercased() }

  /// Notes that a call's argument speaks of a variable, or of any row.
  func use(_ label: String?) { if !used.isEmpty { used[used.count - 1].insert(label) } }
}

/// Where in an expression of MEASURES or DEFINE something stands.
struct PatternPlace {
  var scope: PatternScope
  /// Which row names mean.
  var pointer = PatternPointer()
  var isDefinition: Bool
  /// The navigation function or aggregate around.
  var function: Function?
  /// Whether the argument of PREV or NEXT around is more than a call of FIRST or LAST, which then may not stand in it.
  var isNested = false

  struct Function {
    enum Kind { case logical, physical, aggregate }
    var kind: Kind
    var name: String
  }
}
