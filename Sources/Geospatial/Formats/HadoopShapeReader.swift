package import QueryErrors

/// Reads geometries as the Spatial Framework for Hadoop stores them: an Esri shape behind five bytes.
///
///     wkid: 4 bytes | OGC type: 1 byte | shape type: 4 bytes | envelope | counts | coordinates
///
/// - Source: ESRI Shapefile Technical Description, 1998; `GeometryUtils` of the framework.
package struct HadoopShapeReader {
  private let base: UnsafeRawPointer
  private let count: Int
  private var at: Int
  private static let prefixSize = 5
  /// Esri writes no-data values below this.
  private static let noData = -1e38

  /// - Throws: `INVALID_FUNCTION_ARGUMENT` for damaged bytes, `NOT_SUPPORTED` for shapes with Z or M.
  package static func read(_ base: UnsafeRawPointer, _ count: Int) throws(QueryError) -> Geometry {
    guard count > prefixSize else {
      throw QueryError(.invalidFunctionArgument, "Hadoop shape input is too short")
    }
    let type = Int8(bitPattern: base.load(fromByteOffset: 4, as: UInt8.self))
    guard (0...6).contains(type) else {
      throw QueryError(.invalidFunctionArgument, "Invalid Hadoop shape type: \(type)")
    }
    var reader = HadoopShapeReader(base: base, count: count, at: prefixSize)
    return try reader.shape(Int(type)).normalized()
  }

  private init(base: UnsafeRawPointer, count: Int, at: Int) {
    self.base = base
    self.count = count
    self.at = at
  }

  private static func damaged() -> QueryError { QueryError(.invalidFunctionArgument, "Invalid Hadoop shape") }

  private mutating func number() throws(QueryError) -> Int {
    guard count - at >= 4 else { throw HadoopShapeReader.damaged() }
    defer { at += 4 }
    return Int(Int32(littleEndian: (base + at).loadUnaligned(as: Int32.self)))
  }

  private mutating func double() throws(QueryError) -> Double {
    guard count - at >= 8 else { throw HadoopShapeReader.damaged() }
    defer { at += 8 }
    let value = Double(bitPattern: UInt64(littleEndian: (base + at).loadUnaligned(as: UInt64.self)))
    return value < HadoopShapeReader.noData ? .nan : value
  }

  private mutating func coordinate() throws(QueryError) -> Coordinate {
    let x = try double()
    return Coordinate(x, try double())
  }

  private mutating func size(of size: Int) throws(QueryError) -> Int {
    let n = try number()
    guard n >= 0, n <= (count - at) / size else { throw HadoopShapeReader.damaged() }
    return n
  }

  private mutating func coordinates(_ n: Int) throws(QueryError) -> [Coordinate] {
    guard n >= 0, n <= (count - at) / 16 else { throw HadoopShapeReader.damaged() }
    var points: [Coordinate] = []
    points.reserveCapacity(n)
    for _ in 0..<n { points.append(try coordinate()) }
    return points
  }

  /// Lines or rings.
  private mutating func paths() throws(QueryError) -> [[Coordinate]] {
    let partCount = try size(of: 4)
    let pointCount = try number()
    var starts: [Int] = []
    for _ in 0..<partCount { starts.append(try number()) }
    let points = try coordinates(pointCount)
    var paths: [[Coordinate]] = []
    for (index, start) in starts.enumerated() {
      let end = index + 1 < starts.count ? starts[index + 1] : points.count
      guard start >= 0, start <= end, end <= points.count else { throw HadoopShapeReader.damaged() }
      if start < end { paths.append(Array(points[start..<end])) }
    }
    return paths
  }

  /// - Parameter type: what the shape is to be: 0 anything, else a code of `GeometryKind` in the framework's order.
  private mutating func shape(_ type: Int) throws(QueryError) -> Geometry {
    let shape = try number()
    switch shape {
    case 1:
      let point = try coordinate()
      let known = point.isNaN ? nil : point
      switch type {
      case 0, 1: return .point(known)
      case 4: return .multiPoint(known.map { [$0] } ?? [])
      default: throw HadoopShapeReader.damaged()
      }
    case 3, 5, 8:
      for _ in 0..<4 { _ = try double() }
    case 11, 13, 15, 18, 21, 23, 25, 28, 9, 10, 19, 20, 31: throw WKTReader.hasMoreDimensions()
    default: throw HadoopShapeReader.damaged()
    }
    switch shape {
    case 8:
      let points = try coordinates(try number())
      switch type {
      case 0, 4: return .multiPoint(points)
      case 1 where points.count <= 1: return .point(points.first)
      default: throw HadoopShapeReader.damaged()
      }
    case 3:
      let lines = try paths()
      switch type {
      case 0, 5: return .multiLineString(lines)
      case 2 where lines.count <= 1: return .lineString(lines.first ?? [])
      default: throw HadoopShapeReader.damaged()
      }
    default:
      let polygons = try polygons()
      switch type {
      case 0, 6: return .multiPolygon(polygons)
      case 3 where polygons.count <= 1: return .polygon(polygons.first ?? [])
      default: throw HadoopShapeReader.damaged()
      }
    }
  }

  /// Clockwise rings begin polygons; the others are holes of the one before.
  private mutating func polygons() throws(QueryError) -> [[[Coordinate]]] {
    var polygons: [[[Coordinate]]] = []
    for path in try paths() {
      let ring = Ring.closed(path)
      if polygons.isEmpty || Ring.doubledArea(ring) < 0 {
        polygons.append([ring])
      } else {
        polygons[polygons.count - 1].append(ring)
      }
    }
    return polygons
  }
}
