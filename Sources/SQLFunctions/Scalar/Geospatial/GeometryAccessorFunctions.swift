import Columnar
import Geospatial
import QueryErrors

/// What a geometry is made of.
///
/// - Source: Trino `GeoFunctions`.
package enum GeometryAccessorFunctions: FunctionFamily {
  package static let title = "Geometries: accessors"

  private static let geometries = DataType.array(.geometry)

  package static let functions: [ScalarFunction] = [
    ScalarFunction(
      "st_area", summary: "The area of polygons: in the plane, or in square meters on the Earth's surface.",
      examples: [Example("ST_Area(ST_Polygon('POLYGON ((2 2, 2 6, 6 6, 6 2))'))", "16.0")],
      overloads: [
        .geospatial([.geometry], returns: .double) { (row, _) throws(QueryError) -> Double? in
          PlanarMeasures.area(try row.geometry(0))
        },
        .geospatial([.sphericalGeography], returns: .double) { (row, _) throws(QueryError) -> Double? in
          switch try row.geography(0, "ST_Area", .polygon, .multiPolygon) {
          case .polygon(let rings)?: try SphericalMeasures.area([rings])
          case .multiPolygon(let polygons)?: try SphericalMeasures.area(polygons)
          default: nil
          }
        },
      ]),
    ScalarFunction(
      "st_length", summary: "The length of lines: in the plane, or in meters on the Earth's surface.",
      examples: [Example("ST_Length(ST_LineFromText('LINESTRING (0 0, 3 4)'))", "5.0")],
      overloads: [
        .geospatial([.geometry], returns: .double) { (row, _) throws(QueryError) -> Double? in
          try row.geometry(0, "ST_Length", .lineString, .multiLineString).paths.reduce(0) {
            $0 + PlanarMeasures.length($1)
          }
        },
        .geospatial([.sphericalGeography], returns: .double) { (row, _) throws(QueryError) -> Double? in
          try row.geography(0, "ST_Length", .lineString, .multiLineString).map { SphericalMeasures.meters(along: $0.paths) }
        },
      ]),
    ScalarFunction(
      "st_coorddim", summary: "The number of coordinates of a point: 2.",
      examples: [Example("ST_CoordDim(ST_Point(1, 4))", "2")],
      overloads: [.geospatial([.geometry], returns: .tinyint) { (_, _) throws(QueryError) -> Int8? in 2 }]),
    ScalarFunction(
      "st_dimension", summary: "0 for points, 1 for lines, 2 for polygons; the largest one of a collection.",
      examples: [Example("ST_Dimension(ST_GeometryFromText('LINESTRING (0 0, 1 1)'))", "1")],
      overloads: [
        .geospatial([.geometry], returns: .tinyint) { (row, _) throws(QueryError) -> Int8? in
          Int8(try row.geometry(0).dimension)
        }
      ]),
    ScalarFunction(
      "st_geometrytype", summary: "What a geometry is: ST_Point, ST_LineString, ST_MultiPolygon ….",
      examples: [Example("ST_GeometryType(ST_Point(1, 4))", "ST_Point")],
      overloads: [
        .geospatial([.geometry], returns: .text, as: StringView.self) {
          (row, rows) throws(QueryError) -> StringView? in
          rows.string(row.stored(0) { $0.kind.standardName })
        }
      ]),
    ScalarFunction(
      "st_isclosed", summary: "Whether lines end where they begin.",
      examples: [Example("ST_IsClosed(ST_GeometryFromText('LINESTRING (1 1, 2 2, 1 3, 1 1)'))", "true")],
      overloads: [
        .geospatial([.geometry], returns: .boolean) { (row, _) throws(QueryError) -> Bool? in
          try row.geometry(0, "ST_IsClosed", .lineString, .multiLineString).paths.allSatisfy { $0.first == $0.last }
        }
      ]),
    ScalarFunction(
      "st_isempty", summary: "Whether a geometry has no points.",
      examples: [Example("ST_IsEmpty(ST_GeometryFromText('POLYGON EMPTY'))", "true")],
      overloads: [
        .geospatial([.geometry], returns: .boolean) { (row, _) throws(QueryError) -> Bool? in
          row.stored(0) { $0.envelope.isEmpty }
        }
      ]),
    ScalarFunction(
      "st_issimple", summary: "Whether a geometry neither crosses nor touches itself.",
      examples: [Example("ST_IsSimple(ST_GeometryFromText('LINESTRING (0 0, 1 1, 1 0, 0 1)'))", "false")],
      overloads: [validity]),
    ScalarFunction(
      "st_isvalid", summary: "Whether a geometry is well formed.",
      examples: [Example("ST_IsValid(ST_GeometryFromText('POLYGON ((0 0, 1 1, 0 1, 1 0, 0 0))'))", "false")],
      overloads: [validity]),
    ScalarFunction(
      "geometry_invalid_reason", summary: "Why a geometry is not well formed; NULL when it is.",
      examples: [
        Example(
          "geometry_invalid_reason(ST_GeometryFromText('POLYGON ((0 0, 1 1, 0 1, 1 0, 0 0))'))",
          "Intersecting or overlapping segments at or near (1.0 0.0) and (1.0 1.0)")
      ],
      overloads: [
        .geospatial([.geometry], returns: .text, as: StringView.self) {
          (row, rows) throws(QueryError) -> StringView? in
          try GeometryValidity(row.state.geos()).defect(try row.geometry(0)).map { rows.string($0) }
        }
      ]),
    ScalarFunction(
      "st_isring", summary: "Whether a line is closed and simple.",
      examples: [Example("ST_IsRing(ST_GeometryFromText('LINESTRING (0 0, 1 1, 0 2, 0 0)'))", "true")],
      overloads: [
        .geospatial([.geometry], returns: .boolean) { (row, _) throws(QueryError) -> Bool? in
          guard case .lineString(let points) = try row.geometry(0, "ST_IsRing", .lineString) else { return nil }
          guard !points.isEmpty, points.first == points.last else { return false }
          return try GeometryValidity(row.state.geos()).defect(.lineString(points)) == nil
        }
      ]),
    bound("st_xmax", "The largest x", "ST_XMax(ST_GeometryFromText('LINESTRING (8 4, 5 7)'))", "8.0") { $0.maxX },
    bound("st_ymax", "The largest y", "ST_YMax(ST_GeometryFromText('LINESTRING (8 4, 5 7)'))", "7.0") { $0.maxY },
    bound("st_xmin", "The smallest x", "ST_XMin(ST_GeometryFromText('LINESTRING (8 4, 5 7)'))", "5.0") { $0.minX },
    bound("st_ymin", "The smallest y", "ST_YMin(ST_GeometryFromText('LINESTRING (8 4, 5 7)'))", "4.0") { $0.minY },
    ordinate("st_x", "ST_X", "The x of a point.", "1.0") { $0.x },
    ordinate("st_y", "ST_Y", "The y of a point.", "2.0") { $0.y },
    ScalarFunction(
      "st_numgeometries", summary: "How many geometries a multi-geometry or collection has; 1 for others, 0 for empty ones.",
      examples: [Example("ST_NumGeometries(ST_GeometryFromText('MULTIPOINT (1 2, 2 4, 3 6)'))", "3")],
      overloads: [
        .geospatial([.geometry], returns: .integer) { (row, _) throws(QueryError) -> Int32? in
          let geometry = try row.geometry(0)
          return geometry.isEmpty ? 0 : Int32(clamping: geometry.parts.count)
        }
      ]),
    ScalarFunction(
      "st_numpoints", summary: "The number of points; the repeated ends of rings do not count.",
      examples: [Example("ST_NumPoints(ST_GeometryFromText('POLYGON ((0 0, 0 1, 1 1, 0 0))'))", "3")],
      overloads: [
        .geospatial([.geometry], returns: .bigint) { (row, _) throws(QueryError) -> Int64? in
          Int64(try row.geometry(0).pointCount)
        }
      ]),
    ScalarFunction(
      "st_numinteriorring", summary: "The number of a polygon's holes.",
      examples: [
        Example("ST_NumInteriorRing(ST_Polygon('POLYGON ((0 0, 8 0, 0 8, 0 0), (1 1, 1 5, 5 1, 1 1))'))", "1")
      ],
      overloads: [
        .geospatial([.geometry], returns: .bigint) { (row, _) throws(QueryError) -> Int64? in
          let geometry = try row.geometry(0, "ST_NumInteriorRing", .polygon)
          return geometry.isEmpty ? nil : Int64(geometry.paths.count - 1)
        }
      ]),
    ScalarFunction(
      "st_geometryn", summary: "A geometry of a multi-geometry or collection, counted from 1.",
      examples: [Example("ST_GeometryN(ST_GeometryFromText('MULTIPOINT (1 2, 2 4)'), 2)", "POINT (2 4)")],
      overloads: [
        .makesGeometry([.geometry, .integer]) { (row) throws(QueryError) -> Geometry? in
          let geometry = try row.geometry(0)
          return geometry.isEmpty ? nil : picked(geometry.parts, row)
        }
      ]),
    ScalarFunction(
      "st_pointn", summary: "A point of a line, counted from 1.",
      examples: [Example("ST_PointN(ST_GeometryFromText('LINESTRING (1 2, 3 4)'), 2)", "POINT (3 4)")],
      overloads: [
        .makesGeometry([.geometry, .integer]) { (row) throws(QueryError) -> Geometry? in
          guard case .lineString(let points) = try row.geometry(0, "ST_PointN", .lineString) else { return nil }
          return picked(points, row).map { .point($0) }
        }
      ]),
    ScalarFunction(
      "st_startpoint", summary: "The first point of a line.",
      examples: [Example("ST_StartPoint(ST_GeometryFromText('LINESTRING (8 4, 4 8)'))", "POINT (8 4)")],
      overloads: [
        .makesGeometry([.geometry]) { (row) throws(QueryError) -> Geometry? in
          try row.geometry(0, "ST_StartPoint", .lineString).paths.first?.first.map { .point($0) }
        }
      ]),
    ScalarFunction(
      "st_endpoint", summary: "The last point of a line.",
      examples: [Example("ST_EndPoint(ST_GeometryFromText('LINESTRING (8 4, 4 8)'))", "POINT (4 8)")],
      overloads: [
        .makesGeometry([.geometry]) { (row) throws(QueryError) -> Geometry? in
          try row.geometry(0, "ST_EndPoint", .lineString).paths.first?.last.map { .point($0) }
        }
      ]),
    ScalarFunction(
      "st_exteriorring", summary: "The outer ring of a polygon, as a line.",
      examples: [
        Example("ST_ExteriorRing(ST_Polygon('POLYGON ((1 1, 1 4, 4 1))'))", "LINESTRING (1 1, 4 1, 1 4, 1 1)")
      ],
      overloads: [
        .makesGeometry([.geometry]) { (row) throws(QueryError) -> Geometry? in
          try row.geometry(0, "ST_ExteriorRing", .polygon).paths.first.map { .lineString($0) }
        }
      ]),
    ScalarFunction(
      "st_interiorringn", summary: "A hole of a polygon as a line, counted from 1.",
      examples: [
        Example(
          "ST_InteriorRingN(ST_Polygon('POLYGON ((0 0, 0 3, 3 3, 3 0, 0 0), (1 1, 1 2, 2 2, 2 1, 1 1))'), 1)",
          "LINESTRING (1 1, 1 2, 2 2, 2 1, 1 1)")
      ],
      overloads: [
        .makesGeometry([.geometry, .integer]) { (row) throws(QueryError) -> Geometry? in
          let rings = try row.geometry(0, "ST_InteriorRingN", .polygon).paths
          return picked(Array(rings.dropFirst()), row).map { .lineString($0) }
        }
      ]),
    ScalarFunction(
      "st_interiorrings", summary: "The holes of a polygon as lines.",
      examples: [
        Example(
          "ST_InteriorRings(ST_Polygon('POLYGON ((0 0, 0 3, 3 3, 3 0, 0 0), (1 1, 1 2, 2 2, 2 1, 1 1))'))",
          "[LINESTRING (1 1, 1 2, 2 2, 2 1, 1 1)]")
      ],
      overloads: [
        .buildsNested([.geometry], returns: geometries) { (row, builder) throws(QueryError) -> Bool in
          let rings = try row.geometry(0, "ST_InteriorRings", .polygon).paths
          if rings.isEmpty { return false }
          builder.append(arrayOf: rings.dropFirst().map { .lineString($0) })
          return true
        }
      ]),
    ScalarFunction(
      "st_geometries", summary: "The geometries of a multi-geometry or collection.",
      examples: [Example("ST_Geometries(ST_GeometryFromText('MULTIPOINT (1 2, 4 8)'))", "[POINT (1 2), POINT (4 8)]")],
      overloads: [
        .buildsNested([.geometry], returns: geometries) { (row, builder) throws(QueryError) -> Bool in
          let geometry = try row.geometry(0)
          if geometry.isEmpty { return false }
          builder.append(arrayOf: geometry.parts)
          return true
        }
      ]),
    ScalarFunction(
      "st_points", summary: "All points of a geometry.",
      examples: [Example("ST_Points(ST_GeometryFromText('LINESTRING (8 4, 3 9)'))", "[POINT (8 4), POINT (3 9)]")],
      overloads: [
        .buildsNested([.geometry], returns: geometries) { (row, builder) throws(QueryError) -> Bool in
          // Trino's rings run the other way round inside.
          let points = try row.geometry(0).reversed().leaves.flatMap { leaf in
            switch leaf {
            case .point(let point): point.map { [$0] } ?? []
            case .multiPoint(let points): points
            default: Array(leaf.paths.joined())
            }
          }
          if points.isEmpty { return false }
          builder.append(arrayOf: points.map { .point($0) })
          return true
        }
      ]),
  ]

  private static let validity = ScalarOverload.geospatial([.geometry], returns: .boolean) {
    (row, _) throws(QueryError) -> Bool? in
    let geometry = try row.geometry(0)
    if case .point = geometry { return true }
    return try GeometryValidity(row.state.geos()).defect(geometry) == nil
  }

  /// The element that argument 1 counts; nil when there is none.
  private static func picked<T>(_ items: [T], _ row: GeospatialRow) -> T? {
    let index = Int(row.value(1, as: Int32.self))
    return index >= 1 && index <= items.count ? items[index - 1] : nil
  }

  private static func bound(
    _ name: String, _ what: String, _ call: String, _ result: String,
    _ pick: @escaping @Sendable (Envelope) -> Double
  ) -> ScalarFunction {
    ScalarFunction(
      name, summary: "\(what) of a geometry; NULL for empty ones.", examples: [Example(call, result)],
      overloads: [
        .geospatial([.geometry], returns: .double) { (row, _) throws(QueryError) -> Double? in
          let envelope = row.stored(0) { $0.envelope }
          return envelope.isEmpty ? nil : pick(envelope)
        }
      ])
  }

  private static func ordinate(
    _ name: String, _ function: String, _ summary: String, _ result: String,
    _ pick: @escaping @Sendable (Coordinate) -> Double
  ) -> ScalarFunction {
    ScalarFunction(
      name, summary: summary, examples: [Example("\(function)(ST_Point(1, 2))", result)],
      overloads: [
        .geospatial([.geometry], returns: .double) { (row, _) throws(QueryError) -> Double? in
          if let point = row.stored(0, { $0.point }) { return pick(point) }
          _ = try row.geometry(0, function, .point)
          return nil
        }
      ])
  }
}
