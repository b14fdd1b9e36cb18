import Columnar
import QueryEngine
import S3ObjectStore

/// Columns and rows in Trino's client protocol.
///
/// - Source: Trino's documentation, "Client REST API"; `QueryDataEncoder` and `ClientTypeSignature` of release 440.
enum TrinoValues {
  // MARK: Columns

  static func columns(_ schema: Schema) -> JSONValue {
    .array(
      schema.fields.map { field in
        ["name": .string(field.name), "type": .string(field.type.description), "typeSignature": signature(field.type)]
      })
  }

  private static func signature(_ type: DataType) -> JSONValue {
    func long(_ value: Int) -> JSONValue { ["kind": "LONG", "value": .number(value)] }
    func of(_ type: DataType) -> JSONValue { ["kind": "TYPE", "value": signature(type)] }
    let arguments: [JSONValue]
    switch type {
    case .varchar(let length): arguments = [long(length ?? Int(Int32.max))]
    case .char(let length): arguments = [long(length)]
    case .decimal(let precision, let scale): arguments = [long(precision), long(scale)]
    case .array(let element): arguments = [of(element)]
    case .map(let key, let value): arguments = [of(key), of(value)]
    case .row(let fields):
      arguments = fields.map { field in
        let name: JSONValue = field.name.map { ["name": .string($0)] } ?? .null
        return ["kind": "NAMED_TYPE", "value": ["fieldName": name, "typeSignature": signature(field.type)]]
      }
    default:
      // timestamp(6), time(3) and theirs with time zone.
      let digits = type.description.drop { $0 != "(" }.dropFirst().prefix { $0.isNumber }
      arguments = Int(digits).map { [long($0)] } ?? []
    }
    return ["rawType": .string(rawType(type)), "arguments": .array(arguments)]
  }

  private static func rawType(_ type: DataType) -> String {
    let text = type.description
    guard let open = text.firstIndex(of: "("), let close = text.lastIndex(of: ")") else { return text }
    switch type {
    case .array, .map, .row: return String(text[..<open])
    default: return String(text[..<open]) + text[text.index(after: close)...]
    }
  }

  // MARK: Rows

  /// Appends a batch's rows, each an array, separated by commas.
  static func append(_ batch: Batch, to out: inout [UInt8]) {
    let columns = batch.columns.map(ColumnEncoder.init)
    for row in 0..<batch.rowCount {
      if row > 0 { out.append(UInt8(ascii: ",")) }
      out.append(UInt8(ascii: "["))
      for (index, column) in columns.enumerated() {
        if index > 0 { out.append(UInt8(ascii: ",")) }
        column.append(row, to: &out)
      }
      out.append(UInt8(ascii: "]"))
    }
  }

  /// Writes the values of one column.
  private struct ColumnEncoder {
    private let column: Column
    private let storage: Column
    private let text: ResultText
    private let children: [ColumnEncoder]

    init(_ column: Column) {
      self.column = column
      storage = column.storage
      text = ResultText(column)
      children = column.storage.children.map(ColumnEncoder.init)
    }

    func append(_ row: Int, to out: inout [UInt8]) {
      if column.isNull(row) {
        out += "null".utf8
        return
      }
      switch column.type {
      case .boolean, .tinyint, .smallint, .integer, .bigint: text.append(row, to: &out)
      case .real, .double:
        var value: [UInt8] = []
        text.append(row, to: &value)
        // NaN and Infinity have no JSON number.
        let isNumber = value.last.map { (0x30...0x39).contains($0) } ?? false
        if isNumber { out += value } else { JSONValue.append(String(decoding: value, as: UTF8.self), to: &out) }
      case .varbinary, .hyperLogLog, .p4HyperLogLog, .setDigest, .tDigest, .qDigest:
        if case .bytes(let bytes) = column.scalar(row) { JSONValue.append(Digests.base64(bytes), to: &out) } else { out += "null".utf8 }
      case .array:
        appendList(storage.elementRange(position(row)), children[0], to: &out)
      case .map:
        out.append(UInt8(ascii: "{"))
        for (index, entry) in storage.elementRange(position(row)).enumerated() {
          if index > 0 { out.append(UInt8(ascii: ",")) }
          var key: [UInt8] = []
          children[0].text.append(entry, to: &key)
          JSONValue.append(String(decoding: key, as: UTF8.self), to: &out)
          out.append(UInt8(ascii: ":"))
          children[1].append(entry, to: &out)
        }
        out.append(UInt8(ascii: "}"))
      case .row:
        out.append(UInt8(ascii: "["))
        for (index, child) in children.enumerated() {
          if index > 0 { out.append(UInt8(ascii: ",")) }
          child.append(position(row), to: &out)
        }
        out.append(UInt8(ascii: "]"))
      default:
        var value: [UInt8] = []
        text.append(row, to: &value)
        JSONValue.append(String(decoding: value, as: UTF8.self), to: &out)
      }
    }

    private func position(_ row: Int) -> Int { column.view.position(row) }

    private func appendList(_ range: Range<Int>, _ child: ColumnEncoder, to out: inout [UInt8]) {
      out.append(UInt8(ascii: "["))
      for (index, element) in range.enumerated() {
        if index > 0 { out.append(UInt8(ascii: ",")) }
        child.append(element, to: &out)
      }
      out.append(UInt8(ascii: "]"))
    }
  }
}
