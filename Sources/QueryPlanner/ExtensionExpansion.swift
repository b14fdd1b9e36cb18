package import QueryErrors
import SQLExpressions
import SQLSyntax

/// Writes a statement's extensions in Athena's own SQL, while the binder finds out what they stand for.
///
///     SELECT * EXCEPT (b), rank() OVER (ORDER BY a) r, FROM t QUALIFY r = 1
///     SELECT "a", "r" FROM (SELECT a, rank() OVER (ORDER BY a) r FROM t) WHERE r = 1
///
/// The text is edited, not printed anew, so that all else stays as its author wrote it. Queries bound twice note their
/// edits twice; equal places keep the last.
package final class ExtensionExpansion {
  /// A part of the new text.
  enum Piece {
    case text(String)
    /// A part of the old text, edited itself.
    case source(SourceRange)
  }

  private struct Place: Hashable {
    var start: Int
    var end: Int
  }

  private let text: [UInt8]
  private var edits: [Place: [Piece]] = [:]
  /// Names in QUALIFY and ORDER BY, by where they stand: the place of the item they mean, or nil for other columns.
  private var names: [Int: (range: SourceRange, item: Int?)] = [:]
  private(set) var failure: QueryError?

  package init(_ sql: String) { text = Array(sql.utf8) }

  /// The statement with all extensions expanded.
  ///
  /// - Throws: `NOT_SUPPORTED` for what cannot be written in Athena's SQL.
  package func rewritten() throws(QueryError) -> String {
    if let failure { throw failure }
    return render(Place(start: 0, end: text.count), isWhole: true)
  }

  func replace(_ range: SourceRange, _ pieces: [Piece]) {
    edits[Place(start: range.start.offset, end: range.end.offset)] = pieces
  }

  func fail(_ message: String, _ range: SourceRange) { if failure == nil { failure = .notSupported(message, at: range) } }

  private func insert(_ offset: Int, _ pieces: [Piece]) { edits[Place(start: offset, end: offset)] = pieces }

  private func slice(_ start: Int, _ end: Int) -> String { String(decoding: text[start..<max(start, end)], as: UTF8.self) }

  /// The old text of a place with the edits inside of it, its own left out.
  private func render(_ place: Place, isWhole: Bool = false) -> String {
    let inner = edits.filter {
      $0.key.start >= place.start && $0.key.end <= place.end && (isWhole || $0.key != place)
        && (isWhole || $0.key.start != $0.key.end || ($0.key.start > place.start && $0.key.start < place.end))
    }
    // Insertions come before what starts at their place, wide edits before those within them.
    let ordered = inner.sorted { a, b in
      if a.key.start != b.key.start { return a.key.start < b.key.start }
      let (isInsertion, isOther) = (a.key.end == a.key.start, b.key.end == b.key.start)
      return isInsertion != isOther ? isInsertion : a.key.end > b.key.end
    }
    var result = ""
    var position = place.start
    for (edit, pieces) in ordered {
      if edit.start < position { continue }
      result += slice(position, edit.start)
      for piece in pieces {
        switch piece {
        case .text(let text): result += text
        case .source(let range): result += render(Place(start: range.start.offset, end: range.end.offset))
        }
      }
      position = edit.end
    }
    return result + slice(position, place.end)
  }

  // MARK: Names

  /// A name as Athena's SQL has to write it.
  static func quoted(_ name: String) -> String {
    SQLFormatter.format(
      Identifier(
        name: name, isDelimited: false,
        range: SourceRange(
          start: SourcePosition(offset: 0, line: 1, column: 1), end: SourcePosition(offset: 0, line: 1, column: 1))))
  }

  func note(_ name: Identifier, item: Int?) { names[name.range.start.offset] = (name.range, item) }

  private func names(in range: SourceRange) -> [(range: SourceRange, item: Int?)] {
    names.values.filter { $0.range.start.offset >= range.start.offset && $0.range.end.offset <= range.end.offset }
  }

  // MARK: QUALIFY

  /// A condition or sort key beside a SELECT list.
  struct Beside {
    var range: SourceRange
    /// Whether it is computed from windows, aggregates or subqueries.
    var isComputed: Bool
  }

  /// Wraps a SELECT with QUALIFY into one that filters by WHERE.
  func wrap(_ select: SelectSyntax, _ items: [SelectItem], qualify: Beside, orderBy: [Beside?]) {
    let columnNames = items.enumerated().map { $1.name ?? "_col\($0)" }
    guard Set(columnNames.map(\.canonicalIdentifier)).count == columnNames.count, !items.contains(where: { $0.syntax == nil && $0.name == nil })
    else { return fail("QUALIFY over columns of equal names cannot be expanded: name them apart", select.keywordRange) }
    var start = select.keywordRange.end.offset
    if select.isDistinct {
      while start < text.count, [0x20, 0x09, 0x0A, 0x0D].contains(text[start]) { start += 1 }
      guard slice(start, min(start + 8, text.count)).uppercased() == "DISTINCT" else {
        return fail("QUALIFY with DISTINCT cannot be expanded here", select.keywordRange)
      }
      edits[Place(start: start, end: start + 8)] = []
    }
    // Items without a name get the one results show.
    var number = 0
    for item in select.items {
      if case .expression(let expression) = item {
        if number < items.count, items[number].name == nil {
          insert(expression.range.end.offset, [.text(" AS \(ExtensionExpansion.quoted("_col\(number)"))")])
        }
        number += 1
      } else {
        number += items[number...].prefix { $0.range == item.range }.count
      }
    }
    var hidden: [Piece] = []
    func hide(_ beside: Beside, as name: String) {
      hidden += [.text(", "), .source(beside.range), .text(" AS \(name)")]
      for use in names(in: beside.range) {
        if let item = use.item, let syntax = items[item].syntax {
          replace(use.range, [.text("("), .source(syntax.range), .text(")")])
        }
      }
    }
    func isPlain(_ beside: Beside) -> Bool { !beside.isComputed && names(in: beside.range).allSatisfy { $0.item != nil } }
    var condition: [Piece] = [.source(qualify.range)]
    if !isPlain(qualify) {
      hide(qualify, as: "_qualify")
      condition = [.text("_qualify")]
    }
    for (index, key) in orderBy.enumerated() {
      guard let key, !isPlain(key) else { continue }
      if select.isDistinct { return fail("ORDER BY of a DISTINCT query with QUALIFY cannot be expanded", key.range) }
      hide(key, as: "_order\(index + 1)")
      replace(key.range, [.text("_order\(index + 1)")])
    }
    let list = columnNames.map(ExtensionExpansion.quoted).joined(separator: ", ")
    insert(select.range.start.offset, [.text("SELECT \(select.isDistinct ? "DISTINCT " : "")\(list) FROM (")])
    let last = select.items[select.items.count - 1].range.end.offset
    if let named = edits[Place(start: last, end: last)] { hidden = named + hidden }
    if !hidden.isEmpty { insert(last, hidden) }
    var end = select.qualifyKeyword.start.offset
    while end > 0, [0x20, 0x09, 0x0A, 0x0D].contains(text[end - 1]) { end -= 1 }
    edits[Place(start: end, end: select.range.end.offset)] = [.text(") WHERE ")] + condition
  }
}
