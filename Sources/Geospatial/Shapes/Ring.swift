/// What can be said of closed rings.
package enum Ring {
  /// Twice the area, above zero for counter-clockwise rings.
  package static func doubledArea(_ ring: [Coordinate]) -> Double {
    guard let origin = ring.first, ring.count > 3 else { return 0 }
    var sum = 0.0
    for k in 1..<ring.count {
      // Relative to the first point, so that small rings far from the origin keep their digits.
      let (a, b) = (ring[k - 1], ring[k])
      sum += (a.x - origin.x) * (b.y - origin.y) - (b.x - origin.x) * (a.y - origin.y)
    }
    return sum
  }

  /// A polygon's rings with the outer one counter-clockwise and holes clockwise; rings without area stay.
  package static func oriented(_ rings: [[Coordinate]]) -> [[Coordinate]] {
    var result = rings
    for (index, ring) in rings.enumerated() {
      let area = doubledArea(ring)
      if index == 0 ? area < 0 : area > 0 { result[index] = ring.reversed() }
    }
    return result
  }

  /// The ring with its first point at the end too.
  package static func closed(_ points: [Coordinate]) -> [Coordinate] {
    guard let first = points.first else { return [] }
    return points.count > 1 && points.last == first ? points : points + [first]
  }

  /// The ring begun at its lowest point, of those the leftmost.
  package static func startingLowest(_ ring: [Coordinate]) -> [Coordinate] {
    starting(ring, Coordinate.isBelow)
  }

  /// The ring begun at its leftmost point, of those the lowest.
  package static func startingLeftmost(_ ring: [Coordinate]) -> [Coordinate] {
    starting(ring) { a, b in a.x != b.x ? a.x < b.x : a.y < b.y }
  }

  private static func starting(_ ring: [Coordinate], _ isFirst: (Coordinate, Coordinate) -> Bool) -> [Coordinate] {
    guard ring.count > 2 else { return ring }
    var start = 0
    for k in 1..<ring.count - 1 where isFirst(ring[k], ring[start]) { start = k }
    if start == 0 { return ring }
    return Array(ring[start..<ring.count - 1]) + Array(ring[0...start])
  }
}
