/// A place in a data file, as far as it is known.
///
/// - Units: `row` counts from 1 within the file (a header line is row 1 of a CSV file); `byteOffset` from 0.
public struct DataLocation: Hashable, Sendable {
  public var path: String
  public var row: Int?
  public var column: String?
  public var value: String?
  public var byteOffset: Int?
  /// The record itself, for people.
  public var excerpt: Excerpt?

  /// A record and what of it is wrong.
  public struct Excerpt: Hashable, Sendable {
    public var text: String
    /// Letters of `text`.
    public var marked: Range<Int>

    public init(_ text: String, marked: Range<Int>) {
      self.text = text
      self.marked = marked
    }
  }

  public init(
    path: String, row: Int? = nil, column: String? = nil, value: String? = nil, byteOffset: Int? = nil,
    excerpt: Excerpt? = nil
  ) {
    self.excerpt = excerpt
    self.path = path
    self.row = row
    self.column = column
    self.value = value
    self.byteOffset = byteOffset
  }
}
