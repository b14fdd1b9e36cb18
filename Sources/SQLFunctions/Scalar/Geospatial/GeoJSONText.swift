import Columnar
import Geospatial
import QueryErrors

/// Reads and writes GeoJSON geometries.
///
/// - Source: RFC 7946; details as in JTS `GeoJsonReader` and `GeoJsonWriter`: eight digits after the point, a `crs`
///   member, outer rings clockwise.
enum GeoJSONText {
  // MARK: Writing

  static func append(_ geometry: Geometry, to out: TextBuffer) {
    appendMembers(geometry.reversed(), to: out)
    // Empty points and lines are written by Trino itself, without the member.
    switch geometry {
    case .point(nil), .lineString([]): break
    default: out.append(",\"crs\":{\"type\":\"name\",\"properties\":{\"name\":\"EPSG:0\"}}")
    }
    out.append(0x7d)
  }

  /// An object's members, the closing brace left out.
  private static func appendMembers(_ geometry: Geometry, to out: TextBuffer) {
    out.append("{\"type\":\"")
    out.append(geometry.kind.name)
    out.append(geometry.kind == .collection ? "\",\"geometries\":" : "\",\"coordinates\":")
    switch geometry {
    case .point(let point): if let point { append(point, to: out) } else { out.append("[]") }
    case .lineString(let points), .multiPoint(let points): append(points, to: out)
    case .polygon(let rings): list(rings, to: out) { append($0, to: out) }
    case .multiLineString(let lines): list(lines, to: out) { append($0, to: out) }
    case .multiPolygon(let polygons):
      list(polygons, to: out) { rings in list(rings, to: out) { append($0, to: out) } }
    case .collection(let parts):
      list(parts, to: out) {
        appendMembers($0, to: out)
        out.append(0x7d)
      }
    }
  }

  private static func list<T>(_ items: [T], to out: TextBuffer, _ body: (T) -> Void) {
    out.append(0x5b)
    for (index, item) in items.enumerated() {
      if index > 0 { out.append(0x2c) }
      body(item)
    }
    out.append(0x5d)
  }

  private static func append(_ points: [Coordinate], to out: TextBuffer) { list(points, to: out) { append($0, to: out) } }

  private static func append(_ point: Coordinate, to out: TextBuffer) {
    out.append(0x5b)
    append(point.x, to: out)
    out.append(0x2c)
    append(point.y, to: out)
    out.append(0x5d)
  }

  private static let scale = 1e8

  private static func append(_ number: Double, to out: TextBuffer) {
    var number = number
    if number.magnitude >= 1e-3, number < 1e7 {
      number = (number * scale + 0.5).rounded(.down) / scale
      if let whole = Int64(exactly: number) {
        out.count += NumberText.write(whole, to: out.room(NumberText.maxLength))
        return
      }
    }
    out.count += NumberText.write(number, to: out.room(NumberText.maxLength))
  }

  // MARK: Reading

  /// A JSON value, as far as geometries need it.
  private indirect enum Value {
    case object([String: Value])
    case array([Value])
    case number(Double)
    case string(String)
    /// true, false and null.
    case other
  }

  /// What a text cannot be read for; the message lacks its beginning.
  private struct Failure: Error { var message: String }

  /// - Throws: `INVALID_FUNCTION_ARGUMENT` for text that is no JSON or no geometry.
  static func read(_ p: UnsafePointer<UInt8>, _ n: Int) throws(QueryError) -> Geometry {
    do throws(Failure) {
      var reader = JSONReader(p, n)
      let value = try value(&reader, reader.next(), depth: 0)
      guard reader.next() == .end else { throw damaged(reader) }
      return try geometry(value, depth: 0).normalized()
    } catch {
      throw QueryError(.invalidFunctionArgument, "Invalid GeoJSON: \(error.message)")
    }
  }

  private static func damaged(_ reader: JSONReader) -> Failure {
    Failure(message: "Unexpected token at position \(reader.position).")
  }

