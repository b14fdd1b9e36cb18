/// The stems of English words.
///
/// - Source: Porter, "The English (Porter2) stemming algorithm", snowballstem.org.
struct EnglishStemmer {
  private var word: [Unicode.Scalar]
  /// Starts of the regions after the first and second vowel-consonant pairs.
  private var r1 = 0
  private var r2 = 0

  /// - Parameter word: lower case; letters other than a … z count as consonants.
  static func stem(_ word: [Unicode.Scalar]) -> [Unicode.Scalar] {
    if word.count <= 2 { return word }
    if let fixed = whole[word] { return fixed }
    var stemmer = EnglishStemmer(word)
    stemmer.removePossessive()
    stemmer.removePlural()
    if !unchangedAfterPlural.contains(stemmer.word) {
      stemmer.removeParticiple()
      stemmer.replaceFinalY()
      stemmer.shortenDoubleSuffix()
      stemmer.shortenSuffix()
      stemmer.removeSuffix()
      stemmer.removeFinalE()
    }
    return stemmer.word.map { $0 == hardY ? "y" : $0 }
  }

  // MARK: Regions

  /// A y that counts as a consonant.
  private static let hardY: Unicode.Scalar = "Y"
  private static let vowels = Set("aeiouy".unicodeScalars)
  private static let doubles = Set(["bb", "dd", "ff", "gg", "mm", "nn", "pp", "rr", "tt"].map { Array($0.unicodeScalars) })
  private static let afterLi = Set("cdeghkmnrt".unicodeScalars)

  private init(_ word: [Unicode.Scalar]) {
    self.word = word.first == "'" ? Array(word.dropFirst()) : word
    for k in self.word.indices where self.word[k] == "y" {
      if k == 0 || isVowel(k - 1) { self.word[k] = Self.hardY }
    }
    r1 = self.word.count
    for start in ["gener", "commun", "arsen"] where self.word.starts(with: start.unicodeScalars) { r1 = start.unicodeScalars.count }
    if r1 == self.word.count { r1 = region(from: 0) }
    r2 = region(from: r1)
  }

  private func isVowel(_ k: Int) -> Bool { Self.vowels.contains(word[k]) }

  /// After the first consonant that follows a vowel.
  private func region(from start: Int) -> Int {
    var k = start
    while k + 1 < word.count {
      if isVowel(k), !isVowel(k + 1) { return k + 2 }
      k += 1
    }
    return word.count
  }

  private func ends(_ suffix: String) -> Bool {
    word.count >= suffix.unicodeScalars.count && word.suffix(suffix.unicodeScalars.count).elementsEqual(suffix.unicodeScalars)
  }

  /// The longest of the suffixes that the word ends with.
  private func longest(_ suffixes: [String]) -> String? {
    suffixes.filter { ends($0) }.max { $0.unicodeScalars.count < $1.unicodeScalars.count }
  }

  private func start(of suffix: String) -> Int { word.count - suffix.unicodeScalars.count }

  private mutating func replace(_ suffix: String, with text: String = "") {
    word.removeLast(suffix.unicodeScalars.count)
    word += Array(text.unicodeScalars)
  }

  private func hasVowel(before end: Int) -> Bool { (0..<end).contains { isVowel($0) } }

  /// Whether the first `end` letters end in a short syllable.
  private func endsShort(_ end: Int) -> Bool {
    if end == 2 { return isVowel(0) && !isVowel(1) }
    guard end > 2, !isVowel(end - 1), isVowel(end - 2), !isVowel(end - 3) else { return false }
    return !["w", "x", Self.hardY].contains(word[end - 1])
  }

  // MARK: Steps

  private mutating func removePossessive() {
    if let suffix = longest(["'", "'s", "'s'"]) { replace(suffix) }
  }

  private mutating func removePlural() {
    switch longest(["sses", "ied", "ies", "s", "us", "ss"]) {
    case "sses"?: replace("sses", with: "ss")
    case "ied"?: replace("ied", with: word.count > 4 ? "i" : "ie")
    case "ies"?: replace("ies", with: word.count > 4 ? "i" : "ie")
    case "s"?: if word.count > 2, hasVowel(before: word.count - 2) { replace("s") }
    default: break
    }
  }

