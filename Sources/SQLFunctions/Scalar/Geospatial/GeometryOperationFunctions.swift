import Columnar
import Geospatial
import QueryErrors

/// Geometries made of geometries.
///
/// - Source: Trino `GeoFunctions`.
package enum GeometryOperationFunctions: FunctionFamily {
  package static let title = "Geometries: operations"

  package static let functions: [ScalarFunction] = [
    ScalarFunction(
      "st_union", summary: "All points of two geometries.",
      examples: [Example("ST_Union(ST_Point(1, 2), ST_Point(3, 4))", "MULTIPOINT ((1 2), (3 4))")],
      overloads: [
        .makesGeometry([.geometry, .geometry]) { (row) throws(QueryError) -> Geometry? in
          try row.state.geos().union([try row.geometry(0), try row.geometry(1)])
        }
      ]),
    ScalarFunction(
      "geometry_union", summary: "All points of the geometries of an array; NULL for none.",
      examples: [
        Example("geometry_union(ARRAY[ST_Point(1, 2), ST_Point(3, 4)])", "MULTIPOINT ((1 2), (3 4))")
      ],
      overloads: [
        .makesGeometry([.array(.geometry)]) { (row) throws(QueryError) -> Geometry? in
          let geometries = try row.geometries(0)
          return geometries.isEmpty ? nil : try row.state.geos().union(geometries.compactMap { $0 })
        }
      ]),
    ScalarFunction(
      "st_intersection", summary: "The points that two geometries have in common.",
      examples: [
        Example(
          "ST_Intersection(ST_LineFromText('LINESTRING (50 100, 50 200)'), ST_LineFromText('LINESTRING (20 150, 100 150)'))",
          "POINT (50 150)")
      ],
      overloads: [
        .makesGeometry([.geometry, .geometry]) { (row) throws(QueryError) -> Geometry? in
          try row.state.geos().intersection(try row.geometry(0), try row.geometry(1))
        }
      ]),
    ScalarFunction(
      "st_difference", summary: "The points of the first geometry that the second one does not have.",
      examples: [
        Example(
          "ST_Difference(ST_LineFromText('LINESTRING (50 100, 50 200)'), ST_LineFromText('LINESTRING (50 50, 50 150)'))",
          "LINESTRING (50 150, 50 200)")
      ],
      overloads: [
        .makesGeometry([.geometry, .geometry]) { (row) throws(QueryError) -> Geometry? in
          try row.state.geos().difference(try row.geometry(0), try row.geometry(1))
        }
      ]),
    ScalarFunction(
      "st_symdifference", summary: "The points that only one of two geometries has.",
      examples: [
        Example("ST_SymDifference(ST_Point(50, 100), ST_Point(50, 150))", "MULTIPOINT ((50 100), (50 150))")
      ],
      overloads: [
        .makesGeometry([.geometry, .geometry]) { (row) throws(QueryError) -> Geometry? in
          try row.state.geos().symmetricDifference(try row.geometry(0), try row.geometry(1))
        }
      ]),
    ScalarFunction(
      "st_boundary", summary: "The ends of lines, the rings of polygons; nothing for points.",
      examples: [
        Example("ST_Boundary(ST_GeometryFromText('LINESTRING (8 4, 5 7)'))", "MULTIPOINT ((8 4), (5 7))")
      ],
      overloads: [
        .makesGeometry([.geometry]) { (row) throws(QueryError) -> Geometry? in
          let geometry = try row.geometry(
            0, "ST_Boundary", .point, .multiPoint, .lineString, .multiLineString, .polygon, .multiPolygon)
          switch geometry.dimension {
          case 0: return .multiPoint([])
          case 1: return .multiPoint(PlanarMeasures.ends(of: geometry.paths))
          default: return .multiLineString(geometry.paths)
          }
        }
      ]),
    ScalarFunction(
      "st_buffer", summary: "All points up to a distance away from a geometry; NULL for empty ones.",
      examples: [Example("round(ST_Area(ST_Buffer(ST_Point(0, 0), 1)), 2)", "3.14")],
      overloads: [
        .makesGeometry([.geometry, .double]) { (row) throws(QueryError) -> Geometry? in
          let distance = row.value(1, as: Double.self)
          try check(distance, "distance")
          let geometry = try row.geometry(0)
          if distance == 0 { return geometry }
          return geometry.isEmpty ? nil : try row.state.geos().buffer(geometry, distance)
        }
      ]),
    ScalarFunction(
      "simplify_geometry", summary: "A geometry with fewer points, none moved further than a tolerance.",
      examples: [
        Example("simplify_geometry(ST_LineFromText('LINESTRING (0 0, 1 0.1, 2 0)'), 0.5)", "LINESTRING (0 0, 2 0)")
      ],
      overloads: [
        .makesGeometry([.geometry, .double]) { (row) throws(QueryError) -> Geometry? in
          let tolerance = row.value(1, as: Double.self)
          try check(tolerance, "distanceTolerance")
          let geometry = try row.geometry(0)
          return tolerance == 0 ? geometry : try row.state.geos().simplify(geometry, tolerance)
        }
      ]),
    ScalarFunction(
      "st_centroid", summary: "The center of mass of a geometry.",
      examples: [Example("ST_Centroid(ST_GeometryFromText('MULTIPOINT (1 2, 2 4, 3 6, 4 8)'))", "POINT (2.5 5)")],
      overloads: [
        .makesGeometry([.geometry]) { (row) throws(QueryError) -> Geometry? in
          let geometry = try row.geometry(
            0, "ST_Centroid", .point, .multiPoint, .lineString, .multiLineString, .polygon, .multiPolygon)
          if case .point = geometry { return geometry }
          return geometry.isEmpty ? .point(nil) : try row.state.geos().centroid(geometry)
        }
      ]),
    ScalarFunction(
      "st_convexhull", summary: "The smallest convex geometry around a geometry.",
      examples: [
        Example("ST_ConvexHull(ST_GeometryFromText('MULTIPOINT (0 0, 4 0, 2 1, 2 4)'))", "POLYGON ((0 0, 4 0, 2 4, 0 0))")
      ],
      overloads: [
        .makesGeometry([.geometry]) { (row) throws(QueryError) -> Geometry? in
          let geometry = try row.geometry(0)
          if case .point = geometry { return geometry }
          return geometry.isEmpty ? geometry : try row.state.geos().convexHull(geometry)
        }
      ]),
    ScalarFunction(
      "st_envelope", summary: "The smallest upright rectangle around a geometry.",
      examples: [
        Example("ST_Envelope(ST_GeometryFromText('LINESTRING (8 4, 5 7)'))", "POLYGON ((5 4, 8 4, 8 7, 5 7, 5 4))")
      ],
      overloads: [
        .makesGeometry([.geometry]) { (row) throws(QueryError) -> Geometry? in
          let envelope = row.stored(0) { $0.envelope }
          return envelope.isEmpty ? .emptyPolygon : .polygon([envelope.ring])
        }
      ]),
    ScalarFunction(
      "st_envelopeaspts", summary: "The lower left and upper right corners of the rectangle around a geometry.",
      examples: [
        Example("ST_EnvelopeAsPts(ST_GeometryFromText('LINESTRING (8 4, 5 7)'))", "[POINT (5 4), POINT (8 7)]")
      ],
      overloads: [
        .buildsNested([.geometry], returns: .array(.geometry)) { (row, builder) throws(QueryError) -> Bool in
          let envelope = row.stored(0) { $0.envelope }
          if envelope.isEmpty { return false }
          builder.append(arrayOf: [
            .point(Coordinate(envelope.minX, envelope.minY)), .point(Coordinate(envelope.maxX, envelope.maxY)),
          ])
          return true
        }
      ]),
    ScalarFunction(
      "line_locate_point", summary: "How far along a line its place nearest to a point is, between 0 and 1.",
      examples: [Example("line_locate_point(ST_LineFromText('LINESTRING (0 0, 0 1)'), ST_Point(0, 0.2))", "0.2")],
      overloads: [
        .geospatial([.geometry, .geometry], returns: .double) { (row, _) throws(QueryError) -> Double? in
          let (line, point) = (try row.geometry(0), try row.geometry(1))
          if line.isEmpty || point.isEmpty { return nil }
          guard line.kind == .lineString || line.kind == .multiLineString else {
            throw QueryError(
              .invalidFunctionArgument,
              "First argument to line_locate_point must be a LineString or a MultiLineString. Got: \(line.kind.name)")
          }
          guard case .point(let place?) = point else {
            throw QueryError(
              .invalidFunctionArgument,
              "Second argument to line_locate_point must be a Point. Got: \(point.kind.name)")
          }
          return PlanarMeasures.location(of: place, on: line.paths)
        }
      ]),
    ScalarFunction(
      "line_interpolate_point", summary: "The point at a share, between 0 and 1, of a line's length.",
      examples: [Example("line_interpolate_point(ST_LineFromText('LINESTRING (0 0, 1 1)'), 0.5)", "POINT (0.5 0.5)")],
      overloads: [
        .makesGeometry([.geometry, .double]) { (row) throws(QueryError) -> Geometry? in
          try places(row, isRepeated: false)?.first.map { .point($0) }
        }
      ]),
    ScalarFunction(
      "line_interpolate_points", summary: "The points at every multiple of a share, between 0 and 1, of a line's length.",
      examples: [
        Example(
          "line_interpolate_points(ST_LineFromText('LINESTRING (0 0, 8 8)'), 0.5)", "[POINT (4 4), POINT (8 8)]")
      ],
      overloads: [
        .buildsNested([.geometry, .double], returns: .array(.geometry)) { (row, builder) throws(QueryError) -> Bool in
          guard let places = try places(row, isRepeated: true) else { return false }
          builder.append(arrayOf: places.map { .point($0) })
          return true
        }
      ]),
  ]

  private static func check(_ distance: Double, _ name: String) throws(QueryError) {
    if distance.isNaN { throw QueryError(.invalidFunctionArgument, "\(name) is NaN") }
    if distance < 0 { throw QueryError(.invalidFunctionArgument, "\(name) is negative") }
  }

  /// Places along the line of argument 0; nil when it is empty.
  private static func places(_ row: GeospatialRow, isRepeated: Bool) throws(QueryError) -> [Coordinate]? {
    let geometry = try row.geometry(0)
    if geometry.isEmpty { return nil }
    try GeospatialRow.check(geometry, "line_interpolate_point", [.lineString])
    let share = row.value(1, as: Double.self)
    guard share >= 0, share <= 1 else {
      throw QueryError(.invalidFunctionArgument, "fraction must be between 0 and 1")
    }
    return PlanarMeasures.places(along: geometry.paths[0], every: share, isRepeated: isRepeated)
  }
}
