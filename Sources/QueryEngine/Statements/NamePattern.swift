/// The patterns of SHOW: regular expressions of `*`, `.*` and `|`, or LIKE's `%` and `_`.
struct NamePattern {
  private let alternatives: [[Character]]?

  init(_ pattern: String?, isLike: Bool) {
    alternatives = pattern.map { pattern in
      if isLike, pattern.contains("%") || pattern.contains("_") {
        return [pattern.lowercased().map { $0 == "%" ? "*" : ($0 == "_" ? "?" : $0) }]
      }
      return pattern.lowercased().split(separator: "|").map { alternative in
        var letters: [Character] = []
        for letter in alternative {
          if letter == "*", letters.last == "." { letters.removeLast() }
          letters.append(letter)
        }
        return letters
      }
    }
  }

  func matches(_ name: String) -> Bool {
    guard let alternatives else { return true }
    let letters = Array(name.lowercased())
    return alternatives.contains { NamePattern.match($0[...], letters[...]) }
  }

  /// `*` matches any letters, `?` one.
  private static func match(_ pattern: ArraySlice<Character>, _ name: ArraySlice<Character>) -> Bool {
    guard let first = pattern.first else { return name.isEmpty }
    if first == "*" {
      return match(pattern.dropFirst(), name) || (!name.isEmpty && match(pattern, name.dropFirst()))
    }
    guard let letter = name.first, first == "?" || first == letter else { return false }
    return match(pattern.dropFirst(), name.dropFirst())
  }
}
