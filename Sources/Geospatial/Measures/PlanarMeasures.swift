/// Areas, lengths and places along lines in the plane.
package enum PlanarMeasures {
  /// The area of all polygons, holes taken off; overlaps count twice.
  package static func area(_ geometry: Geometry) -> Double {
    switch geometry {
    case .polygon(let rings): area(rings)
    case .multiPolygon(let polygons): polygons.reduce(0) { $0 + area($1) }
    case .collection(let parts): parts.reduce(0) { $0 + area($1) }
    default: 0
    }
  }

  private static func area(_ rings: [[Coordinate]]) -> Double {
    var sum = 0.0
    for (index, ring) in rings.enumerated() {
      let area = Ring.doubledArea(ring).magnitude
      sum += index == 0 ? area : -area
    }
    return sum / 2
  }

  package static func length(_ line: [Coordinate]) -> Double {
    var sum = 0.0
    for k in stride(from: 1, to: line.count, by: 1) { sum += line[k - 1].distance(to: line[k]) }
    return sum
  }

  /// How far along some lines, as a share of their length, the place nearest to a point is; the first one of several.
  ///
  /// - Source: JTS `LengthIndexOfPoint`.
  package static func location(of point: Coordinate, on lines: [[Coordinate]]) -> Double {
    var best = (distance: Double.infinity, at: 0.0)
    var start = 0.0
    for line in lines {
      for k in stride(from: 1, to: line.count, by: 1) {
        let (a, b) = (line[k - 1], line[k])
        let length = a.distance(to: b)
        let factor = length == 0 ? 0 : projection(of: point, a, b)
        let nearest = factor <= 0 ? a : factor >= 1 ? b : Coordinate(a.x + factor * (b.x - a.x), a.y + factor * (b.y - a.y))
        let distance = nearest.distance(to: point)
        if distance < best.distance { best = (distance, start + max(0, min(1, factor)) * length) }
        start += length
      }
    }
    return best.at / start
  }

  private static func projection(of point: Coordinate, _ a: Coordinate, _ b: Coordinate) -> Double {
    let (dx, dy) = (b.x - a.x, b.y - a.y)
    return ((point.x - a.x) * dx + (point.y - a.y) * dy) / (dx * dx + dy * dy)
  }

  /// Places along a line at a share of its length, or at each multiple of that share.
  ///
  /// - Parameter share: within 0 and 1.
  package static func places(along line: [Coordinate], every share: Double, isRepeated: Bool) -> [Coordinate] {
    guard let first = line.first, let last = line.last else { return [] }
    if share == 0 { return [first] }
    if share == 1 { return [last] }
    // More places than a result may hold fail when the array is made.
    let wanted = isRepeated ? Int(min((1 / share).rounded(.down), 1e8)) : 1
    let total = length(line)
    var places: [Coordinate] = []
    var done = 0.0
    var next = share
    for k in stride(from: 1, to: line.count, by: 1) where places.count < wanted {
      let (a, b) = (line[k - 1], line[k])
      let part = a.distance(to: b) / total
      while next < done + part, places.count < wanted {
        let within = (next - done) / part
        places.append(Coordinate(a.x + (b.x - a.x) * within, a.y + (b.y - a.y) * within))
        next += share
      }
      done += part
    }
    if places.count < wanted { places.append(last) }
    return places
  }

  /// The ends of lines that an odd number of lines share, in the order they come.
  ///
  /// - Source: the mod-2 rule of OGC 06-103r4, section 6.1.7.
  package static func ends(of lines: [[Coordinate]]) -> [Coordinate] {
    var counts: [Coordinate: Int] = [:]
    var order: [Coordinate] = []
    for line in lines {
      guard let first = line.first, let last = line.last else { continue }
      for end in [first, last] {
        if counts.updateValue((counts[end] ?? 0) + 1, forKey: end) == nil { order.append(end) }
      }
    }
    return order.filter { counts[$0]! % 2 == 1 }
  }
}