  private mutating func removeParticiple() {
    guard let suffix = longest(["eed", "eedly", "ed", "edly", "ing", "ingly"]) else { return }
    if suffix.hasPrefix("eed") {
      if start(of: suffix) >= r1 { replace(suffix, with: "ee") }
      return
    }
    guard hasVowel(before: start(of: suffix)) else { return }
    replace(suffix)
    if ends("at") || ends("bl") || ends("iz") {
      word.append("e")
    } else if word.count >= 2, Self.doubles.contains(Array(word.suffix(2))) {
      word.removeLast()
    } else if r1 >= word.count, endsShort(word.count) {
      word.append("e")
    }
  }

  private mutating func replaceFinalY() {
    guard word.count > 2, let last = word.last, last == "y" || last == Self.hardY, !isVowel(word.count - 2)
    else { return }
    word[word.count - 1] = "i"
  }

  private mutating func shortenDoubleSuffix() {
    guard let suffix = longest(Self.doubleSuffixes.map(\.0)), start(of: suffix) >= r1 else { return }
    switch suffix {
    case "ogi": if start(of: suffix) > 0, word[start(of: suffix) - 1] == "l" { replace("ogi", with: "og") }
    case "li": if start(of: suffix) > 0, Self.afterLi.contains(word[start(of: suffix) - 1]) { replace("li") }
    default: replace(suffix, with: Self.doubleSuffixes.first { $0.0 == suffix }!.1)
    }
  }

  private static let doubleSuffixes: [(String, String)] = [
    ("tional", "tion"), ("enci", "ence"), ("anci", "ance"), ("abli", "able"), ("entli", "ent"), ("izer", "ize"),
    ("ization", "ize"), ("ational", "ate"), ("ation", "ate"), ("ator", "ate"), ("alism", "al"), ("aliti", "al"),
    ("alli", "al"), ("fulness", "ful"), ("ousli", "ous"), ("ousness", "ous"), ("iveness", "ive"), ("iviti", "ive"),
    ("biliti", "ble"), ("bli", "ble"), ("ogi", "og"), ("fulli", "ful"), ("lessli", "less"), ("li", ""),
  ]

  private mutating func shortenSuffix() {
    let table = [
      ("tional", "tion"), ("ational", "ate"), ("alize", "al"), ("icate", "ic"), ("iciti", "ic"), ("ical", "ic"),
      ("ful", ""), ("ness", ""), ("ative", ""),
    ]
    guard let suffix = longest(table.map(\.0)), start(of: suffix) >= r1 else { return }
    if suffix == "ative", start(of: suffix) < r2 { return }
    replace(suffix, with: table.first { $0.0 == suffix }!.1)
  }

  private mutating func removeSuffix() {
    let suffixes = [
      "al", "ance", "ence", "er", "ic", "able", "ible", "ant", "ement", "ment", "ent", "ism", "ate", "iti", "ous",
      "ive", "ize", "ion",
    ]
    guard let suffix = longest(suffixes), start(of: suffix) >= r2 else { return }
    if suffix == "ion" {
      guard start(of: suffix) > 0, "st".unicodeScalars.contains(word[start(of: suffix) - 1]) else { return }
    }
    replace(suffix)
  }

  private mutating func removeFinalE() {
    let end = word.count - 1
    if ends("e") {
      if end >= r2 || end >= r1 && !endsShort(end) { word.removeLast() }
    } else if ends("ll"), end >= r2 {
      word.removeLast()
    }
  }

  // MARK: Exceptions

  private static let whole: [[Unicode.Scalar]: [Unicode.Scalar]] = {
    let pairs = [
      ("skis", "ski"), ("skies", "sky"), ("dying", "die"), ("lying", "lie"), ("tying", "tie"), ("idly", "idl"),
      ("gently", "gentl"), ("ugly", "ugli"), ("early", "earli"), ("only", "onli"), ("singly", "singl"),
    ]
    let same = ["sky", "news", "howe", "atlas", "cosmos", "bias", "andes"]
    return Dictionary(uniqueKeysWithValues: (pairs + same.map { ($0, $0) }).map { (Array($0.0.unicodeScalars), Array($0.1.unicodeScalars)) })
  }()

  private static let unchangedAfterPlural = Set(
    ["inning", "outing", "canning", "herring", "earring", "proceed", "exceed", "succeed"].map { Array($0.unicodeScalars) })
}
