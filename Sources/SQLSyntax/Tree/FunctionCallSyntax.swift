package import QueryErrors

/// A call of a scalar, aggregate or window function with every clause that can follow it.
package struct FunctionCallSyntax: Hashable, Sendable {
  /// `RUNNING` or `FINAL` before a call inside MATCH_RECOGNIZE.
  package enum ProcessingMode: String, Hashable, Sendable {
    case running = "RUNNING"
    case final = "FINAL"
  }

  package enum NullTreatment: String, Hashable, Sendable {
    case ignore = "IGNORE"
    case respect = "RESPECT"
  }

  package var name: QualifiedName
  package var arguments: [ExpressionSyntax] = []
  /// The names in `f(a => 1)`: empty when no argument is named, else one entry per argument.
  package var argumentNames: [Identifier?] = []
  /// Written `x.f(y)` and kept as `f(x, y)`: a method call of Trino's newest versions.
  package var isMethod = false
  /// `DISTINCT` inside the parentheses; `ALL` is the default and leaves no trace.
  package var isDistinct = false
  /// `f(*)`; `arguments` is empty then.
  package var isStar = false
  /// `f(label.*)` inside MATCH_RECOGNIZE; `isStar` is true then.
  package var starLabel: Identifier?
  /// `f(… ORDER BY …)`, and LISTAGG's `WITHIN GROUP (ORDER BY …)`.
  package var orderBy: [SortItemSyntax] = []
  /// Set for LISTAGG only. Its separator, if written, is the second argument.
  package var listagg: ListaggSyntax?
  /// `FILTER (WHERE condition)`
  package var filter: ExpressionSyntax?
  package var nullTreatment: NullTreatment?
  package var over: WindowReferenceSyntax?
  package var processingMode: ProcessingMode?
  @Positional package var range: SourceRange

  package init(name: QualifiedName, arguments: [ExpressionSyntax], range: SourceRange) {
    self.name = name
    self.arguments = arguments
    self.range = range
  }
}

/// What makes a call LISTAGG: `ON OVERFLOW …` (`.error` when not written) and a mandatory WITHIN GROUP.
package struct ListaggSyntax: Hashable, Sendable {
  package enum Overflow: Hashable, Sendable {
    case error
    /// The default filler is `...`.
    case truncate(filler: StringSyntax?, isCounted: Bool)
  }

  package var overflow: Overflow
}

/// `name OVER window`.
package struct MeasureReferenceSyntax: Hashable, Sendable {
  package var name: Identifier
  package var over: WindowReferenceSyntax
  @Positional package var range: SourceRange
}

/// What follows OVER.
package indirect enum WindowReferenceSyntax: Hashable, Sendable {
  case named(Identifier)
  case specification(WindowSpecificationSyntax)
}

/// `([existing] [PARTITION BY …] [ORDER BY …] [frame])`.
package struct WindowSpecificationSyntax: Hashable, Sendable {
  package var existingName: Identifier?
  package var partitionBy: [ExpressionSyntax]
  package var orderBy: [SortItemSyntax]
  package var frame: WindowFrameSyntax?
  @Positional package var range: SourceRange
}

/// `ROWS|RANGE|GROUPS BETWEEN start AND end`, with row pattern recognition around it.
package struct WindowFrameSyntax: Hashable, Sendable {
  package enum Unit: String, Hashable, Sendable {
    case rows = "ROWS"
    case range = "RANGE"
    case groups = "GROUPS"
  }

  package var unit: Unit
  package var start: FrameBoundSyntax
  /// Nil without BETWEEN; means CURRENT ROW.
  package var end: FrameBoundSyntax?
  /// The MEASURES … DEFINE clauses, when any is written.
  package var pattern: WindowPatternSyntax?
  @Positional package var range: SourceRange
}

/// Where a frame starts or ends.
package indirect enum FrameBoundSyntax: Hashable, Sendable {
  case unboundedPreceding
  case preceding(ExpressionSyntax)
  case currentRow
  case following(ExpressionSyntax)
  case unboundedFollowing
}

/// Row pattern recognition in a window.
package struct WindowPatternSyntax: Hashable, Sendable {
  package var measures: [MeasureDefinitionSyntax]
  package var afterMatch: SkipToSyntax?
  package var searchMode: PatternSearchMode?
  package var pattern: RowPatternSyntax?
  package var subsets: [SubsetDefinitionSyntax]
  package var definitions: [VariableDefinitionSyntax]
}
