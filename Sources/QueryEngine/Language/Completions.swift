/// What may stand at a place of a text that is being typed.
public struct Completions: Hashable, Sendable {
  public var items: [Item]
  /// Where the text begins that an item replaces, in bytes; it ends at the place asked for.
  public var start: Int
  /// Whether there are more than could be found in time.
  public var isPartial = false

  public init(_ items: [Item] = [], start: Int, isPartial: Bool = false) {
    self.items = items
    self.start = start
    self.isPartial = isPartial
  }

  public struct Item: Hashable, Sendable {
    /// What stands in place of the typed beginning.
    public var text: String
    /// What a menu shows.
    public var label: String
    public var kind: Kind
    /// A type, a signature, a database: one line.
    public var detail: String?
    /// What is typed behind it when there is no other candidate.
    public var suffix: String

    public init(_ text: String, label: String? = nil, kind: Kind, detail: String? = nil, suffix: String = "") {
      self.text = text
      self.label = label ?? text
      self.kind = kind
      self.detail = detail
      self.suffix = suffix
    }
  }

  public enum Kind: Hashable, Sendable { case keyword, function, database, table, column, path, value, command }

  /// The longest beginning that all items share, letters' case apart from the first item's.
  public var commonPrefix: String {
    guard var prefix = items.first?.text else { return "" }
    for item in items.dropFirst() {
      var length = 0
      for (one, other) in zip(prefix, item.text) {
        guard one == other || one.lowercased() == other.lowercased() else { break }
        length += 1
      }
      prefix = String(prefix.prefix(length))
    }
    return prefix
  }
}
