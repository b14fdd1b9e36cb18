import Foundation
import Testing

/// What is parsed is used or refused: every field of the syntax of every statement that runs is read by somebody outside of
/// `SQLSyntax`.
///
/// The definitions are taken from the sources of `SQLSyntax/Tree`, starting with the statements that have a type of their own in
/// `StatementSyntax.kind`. A struct's field is read where `.field` stands: anywhere, for names that hardly another type has, else
/// in a file that names the struct or what holds it. A payload of an enum's case is read where a pattern binds it, or where
/// the case is refused by name.
@Suite struct SyntaxFieldTests {
  /// Fields that need no reader, and why.
  private static let exempt = ["JSONQuotesSyntax.isOnScalarString": "ON SCALAR STRING says what KEEP and OMIT QUOTES mean anyway"]

  @Test func everyFieldIsUsedOrRefused() throws {
    let definitions = try Definitions()
    let readers = try Readers()
    var unread: [String] = []
    for type in definitions.reachable {
      let near = readers.files(naming: definitions.namesAround(type))
      for field in type.fields where field != "range" {
        let files = definitions.isOwn(field) ? readers.all : near
        if !files.contains(where: { $0.members.contains(field) }) { unread.append("\(type.path).\(field)") }
      }
      for (name, payloads) in type.cases {
        for (place, payload) in payloads.enumerated() where !readers.binds(name, place, of: payloads.count) {
          unread.append("\(type.path).\(name): \(payload)")
        }
      }
    }
    unread.removeAll { Self.exempt[$0] != nil }
    #expect(definitions.reachable.count > 100)
    #expect(unread.isEmpty, "parsed and then dropped:\n\(unread.joined(separator: "\n"))")
  }

  private static let sources = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent().appending(path: "Sources")

  /// A file's text without comments.
  private static func text(_ path: URL) throws -> [UInt8] {
    let lines = try String(contentsOf: path, encoding: .utf8).split(separator: "\n", omittingEmptySubsequences: false)
    return Array(lines.filter { !$0.drop { $0 == " " }.hasPrefix("//") }.joined(separator: "\n").utf8)
  }

  // MARK: Definitions

  private struct SyntaxType {
    var name: String
    /// The name with those of the types around it.
    var path: String
    var fields: [String] = []
    var fieldTypes: [String] = []
    var cases: [(name: String, payloads: [String])] = []
  }

  /// The types of the syntax tree.
  private struct Definitions {
    private(set) var types: [String: [SyntaxType]] = [:]
    private(set) var reachable: [SyntaxType] = []
    /// A type → those with fields or payloads of it.
    private(set) var owners: [String: Set<String>] = [:]

    init() throws {
      let folder = SyntaxFieldTests.sources.appending(path: "SQLSyntax/Tree")
      for file in try FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil) {
        try read(file)
      }
      let kinds = try String(
        contentsOf: SyntaxFieldTests.sources.appending(path: "QueryEngine/Statements/StatementSyntax+Kind.swift"), encoding: .utf8)
      let missing = Set(kinds.matches(of: /case \.(\w+)\(let node\):\s*\.missing/).map { String($0.output.1) })
      let statements = try #require(types["StatementSyntax"]?.first)
      var open = statements.cases.filter { !missing.contains($0.name) }.flatMap { known(in: $0.payloads, of: "") }
      var seen: Set<String> = ["StatementSyntax"]
      while let type = open.popLast() {
        guard seen.insert(type.path).inserted else { continue }
        reachable.append(type)
        let inner = known(in: type.fieldTypes + type.cases.flatMap(\.payloads), of: type.path)
        for other in inner { owners[other.name, default: []].insert(type.name) }
        open += inner
      }
    }

    /// Whether hardly another type has a field of the name.
    func isOwn(_ field: String) -> Bool { types.values.joined().reduce(0) { $0 + ($1.fields.contains(field) ? 1 : 0) } <= 2 }

    /// The names of a type, of those that hold it, and of those that hold them.
    func namesAround(_ type: SyntaxType) -> Set<String> {
      let holders = owners[type.name] ?? []
      return holders.union([type.name]).union(holders.flatMap { owners[$0] ?? [] })
    }

    /// The types that texts name: those inside of the type at `path` before others.
    private func known(in texts: [String], of path: String) -> [SyntaxType] {
      texts.flatMap { text in
        text.split { !$0.isLetter && !$0.isNumber && $0 != "_" }.compactMap { word in
          let named = types[String(word)] ?? []
          return named.first { $0.path == "\(path).\(word)" } ?? named.first { $0.path == word } ?? named.first { path.hasPrefix($0.path) }
        }
      }
    }

