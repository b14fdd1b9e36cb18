import QueryEngine

/// Reads tests from a SQL file: a test is a statement with a comment in front that begins with `test:`.
///
///     /* test: paid orders only
///     given orders csv (amount decimal(10,2)):
///     id,region,amount
///     1,north,10.50
///
///     expect rows:
///     region,total
///     north,10.50
///
///     expect max_bytes: 10MB
///     */
///     SELECT region, sum(amount) AS total FROM orders GROUP BY region;
///
/// Data ends at an empty line. A comment with `given` but no `test:` is for all tests below it; a statement without such a comment
/// is run before each test below it.
enum SQLTestFile {
  static func parse(_ text: String, file: String) throws(SQLTestFileError) -> [SQLTest] {
    let bytes = Array(text.utf8)
    var tests: [SQLTest] = []
    var shared: [SQLTest.Given] = []
    var setup: [String] = []
    var end = 0
    for (sql, start) in Session.splitWithPlaces(text) {
      let gap = bytes[min(end, start.offset)..<start.offset]
      let firstLine = bytes[..<gap.startIndex].count { $0 == 0x0a } + 1
      end = start.offset + sql.utf8.count
      var test: SQLTest?
      for (comment, line) in comments(in: gap, firstLine: firstLine) {
        let block = try Block(comment, line: line)
        if let name = block.name {
          test = SQLTest(
            file: file, line: line, name: name, given: shared + block.given, setup: setup, sql: sql, expectations: block.expectations)
        } else {
          if let first = block.expectations.first {
            throw SQLTestFileError(line: first.line, message: "'expect' belongs in a comment that begins with 'test: NAME'")
          }
          shared += block.given
        }
      }
      if let test {
        if test.expectations.isEmpty { throw SQLTestFileError(line: test.line, message: "test '\(test.name)' expects nothing") }
        tests.append(test)
      } else {
        setup.append(sql)
      }
    }
    return tests
  }

  /// The block comments of what stands between two statements, with the lines they begin on.
  private static func comments(in gap: ArraySlice<UInt8>, firstLine: Int) -> [(text: String, line: Int)] {
    var found: [(String, Int)] = []
    var line = firstLine
    var index = gap.startIndex
    while index < gap.endIndex {
      if gap[index] == 0x0a { line += 1 }
      guard gap[index] == UInt8(ascii: "/"), index + 1 < gap.endIndex, gap[index + 1] == UInt8(ascii: "*") else {
        // A line comment may hold anything.
        if gap[index] == 0x2d, index + 1 < gap.endIndex, gap[index + 1] == 0x2d {
          while index < gap.endIndex, gap[index] != 0x0a { index += 1 }
          continue
        }
        index += 1
        continue
      }
      let start = index + 2
      var stop = start
      while stop + 1 < gap.endIndex, !(gap[stop] == UInt8(ascii: "*") && gap[stop + 1] == UInt8(ascii: "/")) { stop += 1 }
      found.append((String(decoding: gap[start..<max(start, stop)], as: UTF8.self), line))
      line += gap[start..<max(start, stop)].count { $0 == 0x0a }
      index = stop + 2
    }
    return found
  }

  /// One comment.
  private struct Block {
    var name: String?
    var given: [SQLTest.Given] = []
    var expectations: [(SQLTest.Expectation, line: Int)] = []

    init(_ comment: String, line: Int) throws(SQLTestFileError) {
      let lines = comment.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
      let first = lines.first { !$0.allSatisfy(\.isWhitespace) } ?? ""
      guard ["test:", "given "].contains(where: { first.trimmed.hasPrefix($0) }) else { return }
      let indent = lines.dropFirst().filter { !$0.allSatisfy(\.isWhitespace) }.map { $0.prefix { $0 == " " }.count }.min() ?? 0
      var index = 0
      while index < lines.count {
        let directive = lines[index].trimmed
        let at = line + index
        index += 1
        if directive.isEmpty { continue }
        /// The lines up to the next empty one.
        func data() -> String {
          var taken: [Substring] = []
          while index < lines.count, !lines[index].allSatisfy(\.isWhitespace) {
            taken.append(lines[index].dropFirst(indent))
            index += 1
          }
          return taken.map { $0 + "\n" }.joined()
        }
        if let rest = directive.rest(after: "test:") {
          name = rest
        } else if let rest = directive.rest(after: "given ") {
          given.append(try Block.given(rest, line: at, data))
        } else if let rest = directive.rest(after: "expect ") {
          expectations.append((try Block.expectation(rest, line: at, data), at))
        } else {
          throw SQLTestFileError(line: at, message: "'\(directive)' is none of 'test:', 'given …' and 'expect …'; data follows its line at once")
        }
      }
    }

