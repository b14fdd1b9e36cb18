/// A point of the plane; longitude and latitude, in degrees, where it stands for a place on Earth.
package struct Coordinate: Hashable, Sendable, BitwiseCopyable {
  package var x: Double
  package var y: Double

  package init(_ x: Double, _ y: Double) {
    self.x = x
    self.y = y
  }

  package var isNaN: Bool { x.isNaN || y.isNaN }

  /// The straight distance to another point.
  package func distance(to other: Coordinate) -> Double {
    let (dx, dy) = (x - other.x, y - other.y)
    return (dx * dx + dy * dy).squareRoot()
  }

  /// Whether this point comes first from bottom to top, and from left to right at equal height.
  package static func isBelow(_ a: Coordinate, _ b: Coordinate) -> Bool { a.y != b.y ? a.y < b.y : a.x < b.x }
}
