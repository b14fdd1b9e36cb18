import Foundation

/// Whether two engines gave the same rows.
struct AnswerComparison {
  enum Verdict: String, Codable, Sendable {
    case equal = "ok"
    /// A decimal of one is the other's value rounded.
    case rounded = "≈"
    /// The same rows; those that sort alike stand in another order.
    case ties
    case different = "DIFF"
  }

  let verdict: Verdict
  /// The first difference, or empty.
  let detail: String

  /// Rows that are matched one by one when sorting parts values that are nearly equal.
  private static let maxMatchedRowCount = 2000
  private static let maxShownColumnCount = 12

  /// Compares rows as a multiset and, when the query orders them, as a sequence.
  ///
  /// - Parameters:
  ///   - comparesCount: the query promises only the number of its rows.
  ///   - allowsCutOff: decimals may be cut off instead of rounded.
  init(
    _ mine: [[String?]], _ theirs: [[String?]], isOrdered: Bool, comparesCount: Bool, allowsCutOff: Bool = false
  ) {
    if mine.count != theirs.count {
      self.init(.different, "\(mine.count) rows, expected \(theirs.count)")
      return
    }
    if comparesCount {
      self.init(.equal, "")
      return
    }
    let a = mine.map { $0.map(AnswerValue.init) }
    let b = theirs.map { $0.map(AnswerValue.init) }
    if let first = a.first, first.count != b[0].count {
      self.init(.different, "\(first.count) columns, expected \(b[0].count)")
      return
    }
    let scores = zip(a, b).map { AnswerComparison.agreement($0, $1, allowsCutOff) }
    guard let at = scores.firstIndex(of: .different) else {
      self.init(scores.allSatisfy { $0 == .equal } ? .equal : .rounded, "")
      return
    }
    let detail =
      "row \(at + 1): \(AnswerComparison.text(of: a[at])), expected \(AnswerComparison.text(of: b[at]))"
    let matches = AnswerComparison.isSameMultiset(a, b, allowsCutOff)
    self.init(matches ? (isOrdered ? .ties : .equal) : .different, matches ? "" : detail)
  }

  private init(_ verdict: Verdict, _ detail: String) {
    self.verdict = verdict
    self.detail = detail
  }

  private static func agreement(
    _ a: [AnswerValue], _ b: [AnswerValue], _ allowsCutOff: Bool
  ) -> AnswerValue.Agreement {
    zip(a, b).map { $0.agrees(with: $1, allowsCutOff: allowsCutOff) }.min() ?? .equal
  }

  private static func isSameMultiset(_ a: [[AnswerValue]], _ b: [[AnswerValue]], _ allowsCutOff: Bool) -> Bool {
    let a = a.map { (key: sortKey($0), row: $0) }.sorted { $0.key < $1.key }.map(\.row)
    let b = b.map { (key: sortKey($0), row: $0) }.sorted { $0.key < $1.key }.map(\.row)
    let unequal = a.indices.filter { agreement(a[$0], b[$0], allowsCutOff) == .different }
    if unequal.isEmpty { return true }
    if unequal.count > maxMatchedRowCount { return false }
    var left = unequal.map { b[$0] }
    for index in unequal {
      guard let hit = left.firstIndex(where: { agreement(a[index], $0, allowsCutOff) != .different }) else { return false }
      left.remove(at: hit)
    }
    return true
  }

  /// Texts before numbers, numbers to six digits: equal rows of two engines get keys that sort alike.
  private static func sortKey(_ row: [AnswerValue]) -> String {
    var texts = ""
    var numbers = ""
    for value in row {
      switch value {
      case .null: texts += "\u{1}"
      case .boolean(let flag): numbers += flag ? "1e0" : "0e0"
      case .exact(let number): numbers += String(format: "%.5e|", number.approximation)
      case .float(let number): numbers += String(format: "%.5e|", number)
      case .text(let text): texts += "\u{2}" + text
      }
    }
    return texts + "\u{3}" + numbers
  }

  private static func text(of row: [AnswerValue]) -> String {
    let shown = row.prefix(maxShownColumnCount).map(\.description).joined(separator: ", ")
    return "(" + shown + (row.count > maxShownColumnCount ? ", …)" : ")")
  }
}
