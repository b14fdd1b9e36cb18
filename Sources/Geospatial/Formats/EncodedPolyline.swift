package import QueryErrors

/// Lines as Google's maps write them: differences of latitude and longitude in 10⁻⁵ degrees, five bits a character.
///
///     (-120.2 38.5, -120.95 40.7)   ↔   _p~iF~ps|U_ulLnnqC
///
/// - Source: Google, "Encoded Polyline Algorithm Format".
package enum EncodedPolyline {
  private static let scale = 1e5

  package static func encode(_ points: [Coordinate]) -> [UInt8] {
    var out: [UInt8] = []
    var last: (latitude: Int64, longitude: Int64) = (0, 0)
    for point in points {
      let (latitude, longitude) = (rounded(point.y), rounded(point.x))
      append(latitude &- last.latitude, to: &out)
      append(longitude &- last.longitude, to: &out)
      last = (latitude, longitude)
    }
    return out
  }

  /// Half up, as Java's `Math.round`.
  private static func rounded(_ degrees: Double) -> Int64 {
    let value = (degrees * scale + 0.5).rounded(.down)
    return Int64(exactly: value) ?? (value.isNaN ? 0 : value < 0 ? .min : .max)
  }

  private static func append(_ value: Int64, to out: inout [UInt8]) {
    var rest = UInt64(bitPattern: value < 0 ? ~(value &<< 1) : value &<< 1)
    while rest >= 0x20 {
      out.append(UInt8(0x20 | (rest & 0x1f)) + 63)
      rest >>= 5
    }
    out.append(UInt8(rest) + 63)
  }

  /// - Throws: `INVALID_FUNCTION_ARGUMENT` when the text ends within a number or holds other characters.
  package static func decode(_ p: UnsafePointer<UInt8>, _ count: Int) throws(QueryError) -> [Coordinate] {
    var points: [Coordinate] = []
    var at = 0
    var (latitude, longitude): (Int32, Int32) = (0, 0)
    while at < count {
      latitude &+= try number(p, count, &at)
      longitude &+= try number(p, count, &at)
      points.append(Coordinate(Double(longitude) * 1e-5, Double(latitude) * 1e-5))
    }
    return points
  }

  private static func number(_ p: UnsafePointer<UInt8>, _ count: Int, _ at: inout Int) throws(QueryError) -> Int32 {
    var value: UInt32 = 0
    var shift: UInt32 = 0
    while true {
      guard at < count, p[at] >= 63, p[at] < 127, shift < 32 else {
        throw QueryError(
          .invalidFunctionArgument,
          "Invalid encoded polyline: " + String(decoding: UnsafeBufferPointer(start: p, count: count), as: UTF8.self))
      }
      let bits = UInt32(p[at] - 63)
      at += 1
      value |= (bits & 0x1f) << shift
      shift += 5
      if bits & 0x20 == 0 { break }
    }
    return Int32(bitPattern: value & 1 != 0 ? ~(value >> 1) : value >> 1)
  }
}
