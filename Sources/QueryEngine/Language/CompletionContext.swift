/// What the pieces around a place of an unfinished statement say of it: its clause, and the relations in scope.
///
/// Works on pieces, not on a syntax tree: what is being typed has none.
struct CompletionContext {
  /// A relation named in FROM.
  struct Relation: Hashable {
    enum Source: Hashable {
      /// `t`, `d.t`, `c.d.t`.
      case name([String])
      case path(String)
      /// A query in parentheses: the range of its pieces.
      case query(Range<Int>)
    }
    var source: Source
    var alias: String?
  }

  let bytes: [UInt8]
  /// The statement's pieces, comments left out.
  let pieces: [SQLPieces.Piece]
  /// The first piece that ends behind the place or touches it from before; `pieces.count` at the end.
  let current: Int
  /// The place, in bytes.
  let offset: Int
  /// Whether the place is within a comment.
  let isInComment: Bool

  /// - Parameter offset: bytes before the place.
  init(_ text: String, at offset: Int) {
    bytes = Array(text.utf8)
    self.offset = min(offset, bytes.count)
    let all = SQLPieces.pieces(of: text)
    isInComment = all.contains { $0.kind == .comment && $0.range.lowerBound < offset && (offset < $0.range.upperBound || $0.isOpen) }
    // The statement around the place: between semicolons.
    var first = 0
    var last = all.count
    for (index, piece) in all.enumerated() where piece.kind == .sign && bytes[piece.range.lowerBound] == UInt8(ascii: ";") {
      if piece.range.lowerBound < offset { first = index + 1 } else if last == all.count { last = index }
    }
    let own = all[first..<max(first, last)].filter { $0.kind != .comment }
    pieces = own
    current = own.firstIndex { $0.range.upperBound >= offset } ?? own.count
  }

  // MARK: Pieces

  func text(_ index: Int) -> String {
    pieces.indices.contains(index) ? String(decoding: bytes[pieces[index].range], as: UTF8.self) : ""
  }

  /// A keyword in upper case; empty for other pieces.
  func word(_ index: Int) -> String {
    guard pieces.indices.contains(index), pieces[index].kind == .keyword || pieces[index].kind == .name else { return "" }
    return text(index).uppercased()
  }

  func isSign(_ index: Int, _ sign: Character) -> Bool {
    pieces.indices.contains(index) && pieces[index].kind == .sign && text(index) == String(sign)
  }

  /// A name without its quotes, lower case unless quoted; nil for other pieces.
  func name(_ index: Int) -> String? {
    guard pieces.indices.contains(index) else { return nil }
    switch pieces[index].kind {
    case .name, .keyword: return text(index).lowercased()
    case .quotedName: return CompletionContext.unquoted(text(index))
    default: return nil
    }
  }

  static func unquoted(_ text: String) -> String {
    guard let quote = text.first else { return "" }
    var inner = text.dropFirst()
    if inner.last == quote { inner = inner.dropLast() }
    return String(inner).replacing(String(repeating: quote, count: 2), with: String(quote))
  }

  // MARK: The place

  /// The piece that the place is in or at the end of, when it is one that can be gone on with.
  var typedPiece: Int? {
    guard current < pieces.count, pieces[current].range.lowerBound < offset else { return nil }
    switch pieces[current].kind {
    case .keyword, .name, .parameter, .number: return current
    case .quotedName, .string:
      // Behind a closing quote something new begins.
      return offset < pieces[current].range.upperBound || pieces[current].isOpen ? current : nil
    default: return nil
    }
  }

  /// The number of pieces that stand before the typed one.
  var before: Int {
    if let typedPiece { return typedPiece }
    return pieces.firstIndex { $0.range.lowerBound >= offset } ?? pieces.count
  }

  /// What is typed of the piece, from its start to the place.
  var typed: String {
    guard let typedPiece else { return "" }
    return String(decoding: bytes[pieces[typedPiece].range.lowerBound..<offset], as: UTF8.self)
  }

  var typedStart: Int { typedPiece.map { pieces[$0].range.lowerBound } ?? offset }

  /// The names before the points right before the place: `d.t.` gives `["d", "t"]`.
  var qualifier: [String] {
    var names: [String] = []
    var index = before - 1
    while isSign(index, "."), let name = name(index - 1) {
      names.insert(name, at: 0)
      index -= 2
    }
    return names
  }

  /// Index of the first piece of the names in front of the place.
  var qualifierStart: Int { before - qualifier.count * 2 }

  // MARK: Relations

  /// How deep in parentheses each piece is, with the number of the innermost pair.
  private var groups: [[Int]] {
    var stack = [0]
    var next = 1
    var result: [[Int]] = []
    for index in pieces.indices {
      if isSign(index, ")"), stack.count > 1 { stack.removeLast() }
      result.append(stack)
      if isSign(index, "(") {
        stack.append(next)
        next += 1
      }
    }
    result.append(stack)
    return result
  }

