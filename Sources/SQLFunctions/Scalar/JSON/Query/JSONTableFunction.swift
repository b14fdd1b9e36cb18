import Columnar
import QueryErrors

/// One column of JSON_TABLE.
package struct JSONTableColumn: Sendable {
  package enum Source: Sendable {
    /// FOR ORDINALITY: a bigint from 1.
    case ordinality
    case value(JSONPathExpression, JSONValueOptions)
    case query(JSONPathExpression, JSONQueryOptions)
  }
  package var source: Source
  /// Its place among all columns of the table.
  package var position: Int

  package init(_ source: Source, position: Int) {
    self.source = source
    self.position = position
  }
}

/// How the paths of JSON_TABLE combine to rows.
package indirect enum JSONTablePlan: Sendable {
  /// One row per item of the path, with its columns; `child` is joined to each.
  case path(JSONPathExpression, [JSONTableColumn], child: JSONTablePlan?, isOuter: Bool)
  /// The rows of all parts one after another.
  case union([JSONTablePlan])
  /// Every combination of the parts' rows.
  case cross([JSONTablePlan])
}

/// The function behind JSON_TABLE: from the input to an array of rows, which is then unnested.
///
/// Each path keeps its own rows, and output rows pick among them, so that a value beside many nested ones is computed once.
///
/// - Source: Trino `io.trino.operator.table.json.execution`.
package enum JSONTableFunction {
  /// - Parameter plan: begins with the table's own path, whose expression `invocation` repeats.
  /// - Parameter isErrorOnError: whether a failure of a path ends the query; else the path has no items.
  package static func make(
    _ invocation: JSONPathInvocation, _ plan: JSONTablePlan, isErrorOnError: Bool
  ) -> ScalarFunction {
    let overload = ScalarOverload(Signature([], variadic: true, returns: .json), propagatesNulls: false) {
      (_: SignatureBinding) throws(QueryError) -> Kernel in
      let arguments = JSONPathArguments(invocation)
      let holder = Holder()
      return { (columns: [Column], n: Int, context: inout KernelContext) throws(QueryError) -> Column in
        let table: JSONTableRows
        if let known = holder.rows {
          table = known
        } else {
          table = try JSONTableRows(plan, isErrorOnError: isErrorOnError, session: context.session)
          holder.rows = table
        }
        arguments.begin(columns)
        let offsets = Buffer(byteCount: (n + 1) * 4)
        let starts = offsets.typed(Int32.self)
        starts[0] = 0
        for row in 0..<n {
          let outcome = arguments.read(row)
          switch outcome {
          case .null: break
          case .malformedInput, .malformedParameter:
            if isErrorOnError { context.errors.record(row, JSONPathArguments.error(outcome, "JSON_TABLE")) }
          case .ready:
            if let error = table.add(arguments.root, arguments.items, row) { context.errors.record(row, error) }
          }
          guard let count = Int32(exactly: table.count) else {
            throw QueryError(.exceededLocalMemoryLimit, "JSON_TABLE yields too many rows in one batch")
          }
          starts[row + 1] = count
        }
        guard case .array(let element) = context.returnType else { throw .internalError("JSON_TABLE is no array") }
        let children = try table.finish(element.childTypes, &context)
        let rows = Column(row: element, count: children.rowCount, children: children.columns, validity: nil)
        return Column(nested: context.returnType, count: n, offsets: offsets, children: [rows], validity: nil)
      }
    }
    return ScalarFunction("$json_table", summary: "JSON_TABLE of one call.", isHidden: true, overloads: [overload])
  }

  private final class Holder { var rows: JSONTableRows? }
}

/// Puts together the rows of JSON_TABLE for one batch.
///
/// - Threads: one owner.
private final class JSONTableRows {
  /// A path with its columns and the rows found for it.
  private final class Fragment {
    let evaluator: JSONPathEvaluator
    let columns: [JSONTableColumn]
    var evaluators: [JSONPathEvaluator?] = []
    var values: [JSONValueCollector?] = []
    var texts: [JSONTextCollector?] = []
    var ordinals: [Int64] = []
    /// The batch's row of each row here.
    var outerRows: [Int32] = []

    init(_ path: JSONPathExpression, _ columns: [JSONTableColumn], _ session: SessionContext) throws(QueryError) {
      evaluator = try JSONPathEvaluator(path, session: session)
      self.columns = columns
      for column in columns {
        switch column.source {
        case .ordinality:
          evaluators.append(nil)
          values.append(nil)
          texts.append(nil)
        case .value(let path, let options):
          evaluators.append(try JSONPathEvaluator(path, session: session))
          values.append(JSONValueCollector(options))
          texts.append(nil)
        case .query(let path, let options):
          evaluators.append(try JSONPathEvaluator(path, session: session))
          values.append(nil)
          texts.append(JSONTextCollector(options))
        }
      }
    }
  }

  private indirect enum Node {
    case path(Int, child: Node?, isOuter: Bool)
    case union([Node])
    case cross([Node])
  }

  private var fragments: [Fragment] = []
  private var root = Node.union([])
  private let isErrorOnError: Bool
  private var parameters: [JSONItem?] = []
  private var outerRow: Int32 = 0
  /// Per output row and fragment, the fragment's row or −1.
  private var picks: [Int32] = []
  private var failure: QueryError?

  init(_ plan: JSONTablePlan, isErrorOnError: Bool, session: SessionContext) throws(QueryError) {
    self.isErrorOnError = isErrorOnError
    root = try node(plan, session)
  }