    /// `orders csv (id int, amount decimal(10,2)) partitioned by (dt):`
    private static func given(_ text: String, line: Int, _ data: () -> String) throws(SQLTestFileError) -> SQLTest.Given {
      let usage = "given NAME csv|json|values [(COLUMN TYPE, …)] [partitioned by (COLUMN, …)]: … or given NAME from 'PATH'"
      var rest = text[...]
      func word() -> String {
        rest = rest.drop(while: \.isWhitespace)
        let word = rest.prefix { !$0.isWhitespace && $0 != "(" && $0 != ":" }
        rest = rest.dropFirst(word.count).drop(while: \.isWhitespace)
        return String(word)
      }
      /// What stands between an opening parenthesis and the one that closes it.
      func list() -> String? {
        guard rest.first == "(" else { return nil }
        var depth = 0
        for index in rest.indices {
          if rest[index] == "(" { depth += 1 }
          if rest[index] == ")" { depth -= 1 }
          guard depth == 0 else { continue }
          let inner = String(rest[rest.index(after: rest.startIndex)..<index])
          rest = rest[rest.index(after: index)...].drop(while: \.isWhitespace)
          return inner
        }
        return nil
      }
      let (name, kind) = (word(), word().lowercased())
      if kind == "from" {
        let path = rest.trimmed
        guard path.count > 2, path.first == "'", path.last == "'" else { throw SQLTestFileError(line: line, message: usage) }
        return SQLTest.Given(name: name, source: .path(String(path.dropFirst().dropLast())), line: line)
      }
      let columns = list()
      var partitionColumns: [String] = []
      if rest.lowercased().hasPrefix("partitioned by") {
        rest = rest.dropFirst(14).drop(while: \.isWhitespace)
        partitionColumns = (list() ?? "").split(separator: ",").map { String($0).trimmed }
        if partitionColumns.isEmpty { throw SQLTestFileError(line: line, message: usage) }
      }
      guard !name.isEmpty, rest.trimmed == ":" else { throw SQLTestFileError(line: line, message: usage) }
      let source: SQLTest.Given.Source
      switch kind {
      case "csv": source = .csv(data())
      case "json": source = .json(data())
      case "values": source = .values(data())
      default: throw SQLTestFileError(line: line, message: usage)
      }
      if case .csv = source {
      } else if !partitionColumns.isEmpty {
        throw SQLTestFileError(line: line, message: "only CSV can be partitioned in a test; give others from a folder")
      }
      if case .values = source, columns == nil {
        throw SQLTestFileError(line: line, message: "values need their columns: given \(name) values (COLUMN TYPE, …):")
      }
      return SQLTest.Given(name: name, source: source, columns: columns, partitionColumns: partitionColumns, line: line)
    }

    private static func expectation(_ text: String, line: Int, _ data: () -> String) throws(SQLTestFileError) -> SQLTest.Expectation {
      func names(_ text: String) -> [String] {
        text == "none" ? [] : text.split(separator: ",").map { String($0).trimmed }.filter { !$0.isEmpty }
      }
      func number(_ value: Int?) throws(SQLTestFileError) -> Int {
        guard let value else { throw SQLTestFileError(line: line, message: "'expect \(text)' needs a number") }
        return value
      }
      if text == "no rows" { return .count(0) }
      guard let colon = text.firstIndex(of: ":") else { throw SQLTestFileError(line: line, message: "'expect \(text)' lacks a ':'") }
      let value = String(text[text.index(after: colon)...]).trimmed
      switch String(text[..<colon]).trimmed {
      case "rows": return .rows(data(), inOrder: false)
      case "rows in order": return .rows(data(), inOrder: true)
      case "count": return .count(try number(Int(value)))
      case "error":
        let parts = value.split(separator: " ", maxSplits: 1).map(String.init)
        return .error(code: parts.first ?? "", text: parts.count > 1 ? parts[1] : "")
      case "max_bytes": return .mostBytes(try number(CommandLineOptions.bytes(value)))
      case "max_files": return .mostFiles(try number(Int(value)))
      case "partitions": return .partitions(names(value))
      case "columns_read": return .columnsRead(names(value))
      case let other:
        let known = ["rows", "rows in order", "count", "error", "max_bytes", "max_files", "partitions", "columns_read"]
        throw SQLTestFileError(line: line, message: "'expect \(other)' is none of: no rows, \(known.joined(separator: ", "))")
      }
    }
  }
}

extension StringProtocol {
  var trimmed: String { String(self.drop(while: \.isWhitespace).reversed().drop(while: \.isWhitespace).reversed()) }

  /// What follows a prefix, without blanks around; nil when it is not the prefix.
  fileprivate func rest(after prefix: String) -> String? { hasPrefix(prefix) ? dropFirst(prefix.count).trimmed : nil }
}
