/// The smallest upright rectangle around a geometry; empty at first.
package struct Envelope: Equatable, Sendable {
  package private(set) var minX = Double.infinity
  package private(set) var minY = Double.infinity
  package private(set) var maxX = -Double.infinity
  package private(set) var maxY = -Double.infinity

  package init() {}

  package init(minX: Double, minY: Double, maxX: Double, maxY: Double) {
    self.minX = minX
    self.minY = minY
    self.maxX = maxX
    self.maxY = maxY
  }

  package var isEmpty: Bool { !(minX <= maxX && minY <= maxY) }

  @inline(__always)
  package mutating func add(_ x: Double, _ y: Double) {
    minX = x < minX ? x : minX
    maxX = x > maxX ? x : maxX
    minY = y < minY ? y : minY
    maxY = y > maxY ? y : maxY
  }

  package mutating func add(_ points: [Coordinate]) { for point in points { add(point.x, point.y) } }

  /// Whether both have a point in common; false where one is empty.
  package func intersects(_ other: Envelope) -> Bool {
    minX <= other.maxX && other.minX <= maxX && minY <= other.maxY && other.minY <= maxY
  }

  /// Whether no point of the other lies outside; false where one is empty.
  package func contains(_ other: Envelope) -> Bool {
    !isEmpty && !other.isEmpty && minX <= other.minX && other.maxX <= maxX && minY <= other.minY && other.maxY <= maxY
  }

  /// The rectangle as a closed ring, counter-clockwise from the lower left corner.
  package var ring: [Coordinate] {
    [
      Coordinate(minX, minY), Coordinate(maxX, minY), Coordinate(maxX, maxY), Coordinate(minX, maxY),
      Coordinate(minX, minY),
    ]
  }
}