  private static func value(
    _ reader: inout JSONReader, _ token: JSONReader.Token, depth: Int
  ) throws(Failure) -> Value {
    // Collections hold geometries whose coordinates nest four deep.
    guard depth < 3 * Geometry.maxDepth else { throw Failure(message: "The text is nested too deeply.") }
    switch token {
    case .integer, .decimal:
      let bytes = reader.tokenBytes
      let number = NumberText.parseDouble(bytes.baseAddress!.assumingMemoryBound(to: UInt8.self), bytes.count)
      return .number(number ?? .nan)
    case .string: return .string(text(reader))
    case .true, .false, .null: return .other
    case .beginArray:
      var items: [Value] = []
      while true {
        let next = reader.next()
        if next == .endArray { return .array(items) }
        items.append(try value(&reader, next, depth: depth + 1))
      }
    case .beginObject:
      var members: [String: Value] = [:]
      while true {
        let next = reader.next()
        if next == .endObject { return .object(members) }
        guard next == .key else { throw damaged(reader) }
        let name = text(reader)
        members[name] = try value(&reader, reader.next(), depth: depth + 1)
      }
    default: throw damaged(reader)
    }
  }

  private static func text(_ reader: JSONReader) -> String {
    let out = TextBuffer()
    reader.appendString(to: out)
    return out.string
  }

  private static func geometry(_ value: Value, depth: Int) throws(Failure) -> Geometry {
    guard case .object(let members) = value else {
      throw Failure(message: "Could not parse Geometry from Json string.")
    }
    guard case .string(let type)? = members["type"] else {
      throw Failure(message: "Could not parse Geometry from Json string.  No 'type' property found.")
    }
    let failure = Failure(message: "Could not parse \(type) from GeoJson string.")
    guard depth < Geometry.maxDepth else { throw failure }
    switch type {
    case "Feature":
      guard case .object? = members["geometry"] else { throw failure }
      return try geometry(members["geometry"]!, depth: depth + 1)
    case "FeatureCollection", "GeometryCollection":
      let parts = members[type == "GeometryCollection" ? "geometries" : "features"]
      return .collection(try items(parts, failure).map { (part) throws(Failure) in try geometry(part, depth: depth + 1) })
    default: break
    }
    var coordinates = members["coordinates"]
    if case .other? = coordinates { coordinates = nil }
    let list = coordinates == nil ? [] : try items(coordinates, failure)
    switch type {
    case "Point": return .point(list.isEmpty ? nil : try point(.array(list), failure))
    case "LineString":
      let line = try points(.array(list), failure)
      if line.count == 1 { throw failure }
      return .lineString(line)
    case "MultiPoint": return .multiPoint(try points(.array(list), failure))
    case "Polygon": return .polygon(try rings(.array(list), failure))
    case "MultiLineString":
      return .multiLineString(
        try list.map { (line) throws(Failure) in try points(line, failure) }.filter { !$0.isEmpty })
    case "MultiPolygon":
      return .multiPolygon(
        try list.map { (polygon) throws(Failure) in try rings(polygon, failure) }.filter { !$0.isEmpty })
    default:
      throw Failure(message: "Could not parse Geometry from GeoJson string.  Unsupported 'type':\(type)")
    }
  }

  private static func items(_ value: Value?, _ failure: Failure) throws(Failure) -> [Value] {
    guard case .array(let items)? = value else { throw failure }
    return items
  }

  private static func point(_ value: Value, _ failure: Failure) throws(Failure) -> Coordinate {
    let numbers = try items(value, failure)
    guard numbers.count >= 2, case .number(let x) = numbers[0], case .number(let y) = numbers[1] else { throw failure }
    return Coordinate(x, y)
  }

  private static func points(_ value: Value, _ failure: Failure) throws(Failure) -> [Coordinate] {
    try items(value, failure).map { (item) throws(Failure) in try point(item, failure) }
  }

  /// Rings that are closed and long enough.
  private static func rings(_ value: Value, _ failure: Failure) throws(Failure) -> [[Coordinate]] {
    try items(value, failure).map { (item) throws(Failure) in
      let ring = try points(item, failure)
      guard ring.isEmpty || (ring.count >= 4 && ring.first == ring.last) else { throw failure }
      return ring
    }.filter { !$0.isEmpty }
  }
}
