import Columnar
import Geospatial
import QueryErrors

/// Geometries from numbers, text and bytes, and back.
///
/// - Source: Trino `GeoFunctions`, `EncodedPolylineFunctions`.
package enum GeometryFormatFunctions: FunctionFamily {
  package static let title = "Geometries: constructors and formats"

  private static let text = TypePattern.exact(.text)

  package static let functions: [ScalarFunction] = [
    ScalarFunction(
      "st_point", summary: "The point at x and y.", examples: [Example("ST_Point(1.5, 2)", "POINT (1.5 2)")],
      overloads: [
        .makesGeometry([.double, .double]) { (row) throws(QueryError) -> Geometry? in
          let point = Coordinate(row.value(0, as: Double.self), row.value(1, as: Double.self))
          return .point(point.isNaN ? nil : point)
        }
      ]),
    ScalarFunction(
      "st_geometryfromtext", summary: "The geometry that well-known text spells.",
      examples: [Example("ST_GeometryFromText('MULTIPOINT (1 2, 3 4)')", "MULTIPOINT ((1 2), (3 4))")],
      overloads: [
        .makesGeometry([text]) { (row) throws(QueryError) -> Geometry? in try parsed(row) }
      ]),
    ScalarFunction(
      "st_linefromtext", summary: "The line that well-known text spells.",
      examples: [Example("ST_LineFromText('LINESTRING (1 1, 2 2, 1 3)')", "LINESTRING (1 1, 2 2, 1 3)")],
      overloads: [
        .makesGeometry([text]) { (row) throws(QueryError) -> Geometry? in
          let geometry = try parsed(row)
          try GeospatialRow.check(geometry, "ST_LineFromText", [.lineString])
          return geometry
        }
      ]),
    ScalarFunction(
      "st_polygon", summary: "The polygon that well-known text spells.",
      examples: [Example("ST_Polygon('POLYGON ((1 1, 1 4, 4 4, 4 1))')", "POLYGON ((1 1, 4 1, 4 4, 1 4, 1 1))")],
      overloads: [
        .makesGeometry([text]) { (row) throws(QueryError) -> Geometry? in
          let geometry = try parsed(row)
          try GeospatialRow.check(geometry, "ST_Polygon", [.polygon])
          return geometry
        }
      ]),
    ScalarFunction(
      "st_linestring", summary: "The line through points.",
      examples: [Example("ST_LineString(ARRAY[ST_Point(1, 2), ST_Point(3, 4)])", "LINESTRING (1 2, 3 4)")],
      overloads: [
        .makesGeometry([.array(.geometry)]) { (row) throws(QueryError) -> Geometry? in
          .lineString(try line(try row.geometries(0)))
        }
      ]),
    ScalarFunction(
      "st_multipoint", summary: "The points of an array as one geometry; NULL for none.",
      examples: [Example("ST_MultiPoint(ARRAY[ST_Point(1, 2), ST_Point(3, 4)])", "MULTIPOINT ((1 2), (3 4))")],
      overloads: [
        .makesGeometry([.array(.geometry)]) { (row) throws(QueryError) -> Geometry? in
          let points = try points(try row.geometries(0))
          return points.isEmpty ? nil : .multiPoint(points)
        }
      ]),
    ScalarFunction(
      "st_geomfrombinary", summary: "The geometry that well-known binary holds.",
      examples: [Example("ST_GeomFromBinary(ST_AsBinary(ST_Point(1, 2)))", "POINT (1 2)")],
      overloads: [
        .makesGeometry([.varbinary]) { (row) throws(QueryError) -> Geometry? in try row.geometry(0).normalized() }
      ]),
    ScalarFunction(
      "geometry_from_hadoop_shape", summary: "The geometry that bytes of the Spatial Framework for Hadoop hold.",
      examples: [
        Example("geometry_from_hadoop_shape(X'000000000101000000000000000000F03F0000000000000040')", "POINT (1 2)")
      ],
      overloads: [
        .makesGeometry([.varbinary]) { (row) throws(QueryError) -> Geometry? in
          try row.value(0, as: StringView.self).withBytes { (p, n) throws(QueryError) -> Geometry in
            try HadoopShapeReader.read(p, n)
          }
        }
      ]),
    ScalarFunction(
      "st_astext", summary: "A geometry as well-known text.",
      examples: [Example("ST_AsText(ST_Point(0.1, 1e20))", "POINT (0.1 1.0000000000000000e+20)")],
      overloads: [
        .geospatial([.geometry], returns: .text, as: StringView.self) {
          (row, rows) throws(QueryError) -> StringView? in
          let out = TextBuffer()
          WKTWriter.append(try row.geometry(0), to: out)
          return rows.arena.add(UnsafeRawPointer(out.pointer), out.count)
        }
      ]),
    ScalarFunction(
      "st_asbinary", summary: "A geometry as well-known binary, little-endian.",
      examples: [
        Example("to_hex(ST_AsBinary(ST_Point(1, 2)))", "0101000000000000000000F03F0000000000000040")
      ],
      overloads: [
        // Geometries are stored as well-known binary.
        .columns([.geometry], returns: .varbinary) { (columns, _, _) throws(QueryError) -> Column in
          columns[0].retyped(.varbinary)
        }
      ]),
    ScalarFunction(
      "to_spherical_geography", summary: "A geometry of longitudes and latitudes as a geography on the sphere.",
      examples: [Example("to_spherical_geography(ST_Point(13.4, 52.5))", "POINT (13.4 52.5)")],
      overloads: [
        .geospatial([.geometry], returns: .sphericalGeography, as: StringView.self) {
          (row, _) throws(QueryError) -> StringView? in
          let envelope = row.stored(0) { $0.envelope }
          if !envelope.isEmpty {
            try SphericalMeasures.checkLatitude(envelope.minY)
            try SphericalMeasures.checkLatitude(envelope.maxY)
            try SphericalMeasures.checkLongitude(envelope.minX)
            try SphericalMeasures.checkLongitude(envelope.maxX)
          }
          return row.value(0, as: StringView.self)
        }
      ]),
    ScalarFunction(
      "to_geometry", summary: "A geography on the sphere as a geometry of the plane.",
      examples: [Example("to_geometry(to_spherical_geography(ST_Point(13.4, 52.5)))", "POINT (13.4 52.5)")],
      overloads: [
        .columns([.sphericalGeography], returns: .exact(.geometry)) { (columns, _, _) throws(QueryError) -> Column in
          columns[0].retyped(.geometry)
        }
      ]),
    ScalarFunction(
      "from_geojson_geometry", summary: "The geography that GeoJSON spells.",
      examples: [Example("from_geojson_geometry('{\"type\":\"Point\",\"coordinates\":[1,2]}')", "POINT (1 2)")],
      overloads: [
        .makesGeometry([text], returns: .sphericalGeography) { (row) throws(QueryError) -> Geometry? in
          try row.value(0, as: StringView.self).withBytes { (p, n) throws(QueryError) -> Geometry in
            try GeoJSONText.read(p.assumingMemoryBound(to: UInt8.self), n)
          }
        }
      ]),
    ScalarFunction(
      "to_geojson_geometry", summary: "A geography as GeoJSON.",
      examples: [
        Example(
          "to_geojson_geometry(to_spherical_geography(ST_Point(1, 2)))",
          "{\"type\":\"Point\",\"coordinates\":[1,2],\"crs\":{\"type\":\"name\",\"properties\":{\"name\":\"EPSG:0\"}}}")
      ],
      overloads: [
        .geospatial([.sphericalGeography], returns: .text, as: StringView.self) {
          (row, rows) throws(QueryError) -> StringView? in
          let out = TextBuffer()
          GeoJSONText.append(try row.geometry(0), to: out)
          return rows.arena.add(UnsafeRawPointer(out.pointer), out.count)
        }
      ]),
    ScalarFunction(
      "from_encoded_polyline", summary: "The line that an encoded polyline spells.",
      examples: [
        Example("from_encoded_polyline('_p~iF~ps|U_ulLnnqC')", "LINESTRING (-120.2 38.5, -120.95 40.7)")
      ],
      overloads: [
        .makesGeometry([text]) { (row) throws(QueryError) -> Geometry? in
          let points = try row.value(0, as: StringView.self).withBytes { (p, n) throws(QueryError) -> [Coordinate] in
            try EncodedPolyline.decode(p.assumingMemoryBound(to: UInt8.self), n)
          }
          return .lineString(points.count < 2 ? [] : points)
        }
      ]),
    ScalarFunction(
      "to_encoded_polyline", summary: "A line or several points as an encoded polyline.",
      examples: [
        Example("to_encoded_polyline(ST_GeometryFromText('LINESTRING (-120.2 38.5, -120.95 40.7)'))", "_p~iF~ps|U_ulLnnqC")
      ],
      overloads: [
        .geospatial([.geometry], returns: .text, as: StringView.self) {
          (row, rows) throws(QueryError) -> StringView? in
          switch try row.geometry(0, "encode_polyline", .multiPoint, .lineString) {
          case .lineString(let points), .multiPoint(let points): rows.string(EncodedPolyline.encode(points))
          default: nil
          }
        }
      ]),
  ]

  private static func parsed(_ row: GeospatialRow) throws(QueryError) -> Geometry {
    try row.value(0, as: StringView.self).withBytes { (p, n) throws(QueryError) -> Geometry in
      try WKTReader.read(p.assumingMemoryBound(to: UInt8.self), n)
    }
  }

  /// The points of a line; of a single one no line comes about.
  private static func line(_ geometries: [Geometry?]) throws(QueryError) -> [Coordinate] {
    func invalid(_ what: String, _ index: Int) -> QueryError {
      QueryError(.invalidFunctionArgument, "Invalid input to ST_LineString: \(what) at index \(index + 1)")
    }
    var points: [Coordinate] = []
    for (index, geometry) in geometries.enumerated() {
      guard let geometry else { throw invalid("null point", index) }
      guard case .point(let point) = geometry else {
        throw QueryError(
          .invalidFunctionArgument,
          "ST_LineString takes only an array of valid points, \(geometry.kind.name) was passed")
      }
      guard let point else { throw invalid("empty point", index) }
      if points.last == point { throw invalid("consecutive duplicate points", index) }
      points.append(point)
    }
    return points.count < 2 ? [] : points
  }

  private static func points(_ geometries: [Geometry?]) throws(QueryError) -> [Coordinate] {
    func invalid(_ what: String, _ index: Int) -> QueryError {
      QueryError(.invalidFunctionArgument, "Invalid input to ST_MultiPoint: \(what) at index \(index + 1)")
    }
    var points: [Coordinate] = []
    for (index, geometry) in geometries.enumerated() {
      guard let geometry else { throw invalid("null", index) }
      guard case .point(let point) = geometry else {
        throw invalid("geometry is not a point: \(geometry.kind.name)", index)
      }
      guard let point else { throw invalid("empty point", index) }
      points.append(point)
    }
    return points
  }
}
