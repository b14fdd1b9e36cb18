/// A shape in the plane.
///
/// Rings are closed: the first point is repeated at the end. `normalized()` turns outer rings counter-clockwise and
/// holes clockwise, which is how values are stored and printed.
///
/// - Source: OGC 06-103r4, Simple feature access, part 1.
package indirect enum Geometry: Hashable, Sendable {
  /// nil: the empty point.
  case point(Coordinate?)
  case lineString([Coordinate])
  /// The outer ring, then the holes; none when empty.
  case polygon([[Coordinate]])
  case multiPoint([Coordinate])
  case multiLineString([[Coordinate]])
  case multiPolygon([[[Coordinate]]])
  case collection([Geometry])

  /// Deepest nesting of collections that is read.
  package static let maxDepth = 64

  package static let emptyPolygon = Geometry.polygon([])

  package var kind: GeometryKind {
    switch self {
    case .point: .point
    case .lineString: .lineString
    case .polygon: .polygon
    case .multiPoint: .multiPoint
    case .multiLineString: .multiLineString
    case .multiPolygon: .multiPolygon
    case .collection: .collection
    }
  }

  package var isEmpty: Bool {
    switch self {
    case .point(let point): point == nil
    case .lineString(let points), .multiPoint(let points): points.isEmpty
    case .polygon(let rings): rings.isEmpty
    case .multiLineString(let lines): lines.isEmpty
    case .multiPolygon(let polygons): polygons.isEmpty
    case .collection(let parts): parts.allSatisfy(\.isEmpty)
    }
  }

  /// 0 for points, 1 for lines, 2 for areas; of a collection the largest one.
  package var dimension: Int {
    switch self {
    case .point, .multiPoint: 0
    case .lineString, .multiLineString: 1
    case .polygon, .multiPolygon: 2
    case .collection(let parts): parts.map(\.dimension).max() ?? 0
    }
  }

  /// The number of vertices; the repeated end of a ring does not count.
  package var pointCount: Int {
    switch self {
    case .point(let point): point == nil ? 0 : 1
    case .lineString(let points), .multiPoint(let points): points.count
    case .polygon(let rings): rings.reduce(0) { $0 + $1.count - 1 }
    case .multiLineString(let lines): lines.reduce(0) { $0 + $1.count }
    case .multiPolygon(let polygons): polygons.joined().reduce(0) { $0 + $1.count - 1 }
    case .collection(let parts): parts.reduce(0) { $0 + $1.pointCount }
    }
  }

  package var envelope: Envelope {
    var result = Envelope()
    for leaf in leaves {
      switch leaf {
      case .point(let point): if let point { result.add(point.x, point.y) }
      case .lineString(let points), .multiPoint(let points): result.add(points)
      case .polygon(let rings): if let outer = rings.first { result.add(outer) }
      case .multiLineString(let lines): for line in lines { result.add(line) }
      case .multiPolygon(let polygons): for rings in polygons { if let outer = rings.first { result.add(outer) } }
      case .collection: break
      }
    }
    return result
  }

  /// The geometries inside of collections, or the geometry itself.
  package var leaves: [Geometry] {
    guard case .collection(let parts) = self else { return [self] }
    return parts.flatMap(\.leaves)
  }

  /// The elements of a multi-geometry or collection; itself for others.
  package var parts: [Geometry] {
    switch self {
    case .point, .lineString, .polygon: [self]
    case .multiPoint(let points): points.map { .point($0) }
    case .multiLineString(let lines): lines.map { .lineString($0) }
    case .multiPolygon(let polygons): polygons.map { .polygon($0) }
    case .collection(let parts): parts
    }
  }

  /// Every line and every ring.
  package var paths: [[Coordinate]] {
    switch self {
    case .point, .multiPoint: []
    case .lineString(let points): points.isEmpty ? [] : [points]
    case .polygon(let rings): rings
    case .multiLineString(let lines): lines
    case .multiPolygon(let polygons): Array(polygons.joined())
    case .collection(let parts): parts.flatMap(\.paths)
    }
  }

  /// The same shape with outer rings counter-clockwise and holes clockwise.
  package func normalized() -> Geometry { mapRings { rings in Ring.oriented(rings) } }

  /// The same shape with every ring the other way round: outer rings clockwise, as Esri's shapes and JTS in Trino have it.
  package func reversed() -> Geometry { mapRings { rings in rings.map { $0.reversed() } } }

  private func mapRings(_ change: ([[Coordinate]]) -> [[Coordinate]]) -> Geometry {
    switch self {
    case .polygon(let rings): .polygon(change(rings))
    case .multiPolygon(let polygons): .multiPolygon(polygons.map(change))
    case .collection(let parts): .collection(parts.map { $0.mapRings(change) })
    default: self
    }
  }
}
