import QueryErrors
import Testing

@testable import SQLSyntax

@Suite struct LexerTests {
  private func tokens(_ sql: String, _ dialect: Lexer.Dialect = .trino) -> [(
    kind: TokenKind, text: String
  )] {
    let bytes = Array(sql.utf8)
    let tokens = bytes.withUnsafeBufferPointer { Lexer.tokenize($0, dialect: dialect) }
    return tokens.dropLast().map { token in
      (
        token.kind,
        String(decoding: bytes[Int(token.startOffset)..<Int(token.endOffset)], as: UTF8.self)
      )
    }
  }

  private func kinds(_ sql: String) -> [TokenKind] { tokens(sql).map(\.kind) }

  @Test func numbers() {
    #expect(
      kinds("1 1.5 .5 1. 1e3 1.5E-7 .5e+2") == [
        .integer, .decimal, .decimal, .decimal, .double, .double, .double,
      ])
    #expect(
      kinds("1_000 0xFF 0o17 0b01 1_000.5") == [.integer, .integer, .integer, .integer, .decimal])
    #expect(
      kinds("1x 0xFG 1e5x 1__0") == [
        .digitIdentifier, .digitIdentifier, .digitIdentifier, .digitIdentifier,
      ])
    #expect(tokens("1.e").map(\.text) == ["1.", "e"])
    #expect(tokens("a.1").map(\.text) == ["a", ".1"])
  }

  @Test func wordsAndKeywords() {
    let bytes = Array("SeLeCt selects _a a1 MATCH_RECOGNIZE current_timestamp".utf8)
    let keywords = bytes.withUnsafeBufferPointer { Lexer.tokenize($0, dialect: .trino) }.dropLast()
      .map(\.keyword)
    #expect(keywords == [.select, nil, nil, nil, .matchRecognize, .currentTimestamp])
  }

  @Test func everyKeywordIsFound() {
    for keyword in Keyword.allCases {
      var upper = keyword.rawValue
      var lower = keyword.rawValue.lowercased()
      #expect(upper.withUTF8 { Keyword.lookUp($0) } == keyword)
      #expect(lower.withUTF8 { Keyword.lookUp($0) } == keyword)
    }
  }

  @Test func quotes() {
    #expect(
      kinds("'a''b' \"c\"\"d\" `e``f` X'00' x'' U&'a' u&''") == [
        .string, .quotedIdentifier, .backquotedIdentifier, .binary, .binary, .unicodeString,
        .unicodeString,
      ])
    #expect(tokens("'a' 'open").map(\.kind) == [.string, .unrecognized])
    #expect(tokens(#"'a\' 'b'"#).map(\.text) == [#"'a\'"#, "'b'"])
    #expect(tokens(#"'a\'b' "\"""#, .hive).map(\.text) == [#"'a\'b'"#, #""\"""#])
  }

  @Test func signs() {
    #expect(
      kinds("-> => || <> != <= >= = < > | ^ $ { } {- -} ? ; :") == [
        .arrow, .doubleArrow, .concatenation, .notEqual, .notEqual, .lessThanOrEqual,
        .greaterThanOrEqual, .equal,
        .lessThan, .greaterThan, .verticalBar, .caret, .dollar, .leftBrace, .rightBrace,
        .leftBraceMinus,
        .minusRightBrace, .questionMark, .semicolon, .colon,
      ])
    #expect(tokens("@é!").map(\.text) == ["@", "é", "!"])
  }

  @Test func comments() {
    #expect(tokens("a -- b 'c\n d /* e ; \n */ f").map(\.text) == ["a", "d", "f"])
    #expect(tokens("a /* b").map(\.text) == ["a", "/", "*", "b"])
    #expect(tokens("a--b").map(\.text) == ["a"])
    #expect(tokens("\u{FEFF}a").map(\.text) == ["a"])
  }

  @Test func positionsCountCharacters() {
    let bytes = Array("'é' x\n  'a\nb' y".utf8)
    let tokens = bytes.withUnsafeBufferPointer { Lexer.tokenize($0, dialect: .trino) }
    #expect(tokens[1].start == SourcePosition(offset: 5, line: 1, column: 5))
    #expect(tokens[2].start == SourcePosition(offset: 9, line: 2, column: 3))
    #expect(tokens[2].end == SourcePosition(offset: 14, line: 3, column: 3))
    #expect(tokens[3].start == SourcePosition(offset: 15, line: 3, column: 4))
    #expect(tokens[4].kind == .endOfText)
    #expect(tokens[4].start == SourcePosition(offset: 16, line: 3, column: 5))
  }

  @Test func hiveStatements() {
    func dialect(_ sql: String) -> Lexer.Dialect {
      Lexer.dialect(
        of: Array(sql.utf8).withUnsafeBufferPointer { Lexer.tokenize($0, dialect: .trino) })
    }
    #expect(dialect("CREATE EXTERNAL TABLE t (a int)") == .hive)
    #expect(dialect("CREATE TABLE t (a int) STORED AS ORC") == .hive)
    #expect(dialect("CREATE TABLE t AS SELECT 1") == .trino)
    #expect(dialect("CREATE TABLE t WITH (format = 'ORC') AS SELECT 1") == .trino)
    #expect(dialect("ALTER TABLE t SET LOCATION 'x'") == .hive)
    #expect(dialect("SELECT 1") == .trino)
    #expect(dialect("") == .trino)
  }
}
