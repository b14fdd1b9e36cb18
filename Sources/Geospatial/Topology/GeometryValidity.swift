package import QueryErrors

/// What is wrong with a geometry, in the words of Esri's library.
///
/// Lines and points are valid when they are simple. GEOS decides whether something is wrong; what, is looked for here:
/// repeated points, segments without length, segments that cross, places where a line meets itself.
///
/// - Source: the reasons of Esri's `OperatorSimplifyOGC`, as Trino words them.
package struct GeometryValidity {
  private let context: GEOSContext

  package init(_ context: GEOSContext) { self.context = context }

  /// nil for valid geometries.
  package func defect(_ geometry: Geometry) throws(QueryError) -> String? {
    for leaf in geometry.leaves where !leaf.isEmpty {
      if let defect = try defect(ofLeaf: leaf) { return defect }
    }
    return nil
  }

  private func defect(ofLeaf leaf: Geometry) throws(QueryError) -> String? {
    switch leaf {
    case .point: return nil
    case .multiPoint(let points):
      var seen: Set<Coordinate> = []
      for point in points where !seen.insert(point).inserted {
        return "Repeated points at or near \(text(point)) and \(text(point))"
      }
      return nil
    case .collection: return nil
    default: break
    }
    let isArea = leaf.dimension == 2
    // Esri's rings run the other way round.
    let paths = isArea ? leaf.reversed().paths : leaf.paths
    for path in paths {
      if path.count == 1 { return "Degenerate segments at or near \(text(path[0]))" }
      for k in 1..<path.count where path[k] == path[k - 1] {
        return "Degenerate segments at or near \(text(path[k]))"
      }
    }
    let shape = try context.shape(leaf)
    let test = isArea ? context.library.isValid : context.library.isSimple
    if try context.answer(test(context.handle, shape.pointer)) { return nil }
    return crossing(paths, isArea: isArea) ?? tangency(paths, isArea: isArea) ?? other(paths, isArea: isArea)
  }

  private struct Segment {
    var a: Coordinate
    var b: Coordinate
    var path: Int
    var minX: Double { min(a.x, b.x) }
    var maxX: Double { max(a.x, b.x) }
  }

  /// The first two segments that meet elsewhere than at their ends, or that are the same.
  private func crossing(_ paths: [[Coordinate]], isArea: Bool) -> String? {
    var segments: [Segment] = []
    for (index, path) in paths.enumerated() {
      for k in 1..<path.count { segments.append(Segment(a: path[k - 1], b: path[k], path: index)) }
    }
    let order = segments.indices.sorted { segments[$0].minX < segments[$1].minX }
    var found: (first: Int, second: Int, isSame: Bool)?
    for (place, i) in order.enumerated() {
      let s = segments[i]
      for j in order[(place + 1)...] {
        let t = segments[j]
        if t.minX > s.maxX { break }
        let isSame = (s.a == t.a && s.b == t.b) || (s.a == t.b && s.b == t.a)
        guard isSame || GeometryValidity.cross(s, t) else { continue }
        let pair = (first: min(i, j), second: max(i, j))
        if found == nil || (pair.first, pair.second) < (found!.first, found!.second) {
          found = (pair.first, pair.second, isSame)
        }
      }
    }
    guard let found else { return nil }
    let reason = found.isSame ? "Self-intersection" : "Intersecting or overlapping segments"
    return "\(reason) at or near \(text(segments[found.first].a)) and \(text(segments[found.second].a))"
  }

  private static func side(_ a: Coordinate, _ b: Coordinate, _ p: Coordinate) -> Double {
    (b.x - a.x) * (p.y - a.y) - (b.y - a.y) * (p.x - a.x)
  }

  /// Whether `p` lies within a segment, its ends left out.
  private static func isInside(_ p: Coordinate, _ s: Segment) -> Bool {
    p != s.a && p != s.b && side(s.a, s.b, p) == 0 && p.x >= s.minX && p.x <= s.maxX
      && p.y >= min(s.a.y, s.b.y) && p.y <= max(s.a.y, s.b.y)
  }

  private static func cross(_ s: Segment, _ t: Segment) -> Bool {
    if isInside(t.a, s) || isInside(t.b, s) || isInside(s.a, t) || isInside(s.b, t) { return true }
    let (d1, d2) = (side(s.a, s.b, t.a), side(s.a, s.b, t.b))
    let (d3, d4) = (side(t.a, t.b, s.a), side(t.a, t.b, s.b))
    return (d1 < 0) != (d2 < 0) && (d3 < 0) != (d4 < 0) && d1 != 0 && d2 != 0 && d3 != 0 && d4 != 0
  }

  /// A corner that a path passes twice.
  private func tangency(_ paths: [[Coordinate]], isArea: Bool) -> String? {
    var seen: [Coordinate: Int] = [:]
    for (index, path) in paths.enumerated() {
      let isRing = path.count > 2 && path.first == path.last
      for point in isRing ? path.dropLast() : path[...] {
        // Rings of one polygon may touch in single points.
        if let known = seen[point], known == index || !isArea {
          return "Self-tangency at or near \(text(point)) and \(text(point))"
        }
        seen[point] = index
      }
    }
    return nil
  }

  /// Rings that only together are wrong: holes that cut the inside apart, or rings in the wrong place.
  private func other(_ paths: [[Coordinate]], isArea: Bool) -> String {
    let corners = paths.map { Set($0.dropLast()) }
    for (index, path) in paths.enumerated() where index > 0 {
      let shared = path.dropLast().first { point in corners[..<index].contains { $0.contains(point) } }
      if isArea, shared != nil, paths[0].count > 1 {
        return "Disconnected interior at or near \(text(paths[0][1]))"
      }
    }
    return isArea ? "RingOrientation" : "Self-intersection"
  }

  private func text(_ point: Coordinate) -> String { "(\(point.x) \(point.y))" }
}
