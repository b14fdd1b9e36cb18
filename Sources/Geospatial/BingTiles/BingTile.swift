import Glibc
package import QueryErrors

/// A square of the Mercator map: at zoom level n the world is 2ⁿ × 2ⁿ tiles, counted from the upper left.
///
/// - Source: Microsoft, "Bing Maps Tile System".
package struct BingTile: Hashable, Sendable {
  package static let maxZoomLevel = 23
  package static let maxLatitude = 85.05112878
  package static let maxLongitude = 180.0
  private static let tilePixels: Int64 = 256

  package let x: Int32
  package let y: Int32
  package let zoomLevel: Int32

  init(_ x: Int32, _ y: Int32, _ zoomLevel: Int32) {
    self.x = x
    self.y = y
    self.zoomLevel = zoomLevel
  }

  /// From the bits that columns of type BingTile hold.
  package init(bits: Int64) {
    x = Int32(truncatingIfNeeded: bits >> 28)
    y = Int32(truncatingIfNeeded: (bits & 0xfff_ffff) >> 5)
    zoomLevel = Int32(truncatingIfNeeded: bits & 0x1f)
  }

  /// x in the bits from 28, y in those from 5, the zoom level below.
  package var bits: Int64 { Int64(x) << 28 | Int64(y) << 5 | Int64(zoomLevel) }

  // MARK: Making tiles

  /// - Throws: `INVALID_FUNCTION_ARGUMENT` for coordinates the zoom level does not have.
  package init(x: Int32, y: Int32, zoomLevel: Int32) throws(QueryError) {
    try BingTile.checkZoomLevel(zoomLevel)
    let size = Int32(1) << zoomLevel
    guard (0..<size).contains(x), (0..<size).contains(y) else {
      throw QueryError(
        .invalidFunctionArgument,
        "XY coordinates for a Bing tile at zoom level \(zoomLevel) must be within [0, \(size)) range")
    }
    self.init(x, y, zoomLevel)
  }

  /// - Parameter quadKey: a digit 0 to 3 for each zoom level.
  /// - Throws: `INVALID_FUNCTION_ARGUMENT` for other texts.
  package init(quadKey: [UInt8]) throws(QueryError) {
    guard !quadKey.isEmpty else { throw QueryError(.invalidFunctionArgument, "QuadKey must not be empty string") }
    guard quadKey.count <= BingTile.maxZoomLevel else {
      throw QueryError(.invalidFunctionArgument, "QuadKey must be \(BingTile.maxZoomLevel) characters or less")
    }
    var (x, y): (Int32, Int32) = (0, 0)
    for digit in quadKey {
      guard (0x30...0x33).contains(digit) else {
        throw QueryError(
          .invalidFunctionArgument, "Invalid QuadKey digit sequence: " + String(decoding: quadKey, as: UTF8.self))
      }
      x = x << 1 | Int32(digit & 1)
      y = y << 1 | Int32(digit >> 1 & 1)
    }
    self.init(x, y, Int32(quadKey.count))
  }

  /// The tile that a place lies in.
  ///
  /// - Throws: `INVALID_FUNCTION_ARGUMENT` for places off the map.
  package init(latitude: Double, longitude: Double, zoomLevel: Int32) throws(QueryError) {
    try BingTile.checkLatitude(latitude)
    try BingTile.checkLongitude(longitude)
    try BingTile.checkZoomLevel(zoomLevel)
    self.init(containing: latitude, longitude, zoomLevel)
  }

  /// The tile that a place on the map lies in.
  init(containing latitude: Double, _ longitude: Double, _ zoomLevel: Int32) {
    let sine = sin(latitude * Double.pi / 180)
    self.init(
      BingTile.index((longitude + 180) / 360, zoomLevel),
      BingTile.index(0.5 - log((1 + sine) / (1 - sine)) / (4 * Double.pi), zoomLevel),
      zoomLevel)
  }

  /// The row or column at a share of the map's side.
  private static func index(_ share: Double, _ zoomLevel: Int32) -> Int32 {
    let side = Double(tilePixels << Int64(zoomLevel))
    let pixel = max(0, min(side - 1, share * side))
    return Int32(Int64(pixel) / tilePixels)
  }

  // MARK: Checks

  package static func checkZoomLevel(_ zoomLevel: Int32) throws(QueryError) {
    guard zoomLevel > 0 else { throw QueryError(.invalidFunctionArgument, "Zoom level must be > 0") }
    guard zoomLevel <= maxZoomLevel else {
      throw QueryError(.invalidFunctionArgument, "Zoom level must be <= \(maxZoomLevel)")
    }
  }

  package static func checkLatitude(_ latitude: Double) throws(QueryError) {
    guard latitude >= -maxLatitude, latitude <= maxLatitude else {
      throw QueryError(.invalidFunctionArgument, "Latitude must be between \(-maxLatitude) and \(maxLatitude)")
    }
  }

  package static func checkLongitude(_ longitude: Double) throws(QueryError) {
    guard longitude >= -maxLongitude, longitude <= maxLongitude else {
      throw QueryError(.invalidFunctionArgument, "Longitude must be between \(-maxLongitude) and \(maxLongitude)")
    }
  }

  // MARK: What a tile is

  package var quadKey: [UInt8] {
    (0..<zoomLevel).reversed().map { bit in
      0x30 + UInt8(x >> bit & 1) + 2 * UInt8(y >> bit & 1)
    }
  }

  /// The place at the upper left corner of tile `x`, `y`; one past the last column or row is the map's edge.
  static func corner(_ x: Int32, _ y: Int32, _ zoomLevel: Int32) -> Coordinate {
    let side = Double(tilePixels << Int64(zoomLevel))
    let across = max(0, min(side, Double(Int64(x) * tilePixels))) / side - 0.5
    let down = 0.5 - max(0, min(side, Double(Int64(y) * tilePixels))) / side
    return Coordinate(360 * across, 90 - 360 * atan(exp(-down * 2 * Double.pi)) / Double.pi)
  }

  package var envelope: Envelope {
    let upperLeft = BingTile.corner(x, y, zoomLevel)
    let lowerRight = BingTile.corner(x + 1, y + 1, zoomLevel)
    return Envelope(minX: upperLeft.x, minY: lowerRight.y, maxX: lowerRight.x, maxY: upperLeft.y)
  }
}
