package import QueryErrors

/// Union, intersection and differences.
///
/// GEOS combines geometries of one dimension; collections are taken apart first and results put together in a set order:
/// rings begin at their lowest point, and points, lines and polygons are sorted upwards by where they begin.
extension GEOSContext {
  package func union(_ geometries: [Geometry]) throws(QueryError) -> Geometry {
    let leaves = geometries.flatMap(\.leaves)
    let filled = leaves.filter { !$0.isEmpty }
    if filled.isEmpty {
      let dimensions = Set(leaves.map(\.dimension))
      return dimensions.count == 1 ? GEOSContext.empty(dimensions.first!) : .collection([])
    }
    return try assembled([try unaryUnion(.collection(filled))]) ?? .collection([])
  }

  package func intersection(_ a: Geometry, _ b: Geometry) throws(QueryError) -> Geometry {
    var pieces: [Geometry] = []
    let (left, right) = (try groups(a), try groups(b))
    for x in left { for y in right { pieces.append(try overlay(x, y, library.intersection)) } }
    if left.count > 1 || right.count > 1 { pieces = [try union(pieces)] }
    // Whatever does not meet is an empty multipolygon in Esri's library.
    return try assembled(pieces) ?? .multiPolygon([])
  }

  package func difference(_ a: Geometry, _ b: Geometry) throws(QueryError) -> Geometry {
    let right = try groups(b)
    var pieces: [Geometry] = []
    for group in try groups(a) {
      var rest = group
      for taken in right where !rest.isEmpty {
        let parts = try groups(rest)
        guard parts.count == 1 else { break }
        rest = try overlay(parts[0], taken, library.difference)
      }
      pieces.append(rest)
    }
    return try assembled(pieces) ?? GEOSContext.empty(like: a)
  }

  package func symmetricDifference(_ a: Geometry, _ b: Geometry) throws(QueryError) -> Geometry {
    let (left, right) = (try groups(a), try groups(b))
    if left.count == 1, right.count == 1 {
      return try assembled([try overlay(left[0], right[0], library.symmetricDifference)])
        ?? GEOSContext.empty(like: a.dimension >= b.dimension ? a : b)
    }
    let pieces = [try difference(a, b), try difference(b, a)]
    return try assembled(pieces) ?? GEOSContext.empty(like: a.dimension >= b.dimension ? a : b)
  }

  /// What an operation leaves when nothing is left.
  private static func empty(like geometry: Geometry) -> Geometry {
    if case .point = geometry { return .point(nil) }
    return geometry.kind == .collection ? .collection([]) : empty(geometry.dimension)
  }

  private static func empty(_ dimension: Int) -> Geometry {
    switch dimension {
    case 0: .multiPoint([])
    case 1: .multiLineString([])
    default: .multiPolygon([])
    }
  }

  /// A collection as one geometry for each dimension; others as they are; nothing for what is empty.
  private func groups(_ geometry: Geometry) throws(QueryError) -> [Geometry] {
    if geometry.isEmpty { return [] }
    guard case .collection = geometry else { return [geometry] }
    var groups: [Geometry] = []
    for dimension in 0...2 {
      let leaves = geometry.leaves.filter { !$0.isEmpty && $0.dimension == dimension }
      if !leaves.isEmpty { groups.append(try unaryUnion(.collection(leaves))) }
    }
    return groups
  }

  /// Pieces that do not overlap as one geometry of the plainest kind; nil when all are empty.
  private func assembled(_ pieces: [Geometry]) throws(QueryError) -> Geometry? {
    var points: [Coordinate] = []
    var lines: [[Coordinate]] = []
    var polygons: [[[Coordinate]]] = []
    for leaf in pieces.flatMap(\.leaves) {
      switch leaf {
      case .point(let point): if let point { points.append(point) }
      case .multiPoint(let more): points += more
      case .lineString(let line): if !line.isEmpty { lines.append(line) }
      case .multiLineString(let more): lines += more
      case .polygon(let rings): if !rings.isEmpty { polygons.append(rings) }
      case .multiPolygon(let more): polygons += more
      case .collection: break
      }
    }
    if lines.count > 1 { lines = try lineMerge(lines).paths }
    points = Array(Set(points)).sorted(by: Coordinate.isBelow)
    lines.sort { Coordinate.isBelow($0[0], $1[0]) }
    polygons = polygons.map { $0.map(Ring.startingLowest) }.sorted { Coordinate.isBelow($0[0][0], $1[0][0]) }

    var parts: [Geometry] = []
    if points.count == 1 { parts.append(.point(points[0])) } else if !points.isEmpty { parts.append(.multiPoint(points)) }
    if lines.count == 1 { parts.append(.lineString(lines[0])) } else if !lines.isEmpty { parts.append(.multiLineString(lines)) }
    if polygons.count == 1 {
      parts.append(.polygon(polygons[0]))
    } else if !polygons.isEmpty {
      parts.append(.multiPolygon(polygons))
    }
    return parts.count > 1 ? .collection(parts) : parts.first
  }
}
