/// Writes little-endian well-known binary in two dimensions; the empty point has coordinates NaN.
package enum WKBWriter {
  package static func bytes(_ geometry: Geometry) -> [UInt8] {
    var out: [UInt8] = []
    out.reserveCapacity(32 + geometry.pointCount * 16)
    append(geometry, to: &out)
    return out
  }

  private static func append(_ geometry: Geometry, to out: inout [UInt8]) {
    header(geometry.kind, &out)
    switch geometry {
    case .point(let point): coordinate(point ?? Coordinate(.nan, .nan), &out)
    case .lineString(let points): coordinates(points, &out)
    case .polygon(let rings): self.rings(rings, &out)
    case .multiPoint(let points):
      number(points.count, &out)
      for point in points {
        header(.point, &out)
        coordinate(point, &out)
      }
    case .multiLineString(let lines):
      number(lines.count, &out)
      for line in lines {
        header(.lineString, &out)
        coordinates(line, &out)
      }
    case .multiPolygon(let polygons):
      number(polygons.count, &out)
      for polygon in polygons {
        header(.polygon, &out)
        rings(polygon, &out)
      }
    case .collection(let parts):
      number(parts.count, &out)
      for part in parts { append(part, to: &out) }
    }
  }

  private static func header(_ kind: GeometryKind, _ out: inout [UInt8]) {
    out.append(1)
    number(Int(kind.rawValue), &out)
  }

  private static func number(_ value: Int, _ out: inout [UInt8]) {
    withUnsafeBytes(of: UInt32(truncatingIfNeeded: value).littleEndian) { out.append(contentsOf: $0) }
  }

  private static func coordinate(_ point: Coordinate, _ out: inout [UInt8]) {
    withUnsafeBytes(of: point.x.bitPattern.littleEndian) { out.append(contentsOf: $0) }
    withUnsafeBytes(of: point.y.bitPattern.littleEndian) { out.append(contentsOf: $0) }
  }

  private static func coordinates(_ points: [Coordinate], _ out: inout [UInt8]) {
    number(points.count, &out)
    for point in points { coordinate(point, &out) }
  }

  private static func rings(_ rings: [[Coordinate]], _ out: inout [UInt8]) {
    number(rings.count, &out)
    for ring in rings { coordinates(ring, &out) }
  }
}
