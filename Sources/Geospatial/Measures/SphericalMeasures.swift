import Glibc
package import QueryErrors

/// Distances and areas on the Earth taken as a sphere.
package enum SphericalMeasures {
  package static let earthRadiusKilometers = 6371.01

  static func radians(_ degrees: Double) -> Double { degrees * (Double.pi / 180) }

  /// - Throws: `INVALID_FUNCTION_ARGUMENT` outside of −90 … 90.
  package static func checkLatitude(_ degrees: Double) throws(QueryError) {
    guard degrees >= -90, degrees <= 90 else {
      throw QueryError(.invalidFunctionArgument, "Latitude must be between -90 and 90")
    }
  }

  /// - Throws: `INVALID_FUNCTION_ARGUMENT` outside of −180 … 180.
  package static func checkLongitude(_ degrees: Double) throws(QueryError) {
    guard degrees >= -180, degrees <= 180 else {
      throw QueryError(.invalidFunctionArgument, "Longitude must be between -180 and 180")
    }
  }

  /// The distance along the great circle.
  ///
  /// - Units: degrees in, kilometers out.
  /// - Source: Vincenty's formula for a sphere.
  package static func kilometers(from a: Coordinate, to b: Coordinate) -> Double {
    let (latitudeA, latitudeB) = (radians(a.y), radians(b.y))
    let delta = radians(a.x) - radians(b.x)
    let (sinA, cosA, sinB, cosB) = (sin(latitudeA), cos(latitudeA), sin(latitudeB), cos(latitudeB))
    let across = cosB * sin(delta)
    let along = cosA * sinB - sinA * cosB * cos(delta)
    let down = sinA * sinB + cosA * cosB * cos(delta)
    return atan2((across * across + along * along).squareRoot(), down) * earthRadiusKilometers
  }

  /// The length of lines.
  ///
  /// - Units: degrees in, meters out.
  package static func meters(along lines: [[Coordinate]]) -> Double {
    var sum = 0.0
    for line in lines {
      for k in stride(from: 1, to: line.count, by: 1) { sum += kilometers(from: line[k - 1], to: line[k]) }
    }
    return sum * 1000
  }

  /// The area of polygons.
  ///
  /// - Units: degrees in, square meters out.
  /// - Throws: `INVALID_FUNCTION_ARGUMENT` for rings of fewer than three points and repeated points.
  package static func area(_ polygons: [[[Coordinate]]]) throws(QueryError) -> Double {
    var excess = 0.0
    for rings in polygons {
      for (index, ring) in rings.enumerated() {
        let part = try sphericalExcess(ring).magnitude
        excess += index == 0 ? part : -part
      }
    }
    let radius = earthRadiusKilometers * 1000
    return (excess * radius * radius).magnitude
  }

  /// How far the angles of a ring exceed those in the plane: its area on the unit sphere.
  ///
  /// The course turns by a full circle around a ring, except when it goes around a pole: then the excess is short of one.
  ///
  /// - Source: Chamberlain and Duquette, "Some algorithms for polygons on a sphere", 2007; Trino `stSphericalArea`.
  private static func sphericalExcess(_ closed: [Coordinate]) throws(QueryError) -> Double {
    let ring = closed.dropLast()
    guard ring.count >= 3, let last = ring.last else {
      throw QueryError(
        .invalidFunctionArgument, "Polygon is not valid: a loop contains less then 3 vertices.")
    }
    let fullTurn = 2 * Double.pi
    /// An angle brought into −π … π.
    func turn(_ angle: Double) -> Double { fmod(angle + 3 * Double.pi, fullTurn) - Double.pi }

    var (latitude, longitude) = (radians(last.y), radians(last.x))
    var excess = 0.0
    var course = 0.0
    var firstBearing: Double?
    var arrival = 0.0
    for point in ring {
      let (nextLatitude, nextLongitude) = (radians(point.y), radians(point.x))
      if nextLatitude == latitude, nextLongitude == longitude {
        throw QueryError(
          .invalidFunctionArgument, "Polygon is not valid: it has two identical consecutive vertices")
      }
      let delta = nextLongitude - longitude
      let (halfA, halfB) = (tan(latitude / 2), tan(nextLatitude / 2))
      excess += 2 * atan2(tan(delta / 2) * (halfA + halfB), 1 + halfA * halfB)

      let (sinA, cosA) = (sin(latitude), cos(latitude))
      let (sinB, cosB) = (sin(nextLatitude), cos(nextLatitude))
      let departure = fmod(
        atan2(sin(delta) * cosB, cosA * sinB - sinA * cosB * cos(delta)) + fullTurn, fullTurn)
      let back = fmod(
        atan2(-sin(delta) * cosA, sinA * cosB - cosA * sinB * cos(delta)) + Double.pi, fullTurn)
      if firstBearing == nil { firstBearing = departure } else { course += turn(departure - arrival) }
      course += turn(back - departure)
      arrival = back
      (latitude, longitude) = (nextLatitude, nextLongitude)
    }
    course += turn(firstBearing! - arrival)
    return course.magnitude < Double.pi / 4 ? excess.magnitude - fullTurn : excess
  }
}