    private mutating func read(_ file: URL) throws {
      let lines = String(decoding: try SyntaxFieldTests.text(file), as: UTF8.self).split(separator: "\n")
      var stack: [(depth: Int, type: SyntaxType, isExtension: Bool)] = []
      var depth = 0
      for line in lines {
        if let match = line.firstMatch(of: /^\s*(?:package |indirect |private )*(struct|enum|extension) (\w+).*\{/) {
          let name = String(match.output.2)
          let path = (stack.map(\.type.name) + [name]).joined(separator: ".")
          stack.append((depth, SyntaxType(name: name, path: path), match.output.1 == "extension"))
        } else if let top = stack.indices.last, depth == stack[top].depth + 1, !stack[top].isExtension {
          if let match = line.firstMatch(of: /^\s*(?:@Positional )?package var `?(\w+)`?\s*:?\s*([^={]*)(\{)?/), match.output.3 == nil {
            stack[top].type.fields.append(String(match.output.1))
            stack[top].type.fieldTypes.append(String(match.output.2))
          } else if let match = line.firstMatch(of: /^\s*case (\w+)\((.*)\)\s*$/) {
            let payloads = SyntaxFieldTests.split(Array(match.output.2.utf8)[...])
            stack[top].type.cases.append((String(match.output.1), payloads))
          }
        }
        depth += line.reduce(0) { $0 + ($1 == "{" ? 1 : $1 == "}" ? -1 : 0) }
        while let last = stack.last, depth <= last.depth {
          if !last.isExtension { types[last.type.name, default: []].append(last.type) }
          stack.removeLast()
        }
      }
    }
  }

  // MARK: Readers

  /// What a source file outside of the syntax does with names.
  private struct Reader {
    var words: Set<String> = []
    /// Names behind a dot that are not called.
    var members: Set<String> = []
  }

  private struct Readers {
    private var readers: [Reader] = []
    /// `.name(…)` anywhere: the arguments, and whether `case let` stands before it.
    private var calls: [String: [(arguments: [String], isCaseLet: Bool)]] = [:]
    /// Names of cases that are met without their payloads where an error is thrown.
    private var refused: Set<String> = []

    init() throws {
      let root = SyntaxFieldTests.sources
      for file in FileManager.default.enumerator(atPath: root.path)?.allObjects as? [String] ?? []
      where file.hasSuffix(".swift") && !file.hasPrefix("SQLSyntax/") {
        let text = try SyntaxFieldTests.text(root.appending(path: file))
        add(text)
        let cases = String(decoding: text, as: UTF8.self).matches(of: /case ([^:()]*):\s*(?:\n\s*)?throw/)
        for match in cases { refused.formUnion(match.output.1.matches(of: /\.(\w+)/).map { String($0.output.1) }) }
      }
    }

    var all: [Reader] { readers }
    func files(naming names: Set<String>) -> [Reader] { readers.filter { !$0.words.isDisjoint(with: names) } }

    /// Whether some pattern binds payload `place` of a case with `count` of them, or the case is refused.
    func binds(_ name: String, _ place: Int, of count: Int) -> Bool {
      if refused.contains(name) { return true }
      return calls[name, default: []].contains { call in
        if call.arguments.count == 1, count > 1 { return call.arguments[0].hasPrefix("let ") }
        guard call.arguments.count == count else { return false }
        var argument = call.arguments[place]
        if let colon = argument.firstIndex(of: ":"), !argument.hasPrefix("let ") {
          argument = String(argument[argument.index(after: colon)...].drop { $0 == " " })
        }
        return argument != "_" && (argument.contains("let ") || call.isCaseLet || argument.hasPrefix("."))
      }
    }

    private mutating func add(_ text: [UInt8]) {
      var reader = Reader()
      func isLetter(_ at: Int) -> Bool {
        at < text.count && ((text[at] | 0x20) &- 0x61 < 26 || text[at] &- 0x30 < 10 || text[at] == 0x5f)
      }
      var at = 0
      while at < text.count {
        guard isLetter(at) else {
          at += 1
          continue
        }
        let start = at
        while isLetter(at) { at += 1 }
        let word = String(decoding: text[start..<at], as: UTF8.self)
        reader.words.insert(word)
        let isMember = start > 0 && (text[start - 1] == 0x2e || (text[start - 1] == 0x60 && start > 1 && text[start - 2] == 0x2e))
        guard isMember else { continue }
        guard at < text.count, text[at] == 0x28 else {
          reader.members.insert(word)
          continue
        }
        var (end, depth) = (at + 1, 1)
        while end < text.count, depth > 0 {
          if "([{".utf8.contains(text[end]) { depth += 1 }
          if ")]}".utf8.contains(text[end]) { depth -= 1 }
          end += 1
        }
        let isCaseLet = text[..<(start - 1)].suffix(9).elementsEqual("case let ".utf8)
        calls[word, default: []].append((SyntaxFieldTests.split(text[(at + 1)..<(end - 1)]), isCaseLet))
      }
      readers.append(reader)
    }
  }

  /// The parts of a list, separated by commas outside of parentheses.
  private static func split(_ text: ArraySlice<UInt8>) -> [String] {
    var parts: [[UInt8]] = [[]]
    var depth = 0
    for byte in text {
      if "([{<".utf8.contains(byte) { depth += 1 }
      if ")]}>".utf8.contains(byte) { depth -= 1 }
      if byte == 0x2c, depth == 0 { parts.append([]) } else { parts[parts.count - 1].append(byte) }
    }
    return parts.map { String(decoding: $0, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines) }
  }
}
