/// The patterns of SHOW: regular expressions of `*`, `.*` and `|`, or LIKE's `%` and `_`.
struct NamePattern {
  /// A part of a pattern.
  private enum Part { case letter(Character), one, any }
  private let alternatives: [[Part]]?

  /// - Parameter escape: before a wildcard of LIKE that stands for itself.
  init(_ pattern: String?, isLike: Bool, escape: Character? = nil) {
    alternatives = pattern.map { pattern in
      if isLike, escape != nil || pattern.contains("%") || pattern.contains("_") {
        return [NamePattern.like(pattern.lowercased(), escape)]
      }
      return pattern.lowercased().split(separator: "|").map { alternative in
        var parts: [Part] = []
        for letter in alternative {
          if letter == "*" {
            if case .letter(".")? = parts.last { parts.removeLast() }
            parts.append(.any)
          } else {
            parts.append(.letter(letter))
          }
        }
        return parts
      }
    }
  }

  private static func like(_ pattern: String, _ escape: Character?) -> [Part] {
    var parts: [Part] = []
    var isEscaped = false
    for letter in pattern {
      switch letter {
      case _ where isEscaped:
        parts.append(.letter(letter))
        isEscaped = false
      case escape: isEscaped = true
      case "%": parts.append(.any)
      case "_": parts.append(.one)
      default: parts.append(.letter(letter))
      }
    }
    return parts
  }

  func matches(_ name: String) -> Bool {
    guard let alternatives else { return true }
    let letters = Array(name.lowercased())
    return alternatives.contains { NamePattern.match($0[...], letters[...]) }
  }

  /// Goes back to the last `any` where the rest does not match.
  private static func match(_ pattern: ArraySlice<Part>, _ name: ArraySlice<Character>) -> Bool {
    var (part, letter) = (pattern.startIndex, name.startIndex)
    var retry: (part: Int, letter: Int)?
    while letter < name.endIndex {
      if part < pattern.endIndex {
        switch pattern[part] {
        case .any:
          retry = (part, letter)
          part += 1
          continue
        case .letter(let wanted) where wanted == name[letter]:
          (part, letter) = (part + 1, letter + 1)
          continue
        case .one:
          (part, letter) = (part + 1, letter + 1)
          continue
        case .letter: break
        }
      }
      guard let last = retry else { return false }
      retry = (last.part, last.letter + 1)
      (part, letter) = (last.part + 1, last.letter + 1)
    }
    return pattern[part...].allSatisfy { if case .any = $0 { true } else { false } }
  }
}
