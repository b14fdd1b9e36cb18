import Columnar
import QueryErrors

/// IP addresses.
package enum NetworkFunctions: FunctionFamily {
  package static let title = "IP addresses"

  package static let functions: [ScalarFunction] = [
    ScalarFunction(
      "contains", summary: "Whether a network in CIDR notation holds an address.",
      examples: [Example("contains('10.0.0.0/8', IPADDRESS '10.255.255.255')", "true")],
      overloads: [
        .binary(.exact(.text), .exact(.ipaddress), returns: .boolean) {
          (network: StringView, address: StringView, rows) -> Bool in contains(network, address, &rows)
        }
      ])
  ]

  private static func contains(_ network: StringView, _ address: StringView, _ rows: inout RowContext) -> Bool {
    func fail(_ message: String) -> Bool {
      rows.fail(.invalidFunctionArgument, message)
      return false
    }
    let text = network.bytes
    guard let slash = text.firstIndex(of: 0x2f) else { return fail("Invalid CIDR") }
    var base = [UInt8](repeating: 0, count: 16)
    let isAddress = text[..<slash].withUnsafeBufferPointer { p in
      base.withUnsafeMutableBufferPointer { out in
        p.baseAddress.map { NetworkText.parseIPAddress($0, p.count, to: out.baseAddress!) } ?? false
      }
    }
    if !isAddress { return fail("Invalid network IP address") }
    // Java reads ::ffff:a.b.c.d as an IPv4 address.
    let isV4 = isMappedV4(base)
    let length = text[(slash + 1)...].withUnsafeBufferPointer { p in
      p.baseAddress.flatMap { NumberText.parseInteger($0, p.count) }
    }
    guard let length, length >= 0 else { return fail("Invalid prefix length") }
    guard length <= (isV4 ? 32 : 128) else { return fail("Prefix length exceeds address length") }
    let bits = Int(length) + (isV4 ? 96 : 0)
    // An IPv4 network's address has no bits beyond its prefix.
    if isV4, (bits..<128).contains(where: { base[$0 / 8] & (0x80 >> UInt8($0 % 8)) != 0 }) {
      return fail("Invalid CIDR")
    }
    let wanted = address.bytes
    guard wanted.count == 16 else { return false }
    if isMappedV4(wanted) != isV4 { return fail("IP address version should be the same") }
    for k in 0..<16 {
      let rest = min(max(bits - k * 8, 0), 8)
      let mask = UInt8(truncatingIfNeeded: 0xff00 >> rest)
      if base[k] & mask != wanted[k] & mask { return false }
    }
    return true
  }

  /// Whether 16 bytes are an IPv4 address, which is stored as `::ffff:a.b.c.d`.
  private static func isMappedV4(_ bytes: [UInt8]) -> Bool {
    bytes[..<10].allSatisfy { $0 == 0 } && bytes[10] == 0xff && bytes[11] == 0xff
  }
}
