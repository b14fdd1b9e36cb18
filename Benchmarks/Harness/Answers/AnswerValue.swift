import Foundation

/// A value of an engine's answer, in a shape that engines with other types share.
///
/// On the line it is a text whose first letter is its kind: `b1`, `d12.50`, `f0.1`, `stext`, `x00ff`, `j[1,2]`.
enum AnswerValue {
  /// The letters of the notation.
  enum Kind: Character { case boolean = "b", exact = "d", float = "f", text = "s", bytes = "x", json = "j" }

  case null
  case boolean(Bool)
  /// A whole number or decimal: its digits as written, and near enough for comparisons.
  case exact(ExactNumber)
  case float(Double)
  /// Dates, times and all else as text.
  case text(String)

  /// How well two values agree.
  enum Agreement: Int, Comparable {
    case different, rounded, equal
    static func < (a: Agreement, b: Agreement) -> Bool { a.rawValue < b.rawValue }
  }

  /// Relative gap that sums of doubles in another order may have.
  private static let relativeTolerance = 1e-9
  private static let absoluteTolerance = 1e-12

  init(_ text: String?) {
    guard let text, let letter = text.first else {
      self = .null
      return
    }
    let rest = String(text.dropFirst())
    switch Kind(rawValue: letter) {
    case .boolean: self = .boolean(rest == "1" || rest == "true")
    case .exact: self = .exact(ExactNumber(rest))
    case .float: self = .float(Double(rest.lowercased()) ?? .nan)
    case .text: self = .text(AnswerValue.trimmedTimestamp(rest))
    case .bytes, .json, nil: self = .text(rest.replacing(" ", with: ""))
    }
  }

  /// `2024-01-01 00:00:00.000` → `2024-01-01`, for engines that have timestamps where others have dates; zeros of the
  /// fraction go.
  private static func trimmedTimestamp(_ text: String) -> String {
    let bytes = Array(text.utf8)
    guard bytes.count >= 19, bytes[4] == 0x2d, bytes[7] == 0x2d, bytes[10] == 0x20 || bytes[10] == 0x54,
      bytes[13] == 0x3a, bytes[16] == 0x3a, bytes.count == 19 || bytes[19] == 0x2e
    else { return text }
    var end = bytes.count
    if end > 19 {
      while end > 20, bytes[end - 1] == 0x30 { end -= 1 }
      if end == 20 { end = 19 }
    }
    let day = String(decoding: bytes[0..<10], as: UTF8.self)
    let time = String(decoding: bytes[11..<end], as: UTF8.self)
    return time == "00:00:00" ? day : day + " " + time
  }

  /// Compares with another engine's value. Doubles agree within a relative 1e-9; a decimal agrees with a double or with
  /// a decimal of other scale when one is the other rounded.
  ///
  /// - Parameter allowsCutOff: whether a decimal may also be the double cut off after its last digit, as some peers do.
  func agrees(with other: AnswerValue, allowsCutOff: Bool = false) -> Agreement {
    switch (self, other) {
    case (.null, .null): .equal
    case (.boolean(let a), .boolean(let b)): a == b ? .equal : .different
    case (.boolean(let a), .exact(let b)), (.exact(let b), .boolean(let a)):
      b.approximation == (a ? 1 : 0) ? .equal : .different
    case (.exact(let a), .exact(let b)):
      if a.digits == b.digits { .equal } else { a.isRounded(from: b) ? .rounded : .different }
    case (.exact(let a), .float(let b)), (.float(let b), .exact(let a)):
      if AnswerValue.isNear(a.approximation, b) {
        .equal
      } else {
        a.scale >= 2 && abs(a.approximation - b) <= a.unit * (allowsCutOff ? 1 : 0.5000001) + AnswerValue.relativeTolerance * abs(b)
          ? .rounded : .different
      }
    case (.float(let a), .float(let b)): AnswerValue.isNear(a, b) ? .equal : .different
    case (.text(let a), .text(let b)): a == b ? .equal : .different
    default: .different
    }
  }

  private static func isNear(_ a: Double, _ b: Double) -> Bool {
    if a == b || (a.isNaN && b.isNaN) { return true }
    return abs(a - b) <= max(relativeTolerance * max(abs(a), abs(b)), absoluteTolerance)
  }

  /// For messages.
  var description: String {
    switch self {
    case .null: "NULL"
    case .boolean(let value): "\(value)"
    case .exact(let number): number.digits
    case .float(let value): "\(value)"
    case .text(let text): text.count > 40 ? text.prefix(40) + "…" : text
    }
  }
}

/// A decimal number by its digits, trailing zeros of the fraction gone.
struct ExactNumber {
  let digits: String
  /// Digits after the point as the engine wrote them.
  let scale: Int
  let approximation: Double

  init(_ text: String) {
    let parts = text.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
    var fraction = parts.count > 1 ? String(parts[1]) : ""
    scale = fraction.count
    while fraction.last == "0" { fraction.removeLast() }
    let whole = String(parts.first ?? "0")
    let joined = fraction.isEmpty ? whole : whole + "." + fraction
    digits = joined == "-0" ? "0" : joined
    approximation = Double(digits) ?? .nan
  }

  /// The worth of the last digit.
  var unit: Double { pow(10, -Double(scale)) }

  /// Whether the one with fewer digits is the other one rounded or cut off.
  func isRounded(from other: ExactNumber) -> Bool {
    guard scale != other.scale, min(scale, other.scale) >= 2 else { return false }
    return abs(approximation - other.approximation) < max(unit, other.unit) * 1.0000001
  }
}
