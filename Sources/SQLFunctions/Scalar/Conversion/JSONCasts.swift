package import Columnar
import Glibc
import QueryErrors

/// Casts to and from JSON.
///
/// - Source: Trino `JsonUtil`, `JsonOperators`, `ArrayToJsonCast`, `JsonToArrayCast` and their like, release 401.
enum JSONCasts {
  typealias Cast = CastRegistry.Cast

  // MARK: To JSON

  static func toJSON(_ from: DataType) -> Cast? {
    guard isWritable(from) else { return nil }
    return { (columns, n, context) throws(QueryError) -> Column in
      let writer = JSONValueWriter(from)
      let text = TextBuffer()
      let column = columns[0]
      return mapRows(columns, n, &context) { row, rows -> StringView in
        text.removeAll()
        writer.append(column, row, to: text)
        return rows.arena.add(UnsafeRawPointer(text.pointer), text.count)
      }
    }
  }

  static func isWritable(_ type: DataType) -> Bool {
    switch type {
    case .unknown, .boolean, .tinyint, .smallint, .integer, .bigint, .real, .double, .decimal, .varchar, .json, .date,
      .timestamp:
      true
    case .array(let element): isWritable(element)
    case .map(let key, let value): isKey(key) && isWritable(value)
    case .row(let fields): fields.allSatisfy { isWritable($0.type) }
    default: false
    }
  }

  private static func isKey(_ type: DataType) -> Bool {
    switch type {
    case .unknown, .boolean, .tinyint, .smallint, .integer, .bigint, .real, .double, .decimal, .varchar: true
    default: false
    }
  }

  // MARK: From JSON

  static func fromJSON(_ to: DataType) -> Cast? {
    guard isReadable(to) else { return nil }
    if to.isNested { return nested(to) }
    return { (columns, n, context) throws(QueryError) -> Column in
      let builder = ColumnBuilder(to, capacity: n)
      let parser = JSONValueParser(to)
      let x = columns[0].view
      let views = x.values.assumingMemoryBound(to: StringView.self)
      for row in 0..<n {
        if columns[0].isNull(row) {
          builder.appendNull()
          continue
        }
        let location = views + x.position(row)
        let bytes = StringView.bytes(at: location).assumingMemoryBound(to: UInt8.self)
        var reader = JSONReader(bytes, location.pointee.count)
        let token = reader.next()
        var isValid = parser.append(&reader, token, to: builder)
        if isValid, reader.next() != .end {
          isValid = false
        }
        if !isValid {
          context.errors.record(
            row, .invalidCastArgument, "Cannot cast '\(location.pointee.string)' to \(targetName(to))")
        }
      }
      return builder.finish()
    }
  }

  private static func targetName(_ type: DataType) -> String {
    switch type {
    case .varchar: type.description
    case .decimal(let precision, let scale): "DECIMAL(\(precision),\(scale))"
    default: type.description.uppercased()
    }
  }

  static func isReadable(_ type: DataType) -> Bool {
    switch type {
    case .boolean, .tinyint, .smallint, .integer, .bigint, .real, .double, .decimal, .varchar, .json: true
    case .array(let element): isReadable(element)
    case .map(let key, let value): isKey(key) && key != .unknown && isReadable(value)
    case .row(let fields): fields.allSatisfy { isReadable($0.type) }
    default: false
    }
  }

  private static func nested(_ to: DataType) -> Cast {
    { (columns, n, context) throws(QueryError) -> Column in
      let builder = ColumnBuilder(to, capacity: n)
      let parser = JSONValueParser(to)
      let x = columns[0].view
      let views = x.values.assumingMemoryBound(to: StringView.self)
      for row in 0..<n {
        if columns[0].isNull(row) {
          builder.appendNull()
          continue
        }
        let location = views + x.position(row)
        let bytes = StringView.bytes(at: location).assumingMemoryBound(to: UInt8.self)
        var reader = JSONReader(bytes, location.pointee.count)
        parser.failure = nil
        var isValid = parser.append(&reader, reader.next(), to: builder)
        if isValid, reader.next() != .end {
          isValid = false
          parser.failure = "Unexpected trailing token: \(String(decoding: reader.tokenBytes, as: UTF8.self))"
        }
        if !isValid {
          let text = location.pointee.string
          context.errors.record(
            row, .invalidCastArgument,
            "Cannot cast to \(to). \(parser.failure ?? "Unexpected token in JSON")\n\(text.count > 1000 ? text.prefix(1000) + "..." : text)")
        }
      }
      return builder.finish()
    }
  }
}

