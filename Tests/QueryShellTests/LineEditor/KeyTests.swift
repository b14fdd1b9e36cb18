import Testing

@testable import QueryShell

@Suite struct KeyTests {
  private func keys(_ text: String) -> [Key] { keys(Array(text.utf8)) }

  private func keys(_ bytes: [UInt8]) -> [Key] {
    var rest = bytes[...]
    var keys: [Key] = []
    while let first = rest.popFirst() { keys.append(KeyDecoder.key(first) { _ in rest.popFirst() }) }
    return keys
  }

  @Test func letters() {
    #expect(keys("aß漢👩") == [.character("a"), .character("ß"), .character("漢"), .character("👩")])
    // Half a letter, and a byte that begins none.
    #expect(keys([0xc3]) == [.unknown])
    #expect(keys([0xff, 0x61]) == [.unknown, .character("a")])
  }

  @Test func controls() {
    #expect(keys("\u{3}\u{1}\r\t\u{7f}\u{8}\u{1f}") == [.control("c"), .control("a"), .enter, .tab, .backspace, .backspace, .control("_")])
    #expect(keys("\u{1b}") == [.escape])
    #expect(keys("\u{1b}f\u{1b}\r") == [.alt("f"), .alt("\r")])
  }

  @Test(arguments: [
    ("[A", Key.up), ("[B", .down), ("[C", .right), ("[D", .left), ("OH", .home), ("[F", .end), ("[1~", .home), ("[4~", .end),
    ("[3~", .delete), ("[5~", .pageUp), ("[6~", .pageDown), ("[1;5C", .wordRight), ("[1;3D", .wordLeft), ("[Z", .backTab),
    ("[13;2~", .alt("\r")), ("[999~", .unknown), ("[?25h", .unknown),
  ]) func sequences(_ text: String, _ key: Key) {
    #expect(keys("\u{1b}" + text) == [key])
    #expect(keys("\u{1b}" + text + "x") == [key, .character("x")])
  }

  /// A paste is one key; its line ends are line feeds and its escapes do nothing.
  @Test func pastes() {
    #expect(keys("\u{1b}[200~SELECT\r\n1;\u{1b}[31m\r\u{1b}[201~x") == [.paste("SELECT\n1;[31m\n"), .character("x")])
    // One that never ends.
    #expect(keys("\u{1b}[200~abc") == [.paste("abc")])
  }
}