  private func node(_ plan: JSONTablePlan, _ session: SessionContext) throws(QueryError) -> Node {
    switch plan {
    case .path(let path, let columns, let child, let isOuter):
      let index = fragments.count
      fragments.append(try Fragment(path, columns, session))
      return .path(index, child: try child.map { (plan: JSONTablePlan) throws(QueryError) in try node(plan, session) }, isOuter: isOuter)
    case .union(let parts):
      return .union(try parts.map { (plan: JSONTablePlan) throws(QueryError) in try node(plan, session) })
    case .cross(let parts):
      return .cross(try parts.map { (plan: JSONTablePlan) throws(QueryError) in try node(plan, session) })
    }
  }

  /// Output rows so far.
  var count: Int { picks.count / max(fragments.count, 1) }

  /// Adds the rows of one input; the error when it ends the query.
  func add(_ input: JSONNode, _ parameters: [JSONItem?], _ row: Int) -> QueryError? {
    self.parameters = parameters
    outerRow = Int32(truncatingIfNeeded: row)
    failure = nil
    picks += rows(root, input)
    return failure
  }

  /// The rows of a part for a context item, each as wide as all fragments.
  private func rows(_ node: Node, _ input: JSONNode) -> [Int32] {
    switch node {
    case .path(let index, let child, let isOuter): return rows(fragments[index], index, child, isOuter, input)
    case .union(let parts): return parts.flatMap { rows($0, input) }
    case .cross(let parts):
      let width = fragments.count
      var result = [Int32](repeating: -1, count: width)
      for part in parts {
        let more = rows(part, input)
        var product: [Int32] = []
        for left in stride(from: 0, to: result.count, by: width) {
          for right in stride(from: 0, to: more.count, by: width) {
            for column in 0..<width { product.append(max(result[left + column], more[right + column])) }
          }
        }
        result = product
      }
      return result
    }
  }

  private func rows(_ fragment: Fragment, _ index: Int, _ child: Node?, _ isOuter: Bool, _ input: JSONNode) -> [Int32] {
    let items: [JSONItem]
    do throws(JSONPathFailure) {
      items = try fragment.evaluator.evaluate(input, parameters: parameters)
    } catch {
      if isErrorOnError, failure == nil { failure = error.error }
      return []
    }
    var result: [Int32] = []
    let width = fragments.count
    for (ordinal, item) in items.enumerated() {
      // What a path computed is made JSON, so that columns can look into it.
      guard let node = self.node(item) else {
        if isErrorOnError, failure == nil {
          failure = QueryError(
            .pathEvaluationError,
            "path evaluation failed: JSON path returned a value of type \(item.kindName) that cannot be represented as JSON")
        }
        return []
      }
      let own = Int32(truncatingIfNeeded: fragment.outerRows.count)
      addRow(fragment, node, ordinal + 1)
      var nested = child.map { rows($0, node) } ?? []
      if child == nil || (nested.isEmpty && isOuter) { nested = [Int32](repeating: -1, count: width) }
      for start in stride(from: 0, to: nested.count, by: width) { nested[start + index] = own }
      result += nested
    }
    return result
  }

  /// Texts of items that paths computed, for the current input.
  private var made: [(document: JSONDocument, text: TextBuffer)] = []

  private func node(_ item: JSONItem) -> JSONNode? {
    switch item {
    case .node(let node): return node
    case .value(let value, let type):
      guard type == .boolean || type.isNumeric || type.isCharacter else { return nil }
      let (document, text) = (JSONDocument(), TextBuffer(capacity: 64))
      JSONValueWriter(type).append(.constant(value, type, count: 1), 0, to: text)
      made.append((document, text))
      return document.parse(UnsafePointer(text.pointer), text.count) ? document.root : nil
    }
  }

  private func addRow(_ fragment: Fragment, _ node: JSONNode, _ ordinal: Int) {
    fragment.outerRows.append(outerRow)
    fragment.ordinals.append(Int64(ordinal))
    for (index, evaluator) in fragment.evaluators.enumerated() {
      guard let evaluator else { continue }
      do throws(JSONPathFailure) {
        let items = try evaluator.evaluate(node, parameters: parameters)
        fragment.values[index]?.add(items)
        fragment.texts[index]?.add(items)
      } catch {
        fragment.values[index]?.add(error.error)
        fragment.texts[index]?.add(error.error)
      }
    }
  }

  /// The table's columns over all rows added; nothing is left afterwards.
  func finish(
    _ types: [DataType], _ context: inout KernelContext
  ) throws(QueryError) -> (columns: [Column], rowCount: Int) {
    let (width, total) = (fragments.count, count)
    var columns: [Column?] = types.map { _ in nil }
    for (index, fragment) in fragments.enumerated() {
      var own = [Int32](repeating: -1, count: total)
      for row in 0..<total { own[row] = picks[row * width + index] }
      for (place, column) in fragment.columns.enumerated() {
        let all: Column
        if let values = fragment.values[place] {
          all = try values.finish(fragment.outerRows, &context)
        } else if let texts = fragment.texts[place] {
          all = try texts.finish(fragment.outerRows, &context)
        } else {
          let ordinals = Buffer(byteCount: fragment.ordinals.count * 8)
          for (row, ordinal) in fragment.ordinals.enumerated() { ordinals.typed(Int64.self)[row] = ordinal }
          all = Column(flat: .bigint, count: fragment.ordinals.count, values: ordinals, validity: nil)
        }
        columns[column.position] = all.takeOrNull(own)
      }
      fragment.outerRows.removeAll()
      fragment.ordinals.removeAll()
    }
    picks.removeAll()
    made.removeAll()
    return (zip(columns, types).map { $0 ?? .nulls($1, count: total) }, total)
  }
}