/// Writes values of one type as JSON.
package final class JSONValueWriter {
  private let type: DataType
  private let children: [JSONValueWriter]
  private let names: [[UInt8]]
  private let text: ValueText
  private let scratch = TextBuffer()

  /// - Parameter type: one that `CAST(x AS json)` takes.
  package init(_ type: DataType) {
    self.type = type
    children = type.childTypes.map { JSONValueWriter($0) }
    text = ValueText(type, .output)
    if case .row(let fields) = type { names = fields.map { Array(($0.name ?? "").utf8) } } else { names = [] }
  }

  /// Appends row `row` of a column; NULL as `null`.
  package func append(_ column: Column, _ row: Int, to out: TextBuffer) {
    if column.isNull(row) { return out.append("null") }
    let view = column.view
    switch type {
    case .unknown: out.append("null")
    case .boolean, .tinyint, .smallint, .integer, .bigint, .decimal, .json:
      text.append(view, column.storage, row, to: out)
    case .real: JSONText.appendNumber(view.value(row, as: Float.self), to: out)
    case .double: JSONText.appendNumber(view.value(row, as: Double.self), to: out)
    case .array:
      let storage = column.storage
      out.append(0x5b)
      var isFirst = true
      for k in storage.elementRange(view.position(row)) {
        if !isFirst { out.append(0x2c) }
        isFirst = false
        children[0].append(storage.children[0], k, to: out)
      }
      out.append(0x5d)
    case .map:
      let storage = column.storage
      var entries: [(key: [UInt8], row: Int)] = []
      for k in storage.elementRange(view.position(row)) {
        scratch.removeAll()
        children[0].appendKey(storage.children[0], k, to: scratch)
        entries.append((Array(UnsafeBufferPointer(start: scratch.pointer, count: scratch.count)), k))
      }
      entries.sort { $0.key.lexicographicallyPrecedes($1.key) }
      out.append(0x7b)
      for (index, entry) in entries.enumerated() {
        if index > 0 { out.append(0x2c) }
        entry.key.withUnsafeBytes { bytes in
          if let p = bytes.baseAddress { JSONText.appendString(p, bytes.count, to: out) } else { out.append("\"\"") }
        }
        out.append(0x3a)
        children[1].append(storage.children[1], entry.row, to: out)
      }
      out.append(0x7d)
    case .row:
      let storage = column.storage
      let at = view.position(row)
      out.append(0x7b)
      for (index, child) in children.enumerated() {
        if index > 0 { out.append(0x2c) }
        names[index].withUnsafeBytes { bytes in
          if let p = bytes.baseAddress { JSONText.appendString(p, bytes.count, to: out) } else { out.append("\"\"") }
        }
        out.append(0x3a)
        child.append(storage.children[index], at, to: out)
      }
      out.append(0x7d)
    default:
      scratch.removeAll()
      text.append(view, column.storage, row, to: scratch)
      JSONText.appendString(scratch.pointer, scratch.count, to: out)
    }
  }

  /// A map key as a member's name, without quotes.
  private func appendKey(_ column: Column, _ row: Int, to out: TextBuffer) {
    if column.isNull(row) { return }
    text.append(column.view, column.storage, row, to: out)
  }
}

