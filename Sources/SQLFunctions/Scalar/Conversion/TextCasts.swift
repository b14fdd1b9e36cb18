import Columnar
import Glibc
import QueryErrors

/// Reads one kind of value from text.
private protocol TextParser {
  associatedtype Value: BitwiseCopyable
  static func parse(_ p: UnsafePointer<UInt8>, _ n: Int) -> Value?
}

/// Casts from and to varchar and char.
///
/// Char values are stored without trailing spaces; they are padded when they become varchar.
///
/// - Source: Trino `VarcharOperators`, `CharacterStringCasts` and the varchar casts of each type.
enum TextCasts {
  typealias Cast = CastRegistry.Cast

  // MARK: Between texts

  static func betweenTexts(_ from: DataType, _ to: DataType) -> Cast? {
    switch (from, to) {
    case (.varchar, .varchar(let length?)):
      return { (columns, n, context) throws(QueryError) -> Column in
        let x = columns[0].view
        return mapRows(columns, n, &context) { row, _ -> StringView in prefix(x, row, length) }
      }
    case (.varchar, .char(let length)), (.char, .char(let length)):
      return { (columns, n, context) throws(QueryError) -> Column in
        let x = columns[0].view
        return mapRows(columns, n, &context) { row, _ -> StringView in withoutPadding(prefix(x, row, length)) }
      }
    case (.char(let charLength), .varchar(let length)):
      let wanted = min(charLength, length ?? charLength)
      return { (columns, n, context) throws(QueryError) -> Column in
        let x = columns[0].view
        let text = TextBuffer()
        return mapRows(columns, n, &context) { row, rows -> StringView in
          let value = prefix(x, row, wanted)
          text.removeAll()
          text.append(value)
          ValueText.pad(value, to: wanted, in: text)
          return rows.arena.add(UnsafeRawPointer(text.pointer), text.count)
        }
      }
    default: return nil
    }
  }

  /// The first `length` code points; long results still point into the argument's heap.
  @inline(__always)
  private static func prefix(_ view: ColumnView, _ row: Int, _ length: Int) -> StringView {
    let value = view.value(row, as: StringView.self)
    // No text has more code points than bytes.
    if value.count <= length { return value }
    return shortened(value, length)
  }

  private static func shortened(_ value: StringView, _ length: Int) -> StringView {
    value.withBytes { (raw, n) in
      let p = raw.assumingMemoryBound(to: UInt8.self)
      var at = 0
      var seen = 0
      while at < n {
        if p[at] & 0xc0 != 0x80 {
          if seen == length { return StringView(raw, count: at) }
          seen += 1
        }
        at += 1
      }
      return value
    }
  }

  /// The value without trailing spaces.
  @inline(__always)
  static func withoutPadding(_ value: StringView) -> StringView {
    value.withBytes { (raw, n) in
      let p = raw.assumingMemoryBound(to: UInt8.self)
      var end = n
      while end > 0, p[end - 1] == 0x20 { end -= 1 }
      return end == n ? value : StringView(raw, count: end)
    }
  }

  // MARK: To text

