package import Columnar
import Geospatial
import Glibc

/// Writes values of one type as text.
///
///     .cast     as CAST(x AS varchar) has it: doubles as 1.0E0
///     .output   as clients print results: doubles as 1.0; arrays [1, 2], maps {a=1}, rows {a=1}
///
/// - Threads: one owner; keeps the last time zone looked up.
package final class ValueText {
  package enum Style: Sendable { case cast, output }

  package let type: DataType
  private let style: Style
  private let children: [ValueText]
  private let fieldNames: [String]
  private var cursor = TimeZoneCursor()

  package init(_ type: DataType, _ style: Style) {
    self.type = type
    self.style = style
    children = type.childTypes.map { ValueText($0, style) }
    if case .row(let fields) = type {
      fieldNames = fields.enumerated().map { $1.name ?? "field\($0)" }
    } else {
      fieldNames = []
    }
  }

  /// Appends row `row` of a column of this type; NULL as `null`.
  package func append(_ column: Column, _ row: Int, to out: TextBuffer) {
    if column.isNull(row) { return out.append("null") }
    append(column.view, column.storage, row, to: out)
  }

  /// Appends a value that is not NULL.
  ///
  /// - Parameter storage: `column.storage` of the column that `view` came from.
  package func append(_ view: ColumnView, _ storage: Column, _ row: Int, to out: TextBuffer) {
    func room() -> UnsafeMutablePointer<UInt8> { out.room(NumberText.maxLength + 32) }
    switch type {
    case .unknown, .function: out.append("null")
    case .boolean: view.value(row, as: UInt8.self) != 0 ? out.append("true") : out.append("false")
    case .tinyint: out.count += NumberText.write(Int64(view.value(row, as: Int8.self)), to: room())
    case .smallint: out.count += NumberText.write(Int64(view.value(row, as: Int16.self)), to: room())
    case .integer: out.count += NumberText.write(Int64(view.value(row, as: Int32.self)), to: room())
    case .bigint: out.count += NumberText.write(view.value(row, as: Int64.self), to: room())
    case .real:
      let value = view.value(row, as: Float.self)
      out.count += style == .cast ? NumberText.writeScientific(value, to: room()) : NumberText.write(value, to: room())
    case .double:
      let value = view.value(row, as: Double.self)
      out.count += style == .cast ? NumberText.writeScientific(value, to: room()) : NumberText.write(value, to: room())
    case .decimal(let precision, let scale):
      let value =
        precision <= DataType.maxShortDecimalPrecision
        ? Int128(view.value(row, as: Int64.self)) : view.value(row, as: Int128.self)
      out.count += NumberText.writeDecimal(value, scale: scale, to: room())
    case .varchar, .json, .jsonPath: out.append(view.value(row, as: StringView.self))
    case .char(let length):
      let value = view.value(row, as: StringView.self)
      out.append(value)
      ValueText.pad(value, to: length, in: out)
    case .varbinary, .hyperLogLog, .p4HyperLogLog, .setDigest, .tDigest, .qDigest:
      view.value(row, as: StringView.self).withBytes { (p, n) in ValueText.appendHexadecimal(p, n, to: out) }
    case .date: out.count += TimestampText.writeDate(days: Int(view.value(row, as: Int32.self)), to: room())
    case .time(let precision):
      out.count += TimestampText.writeTime(picosOfDay: view.value(row, as: Int64.self), precision: precision, to: room())
    case .timeWithTimeZone(let precision):
      let value = view.value(row, as: Int128.self)
      out.count += TimestampText.writeTime(
        picosOfDay: ZonedTime.localPicos(value), precision: precision, to: room())
      out.count += TimestampText.writeOffset(minutes: ZonedTime.offsetMinutes(value), to: room())
    case .timestamp(let precision):
      if precision <= DataType.maxShortTimestampPrecision {
        out.count += TimestampText.write(micros: view.value(row, as: Int64.self), precision: precision, to: room())
      } else {
        out.count += TimestampText.write(picos: view.value(row, as: Int128.self), precision: precision, to: room())
      }
    case .timestampWithTimeZone(let precision):
      let value = view.value(row, as: Int128.self)
      let local = ZonedTimestamp.localPicos(value, &cursor)
      out.count += TimestampText.write(picos: local, precision: precision, to: room())
      out.append(0x20)
      out.append(cursor.zone(ZonedTimestamp.key(value)).name)
    case .intervalYearToMonth:
      out.count += IntervalText.writeYearToMonth(view.value(row, as: Int32.self), to: room())
    case .intervalDayToSecond:
      out.count += IntervalText.writeDayToSecond(view.value(row, as: Int64.self), to: room())
    case .geometry, .sphericalGeography:
      let geometry = view.value(row, as: StringView.self).withBytes { (p, n) in try? WKBReader.read(p, n) }
      if let geometry { WKTWriter.append(geometry, to: out) }
    case .bingTile:
      let tile = BingTile(bits: view.value(row, as: Int64.self))
      out.append("{x=\(tile.x), y=\(tile.y), zoom=\(tile.zoomLevel)}")
    case .color: out.append(ColorValue(code: view.value(row, as: Int32.self)).text)
    case .uuid: view.value(row, as: StringView.self).withBytes { (p, n) in NetworkText.appendUUID(p, n, to: out) }
    case .ipaddress:
      view.value(row, as: StringView.self).withBytes { (p, n) in NetworkText.appendIPAddress(p, n, to: out) }
    case .array:
      out.append(0x5b)
      var isFirst = true
      for k in storage.elementRange(view.position(row)) {
        if !isFirst { out.append(", ") }
        isFirst = false
        children[0].append(storage.children[0], k, to: out)
      }
      out.append(0x5d)
    case .map:
      out.append(0x7b)
      var isFirst = true
      for k in storage.elementRange(view.position(row)) {
        if !isFirst { out.append(", ") }
        isFirst = false
        children[0].append(storage.children[0], k, to: out)
        out.append(0x3d)
        children[1].append(storage.children[1], k, to: out)
      }
      out.append(0x7d)
    case .row:
      out.append(0x7b)
      let at = view.position(row)
      for (index, child) in children.enumerated() {
        if index > 0 { out.append(", ") }
        out.append(fieldNames[index])
        out.append(0x3d)
        child.append(storage.children[index], at, to: out)
      }
      out.append(0x7d)
    }
  }

  /// Appends the spaces that a char value is stored without.
  package static func pad(_ value: StringView, to length: Int, in out: TextBuffer) {
    var missing = value.withBytes { (p, n) in length - codePoints(p.assumingMemoryBound(to: UInt8.self), n) }
    while missing > 0 {
      out.append(0x20)
      missing -= 1
    }
  }

  /// The number of code points of UTF-8 text.
  package static func codePoints(_ p: UnsafePointer<UInt8>, _ n: Int) -> Int {
    var count = 0
    var k = 0
    while k < n {
      count &+= bit(p[k] & 0xc0 != 0x80)
      k &+= 1
    }
    return count
  }

  /// Bytes as Athena prints varbinary: `68 65 6c`.
  package static func appendHexadecimal(_ p: UnsafeRawPointer, _ n: Int, to out: TextBuffer) {
    let bytes = p.assumingMemoryBound(to: UInt8.self)
    func digit(_ x: UInt8) -> UInt8 { x < 10 ? 0x30 + x : 0x57 + x }
    for k in 0..<n {
      if k > 0 { out.append(0x20) }
      out.append(digit(bytes[k] >> 4))
      out.append(digit(bytes[k] & 15))
    }
  }
}