/// Appends JSON values to builders of one type; after a failure every builder still got exactly one value.
package final class JSONValueParser {
  private let type: DataType
  private let children: [JSONValueParser]
  private let fieldNames: [String: Int]
  private let scratch = TextBuffer()
  /// Why the last value did not fit.
  package var failure: String?

  /// - Parameter type: one that `CAST(json AS x)` gives.
  package init(_ type: DataType) {
    self.type = type
    children = type.childTypes.map { JSONValueParser($0) }
    var names: [String: Int] = [:]
    if case .row(let fields) = type {
      for (index, field) in fields.enumerated() { if let name = field.name { names[name.lowercased()] = index } }
    }
    fieldNames = names
  }

  /// Reads the value that `token`, just read, begins and appends it; false when it does not fit.
  package func append(_ reader: inout JSONReader, _ token: JSONReader.Token, to builder: ColumnBuilder) -> Bool {
    switch type {
    case .json: return appendJSON(&reader, token, to: builder)
    case .array, .map, .row: break
    default:
      if token == .null {
        builder.appendNull()
        return true
      }
      if appendLeaf(reader, token, to: builder) { return true }
      builder.appendNull()
      return false
    }
    if token == .null {
      builder.appendNull()
      return true
    }
    switch type {
    case .array: return appendArray(&reader, token, to: builder)
    case .map: return appendMap(&reader, token, to: builder)
    default: return appendRow(&reader, token, to: builder)
    }
  }

  private func appendJSON(_ reader: inout JSONReader, _ token: JSONReader.Token, to builder: ColumnBuilder) -> Bool {
    scratch.removeAll()
    guard JSONText.appendCanonical(&reader, token, to: scratch) else {
      failure = "Unexpected token in JSON"
      builder.appendNull()
      return false
    }
    builder.append(bytes: UnsafeRawBufferPointer(start: scratch.pointer, count: scratch.count))
    return true
  }

  private func expected(_ what: String, _ reader: JSONReader, _ token: JSONReader.Token) {
    let got = token == .end || token == .invalid ? "invalid JSON" : String(decoding: reader.tokenBytes, as: UTF8.self)
    failure = "Expected a json \(what), but got \(got)"
  }

  private func appendArray(_ reader: inout JSONReader, _ token: JSONReader.Token, to builder: ColumnBuilder) -> Bool {
    guard token == .beginArray else {
      expected("array", reader, token)
      builder.appendNull()
      return false
    }
    var isValid = true
    while true {
      let next = reader.next()
      if next == .endArray { break }
      guard children[0].append(&reader, next, to: builder.children[0]) else {
        failure = children[0].failure
        isValid = false
        break
      }
    }
    builder.endNested()
    return isValid
  }

  private func appendMap(_ reader: inout JSONReader, _ token: JSONReader.Token, to builder: ColumnBuilder) -> Bool {
    guard token == .beginObject else {
      expected("object", reader, token)
      builder.appendNull()
      return false
    }
    var isValid = true
    var seen: Set<[UInt8]> = []
    while isValid {
      let next = reader.next()
      if next == .endObject { break }
      guard next == .key else {
        failure = "Unexpected token in JSON"
        isValid = false
        break
      }
      scratch.removeAll()
      reader.appendString(to: scratch)
      if !seen.insert(children[0].identity(of: scratch)).inserted {
        failure = "Duplicate keys are not allowed"
        isValid = false
        break
      }
      if !children[0].appendText(scratch, to: builder.children[0]) {
        builder.children[0].appendNull()
        failure = children[0].failure
        isValid = false
      }
      if isValid {
        isValid = children[1].append(&reader, reader.next(), to: builder.children[1])
        if !isValid { failure = children[1].failure }
      } else {
        builder.children[1].appendNull()
      }
    }
    builder.endNested()
    return isValid
  }

  /// What tells a key from others once it is of this type: `01` is 1 as a bigint.
  private func identity(of text: TextBuffer) -> [UInt8] {
    let (p, n) = (UnsafePointer(text.pointer), text.count)
    var value: String?
    switch type {
    case .varchar(let length?): return Array(UnsafeBufferPointer(start: p, count: byteCount(p, n, length)))
    case .boolean: value = TextCasts.parseBoolean(p, n).map { "\($0)" }
    case .tinyint, .smallint, .integer, .bigint: value = NumberText.parseInteger(p, n).map { "\($0)" }
    // Zero and its negative are one key.
    case .real: value = NumberText.parseReal(p, n).map { $0 == 0 ? "0" : "\($0)" }
    case .double: value = NumberText.parseDouble(p, n).map { $0 == 0 ? "0" : "\($0)" }
    case .decimal(let precision, let scale):
      if case .value(let number) = NumberText.parseDecimal(p, n, precision: precision, scale: scale) { value = "\(number)" }
    default: break
    }
    return value.map { Array($0.utf8) } ?? Array(UnsafeBufferPointer(start: p, count: n))
  }

  /// The bytes of the first `length` code points.
  private func byteCount(_ p: UnsafePointer<UInt8>, _ n: Int, _ length: Int) -> Int {
    if n <= length { return n }
    var (at, seen) = (0, 0)
    while at < n {
      if p[at] & 0xc0 != 0x80 {
        if seen == length { break }
        seen += 1
      }
      at += 1
    }
    return at
  }

  private func appendRow(_ reader: inout JSONReader, _ token: JSONReader.Token, to builder: ColumnBuilder) -> Bool {
    let fields = builder.children
    switch token {
    case .beginArray:
      var isValid = true
      for (index, child) in children.enumerated() {
        if isValid {
          let next = reader.next()
          if next == .endArray || next == .invalid {
            failure = "Expected a json array of \(children.count) values"
            isValid = false
          } else if child.append(&reader, next, to: fields[index]) {
            continue
          } else {
            failure = child.failure
            isValid = false
            continue
          }
        }
        fields[index].appendNull()
      }
      builder.endRow()
      if isValid, reader.next() != .endArray {
        failure = "Expected json array ending, but got \(String(decoding: reader.tokenBytes, as: UTF8.self))"
        isValid = false
      }
      return isValid
    case .beginObject:
      // Members may stand in any order: remember where each field's value is, then read in field order.
      var starts: [JSONReader?] = Array(repeating: nil, count: children.count)
      var isValid = true
      while isValid {
        let next = reader.next()
        if next == .endObject { break }
        guard next == .key else {
          failure = "Unexpected token in JSON"
          isValid = false
          break
        }
        scratch.removeAll()
        reader.appendString(to: scratch)
        if let index = fieldNames[scratch.string.lowercased()] {
          if starts[index] != nil {
            failure = "Duplicate field: \(scratch.string)"
            isValid = false
            break
          }
          starts[index] = reader
        }
        if !reader.skip(reader.next()) {
          failure = "Unexpected token in JSON"
          isValid = false
        }
      }
      for (index, child) in children.enumerated() {
        if isValid, var start = starts[index] {
          if !child.append(&start, start.next(), to: fields[index]) {
            failure = child.failure
            isValid = false
          }
        } else {
          fields[index].appendNull()
        }
      }
      builder.endRow()
      return isValid
    default:
      expected("array or a json object", reader, token)
      builder.appendNull()
      return false
    }
  }

  // MARK: Leaves

  /// Appends a string's value as this type; false, and nothing appended, when it does not fit.
  private func appendText(_ text: TextBuffer, to builder: ColumnBuilder) -> Bool {
    let (p, n) = (UnsafePointer(text.pointer), text.count)
    switch type {
    case .varchar(let length):
      builder.append(bytes: UnsafeRawBufferPointer(start: p, count: length.map { byteCount(p, n, $0) } ?? n))
      return true
    case .boolean: if let value = TextCasts.parseBoolean(p, n) { return done(builder.append(fixed: value)) }
    case .tinyint, .smallint, .integer, .bigint:
      if let value = NumberText.parseInteger(p, n), appendInteger(value, to: builder) { return true }
    case .real: if let value = NumberText.parseReal(p, n) { return done(builder.append(fixed: value)) }
    case .double: if let value = NumberText.parseDouble(p, n) { return done(builder.append(fixed: value)) }
    case .decimal: return appendDecimal(p, n, to: builder)
    default: break
    }
    failure = "Cannot cast '\(text.string)' to \(type.description.uppercased())"
    return false
  }

  private func done(_: Void) -> Bool { true }

  private func appendInteger(_ value: Int64, to builder: ColumnBuilder) -> Bool {
    switch type {
    case .tinyint:
      guard let narrow = Int8(exactly: value) else { return false }
      builder.append(fixed: narrow)
    case .smallint:
      guard let narrow = Int16(exactly: value) else { return false }
      builder.append(fixed: narrow)
    case .integer:
      guard let narrow = Int32(exactly: value) else { return false }
      builder.append(fixed: narrow)
    default: builder.append(fixed: value)
    }
    return true
  }

  private func appendDecimal(_ p: UnsafePointer<UInt8>, _ n: Int, to builder: ColumnBuilder) -> Bool {
    guard case .decimal(let precision, let scale) = type else { return false }
    guard case .value(let value) = NumberText.parseDecimal(p, n, precision: precision, scale: scale) else {
      failure = "Cannot cast input json to DECIMAL(\(precision),\(scale))"
      return false
    }
    if precision <= DataType.maxShortDecimalPrecision {
      builder.append(fixed: Int64(truncatingIfNeeded: value))
    } else {
      builder.append(fixed: value)
    }
    return true
  }

  /// Appends a value that is neither null nor nested; false, and nothing appended, when it does not fit.
  private func appendLeaf(_ reader: JSONReader, _ token: JSONReader.Token, to builder: ColumnBuilder) -> Bool {
    let bytes = reader.tokenBytes
    func unexpected() -> Bool {
      failure =
        token == .invalid || token == .end
        ? "Unexpected token in JSON"
        : "Unexpected token when cast to \(type): \(String(decoding: bytes, as: UTF8.self))"
      return false
    }
    switch token {
    case .string:
      scratch.removeAll()
      reader.appendString(to: scratch)
      return appendText(scratch, to: builder)
    case .true, .false:
      let isTrue = token == .true
      switch type {
      case .boolean: builder.append(fixed: UInt8(isTrue ? 1 : 0))
      case .tinyint, .smallint, .integer, .bigint: return appendInteger(isTrue ? 1 : 0, to: builder)
      case .real: builder.append(fixed: Float(isTrue ? 1 : 0))
      case .double: builder.append(fixed: Double(isTrue ? 1 : 0))
      case .decimal:
        scratch.removeAll()
        scratch.append(isTrue ? 0x31 : 0x30)
        return appendDecimal(scratch.pointer, scratch.count, to: builder)
      case .varchar:
        scratch.removeAll()
        isTrue ? scratch.append("true") : scratch.append("false")
        return appendText(scratch, to: builder)
      default: return unexpected()
      }
      return true
    case .integer, .decimal:
      let p = bytes.baseAddress!.assumingMemoryBound(to: UInt8.self)
      switch type {
      case .varchar:
        scratch.removeAll()
        if token == .integer {
          scratch.append(p, bytes.count)
        } else {
          let value = NumberText.parseDouble(p, bytes.count) ?? 0
          scratch.count += NumberText.writeScientific(value, to: scratch.room(NumberText.maxLength))
        }
        return appendText(scratch, to: builder)
      case .tinyint, .smallint, .integer, .bigint:
        if token == .integer {
          if let value = NumberText.parseInteger(p, bytes.count), appendInteger(value, to: builder) { return true }
        } else if let value = NumberText.parseDouble(p, bytes.count) {
          if let whole = Int64(exactly: value.rounded(.toNearestOrAwayFromZero)), appendInteger(whole, to: builder) {
            return true
          }
          failure = "Out of range for \(type): \(NumericCasts.javaText(value))"
          return false
        }
        failure = "Out of range for \(type): \(String(decoding: bytes, as: UTF8.self))"
        return false
      case .boolean:
        if token == .integer, NumberText.parseInteger(p, bytes.count) == nil {
          failure = "Out of range for bigint: \(String(decoding: bytes, as: UTF8.self))"
          return false
        }
        guard let value = NumberText.parseDouble(p, bytes.count) else { return unexpected() }
        builder.append(fixed: UInt8(value != 0 ? 1 : 0))
        return true
      case .real:
        guard let value = NumberText.parseReal(p, bytes.count) else { return unexpected() }
        builder.append(fixed: value)
        return true
      case .double:
        guard let value = NumberText.parseDouble(p, bytes.count) else { return unexpected() }
        builder.append(fixed: value)
        return true
      case .decimal: return appendDecimal(p, bytes.count, to: builder)
      default: return unexpected()
      }
    default: return unexpected()
    }
  }
}
