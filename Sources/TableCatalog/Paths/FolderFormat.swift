import FileFormats
import ObjectStore
import QueryErrors

/// Which of a path's files are its data: those of one format. Other files are passed over with a note when they hold no
/// rows, and refused by name when they do.
struct FolderFormat {
  let type: any FileFormat.Type
  /// Whether names tell the format; else the first bytes did.
  private let isByName: Bool
  /// Whether the query names the format, so that all files are of it.
  private var isGiven = false
  /// A file of the format, for messages.
  private let example: String

  enum Verdict {
    case data
    case passedOver
  }

  private enum Kind {
    case format(any FileFormat.Type)
    case unsupported(UnsupportedFormat)
    /// Papers that come with data.
    case document
    case unknown
  }

  /// The format that the query names.
  init(given type: any FileFormat.Type) {
    self.type = type
    isByName = false
    example = ""
    isGiven = true
  }

  private init(type: any FileFormat.Type, isByName: Bool, example: String) {
    self.type = type
    self.isByName = isByName
    self.example = example
  }

  // MARK: Finding out

  /// The format of most of the files.
  ///
  /// - Throws: `NOT_SUPPORTED` when no reader knows such files.
  static func choose(_ objects: [ListedObject], _ meter: ScanMeter) throws(QueryError) -> FolderFormat {
    var counts: [(type: any FileFormat.Type, count: Int, example: String)] = []
    var refused: QueryError?
    for object in objects {
      switch kind(of: object) {
      case .format(let type):
        if let index = counts.firstIndex(where: { $0.type == type }) {
          counts[index].count += 1
        } else {
          counts.append((type, 1, object.info.path))
        }
      case .unsupported(let format) where format.isData: refused = refused ?? format.refusal(object.info.path)
      default: break
      }
    }
    if var most = counts.first {
      for other in counts.dropFirst() where other.count > most.count { most = other }
      return FolderFormat(type: most.type, isByName: true, example: most.example)
    }
    if let refused { throw refused }
    let first = objects.first { if case .unknown = kind(of: $0) { true } else { false } } ?? objects[0]
    if case .unsupported(let format) = kind(of: first) { throw format.refusal(first.info.path) }
    return FolderFormat(type: try byContent(first, meter), isByName: false, example: first.info.path)
  }

  private static func byContent(_ object: ListedObject, _ meter: ScanMeter) throws(QueryError) -> any FileFormat.Type {
    let name = ObjectPath.lastName(object.keyPath)
    let ending = FormatRegistry.ending(of: name)
    switch try FormatRegistry.recognize(try object.info.open(meter: meter)) {
    case .format(let type): return type
    case .unsupported(let format): throw format.refusal(object.info.path)
    case .text where ending.map(isPlainText) ?? true: return FormatRegistry.plainText
    case .text, .nothing:
      let endings = FormatRegistry.all.flatMap { $0.descriptor.extensions }.map { "." + $0 }.joined(separator: ", ")
      throw .notSupported(
        "Cannot tell the format of \(object.info.path)",
        hint: "Known endings are \(endings); otherwise declare it with CREATE EXTERNAL TABLE.")
    }
  }

  /// Endings of delimited text; numbers are those of logs and parts.
  private static func isPlainText(_ ending: String) -> Bool {
    plainTextEndings.contains(ending) || ending.utf8.allSatisfy { $0 &- 0x30 <= 9 || $0 == UInt8(ascii: "-") }
  }

  private static let plainTextEndings: Set<String> = [
    "asc", "dat", "data", "del", "dsv", "lst", "list", "log", "out", "prn", "tab", "tbl", "text", "txt", "unl",
  ]

  private static func kind(of object: ListedObject) -> Kind {
    let name = ObjectPath.lastName(object.keyPath)
    if let type = FormatRegistry.format(forFileNamed: name) { return .format(type) }
    if let format = FormatRegistry.unsupported(forFileNamed: name) { return .unsupported(format) }
    return isDocument(name) ? .document : .unknown
  }

  private static func isDocument(_ name: String) -> Bool {
    let lower = name.lowercased()
    if let ending = FormatRegistry.ending(of: name), documentEndings.contains(ending) { return true }
    return ["readme", "license", "licence", "copying", "notice", "changelog", "changes", "authors", "makefile"].contains {
      lower == $0 || lower.hasPrefix($0 + ".") || lower.hasPrefix($0 + "-")
    }
  }

  private static let documentEndings: Set<String> = ["md", "rst", "adoc", "sh", "py", "sql", "r", "ipynb", "cfg", "conf", "ini"]

  // MARK: Deciding

  /// Whether a file is read.
  ///
  /// - Throws: `NOT_SUPPORTED` for a file of rows in another format.
  func verdict(_ object: ListedObject, _ meter: ScanMeter) throws(QueryError) -> Verdict {
    if isGiven { return .data }
    switch FolderFormat.kind(of: object) {
    case .format(let other):
      if other == type { return .data }
      throw several(object, other.descriptor.extensions.first ?? "*")
    case .unsupported(let format):
      if format.isData { throw several(object, nil) }
    case .document: break
    case .unknown:
      if !isByName { return .data }
      // Hive and Spark write files without an ending.
      let ending = FormatRegistry.ending(of: ObjectPath.lastName(object.keyPath))
      guard ending.map({ $0.utf8.allSatisfy { $0 &- 0x30 <= 9 } }) ?? true else { break }
      let source = try object.info.open(meter: meter)
      switch try FormatRegistry.recognize(source) {
      case .format(let other) where other == type: return .data
      case .text where type == FormatRegistry.plainText: return .data
      default: break
      }
    }
    meter.note("\(object.info.path) is no \(label) file and is not read")
    return .passedOver
  }

  private var label: String { type.descriptor.label }

  private func several(_ object: ListedObject, _ ending: String?) -> QueryError {
    let own = type.descriptor.extensions.first ?? "*"
    let folder = ObjectPath.parent(object.info.path)
    return .notSupported(
      "\(object.info.path) is not a \(label) file as \(example) is: several formats in one folder",
      hint: "Name the files to read with a pattern, such as '\(ObjectPath.join(folder, "*." + own))'"
        + (ending.map { " or '\(ObjectPath.join(folder, "*." + $0))'." } ?? "."))
  }
}
