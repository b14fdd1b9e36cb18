import Glibc
package import QueryErrors

/// The tiles around a place.
package enum BingTileCircle {
  /// Most tiles that a function answers.
  package static let maxTileCount: Int64 = 1_000_000
  private static let maxRadius = 1000.0

  /// The tile of a place and its up to eight neighbours, column by column.
  ///
  /// - Throws: `INVALID_FUNCTION_ARGUMENT` for places off the map.
  package static func neighbours(
    latitude: Double, longitude: Double, zoomLevel: Int32
  ) throws(QueryError) -> [BingTile] {
    let center = try BingTile(latitude: latitude, longitude: longitude, zoomLevel: zoomLevel)
    let range = 0..<(Int32(1) << zoomLevel)
    var tiles: [BingTile] = []
    for x in center.x - 1...center.x + 1 where range.contains(x) {
      for y in center.y - 1...center.y + 1 where range.contains(y) { tiles.append(BingTile(x, y, zoomLevel)) }
    }
    return tiles
  }

  /// The tiles that cover a circle, across the date line too: first the center's row, then its column, then the corners
  /// between, each from the outside in.
  ///
  /// - Parameter radius: in kilometers.
  /// - Throws: `INVALID_FUNCTION_ARGUMENT` for places off the map, radii outside of 0 … 1000, and too many tiles.
  package static func tiles(
    latitude: Double, longitude: Double, zoomLevel: Int32, radius: Double
  ) throws(QueryError) -> [BingTile] {
    let center = try BingTile(latitude: latitude, longitude: longitude, zoomLevel: zoomLevel)
    guard radius >= 0 else { throw QueryError(.invalidFunctionArgument, "Radius must be >= 0") }
    guard radius <= maxRadius else { throw QueryError(.invalidFunctionArgument, "Radius must be <= 1,000 km") }
    let last = (Int32(1) << zoomLevel) - 1
    let top = BingTile(containing: shifted(latitude, radius, northward: true), longitude, zoomLevel).y
    let bottom = BingTile(containing: shifted(latitude, radius, northward: false), longitude, zoomLevel).y
    let left = BingTile(containing: latitude, shifted(latitude, longitude, radius, eastward: false), zoomLevel).x
    let right = BingTile(containing: latitude, shifted(latitude, longitude, radius, eastward: true), zoomLevel).x

    let columnCount = Int64(right) - Int64(left) + 1 + (right < left ? Int64(last) + 1 : 0)
    let count = columnCount * (Int64(bottom) - Int64(top) + 1)
    guard count <= maxTileCount else {
      throw QueryError(
        .invalidFunctionArgument,
        "The number of tiles covering input rectangle exceeds the limit of 1M. Number of tiles: \(count). "
          + "Radius: \(FixedText.text(radius, decimals: 1)) km. Zoom level: \(zoomLevel).")
    }

    var tiles: [BingTile] = []
    for step in 0..<columnCount {
      let x = Int32((Int64(left) + step) % (Int64(last) + 1))
      tiles.append(BingTile(x, center.y, zoomLevel))
    }
    for y in top...bottom where y != center.y { tiles.append(BingTile(center.x, y, zoomLevel)) }

    let place = Coordinate(longitude, latitude)
    /// The tiles of a column from the outside in, once one of them reaches into the circle.
    func add(_ x: Int32, _ rows: some Sequence<Int32>, corner: (Int32) -> Coordinate) {
      var isInside = false
      for y in rows {
        if !isInside { isInside = SphericalMeasures.kilometers(from: place, to: corner(y)) <= radius }
        if isInside { tiles.append(BingTile(x, y, zoomLevel)) }
      }
    }
    let above = stride(from: top, to: center.y, by: 1)
    let below = stride(from: bottom, to: center.y, by: -1)
    var x = right
    while x != center.x {
      add(x, above) { BingTile.corner(x, $0 + 1, zoomLevel) }
      add(x, below) { BingTile.corner(x, $0, zoomLevel) }
      x = x == 0 ? last : x - 1
    }
    x = left
    while x != center.x {
      add(x, above) { BingTile.corner(x + 1, $0 + 1, zoomLevel) }
      add(x, below) { BingTile.corner(x + 1, $0, zoomLevel) }
      x = x == last ? 0 : x + 1
    }
    return tiles
  }

  private static func degrees(_ radians: Double) -> Double { radians * (180 / Double.pi) }

  /// The latitude `radius` kilometers to the north or south, on the map.
  private static func shifted(_ latitude: Double, _ radius: Double, northward: Bool) -> Double {
    let angle = radius / SphericalMeasures.earthRadiusKilometers
    let radians = SphericalMeasures.radians(latitude)
    let moved = degrees(asin(sin(radians) * cos(angle) + cos(radians) * sin(angle) * (northward ? 1 : -1)))
    return max(-BingTile.maxLatitude, min(BingTile.maxLatitude, moved))
  }

  /// The longitude `radius` kilometers to the east or west, around the date line where need be.
  private static func shifted(_ latitude: Double, _ longitude: Double, _ radius: Double, eastward: Bool) -> Double {
    let angle = radius / SphericalMeasures.earthRadiusKilometers
    let sine = sin(SphericalMeasures.radians(latitude))
    let across = sin(angle) * cos(SphericalMeasures.radians(latitude)) * (eastward ? 1 : -1)
    let moved = degrees(SphericalMeasures.radians(longitude) + atan2(across, cos(angle) - sine * sine))
    let limit = BingTile.maxLongitude
    if moved > limit { return moved - 2 * limit }
    return moved < -limit ? moved + 2 * limit : moved
  }
}
