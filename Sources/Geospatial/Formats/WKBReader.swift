package import QueryErrors

/// Reads well-known binary: one byte for the byte order, a type code, counts and coordinates.
///
///     01 | 01 00 00 00 | x: 8 bytes | y: 8 bytes          a point, little-endian
///
/// Values of type Geometry are stored like that too: little-endian, in two dimensions, with normalized rings.
///
/// - Source: OGC 06-103r4, section 8.2; type codes with Z and M as ISO and PostGIS write them.
package struct WKBReader {
  private let base: UnsafeRawPointer
  private let count: Int
  private var at = 0
  private var isBigEndian = false

  private init(_ base: UnsafeRawPointer, _ count: Int) {
    self.base = base
    self.count = count
  }

  /// The geometry as it is written, rings not normalized.
  ///
  /// - Throws: `INVALID_FUNCTION_ARGUMENT` for damaged bytes, `NOT_SUPPORTED` for more than two dimensions.
  package static func read(_ base: UnsafeRawPointer, _ count: Int) throws(QueryError) -> Geometry {
    var reader = WKBReader(base, count)
    return try reader.geometry(depth: 0)
  }

  package static func read(_ bytes: [UInt8]) throws(QueryError) -> Geometry {
    // An array's address lives as long as the call.
    try read(bytes, bytes.count)
  }

  private static func damaged() -> QueryError { QueryError(.invalidFunctionArgument, "Invalid WKB") }

  private mutating func number() throws(QueryError) -> UInt32 {
    guard count - at >= 4 else { throw WKBReader.damaged() }
    let value = (base + at).loadUnaligned(as: UInt32.self)
    at += 4
    return isBigEndian ? UInt32(bigEndian: value) : UInt32(littleEndian: value)
  }

  private mutating func double() -> Double {
    let bits = (base + at).loadUnaligned(as: UInt64.self)
    at += 8
    return Double(bitPattern: isBigEndian ? UInt64(bigEndian: bits) : UInt64(littleEndian: bits))
  }

  private mutating func header() throws(QueryError) -> GeometryKind {
    guard at < count else { throw WKBReader.damaged() }
    let order = base.load(fromByteOffset: at, as: UInt8.self)
    guard order <= 1 else { throw WKBReader.damaged() }
    isBigEndian = order == 0
    at += 1
    var code = try number()
    let hasSRID = code & 0x2000_0000 != 0
    let hasMore = code & 0xc000_0000 != 0 || (code & 0xffff) >= 1000
    code &= 0x1fff_ffff
    if hasMore {
      guard GeometryKind(rawValue: UInt8(truncatingIfNeeded: code % 1000)) != nil, code < 4000 else {
        throw WKBReader.damaged()
      }
      throw WKTReader.hasMoreDimensions()
    }
    if hasSRID { _ = try number() }
    guard code <= 7, let kind = GeometryKind(rawValue: UInt8(code)) else { throw WKBReader.damaged() }
    return kind
  }

  /// A count of things that take at least `size` bytes each.
  private mutating func size(of size: Int) throws(QueryError) -> Int {
    let n = Int(try number())
    guard n <= (count - at) / size else { throw WKBReader.damaged() }
    return n
  }

  private mutating func coordinates() throws(QueryError) -> [Coordinate] {
    let n = try size(of: 16)
    var points: [Coordinate] = []
    points.reserveCapacity(n)
    for _ in 0..<n {
      let x = double()
      points.append(Coordinate(x, double()))
    }
    return points
  }

  private mutating func rings() throws(QueryError) -> [[Coordinate]] {
    let n = try size(of: 4)
    var rings: [[Coordinate]] = []
    for _ in 0..<n {
      let points = try coordinates()
      if !points.isEmpty { rings.append(Ring.closed(points)) }
    }
    return rings
  }

  private mutating func part(_ kind: GeometryKind) throws(QueryError) {
    guard try header() == kind else { throw WKBReader.damaged() }
  }

  private mutating func point() throws(QueryError) -> Coordinate? {
    guard count - at >= 16 else { throw WKBReader.damaged() }
    let x = double()
    let point = Coordinate(x, double())
    return point.isNaN ? nil : point
  }

  private mutating func geometry(depth: Int) throws(QueryError) -> Geometry {
    guard depth < Geometry.maxDepth else { throw WKBReader.damaged() }
    switch try header() {
    case .point: return .point(try point())
    case .lineString: return .lineString(try coordinates())
    case .polygon: return .polygon(try rings())
    case .multiPoint:
      var points: [Coordinate] = []
      for _ in 0..<(try size(of: 21)) {
        try part(.point)
        if let point = try point() { points.append(point) }
      }
      return .multiPoint(points)
    case .multiLineString:
      var lines: [[Coordinate]] = []
      for _ in 0..<(try size(of: 9)) {
        try part(.lineString)
        let points = try coordinates()
        if !points.isEmpty { lines.append(points) }
      }
      return .multiLineString(lines)
    case .multiPolygon:
      var polygons: [[[Coordinate]]] = []
      for _ in 0..<(try size(of: 9)) {
        try part(.polygon)
        let rings = try rings()
        if !rings.isEmpty { polygons.append(rings) }
      }
      return .multiPolygon(polygons)
    case .collection:
      var parts: [Geometry] = []
      for _ in 0..<(try size(of: 9)) { parts.append(try geometry(depth: depth + 1)) }
      return .collection(parts)
    }
  }
}
