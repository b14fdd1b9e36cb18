/// Names of buckets.
enum S3Bucket {
  /// - Source: Amazon S3 user guide, "General purpose bucket naming rules".
  static func isName(_ name: String) -> Bool {
    func isEdge(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) || (0x61...0x7a).contains(byte) }
    let bytes = Array(name.utf8)
    guard (3...63).contains(bytes.count), isEdge(bytes[0]), isEdge(bytes[bytes.count - 1]) else { return false }
    return bytes.allSatisfy { isEdge($0) || $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: ".") } && !name.contains("..")
  }
}
