/// A look into the bytes of a stored geometry without making it: its kind, its point, its envelope.
///
/// - Lifetime: that of the bytes, which `WKBWriter` made.
package struct StoredGeometry {
  package let base: UnsafeRawPointer
  package let count: Int

  package init(_ base: UnsafeRawPointer, _ count: Int) {
    self.base = base
    self.count = count
  }

  package var kind: GeometryKind { GeometryKind(rawValue: base.load(fromByteOffset: 1, as: UInt8.self)) ?? .collection }

  private func number(_ at: Int) -> Int { Int((base + at).loadUnaligned(as: UInt32.self).littleEndian) }

  private func double(_ at: Int) -> Double {
    Double(bitPattern: (base + at).loadUnaligned(as: UInt64.self).littleEndian)
  }

  /// The coordinates of a point; nil when it is empty or no point.
  package var point: Coordinate? {
    guard kind == .point else { return nil }
    let point = Coordinate(double(5), double(13))
    return point.isNaN ? nil : point
  }

  package var envelope: Envelope {
    var result = Envelope()
    var at = 0
    add(&at, &result)
    return result
  }

  private func addCoordinates(_ at: inout Int, _ result: inout Envelope) {
    let n = number(at)
    at += 4
    for _ in 0..<n {
      result.add(double(at), double(at + 8))
      at += 16
    }
  }

  private func add(_ at: inout Int, _ result: inout Envelope) {
    let kind = base.load(fromByteOffset: at + 1, as: UInt8.self)
    at += 5
    switch kind {
    case 1:
      // NaN of the empty point leaves the envelope as it is.
      result.add(double(at), double(at + 8))
      at += 16
    case 2: addCoordinates(&at, &result)
    case 3:
      let rings = number(at)
      at += 4
      for _ in 0..<rings { addCoordinates(&at, &result) }
    default:
      let parts = number(at)
      at += 4
      for _ in 0..<parts { add(&at, &result) }
    }
  }
}
