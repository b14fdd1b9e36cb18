import Columnar
import ObjectStore
import QueryErrors

/// One Ion file; nothing is known before it is read.
struct IonFile: FormatFile {
  let source: any ByteSource
  let settings: IonSettings

  var rowCount: Int? { nil }
  func statistics(of column: ScanColumn) -> ColumnStatistics? { nil }
  func scanByteCount(of columns: [ScanColumn]) -> Int { Int(source.byteCount) }

  func scan(_ request: ScanRequest, metrics: ScanMetrics) throws(QueryError) -> any FileScan {
    // Symbols of binary files are numbered from the file's beginning on: one split.
    TextScan(source: source, range: 0..<source.byteCount, isSplittable: false) { [self] (_) throws(QueryError) in
      try IonReader(self, request, metrics: metrics)
    }
  }
}

/// The values of a file's top level, one after the other.
///
/// - Threads: one owner.
final class IonValues {
  private let source: any ByteSource
  private let input: TextInput
  private let isBinary: Bool
  private var symbols = IonSymbols()
  private var at = 0
  private(set) var count = 0

  init(_ source: any ByteSource, kind: ScanKind) throws(QueryError) {
    self.source = source
    let coding = try TextCoding.of(source)
    input = try TextInput(source, coding, 0..<source.byteCount, kind: kind)
    isBinary = UnsafeBufferPointer(start: input.base, count: input.count).starts(with: IonBinaryParser.versionMarker)
  }

  /// nil at the end.
  func next() throws(QueryError) -> IonValue? {
    while true {
      do throws(IonDamage) {
        let value = try parse()
        if value != nil { count += 1 } else if !input.isFinal { throw .incomplete }
        return value
      } catch {
        guard error.isIncomplete, !input.isFinal else {
          if error.isUnsupported {
            throw QueryError(.notSupported, "In an Ion file: \(error.reason)", data: DataLocation(path: source.path, row: count + 1))
          }
          throw damaged(error.reason)
        }
        try input.advance(keeping: at)
        at = 0
      }
    }
  }

  private func parse() throws(IonDamage) -> IonValue? {
    defer { withExtendedLifetime(input.owner) {} }
    if isBinary {
      var parser = IonBinaryParser(input.base, at: at, end: input.count)
      let value = try parser.next(&symbols)
      at = parser.at
      return value
    }
    var parser = IonTextParser(input.base, at: at, end: input.count, isFinal: input.isFinal)
    let value = try parser.next(&symbols)
    at = parser.at
    return value
  }

  func damaged(_ reason: String, column: String? = nil, value: String? = nil) -> QueryError {
    QueryError(
      .hiveBadData, "Corrupt Ion file: \(reason)", data: DataLocation(path: source.path, row: count, column: column, value: value))
  }
}

/// Reads the structs of a file as rows.
///
/// - Threads: one owner.
final class IonReader: TextRowReader {
  private let file: IonFile
  private let values: IonValues
  private let columns: [(builder: ColumnBuilder, path: [IonPathStep]?, conversion: IonConversion)]
  private var loaded: [Column] = []

  init(_ file: IonFile, _ request: ScanRequest, metrics: ScanMetrics) throws(QueryError) {
    self.file = file
    values = try IonValues(file.source, kind: .data)
    columns = request.columns.map { column in
      (ColumnBuilder(column.type), file.settings.path(of: column.name), file.settings.conversion(of: column.name))
    }
    super.init(request, metrics: metrics)
  }

  override func loadRows(limit: Int) throws(QueryError) -> Int {
    var count = 0
    while count < limit, let value = try values.next() {
      var fields: [(name: String, value: IonValue)] = []
      if case .structure(let own) = value {
        fields = own
      } else if case .null = value {
      } else if !file.settings.ignoresMalformed {
        throw values.damaged("a value of the top level is no struct")
      }
      for (index, column) in columns.enumerated() {
        let name = request.columns[index].name
        let found = column.path.map { IonReader.follow($0, value, column.conversion) } ?? column.conversion.member(fields, name)
        let scalar = column.conversion.scalar(found ?? .null, request.columns[index].type)
        guard let scalar = scalar ?? (file.settings.ignoresMalformed ? .null : nil) else {
          let text = String(decoding: IonText.bytes(found ?? .null).prefix(100), as: UTF8.self)
          throw QueryError(
            .hiveBadData, "Ion value '\(text)' is not a \(request.columns[index].type)",
            data: DataLocation(path: file.source.path, row: values.count, column: name, value: text),
            hint: "Declare the column as string, or set the property 'ion.ignore_malformed' = 'true'.")
        }
        column.builder.append(scalar)
      }
      count += 1
    }
    loaded = columns.map { $0.builder.finish() }
    return count
  }

  private static func follow(_ path: [IonPathStep], _ value: IonValue, _ conversion: IonConversion) -> IonValue? {
    var at = value
    for step in path {
      switch (step, at) {
      case (.field(let name), .structure(let fields)):
        guard let next = conversion.member(fields, name) else { return nil }
        at = next
      case (.index(let index), .list(let items)):
        guard items.indices.contains(index) else { return nil }
        at = items[index]
      default: return nil
      }
    }
    return at
  }

  override func column(_ index: Int, rows: UnsafePointer<Int32>?, count: Int) throws(QueryError) -> Column {
    guard let rows else { return loaded[index] }
    return loaded[index].take(rows, count: count)
  }

  override func finish() throws(QueryError) { try file.source.checkUnchanged() }
}
