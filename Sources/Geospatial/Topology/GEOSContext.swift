package import QueryErrors

/// GEOS for one thread: reads stored geometries into its shapes, computes with them, writes the results back.
///
/// - Threads: one owner.
package final class GEOSContext {
  let library: GEOSLibrary
  let handle: OpaquePointer
  private let reader: OpaquePointer
  private let writer: OpaquePointer
  /// What GEOS said of the last failure.
  private let message = Message()

  private final class Message { var text = "" }

  /// - Throws: `NOT_SUPPORTED` where the library is not installed.
  package init() throws(QueryError) {
    guard let library = GEOSLibrary.shared, let handle = library.begin(), let reader = library.makeReader(handle),
      let writer = library.makeWriter(handle)
    else { throw GEOSLibrary.missing() }
    self.library = library
    self.handle = handle
    self.reader = reader
    self.writer = writer
    library.setByteOrder(handle, writer, 1)
    let keep: GEOSLibrary.MessageHandler = { text, target in
      guard let text, let target else { return }
      Unmanaged<Message>.fromOpaque(target).takeUnretainedValue().text = String(cString: text)
    }
    _ = library.setErrorHandler(handle, keep, Unmanaged.passUnretained(message).toOpaque())
  }

  deinit {
    library.destroyReader(handle, reader)
    library.destroyWriter(handle, writer)
    library.end(handle)
  }

  /// What to throw after GEOS failed.
  func failure() -> QueryError {
    QueryError(.invalidFunctionArgument, "Geometry cannot be computed: \(message.text)")
  }

  // MARK: Shapes

  /// A shape of GEOS.
  package final class Shape {
    let context: GEOSContext
    let pointer: OpaquePointer
    private var prepared: OpaquePointer?

    init(_ context: GEOSContext, _ pointer: OpaquePointer) {
      self.context = context
      self.pointer = pointer
    }

    deinit {
      if let prepared { context.library.destroyPrepared(context.handle, prepared) }
      context.library.destroy(context.handle, pointer)
    }

    /// An index of the shape's parts, for many tests against it; nil when GEOS has none.
    var index: OpaquePointer? {
      if prepared == nil { prepared = context.library.prepare(context.handle, pointer) }
      return prepared
    }
  }

  /// The shape of a stored geometry.
  ///
  /// - Throws: `INVALID_FUNCTION_ARGUMENT` for what GEOS takes for no geometry, such as NaN in a line.
  package func shape(_ bytes: UnsafeRawPointer, _ count: Int) throws(QueryError) -> Shape {
    if let pointer = library.read(handle, reader, bytes, count) { return Shape(self, pointer) }
    // Rings of fewer than four and lines of one point exist here but not in GEOS.
    let padded = WKBWriter.bytes(try WKBReader.read(bytes, count).padded())
    guard let pointer = library.read(handle, reader, padded, padded.count) else { throw failure() }
    return Shape(self, pointer)
  }

  package func shape(_ geometry: Geometry) throws(QueryError) -> Shape {
    let bytes = WKBWriter.bytes(geometry.padded())
    guard let pointer = library.read(handle, reader, bytes, bytes.count) else { throw failure() }
    return Shape(self, pointer)
  }

  /// The geometry of a shape, normalized.
  func geometry(_ shape: Shape) throws(QueryError) -> Geometry {
    var count = 0
    guard let bytes = library.write(handle, writer, shape.pointer, &count) else { throw failure() }
    defer { library.free(handle, bytes) }
    return try WKBReader.read(bytes, count).normalized()
  }

  /// What a function of GEOS made.
  func made(_ pointer: OpaquePointer?) throws(QueryError) -> Shape {
    guard let pointer else { throw failure() }
    return Shape(self, pointer)
  }

  /// What a test of GEOS answered: 0, 1, or 2 for a failure.
  func answer(_ value: CChar) throws(QueryError) -> Bool {
    guard value == 0 || value == 1 else { throw failure() }
    return value == 1
  }

  /// Computes with one shape, and once more with it mended where it is not valid and GEOS fails.
  private func make(
    _ geometry: Geometry, _ function: (OpaquePointer) -> OpaquePointer?
  ) throws(QueryError) -> Geometry {
    let shape = try shape(geometry)
    if let pointer = function(shape.pointer) { return try self.geometry(Shape(self, pointer)) }
    let first = failure()
    guard let valid = library.makeValid(handle, shape.pointer) else { throw first }
    let mended = Shape(self, valid)
    return try self.geometry(try made(function(mended.pointer)))
  }

  // MARK: Making geometries

  /// All points up to `distance` away; circles become polygons of 96 corners.
  package func buffer(_ geometry: Geometry, _ distance: Double) throws(QueryError) -> Geometry {
    // What Esri's library gives up on.
    if distance.isInfinite { return .multiPolygon([]) }
    return try make(geometry) { library.buffer(handle, $0, distance, 24) }
  }

  package func convexHull(_ geometry: Geometry) throws(QueryError) -> Geometry {
    let hull = try make(geometry) { library.convexHull(handle, $0) }
    if case .polygon(let rings) = hull { return .polygon(rings.map(Ring.startingLeftmost)) }
    return hull
  }

  package func centroid(_ geometry: Geometry) throws(QueryError) -> Geometry {
    try make(geometry) { library.centroid(handle, $0) }
  }

  /// Fewer points, none moved by more than `tolerance`, nothing made to cross.
  package func simplify(_ geometry: Geometry, _ tolerance: Double) throws(QueryError) -> Geometry {
    // The way round decides which points stay; Trino's geometries run the other way.
    try make(geometry.reversed()) { library.simplify(handle, $0, tolerance) }
  }

  func unaryUnion(_ geometry: Geometry) throws(QueryError) -> Geometry {
    try make(geometry) { library.unaryUnion(handle, $0) }
  }

  func lineMerge(_ lines: [[Coordinate]]) throws(QueryError) -> Geometry {
    try make(.multiLineString(lines)) { library.lineMerge(handle, $0) }
  }

  /// Combines two shapes, and once more with both mended where GEOS fails.
  func overlay(
    _ a: Geometry, _ b: Geometry, _ function: GEOSLibrary.Make2
  ) throws(QueryError) -> Geometry {
    let (left, right) = (try shape(a), try shape(b))
    if let pointer = function(handle, left.pointer, right.pointer) { return try geometry(Shape(self, pointer)) }
    let first = failure()
    guard let validLeft = library.makeValid(handle, left.pointer) else { throw first }
    let mendedLeft = Shape(self, validLeft)
    guard let validRight = library.makeValid(handle, right.pointer) else { throw first }
    let mendedRight = Shape(self, validRight)
    return try geometry(try made(function(handle, mendedLeft.pointer, mendedRight.pointer)))
  }

  // MARK: Measuring

  package func distance(_ a: Shape, _ b: Shape) throws(QueryError) -> Double {
    var result = 0.0
    guard library.distance(handle, a.pointer, b.pointer, &result) == 1 else { throw failure() }
    return result
  }

  /// The nearest places on two geometries that are not empty.
  package func nearestPoints(_ a: Geometry, _ b: Geometry) throws(QueryError) -> (Coordinate, Coordinate) {
    let (left, right) = (try shape(a.reversed()), try shape(b.reversed()))
    guard let sequence = library.nearestPoints(handle, left.pointer, right.pointer) else { throw failure() }
    defer { library.destroySequence(handle, sequence) }
    var points: [Coordinate] = []
    for k in 0..<2 {
      var (x, y) = (0.0, 0.0)
      guard library.sequenceXY(handle, sequence, CUnsignedInt(k), &x, &y) == 1 else { throw failure() }
      points.append(Coordinate(x, y))
    }
    return (points[0], points[1])
  }

  // MARK: Relations

  /// How two geometries may lie to each other.
  package enum Relation: Sendable { case contains, crosses, equals, intersects, overlaps, touches }

  /// - Parameter isIndexed: whether `a` will meet many others, so that an index of it pays.
  package func test(
    _ relation: Relation, _ a: Shape, _ b: Shape, isIndexed: Bool = false
  ) throws(QueryError) -> Bool {
    if isIndexed, let index = a.index {
      switch relation {
      case .contains: return try answer(library.preparedContains(handle, index, b.pointer))
      case .intersects: return try answer(library.preparedIntersects(handle, index, b.pointer))
      default: break
      }
    }
    switch relation {
    case .contains: return try answer(library.contains(handle, a.pointer, b.pointer))
    case .crosses: return try answer(library.crosses(handle, a.pointer, b.pointer))
    case .equals: return try answer(library.equals(handle, a.pointer, b.pointer))
    case .intersects: return try answer(library.intersects(handle, a.pointer, b.pointer))
    case .overlaps: return try answer(library.overlaps(handle, a.pointer, b.pointer))
    case .touches: return try answer(library.touches(handle, a.pointer, b.pointer))
    }
  }

  /// Whether the nine intersections of interiors, boundaries and exteriors are those of a pattern such as `T*F**F***`.
  package func relate(_ a: Shape, _ b: Shape, _ pattern: String) throws(QueryError) -> Bool {
    guard pattern.utf8.count == 9, pattern.utf8.allSatisfy({ "TF*012".utf8.contains($0) }) else {
      throw QueryError(.invalidFunctionArgument, "Invalid DE-9IM pattern: \(pattern)")
    }
    return try answer(library.relates(handle, a.pointer, b.pointer, pattern))
  }
}

extension Geometry {
  /// The same shape with points repeated where GEOS wants more: two in a line, four in a ring.
  func padded() -> Geometry {
    func line(_ points: [Coordinate]) -> [Coordinate] { points.count == 1 ? points + points : points }
    func ring(_ points: [Coordinate]) -> [Coordinate] {
      guard let last = points.last, points.count < 4 else { return points }
      return points + Array(repeating: last, count: 4 - points.count)
    }
    switch self {
    case .lineString(let points): return .lineString(line(points))
    case .polygon(let rings): return .polygon(rings.map(ring))
    case .multiLineString(let lines): return .multiLineString(lines.map(line))
    case .multiPolygon(let polygons): return .multiPolygon(polygons.map { $0.map(ring) })
    case .collection(let parts): return .collection(parts.map { $0.padded() })
    case .point, .multiPoint: return self
    }
  }
}
