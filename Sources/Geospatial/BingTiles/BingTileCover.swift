package import QueryErrors

/// The tiles of one zoom level that cover a geometry.
package struct BingTileCover {
  /// Above this zoom level, tiles that lie inside the geometry are taken whole and only the others are split.
  private static let splitLevel: Int32 = 10
  private static let maxComplexity: Int64 = 25_000_000

  private let zoomLevel: Int32
  /// The parts of the geometry; nil where every tile of the envelope counts.
  private let shapes: [GEOSContext.Shape]?
  private let context: GEOSContext?
  private(set) var tiles: [BingTile] = []

  /// - Throws: `INVALID_FUNCTION_ARGUMENT` for geometries off the map and for too many tiles.
  package static func tiles(
    _ geometry: Geometry, zoomLevel: Int32, _ context: () throws(QueryError) -> GEOSContext
  ) throws(QueryError) -> [BingTile] {
    try BingTile.checkZoomLevel(zoomLevel)
    let envelope = geometry.envelope
    if envelope.isEmpty { return [] }
    let (maxY, maxX) = (BingTile.maxLatitude, BingTile.maxLongitude)
    guard envelope.minY >= -maxY, envelope.maxY <= maxY else {
      throw QueryError(
        .invalidFunctionArgument, "Latitude span for the geometry must be in [-85.05, 85.05] range")
    }
    guard envelope.minX >= -maxX, envelope.maxX <= maxX else {
      throw QueryError(
        .invalidFunctionArgument, "Longitude span for the geometry must be in [-180.00, 180.00] range")
    }
    let first = BingTile(containing: envelope.maxY, envelope.minX, zoomLevel)
    var last = BingTile(containing: envelope.minY, envelope.maxX, zoomLevel)
    // A tile that the envelope only touches does not count.
    let corner = BingTile.corner(last.x, last.y, zoomLevel)
    last = BingTile(
      last.x - (corner.x == envelope.maxX ? 1 : 0), last.y - (corner.y == envelope.minY ? 1 : 0), zoomLevel)
    let count = (Int64(last.x) - Int64(first.x) + 1) * (Int64(last.y) - Int64(first.y) + 1)
    let isWhole = fillsEnvelope(geometry, envelope)
    try check(count, geometry, envelope, isWhole, zoomLevel)
    if first.x > last.x || first.y > last.y { return [] }

    var cover: BingTileCover
    if isWhole {
      cover = BingTileCover(zoomLevel: zoomLevel, shapes: nil, context: nil)
    } else {
      let context = try context()
      var shapes: [GEOSContext.Shape] = []
      for leaf in geometry.leaves where !leaf.isEmpty { shapes.append(try context.shape(leaf)) }
      cover = BingTileCover(zoomLevel: zoomLevel, shapes: shapes, context: context)
    }
    let isSplit = !isWhole && zoomLevel > splitLevel
    let shift = isSplit ? zoomLevel - splitLevel : 0
    for x in first.x >> shift...last.x >> shift {
      for y in first.y >> shift...last.y >> shift { try cover.add(BingTile(x, y, zoomLevel - shift)) }
    }
    return cover.tiles
  }

  /// Whether the geometry is a point or its own envelope.
  private static func fillsEnvelope(_ geometry: Geometry, _ envelope: Envelope) -> Bool {
    switch geometry {
    case .point: return true
    case .polygon(let rings):
      let corners = Set(envelope.ring)
      return rings.count == 1 && rings[0].count == 5 && rings[0].allSatisfy(corners.contains)
    default: return false
    }
  }

  private static func check(
    _ count: Int64, _ geometry: Geometry, _ envelope: Envelope, _ isWhole: Bool, _ zoomLevel: Int32
  ) throws(QueryError) {
    if isWhole {
      guard count > BingTileCircle.maxTileCount else { return }
      func text(_ value: Double) -> String { FixedText.text(value, decimals: 2) }
      throw QueryError(
        .invalidFunctionArgument,
        "The number of tiles covering input rectangle exceeds the limit of 1M. Number of tiles: \(count). Rectangle: "
          + "xMin=\(text(envelope.minX)), yMin=\(text(envelope.minY)), xMax=\(text(envelope.maxX)), "
          + "yMax=\(text(envelope.maxY)). Zoom level: \(zoomLevel).")
    }
    guard count <= Int64(Int32.max) else {
      throw QueryError(
        .invalidFunctionArgument, "The zoom level is too high to compute a set of covering Bing tiles.")
    }
    let (complexity, overflows) = count.multipliedReportingOverflow(by: Int64(geometry.pointCount))
    guard !overflows, complexity <= maxComplexity else {
      throw QueryError(
        .invalidFunctionArgument,
        "The zoom level is too high or the geometry is too complex to compute a set of covering Bing tiles. "
          + "Please use a lower zoom level or convert the geometry to its bounding box using the ST_Envelope function.")
    }
  }

  /// Adds a tile, or those inside of it of the wanted zoom level.
  private mutating func add(_ tile: BingTile) throws(QueryError) {
    guard let context, let shapes else {
      tiles.append(tile)
      return
    }
    let square = try context.shape(.polygon([tile.envelope.ring]))
    var touches = false
    var isInside = false
    for shape in shapes {
      if tile.zoomLevel < zoomLevel, try context.test(.contains, shape, square, isIndexed: true) {
        isInside = true
        break
      }
      if !touches { touches = try context.test(.intersects, shape, square, isIndexed: true) }
      if touches, tile.zoomLevel == zoomLevel { break }
    }
    if isInside {
      let shift = zoomLevel - tile.zoomLevel
      for x in tile.x << shift..<(tile.x + 1) << shift {
        for y in tile.y << shift..<(tile.y + 1) << shift { tiles.append(BingTile(x, y, zoomLevel)) }
      }
    } else if touches {
      if tile.zoomLevel == zoomLevel {
        tiles.append(tile)
        return
      }
      for x in 2 * tile.x...2 * tile.x + 1 {
        for y in 2 * tile.y...2 * tile.y + 1 { try add(BingTile(x, y, tile.zoomLevel + 1)) }
      }
    }
  }
}
