import Columnar
package import QueryErrors

/// Reads well-known text as Esri's library does: open rings are closed, `MULTIPOINT (1 2, 3 4)` is taken, and text after
/// the geometry is not looked at.
package struct WKTReader {
  private let p: UnsafePointer<UInt8>
  private let count: Int
  private var at = 0

  /// What went wrong inside; the message is made of the whole text.
  private enum Failure: Error { case damaged, moreDimensions }

  /// - Throws: `INVALID_FUNCTION_ARGUMENT` for text that is no geometry, `NOT_SUPPORTED` for more than two dimensions.
  package static func read(_ p: UnsafePointer<UInt8>, _ count: Int) throws(QueryError) -> Geometry {
    var reader = WKTReader(p: p, count: count)
    do throws(Failure) {
      return try reader.geometry(depth: 0).normalized()
    } catch {
      switch error {
      case .damaged:
        let text = String(decoding: UnsafeBufferPointer(start: p, count: count), as: UTF8.self)
        throw QueryError(.invalidFunctionArgument, "Invalid WKT: \(text)")
      case .moreDimensions: throw hasMoreDimensions()
      }
    }
  }

  static func hasMoreDimensions() -> QueryError {
    .notSupported("Geometries with Z or M coordinates are not supported")
  }

  private init(p: UnsafePointer<UInt8>, count: Int) {
    self.p = p
    self.count = count
  }

  private mutating func skipSpaces() {
    while at < count, p[at] == 0x20 || (p[at] >= 0x09 && p[at] <= 0x0d) { at += 1 }
  }

  private mutating func take(_ word: StaticString) -> Bool {
    let n = word.utf8CodeUnitCount
    guard count - at >= n else { return false }
    for k in 0..<n where p[at + k] | 0x20 != word.utf8Start[k] { return false }
    at += n
    return true
  }

  private mutating func take(byte: UInt8) -> Bool {
    skipSpaces()
    guard at < count, p[at] == byte else { return false }
    at += 1
    return true
  }

  private mutating func empty() -> Bool {
    skipSpaces()
    return take("empty")
  }

  private mutating func number() throws(Failure) -> Double {
    skipSpaces()
    if take("nan") { return .nan }
    let start = at
    if at < count, p[at] == 0x2d || p[at] == 0x2b { at += 1 }
    let first = at
    while at < count, p[at] &- 0x30 <= 9 { at += 1 }
    var digits = at - first
    if at < count, p[at] == 0x2e {
      at += 1
      let fraction = at
      while at < count, p[at] &- 0x30 <= 9 { at += 1 }
      digits += at - fraction
    }
    guard digits > 0 else { throw .damaged }
    if at < count, p[at] | 0x20 == 0x65 {
      at += 1
      if at < count, p[at] == 0x2d || p[at] == 0x2b { at += 1 }
      let exponent = at
      while at < count, p[at] &- 0x30 <= 9 { at += 1 }
      guard at > exponent else { throw .damaged }
    }
    guard let value = NumberText.parseDouble(p + start, at - start) else { throw .damaged }
    return value
  }

  private mutating func coordinate() throws(Failure) -> Coordinate {
    let x = try number()
    return Coordinate(x, try number())
  }

  /// `(item, item, …)` or `EMPTY`.
  private mutating func list<T>(_ item: (inout WKTReader) throws(Failure) -> T?) throws(Failure) -> [T] {
    if empty() { return [] }
    guard take(byte: 0x28) else { throw .damaged }
    var items: [T] = []
    repeat {
      if let item = try item(&self) { items.append(item) }
    } while take(byte: 0x2c)
    guard take(byte: 0x29) else { throw .damaged }
    return items
  }

  private mutating func points() throws(Failure) -> [Coordinate] {
    try list { (reader) throws(Failure) -> Coordinate? in try reader.coordinate() }
  }

  private mutating func lines() throws(Failure) -> [[Coordinate]] {
    try list { (reader) throws(Failure) -> [Coordinate]? in
      let points = try reader.points()
      return points.isEmpty ? nil : points
    }
  }

  private mutating func rings() throws(Failure) -> [[Coordinate]] { try lines().map(Ring.closed) }

  private mutating func multiPoint() throws(Failure) -> [Coordinate] {
    try list { (reader) throws(Failure) -> Coordinate? in
      if reader.empty() { return nil }
      guard reader.take(byte: 0x28) else { return try reader.coordinate() }
      let point = try reader.coordinate()
      guard reader.take(byte: 0x29) else { throw .damaged }
      return point.isNaN ? nil : point
    }
  }

  private mutating func geometry(depth: Int) throws(Failure) -> Geometry {
    guard depth < Geometry.maxDepth else { throw .damaged }
    skipSpaces()
    let kind: GeometryKind
    if take("point") {
      kind = .point
    } else if take("linestring") {
      kind = .lineString
    } else if take("multipoint") {
      kind = .multiPoint
    } else if take("polygon") {
      kind = .polygon
    } else if take("multilinestring") {
      kind = .multiLineString
    } else if take("multipolygon") {
      kind = .multiPolygon
    } else if take("geometrycollection") {
      kind = .collection
    } else {
      throw .damaged
    }
    skipSpaces()
    if at < count, p[at] | 0x20 == 0x7a || p[at] | 0x20 == 0x6d { throw .moreDimensions }
    switch kind {
    case .point:
      if empty() { return .point(nil) }
      guard take(byte: 0x28) else { throw .damaged }
      let point = try coordinate()
      guard take(byte: 0x29) else { throw .damaged }
      return .point(point.isNaN ? nil : point)
    case .lineString: return .lineString(try points())
    case .polygon: return .polygon(try rings())
    case .multiPoint: return .multiPoint(try multiPoint())
    case .multiLineString: return .multiLineString(try lines())
    case .multiPolygon:
      return .multiPolygon(
        try list { (reader) throws(Failure) -> [[Coordinate]]? in
          let rings = try reader.rings()
          return rings.isEmpty ? nil : rings
        })
    case .collection:
      return .collection(
        try list { (reader) throws(Failure) -> Geometry? in try reader.geometry(depth: depth + 1) })
    }
  }
}