  /// Any scalar as varchar; the value must fit when the length is bounded.
  static func toText(_ from: DataType, _ length: Int?) -> Cast? {
    switch from {
    case .boolean, .tinyint, .smallint, .integer, .bigint, .real, .double, .decimal, .date, .time, .timeWithTimeZone,
      .timestamp, .timestampWithTimeZone, .intervalYearToMonth, .intervalDayToSecond, .uuid, .ipaddress:
      break
    default: return nil
    }
    switch from {
    case .bigint where length ?? 20 >= 20:
      return written { view, row, p in NumberText.write(view.value(row, as: Int64.self), to: p) }
    case .integer where length ?? 11 >= 11:
      return written { view, row, p in NumberText.write(Int64(view.value(row, as: Int32.self)), to: p) }
    case .double where length ?? 24 >= 24:
      return written { view, row, p in NumberText.writeScientific(view.value(row, as: Double.self), to: p) }
    case .date where length ?? 20 >= 20:
      return written { view, row, p in TimestampText.writeDate(days: Int(view.value(row, as: Int32.self)), to: p) }
    case .decimal(let precision, let scale) where length ?? 41 >= 41 && precision <= 18:
      return written { view, row, p in
        NumberText.writeDecimal(Int128(view.value(row, as: Int64.self)), scale: scale, to: p)
      }
    case .timestamp(let precision) where length ?? 64 >= 64 && precision <= 6:
      return written { view, row, p in
        TimestampText.write(micros: view.value(row, as: Int64.self), precision: precision, to: p)
      }
    default: break
    }
    return { (columns, n, context) throws(QueryError) -> Column in
      let writer = ValueText(from, .cast)
      let text = TextBuffer()
      let (x, storage) = (columns[0].view, columns[0].storage)
      return mapRows(columns, n, &context) { row, rows -> StringView in
        text.removeAll()
        writer.append(x, storage, row, to: text)
        if let length, text.count > length {
          rows.fail(.invalidCastArgument, tooLong(from, text.string, columns[0].scalar(row), length))
          return StringView()
        }
        return rows.arena.add(UnsafeRawPointer(text.pointer), text.count)
      }
    }
  }

  /// A cast whose text always fits: written in place where the result keeps it.
  @inline(__always)
  private static func written(
    _ write: @escaping @Sendable (ColumnView, Int, UnsafeMutablePointer<UInt8>) -> Int
  ) -> Cast {
    { (columns, n, context) throws(QueryError) -> Column in
      let x = columns[0].view
      return mapRows(columns, n, &context) { row, rows -> StringView in
        let start = rows.arena.reserve(NumberText.maxLength)
        let count = write(x, row, start.assumingMemoryBound(to: UInt8.self))
        rows.arena.unreserve(count > StringView.inlineCapacity ? NumberText.maxLength - count : NumberText.maxLength)
        return StringView(start, count: count)
      }
    }
  }

  private static func tooLong(_ from: DataType, _ text: String, _ value: Scalar, _ length: Int) -> String {
    switch (from, value) {
    case (.boolean, _), (.uuid, _), (.ipaddress, _): "Cannot cast '\(text)' to varchar(\(length))"
    case (.double, .double(let x)):
      "Value \(NumericCasts.javaText(x)) (\(text)) cannot be represented as varchar(\(length))"
    case (.real, .real(let x)):
      "Value \(NumericCasts.javaText(Double(x))) (\(text)) cannot be represented as varchar(\(length))"
    default: "Value \(text) cannot be represented as varchar(\(length))"
    }
  }

  // MARK: From text

  static func fromText(_ to: DataType) -> Cast? {
    switch to {
    case .boolean: return parsed(BooleanParser.self, to, "BOOLEAN")
    case .tinyint: return parsed(IntegerParser<Int8>.self, to, "TINYINT")
    case .smallint: return parsed(IntegerParser<Int16>.self, to, "SMALLINT")
    case .integer: return parsed(IntegerParser<Int32>.self, to, "INT")
    case .bigint: return parsed(IntegerParser<Int64>.self, to, "BIGINT")
    case .real: return parsed(RealParser.self, to, "REAL")
    case .double: return parsed(DoubleParser.self, to, "DOUBLE")
    case .decimal(let precision, let scale): return decimals(precision, scale)
    case .varbinary, .jsonPath:
      return { (columns, n, context) throws(QueryError) -> Column in
        columns[0].retyped(to)
      }
    case .date: return DateTimeCasts.dateFromText
    case .time(let precision): return DateTimeCasts.timeFromText(precision)
    case .timeWithTimeZone(let precision): return DateTimeCasts.timeWithZoneFromText(precision)
    case .timestamp(let precision): return DateTimeCasts.timestampFromText(precision)
    case .timestampWithTimeZone(let precision): return DateTimeCasts.timestampWithZoneFromText(precision)
    case .uuid: return BinaryCasts.uuidFromText
    case .ipaddress: return BinaryCasts.ipaddressFromText
    default: return nil
    }
  }

