package import Columnar

/// Writes well-known text as Esri's library does: `MULTIPOINT ((1 2), (3 4))`, `POLYGON EMPTY`.
package enum WKTWriter {
  package static func text(_ geometry: Geometry) -> String {
    let out = TextBuffer()
    append(geometry, to: out)
    return out.string
  }

  package static func append(_ geometry: Geometry, to out: TextBuffer) {
    out.append(word(geometry.kind))
    switch geometry {
    case .point(let point): list(point.map { [$0] } ?? [], to: out) { coordinate($0, to: out) }
    case .lineString(let points): list(points, to: out) { coordinate($0, to: out) }
    case .polygon(let rings): list(rings, to: out) { path($0, to: out) }
    case .multiPoint(let points): list(points, to: out) { path([$0], to: out) }
    case .multiLineString(let lines): list(lines, to: out) { path($0, to: out) }
    case .multiPolygon(let polygons): list(polygons, to: out) { rings in list(rings, to: out) { path($0, to: out) } }
    case .collection(let parts): list(parts, to: out) { append($0, to: out) }
    }
  }

  private static func word(_ kind: GeometryKind) -> StaticString {
    switch kind {
    case .point: "POINT "
    case .lineString: "LINESTRING "
    case .polygon: "POLYGON "
    case .multiPoint: "MULTIPOINT "
    case .multiLineString: "MULTILINESTRING "
    case .multiPolygon: "MULTIPOLYGON "
    case .collection: "GEOMETRYCOLLECTION "
    }
  }

  private static func list<T>(_ items: [T], to out: TextBuffer, _ body: (T) -> Void) {
    if items.isEmpty { return out.append("EMPTY") }
    out.append(0x28)
    for (index, item) in items.enumerated() {
      if index > 0 { out.append(", ") }
      body(item)
    }
    out.append(0x29)
  }

  private static func path(_ points: [Coordinate], to out: TextBuffer) {
    list(points, to: out) { coordinate($0, to: out) }
  }

  private static func coordinate(_ point: Coordinate, to out: TextBuffer) {
    out.count += NumberText.writeGeneral(point.x, to: out.room(NumberText.maxLength))
    out.append(0x20)
    out.count += NumberText.writeGeneral(point.y, to: out.room(NumberText.maxLength))
  }
}
