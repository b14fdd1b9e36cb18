package import QueryErrors

/// One name of a glob pattern, such as `part-*[0-9].csv`.
package struct GlobPattern: Sendable {
  private enum Part: Sendable {
    case scalar(Unicode.Scalar)
    case anyScalar
    case anyRun
    case set([ClosedRange<UInt32>], isNegated: Bool)
  }

  private let parts: [Part]
  private let showsHidden: Bool
  /// Whether the name is `**`.
  package let isAnyDepth: Bool
  /// The name itself when it has no wildcard.
  package let literal: String?

  /// Parses one name; braces must have been expanded.
  ///
  /// A `[` without its `]` stands for itself, as in shells.
  package init(_ text: String) {
    isAnyDepth = text == "**"
    showsHidden = ObjectPath.isHidden(text)
    literal = GlobPattern.isPattern(text) ? nil : text
    let scalars = Array(text.unicodeScalars)
    var parts: [Part] = []
    var index = 0
    while index < scalars.count {
      let scalar = scalars[index]
      index += 1
      switch scalar {
      case "*":
        if case .anyRun? = parts.last { continue }
        parts.append(.anyRun)
      case "?": parts.append(.anyScalar)
      case "[":
        var end = index
        if end < scalars.count, scalars[end] == "!" || scalars[end] == "^" { end += 1 }
        // A ] at the first place belongs to the set.
        if end < scalars.count, scalars[end] == "]" { end += 1 }
        while end < scalars.count, scalars[end] != "]" { end += 1 }
        guard end < scalars.count else {
          parts.append(.scalar(scalar))
          continue
        }
        parts.append(GlobPattern.set(scalars[index..<end]))
        index = end + 1
      default: parts.append(.scalar(scalar))
      }
    }
    self.parts = parts
  }

  private static func set(_ body: ArraySlice<Unicode.Scalar>) -> Part {
    var body = body
    let isNegated = body.first == "!" || body.first == "^"
    if isNegated { body = body.dropFirst() }
    var ranges: [ClosedRange<UInt32>] = []
    while let low = body.first {
      body = body.dropFirst()
      if body.first == "-", body.count >= 2 {
        let high = body[body.startIndex + 1]
        body = body.dropFirst(2)
        // A range that runs backwards holds nothing.
        if low.value <= high.value { ranges.append(low.value...high.value) }
      } else {
        ranges.append(low.value...low.value)
      }
    }
    return .set(ranges, isNegated: isNegated)
  }

  /// Whether a name fits; hidden names only fit patterns that start like them.
  ///
  /// - Complexity: O(pattern × name).
  package func matches(_ name: String) -> Bool {
    if ObjectPath.isHidden(name), !showsHidden { return false }
    if isAnyDepth { return true }
    let scalars = Array(name.unicodeScalars)
    var part = 0
    var index = 0
    // Where the last * stands, and how much of the name it has taken.
    var starPart = -1
    var starIndex = 0
    while index < scalars.count {
      if part < parts.count {
        if case .anyRun = parts[part] {
          starPart = part
          starIndex = index
          part += 1
          continue
        }
        if GlobPattern.fits(parts[part], scalars[index]) {
          part += 1
          index += 1
          continue
        }
      }
      guard starPart >= 0 else { return false }
      starIndex += 1
      index = starIndex
      part = starPart + 1
    }
    while part < parts.count {
      guard case .anyRun = parts[part] else { return false }
      part += 1
    }
    return true
  }

  private static func fits(_ part: Part, _ scalar: Unicode.Scalar) -> Bool {
    switch part {
    case .scalar(let wanted): return wanted == scalar
    case .anyScalar, .anyRun: return true
    case .set(let ranges, let isNegated):
      return ranges.contains { $0.contains(scalar.value) } != isNegated
    }
  }

  /// Whether a path has wildcards.
  package static func isPattern(_ path: String) -> Bool {
    path.utf8.contains { byte in
      byte == UInt8(ascii: "*") || byte == UInt8(ascii: "?") || byte == UInt8(ascii: "[") || byte == UInt8(ascii: "{")
    }
  }

  /// More texts than this from one pattern's braces are an error.
  private static let maximumAlternatives = 10_000

  /// The patterns that `{a,b}` stands for; braces may be nested, and one without its partner stands for itself.
  ///
  /// - Throws: `INVALID_FUNCTION_ARGUMENT` when there are more than 10,000.
  package static func expandBraces(_ pattern: String) throws(QueryError) -> [String] {
    var done: [String] = []
    var waiting = [Array(pattern.unicodeScalars)]
    // Braces before this place of a waiting pattern stand for themselves.
    var starts = [0]
    while let scalars = waiting.popLast(), let start = starts.popLast() {
      if done.count + waiting.count > maximumAlternatives {
        throw QueryError(.invalidFunctionArgument, "The braces of the pattern stand for too many paths: \(pattern)")
      }
      guard let open = scalars[min(start, scalars.count)...].firstIndex(of: "{") else {
        var text = String.UnicodeScalarView()
        text.append(contentsOf: scalars)
        done.append(String(text))
        continue
      }
      var level = 0
      var cuts = [open]
      var close = -1
      for index in open..<scalars.count {
        switch scalars[index] {
        case "{": level += 1
        case "}":
          level -= 1
          if level == 0 { close = index }
        case "," where level == 1: cuts.append(index)
        default: break
        }
        if close >= 0 { break }
      }
      if close < 0 || cuts.count == 1 {
        waiting.append(scalars)
        starts.append(open + 1)
        continue
      }
      cuts.append(close)
      for (from, to) in zip(cuts, cuts.dropFirst()).reversed() {
        waiting.append(Array(scalars[..<open] + scalars[(from + 1)..<to] + scalars[(close + 1)...]))
        starts.append(open)
      }
    }
    return done
  }
}