  /// The relations of the query around the place and of those it lies in, the innermost first.
  var relationsInScope: [Relation] {
    let groups = groups
    let here = groups[min(before, groups.count - 1)]
    var result: [Relation] = []
    for depth in here.indices.reversed() {
      let group = Array(here[...depth])
      let members = pieces.indices.filter { groups[$0] == group }
      // The query of a chain of UNION that the place is in.
      let at = members.lastIndex { $0 < before && ["UNION", "INTERSECT", "EXCEPT"].contains(word($0)) }
      let start = at.map { members[$0] + 1 } ?? (members.first ?? 0)
      let end = members.first { $0 >= before && ["UNION", "INTERSECT", "EXCEPT"].contains(word($0)) } ?? pieces.count
      result += relations(in: members.filter { $0 >= start && $0 < end }, groups)
    }
    return result
  }

  /// The relations that pieces of one pair of parentheses name behind FROM and JOIN.
  func relations(in members: [Int], _ groups: [[Int]]) -> [Relation] {
    var result: [Relation] = []
    var place = 0
    var expects = false
    while place < members.count {
      let index = members[place]
      switch word(index) {
      case "FROM", "JOIN", "INTO", "UPDATE":
        expects = true
        place += 1
        continue
      case "WHERE", "GROUP", "ORDER", "HAVING", "LIMIT", "ON", "USING", "SELECT", "WINDOW", "SET", "VALUES":
        expects = false
        place += 1
        continue
      default: break
      }
      if isSign(index, ","), !result.isEmpty, isInFrom(place, members) {
        expects = true
        place += 1
        continue
      }
      guard expects, let (relation, next) = relation(at: place, members, groups) else {
        place += 1
        continue
      }
      result.append(relation)
      expects = false
      place = next
    }
    return result
  }

  /// Whether the last clause word before a piece is FROM or JOIN.
  private func isInFrom(_ place: Int, _ members: [Int]) -> Bool {
    for index in members[..<place].reversed() {
      switch word(index) {
      case "FROM", "JOIN": return true
      case "WHERE", "GROUP", "ORDER", "HAVING", "LIMIT", "ON", "USING", "SELECT", "WITH": return false
      default: continue
      }
    }
    return false
  }

  private func relation(at place: Int, _ members: [Int], _ groups: [[Int]]) -> (Relation, Int)? {
    let index = members[place]
    var relation: Relation
    var next = place + 1
    if isSign(index, "(") {
      let close = next < members.count ? members[next] : pieces.count
      relation = Relation(source: .query(index + 1..<max(index + 1, close)))
      next += 1
    } else if pieces[index].kind == .string {
      relation = Relation(source: .path(CompletionContext.unquoted(text(index))))
    } else if word(index) == "TABLE", isSign(index + 1, "(") {
      // TABLE(read_csv('path', …)): the function's first text.
      guard let path = pieces.indices.first(where: { $0 > index && pieces[$0].kind == .string }) else { return nil }
      relation = Relation(source: .path(CompletionContext.unquoted(text(path))))
      next = place + 3
    } else if let first = name(index), word(index) != "UNNEST", word(index) != "LATERAL" {
      // What is being typed right now is no relation yet.
      if index == typedPiece { return nil }
      var names = [first]
      while next + 1 < members.count, isSign(members[next], "."), let more = name(members[next + 1]) {
        names.append(more)
        next += 2
      }
      relation = Relation(source: .name(names))
    } else {
      return nil
    }
    if next < members.count, word(members[next]) == "AS" { next += 1 }
    if next < members.count, pieces[members[next]].kind == .name || pieces[members[next]].kind == .quotedName,
      members[next] != typedPiece, let alias = name(members[next])
    {
      relation.alias = alias
      next += 1
    }
    return (relation, next)
  }

  /// The queries that WITH names: name → pieces.
  var commonTables: [String: Range<Int>] {
    var result: [String: Range<Int>] = [:]
    guard pieces.indices.contains(where: { word($0) == "WITH" }) else { return result }
    for index in pieces.indices where word(index) == "AS" && isSign(index + 1, "(") {
      var named = index - 1
      // t(a, b) AS ( … )
      if isSign(named, ")") { while named > 0, !isSign(named, "(") { named -= 1 }; named -= 1 }
      guard let name = name(named), ["WITH", "RECURSIVE", ","].contains(text(named - 1).uppercased()) else { continue }
      var depth = 0
      var end = index + 1
      while end < pieces.count {
        if isSign(end, "(") { depth += 1 }
        if isSign(end, ")") { depth -= 1 }
        if depth == 0 { break }
        end += 1
      }
      result[name] = index + 2..<max(index + 2, end)
    }
    return result
  }

  /// What a query's SELECT list names its columns: names, and nil for `*`; with the relations of its FROM.
  func outputs(of query: Range<Int>) -> (names: [String?], relations: [Relation]) {
    let groups = groups
    guard let first = query.first, first < pieces.count else { return ([], []) }
    let group = groups[first]
    let members = query.filter { $0 < pieces.count && groups[$0] == group }
    guard let select = members.firstIndex(where: { word($0) == "SELECT" }) else { return ([], []) }
    let from = members[select...].firstIndex { word($0) == "FROM" } ?? members.endIndex
    var names: [String?] = []
    for item in members[(select + 1)..<from].split(whereSeparator: { isSign($0, ",") }) {
      guard let last = item.last else { continue }
      if isSign(last, "*") { names.append(nil) } else if let name = name(last), pieces[last].kind != .keyword { names.append(name) }
    }
    return (names, relations(in: members, groups))
  }
}
