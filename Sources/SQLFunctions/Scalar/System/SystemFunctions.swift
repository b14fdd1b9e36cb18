import Columnar
import Glibc
import QueryErrors

/// The session, identifiers and sizes.
package enum SystemFunctions: FunctionFamily {
  package static let title = "Session and system"

  package static let functions: [ScalarFunction] = [
    sessionName("current_user", "typeof(current_user)", "varchar", summary: "The user who runs the query.") { $0.user },
    sessionName("current_catalog", "current_catalog", "awsdatacatalog", summary: "The session's catalog.") { $0.catalog },
    sessionName("current_schema", "current_schema", "default", summary: "The session's database.") { $0.database },
    sessionName("current_path", "length(current_path)", "0", summary: "The session's path for functions: always empty.") { _ in "" },
    ScalarFunction(
      "current_groups", summary: "The groups of the user who runs the query: none.",
      examples: [Example("current_groups()", "[]")], determinism: .stable,
      overloads: [
        .columns([], returns: .exact(.array(.text))) { (_, n, _) throws(QueryError) -> Column in
          .constant(.array([]), .array(.text), count: n)
        }
      ]),
    sessionName("version", "version()", "401", summary: "The version of Trino whose functions these are.") { _ in "401" },
    ScalarFunction(
      "uuid", summary: "A random UUID (version 4).",
      examples: [Example("typeof(uuid())", "uuid")], determinism: .volatile,
      overloads: [
        ScalarOverload(Signature([], returns: .exact(.uuid))) { (_: SignatureBinding) throws(QueryError) -> Kernel in
          var generator = FastRandom()
          return { (columns: [Column], n: Int, context: inout KernelContext) throws(QueryError) -> Column in
            mapRows([], n, &context) { _, rows -> StringView in
              let out = rows.arena.reserve(16)
              // Version 4, variant 10.
              let high = (generator.next() & 0xffff_ffff_ffff_0fff) | 0x4000
              let low = (generator.next() & 0x3fff_ffff_ffff_ffff) | 0x8000_0000_0000_0000
              out.storeBytes(of: high.bigEndian, as: UInt64.self)
              out.storeBytes(of: low.bigEndian, toByteOffset: 8, as: UInt64.self)
              return StringView(out, count: 16)
            }
          }
        }
      ]),
    ScalarFunction(
      "parse_data_size", aliases: ["parse_presto_data_size"],
      summary: "The number of bytes that a text such as 2.3MB names; units are powers of 1024.",
      examples: [Example("parse_data_size('2.3kB')", "2355")],
      overloads: [
        .unary(.exact(.text), returns: .exact(.decimal(precision: 38, scale: 0))) { (text: StringView, rows) -> Int128 in
          dataSize(text, &rows)
        }
      ]),
    ScalarFunction(
      "format_number", summary: "The number with three digits and a unit: K, M, B, T, Q.",
      examples: [Example("format_number(123456)", "123K"), Example("format_number(1000000)", "1M")],
      overloads: [
        .unary(.bigint, returns: .varchar) { (value: Int64, rows) -> StringView in
          rows.string(shortNumber(value))
        },
        .unary(.double, returns: .varchar) { (value: Double, rows) -> StringView in
          rows.string(shortNumber(value.isNaN ? 0 : Int64(exactly: value.rounded(.towardZero)) ?? (value < 0 ? .min : .max)))
        },
      ]),
  ]

  private static func sessionName(
    _ name: String, _ example: String, _ result: String, summary: String,
    _ body: @escaping @Sendable (SessionContext) -> String
  ) -> ScalarFunction {
    ScalarFunction(
      name, aliases: ["$\(name)"], summary: summary, examples: [Example(example, result)], determinism: .stable,
      overloads: [
        .columns([], returns: .varchar) { (_, n, context) throws(QueryError) -> Column in
          .constant(.string(body(context.session)), .text, count: n)
        }
      ])
  }

  // MARK: Sizes

  private static func dataSize(_ text: StringView, _ rows: inout RowContext) -> Int128 {
    let units = ["B", "kB", "MB", "GB", "TB", "PB", "EB", "ZB", "YB"]
    let bytes = text.bytes
    var end = 0
    while end < bytes.count, (bytes[end] >= 0x30 && bytes[end] <= 0x39) || bytes[end] == 0x2e { end += 1 }
    let name = String(decoding: bytes[end...], as: UTF8.self)
    let parts = bytes[..<end].split(separator: 0x2e, omittingEmptySubsequences: false)
    guard let power = units.firstIndex(of: name), parts.count <= 2, let whole = parts.first, !whole.isEmpty,
      parts.count == 1 || !parts[1].isEmpty
    else {
      rows.fail(.invalidFunctionArgument, "Invalid data size: '\(text.string)'")
      return 0
    }
    // value · 1024ⁿ / 10ᵈ in as many digits as it takes.
    var digits = Array((whole + (parts.count == 2 ? parts[1] : [])).drop { $0 == 0x30 })
    if digits.isEmpty { digits = [0x30] }
    let decimals = parts.count == 2 ? parts[1].count : 0
    var number = digits.map { Int($0 - 0x30) }
    for _ in 0..<power {
      var carry = 0
      for k in number.indices.reversed() {
        let value = number[k] * 1024 + carry
        number[k] = value % 10
        carry = value / 10
      }
      while carry > 0 {
        number.insert(carry % 10, at: 0)
        carry /= 10
      }
    }
    let kept = number.dropLast(min(decimals, number.count)).drop { $0 == 0 }
    if kept.count > 38 {
      let value = kept.map { String($0) }.joined()
      rows.fail(.numericValueOutOfRange, "Value out of range: '\(text.string)' ('\(value)B')")
      return 0
    }
    return kept.reduce(Int128(0)) { $0 * 10 + Int128($1) }
  }

  /// The number in the largest unit that leaves at least 1, with two decimals below 10 and one below 100, rounded half up.
  ///
  /// - Source: Trino `FormatNumberFunction`: the unit is chosen before rounding (999999 is 1000K), and negative numbers are
  ///   all below 10.
  private static func shortNumber(_ value: Int64) -> String {
    var rest = Double(value)
    let units = ["", "K", "M", "B", "T", "Q"]
    var unit = 0
    while rest.magnitude >= 1000, unit < units.count - 1 {
      rest /= 1000
      unit += 1
    }
    let decimals = rest < 10 ? 2 : rest < 100 ? 1 : 0
    let factor = [1.0, 10, 100][decimals]
    // The product's own rounding error tells on which side of a half it lies.
    let product = rest.magnitude * factor
    let error = fma(rest.magnitude, factor, -product)
    let rounded = product.rounded(.down)
    let part = product - rounded
    let scaled = Int64(rounded) + (part > 0.5 || (part == 0.5 && error >= 0) ? 1 : 0)
    var text = "\(scaled / Int64(factor))"
    let fraction = scaled % Int64(factor)
    if fraction > 0 {
      let digits = "\(fraction)"
      text += "." + String(repeating: "0", count: decimals - digits.utf8.count) + digits
      while text.hasSuffix("0") { text.removeLast() }
    }
    return (value < 0 ? "-" : "") + text + units[unit]
  }
}
