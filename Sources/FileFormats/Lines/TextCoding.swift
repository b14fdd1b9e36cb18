import ObjectStore
import QueryErrors

/// How a text file's bytes become UTF-8: decompressed, then converted from another character set.
///
/// A file that needs neither is plain: its own bytes are read, from any place. All others are one stream.
struct TextCoding: Sendable, Hashable {
  var compression: CompressionCodec
  /// Nil for UTF-8.
  var encoding: TextEncoding?

  static let none = TextCoding(compression: .none, encoding: nil)

  /// The coding of a file, told from its name, its first bytes and the declared character set.
  ///
  /// A byte order mark of UTF-16 or UTF-32 tells the character set where none was declared; only plain files are asked.
  ///
  /// - Parameter given: the compression, when it was declared.
  static func of(
    _ source: any ByteSource, declared: TextEncoding? = nil, _ given: CompressionCodec? = nil
  ) throws(QueryError) -> TextCoding {
    if let given, given != .none { return TextCoding(compression: given, encoding: declared) }
    let isNamed = given == nil && CompressionCodec.fromExtension(source.path) != .none
    if source.byteCount == 0 { return TextCoding(compression: .none, encoding: declared) }
    if !isNamed, declared != nil { return TextCoding(compression: .none, encoding: declared) }
    let prefix = try source.read(0..<min(16, source.byteCount), kind: .sampling)
    return prefix.withBytes { bytes in
      let compression = isNamed ? CompressionCodec.detect(path: source.path, prefix: bytes) : .none
      return TextCoding(
        compression: compression,
        encoding: declared ?? (compression == .none ? TextEncoding.marked(bytes.prefix(4).map { $0 }) : nil))
    }
  }

  /// The property `compression`: a codec's name, or `none`.
  static func compression(_ properties: [String: String]) throws(QueryError) -> CompressionCodec? {
    guard let name = properties["compression"]?.lowercased(), name != "auto" else { return nil }
    if ["none", "uncompressed"].contains(name) { return CompressionCodec.none }
    let codec = CompressionCodec.fromExtension("x." + name)
    let endings = ["gzip", "zstd", "bzip2", "lz4", "snappy", "brotli", "deflate"]
    if name == "brotli" { return .brotli }
    guard codec != .none else {
      throw QueryError(
        .invalidTableProperty, "Unknown compression: '\(name)'",
        hint: NameSuggestion.hint(for: name, among: endings) ?? "Known are \(endings.joined(separator: ", ")) and none.")
    }
    return codec
  }

  /// The whole file as UTF-8.
  func stream(_ source: any ByteSource, kind: ScanKind, expectsAll: Bool) throws(QueryError) -> any TextStream {
    let bytes = try DecompressingReader(source, codec: compression, kind: kind, expectsAll: expectsAll)
    guard let encoding else { return bytes }
    return try ConvertingReader(bytes, encoding)
  }
}

/// Bytes handed out one after the other.
protocol TextStream: AnyObject {
  /// Writes the next bytes and returns their count; fewer than `capacity` only at the end, then 0.
  func read(into target: UnsafeMutableRawPointer, capacity: Int) throws(QueryError) -> Int
}

extension DecompressingReader: TextStream {}
