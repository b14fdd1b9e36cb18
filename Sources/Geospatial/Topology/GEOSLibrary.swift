import Glibc
import QueryErrors

/// The functions of GEOS's C API, looked up in the shared library when a query first needs one.
///
/// Linking it instead would load two C++ libraries at every start: 2.5 ms of a budget of 10 ms for `SELECT 1`, measured
/// with an empty program. So sqlq also builds, and runs all else, where GEOS is not installed.
///
/// - Source: geos_c.h, GEOS 3.8 and later.
struct GEOSLibrary: @unchecked Sendable {
  typealias Handle = OpaquePointer
  typealias Shape = OpaquePointer
  typealias MessageHandler = @convention(c) (UnsafePointer<CChar>?, UnsafeMutableRawPointer?) -> Void
  typealias Make1 = @convention(c) (Handle, Shape) -> Shape?
  typealias Make2 = @convention(c) (Handle, Shape, Shape) -> Shape?
  typealias Test1 = @convention(c) (Handle, Shape) -> CChar
  typealias Test2 = @convention(c) (Handle, Shape, Shape) -> CChar
  typealias Destroy = @convention(c) (Handle, Shape) -> Void

  let begin: @convention(c) () -> Handle?
  let end: @convention(c) (Handle) -> Void
  let setErrorHandler: @convention(c) (Handle, MessageHandler?, UnsafeMutableRawPointer?) -> MessageHandler?
  let makeReader: @convention(c) (Handle) -> OpaquePointer?
  let destroyReader: Destroy
  let read: @convention(c) (Handle, OpaquePointer, UnsafeRawPointer, Int) -> Shape?
  let makeWriter: @convention(c) (Handle) -> OpaquePointer?
  let destroyWriter: Destroy
  let setByteOrder: @convention(c) (Handle, OpaquePointer, CInt) -> Void
  let write: @convention(c) (Handle, OpaquePointer, Shape, UnsafeMutablePointer<Int>) -> UnsafeMutableRawPointer?
  let free: @convention(c) (Handle, UnsafeMutableRawPointer) -> Void
  let destroy: Destroy

  let buffer: @convention(c) (Handle, Shape, Double, CInt) -> Shape?
  let simplify: @convention(c) (Handle, Shape, Double) -> Shape?
  let convexHull: Make1
  let centroid: Make1
  let unaryUnion: Make1
  let lineMerge: Make1
  let makeValid: Make1
  let intersection: Make2
  let difference: Make2
  let symmetricDifference: Make2
  let distance: @convention(c) (Handle, Shape, Shape, UnsafeMutablePointer<Double>) -> CInt
  let nearestPoints: Make2
  let sequenceXY:
    @convention(c) (
      Handle, OpaquePointer, CUnsignedInt, UnsafeMutablePointer<Double>, UnsafeMutablePointer<Double>
    ) -> CInt
  let destroySequence: Destroy

  let contains: Test2
  let crosses: Test2
  let equals: Test2
  let intersects: Test2
  let overlaps: Test2
  let touches: Test2
  let relates: @convention(c) (Handle, Shape, Shape, UnsafePointer<CChar>) -> CChar
  let isSimple: Test1
  let isValid: Test1
  let prepare: Make1
  let destroyPrepared: Destroy
  let preparedContains: Test2
  let preparedIntersects: Test2

  /// nil where the library is missing or older than it must be.
  static let shared = GEOSLibrary()

  private init?() {
    let names = ["libgeos_c.so.1", "libgeos_c.so", "libgeos_c.1.dylib", "libgeos_c.dylib"]
    var library: UnsafeMutableRawPointer?
    for name in names where library == nil { library = dlopen(name, RTLD_NOW | RTLD_LOCAL) }
    guard let library else { return nil }
    var isComplete = true
    /// The address of a function, or of any other where one is missing, which is then never called.
    func symbol<F>(_ name: String) -> F {
      let found = dlsym(library, "GEOS" + name)
      if found == nil { isComplete = false }
      return unsafeBitCast(found ?? library, to: F.self)
    }
    begin = symbol("_init_r")
    end = symbol("_finish_r")
    setErrorHandler = symbol("Context_setErrorMessageHandler_r")
    makeReader = symbol("WKBReader_create_r")
    destroyReader = symbol("WKBReader_destroy_r")
    read = symbol("WKBReader_read_r")
    makeWriter = symbol("WKBWriter_create_r")
    destroyWriter = symbol("WKBWriter_destroy_r")
    setByteOrder = symbol("WKBWriter_setByteOrder_r")
    write = symbol("WKBWriter_write_r")
    free = symbol("Free_r")
    destroy = symbol("Geom_destroy_r")
    buffer = symbol("Buffer_r")
    simplify = symbol("TopologyPreserveSimplify_r")
    convexHull = symbol("ConvexHull_r")
    centroid = symbol("GetCentroid_r")
    unaryUnion = symbol("UnaryUnion_r")
    lineMerge = symbol("LineMerge_r")
    makeValid = symbol("MakeValid_r")
    intersection = symbol("Intersection_r")
    difference = symbol("Difference_r")
    symmetricDifference = symbol("SymDifference_r")
    distance = symbol("Distance_r")
    nearestPoints = symbol("NearestPoints_r")
    sequenceXY = symbol("CoordSeq_getXY_r")
    destroySequence = symbol("CoordSeq_destroy_r")
    contains = symbol("Contains_r")
    crosses = symbol("Crosses_r")
    equals = symbol("Equals_r")
    intersects = symbol("Intersects_r")
    overlaps = symbol("Overlaps_r")
    touches = symbol("Touches_r")
    relates = symbol("RelatePattern_r")
    isSimple = symbol("isSimple_r")
    isValid = symbol("isValid_r")
    prepare = symbol("Prepare_r")
    destroyPrepared = symbol("PreparedGeom_destroy_r")
    preparedContains = symbol("PreparedContains_r")
    preparedIntersects = symbol("PreparedIntersects_r")
    if !isComplete { return nil }
  }

  /// What a query says that needs GEOS where it is not installed.
  static func missing() -> QueryError {
    .notSupported(
      "This geospatial function needs the GEOS library (libgeos_c), which is not installed",
      hint: "Install it, on Debian with: apt-get install libgeos-c1v5")
  }
}
