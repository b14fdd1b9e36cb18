/// What a geometry is; raw values are the type codes of well-known binary.
package enum GeometryKind: UInt8, CaseIterable, Sendable {
  case point = 1
  case lineString
  case polygon
  case multiPoint
  case multiLineString
  case multiPolygon
  case collection

  /// As the standard writes it: `LineString`.
  package var name: String {
    switch self {
    case .point: "Point"
    case .lineString: "LineString"
    case .polygon: "Polygon"
    case .multiPoint: "MultiPoint"
    case .multiLineString: "MultiLineString"
    case .multiPolygon: "MultiPolygon"
    case .collection: "GeometryCollection"
    }
  }

  /// As messages have it: `LINE_STRING`.
  package var messageName: String {
    switch self {
    case .point: "POINT"
    case .lineString: "LINE_STRING"
    case .polygon: "POLYGON"
    case .multiPoint: "MULTI_POINT"
    case .multiLineString: "MULTI_LINE_STRING"
    case .multiPolygon: "MULTI_POLYGON"
    case .collection: "GEOMETRY_COLLECTION"
    }
  }

  /// As `ST_GeometryType` answers it: `ST_LineString`.
  package var standardName: String { self == .collection ? "ST_GeomCollection" : "ST_" + name }

  /// Whether it holds other geometries.
  package var isMulti: Bool { rawValue >= GeometryKind.multiPoint.rawValue }
}