  private enum BooleanParser: TextParser {
    @inline(__always)
    static func parse(_ p: UnsafePointer<UInt8>, _ n: Int) -> UInt8? { parseBoolean(p, n) }
  }
  private enum IntegerParser<T: FixedWidthInteger & BitwiseCopyable>: TextParser {
    @inline(__always)
    static func parse(_ p: UnsafePointer<UInt8>, _ n: Int) -> T? {
      guard let value = NumberText.parseInteger(p, n) else { return nil }
      let narrow = T(truncatingIfNeeded: value)
      return Int64(truncatingIfNeeded: narrow) == value ? narrow : nil
    }
  }
  private enum RealParser: TextParser {
    @inline(__always)
    static func parse(_ p: UnsafePointer<UInt8>, _ n: Int) -> Float? { NumberText.parseReal(p, n) }
  }
  private enum DoubleParser: TextParser {
    @inline(__always)
    static func parse(_ p: UnsafePointer<UInt8>, _ n: Int) -> Double? { NumberText.parseDouble(p, n) }
  }

  @inline(__always)
  private static func parsed<P: TextParser & SendableMetatype>(_: P.Type, _ to: DataType, _ name: String) -> Cast {
    { (columns, n, context) throws(QueryError) -> Column in
      let x = columns[0].view
      let validity = columns[0].validity
      let values = Buffer.zeroed(byteCount: n &* MemoryLayout<P.Value>.stride)
      let out = values.typed(P.Value.self)
      let views = x.values.assumingMemoryBound(to: StringView.self)
      var row = 0
      while row < n {
        if !x.isNull(row) {
          let location = views + x.position(row)
          let bytes = StringView.bytes(at: location).assumingMemoryBound(to: UInt8.self)
          if let value = P.parse(bytes, location.pointee.count) {
            out[row] = value
          } else {
            context.errors.record(row, .invalidCastArgument, "Cannot cast '\(location.pointee.string)' to \(name)")
          }
        }
        row &+= 1
      }
      return Column(flat: to, count: n, values: values, validity: validity)
    }
  }

  /// `true`, `t`, `1`, `false`, `f`, `0` in any case.
  static func parseBoolean(_ p: UnsafePointer<UInt8>, _ n: Int) -> UInt8? {
    func matches(_ word: StaticString) -> Bool {
      guard n == word.utf8CodeUnitCount else { return false }
      for k in 0..<n where p[k] | 0x20 != word.utf8Start[k] { return false }
      return true
    }
    if n == 1 {
      switch p[0] {
      case 0x31, 0x74, 0x54: return 1
      case 0x30, 0x66, 0x46: return 0
      default: return nil
      }
    }
    if matches("true") { return 1 }
    if matches("false") { return 0 }
    return nil
  }

  private static func decimals(_ precision: Int, _ scale: Int) -> Cast {
    { (columns, n, context) throws(QueryError) -> Column in
      let x = columns[0].view
      let views = x.values.assumingMemoryBound(to: StringView.self)
      return NumericCasts.decimalColumn(columns, n, &context, precision) { row, rows in
        let location = views + x.position(row)
        let bytes = StringView.bytes(at: location).assumingMemoryBound(to: UInt8.self)
        let result = NumberText.parseDecimal(bytes, location.pointee.count, precision: precision, scale: scale)
        if case .value(let value) = result { return value }
        let reason = result == .notANumber ? "Value is not a number." : "Value too large."
        rows.fail(
          .invalidCastArgument,
          "Cannot cast VARCHAR '\(location.pointee.string)' to DECIMAL(\(precision), \(scale)). \(reason)")
        return 0
      }
    }
  }
}
