import Columnar
import Geospatial
import QueryErrors

/// Tiles of the world's map.
///
/// - Source: Trino `BingTileFunctions`.
package enum BingTileFunctions: FunctionFamily {
  package static let title = "Bing tiles"

  private static let tiles = DataType.array(.bingTile)

  package static let functions: [ScalarFunction] = [
    ScalarFunction(
      "bing_tile", summary: "The tile of a column, a row and a zoom level, or of a quad key.",
      examples: [
        Example("bing_tile(3, 5, 3)", "{x=3, y=5, zoom=3}"), Example("bing_tile('213')", "{x=3, y=5, zoom=3}"),
      ],
      overloads: [
        .geospatial([.integer, .integer, .integer], returns: .bingTile) { (row, _) throws(QueryError) -> Int64? in
          try BingTile(
            x: row.value(0, as: Int32.self), y: row.value(1, as: Int32.self), zoomLevel: row.value(2, as: Int32.self)
          ).bits
        },
        .geospatial([.exact(.text)], returns: .bingTile) { (row, _) throws(QueryError) -> Int64? in
          try BingTile(quadKey: row.value(0, as: StringView.self).bytes).bits
        },
      ]),
    ScalarFunction(
      "bing_tile_at", summary: "The tile of a zoom level that a latitude and longitude lie in.",
      examples: [Example("bing_tile_at(30.12, 60, 15)", "{x=21845, y=13506, zoom=15}")],
      overloads: [
        .geospatial([.double, .double, .integer], returns: .bingTile) { (row, _) throws(QueryError) -> Int64? in
          try BingTile(
            latitude: row.value(0, as: Double.self), longitude: row.value(1, as: Double.self),
            zoomLevel: row.value(2, as: Int32.self)
          ).bits
        }
      ]),
    ScalarFunction(
      "bing_tiles_around",
      summary: "The tile that a latitude and longitude lie in and its neighbours, or the tiles that cover a radius in km.",
      examples: [
        Example("transform(bing_tiles_around(30.12, 60, 1), t -> bing_tile_quadkey(t))", "[0, 2, 1, 3]"),
        Example("transform(bing_tiles_around(30.12, 60, 1, 1000), t -> bing_tile_quadkey(t))", "[1]"),
      ],
      overloads: [
        .buildsNested([.double, .double, .integer], returns: tiles) { (row, builder) throws(QueryError) -> Bool in
          append(
            try BingTileCircle.neighbours(
              latitude: row.value(0, as: Double.self), longitude: row.value(1, as: Double.self),
              zoomLevel: row.value(2, as: Int32.self)), to: builder)
        },
        .buildsNested([.double, .double, .integer, .double], returns: tiles) {
          (row, builder) throws(QueryError) -> Bool in
          append(
            try BingTileCircle.tiles(
              latitude: row.value(0, as: Double.self), longitude: row.value(1, as: Double.self),
              zoomLevel: row.value(2, as: Int32.self), radius: row.value(3, as: Double.self)), to: builder)
        },
      ]),
    ScalarFunction(
      "bing_tile_coordinates", summary: "The column and row of a tile.",
      examples: [Example("bing_tile_coordinates(bing_tile('213'))", "{x=3, y=5}")],
      overloads: [
        .buildsNested(
          [.bingTile], returns: .row([.init(name: "x", type: .integer), .init(name: "y", type: .integer)])
        ) { (row, builder) throws(QueryError) -> Bool in
          let tile = BingTile(bits: row.value(0, as: Int64.self))
          builder.children[0].append(fixed: tile.x)
          builder.children[1].append(fixed: tile.y)
          builder.endRow()
          return true
        }
      ]),
    ScalarFunction(
      "bing_tile_polygon", summary: "The square that a tile covers, as a polygon of longitudes and latitudes.",
      examples: [
        Example(
          "bing_tile_polygon(bing_tile(1, 0, 1))",
          "POLYGON ((0 0, 180 0, 180 85.05112877980659, 0 85.05112877980659, 0 0))")
      ],
      overloads: [
        .makesGeometry([.bingTile]) { (row) throws(QueryError) -> Geometry? in
          .polygon([BingTile(bits: row.value(0, as: Int64.self)).envelope.ring])
        }
      ]),
    ScalarFunction(
      "bing_tile_quadkey", summary: "The quad key of a tile: a digit for each zoom level.",
      examples: [Example("bing_tile_quadkey(bing_tile(3, 5, 3))", "213")],
      overloads: [
        .geospatial([.bingTile], returns: .text, as: StringView.self) {
          (row, rows) throws(QueryError) -> StringView? in
          rows.string(BingTile(bits: row.value(0, as: Int64.self)).quadKey)
        }
      ]),
    ScalarFunction(
      "bing_tile_zoom_level", summary: "The zoom level of a tile.",
      examples: [Example("bing_tile_zoom_level(bing_tile('213'))", "3")],
      overloads: [
        .geospatial([.bingTile], returns: .tinyint) { (row, _) throws(QueryError) -> Int8? in
          Int8(truncatingIfNeeded: BingTile(bits: row.value(0, as: Int64.self)).zoomLevel)
        }
      ]),
    ScalarFunction(
      "geometry_to_bing_tiles", summary: "The fewest tiles of a zoom level that cover a geometry.",
      examples: [
        Example(
          "transform(geometry_to_bing_tiles(ST_Point(60, 30.12), 10), t -> bing_tile_quadkey(t))", "[1230301230]")
      ],
      overloads: [
        .buildsNested([.geometry, .integer], returns: tiles) { (row, builder) throws(QueryError) -> Bool in
          append(
            try BingTileCover.tiles(try row.geometry(0), zoomLevel: row.value(1, as: Int32.self)) {
              () throws(QueryError) -> GEOSContext in try row.state.geos()
            }, to: builder)
        }
      ]),
  ]

  /// Ends an array of tiles.
  private static func append(_ tiles: [BingTile], to builder: ColumnBuilder) -> Bool {
    for tile in tiles { builder.children[0].append(fixed: tile.bits) }
    builder.endNested()
    return true
  }
}
