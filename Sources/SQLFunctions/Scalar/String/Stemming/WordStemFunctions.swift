import Columnar
import QueryErrors

/// Stems of words.
///
/// - Source: Trino `WordStemFunction`.
package enum WordStemFunctions: FunctionFamily {
  package static let title = "Word stems"

  package static let functions: [ScalarFunction] = [
    ScalarFunction(
      "word_stem", summary: "The stem of a word in lower case, in English, the only language so far.",
      examples: [
        Example("word_stem('authorized')", "author"), Example("word_stem('generally', 'en')", "general"),
      ],
      overloads: [
        .unary(.varchar, returns: .argument(0)) { (word: StringView, rows) -> StringView in stem(word, "en", &rows) },
        .binary(.varchar, .exact(.varchar(length: 2)), returns: .argument(0)) {
          (word: StringView, language: StringView, rows) -> StringView in stem(word, language.string, &rows)
        },
      ])
  ]

  private static func stem(_ word: StringView, _ language: String, _ rows: inout RowContext) -> StringView {
    let letters = Array(word.string.lowercased().unicodeScalars)
    guard let algorithm = algorithms[language] else {
      if otherLanguages.contains(language) {
        rows.fail(.notSupported, "word_stem does not know the language '\(language)' yet")
      } else {
        rows.fail(.invalidFunctionArgument, "Unknown stemmer language: \(language)")
      }
      return StringView()
    }
    var out = ""
    for letter in algorithm(letters) { out.unicodeScalars.append(letter) }
    return rows.string(out)
  }

  private static let algorithms: [String: @Sendable ([Unicode.Scalar]) -> [Unicode.Scalar]] = [
    "en": { EnglishStemmer.stem($0) }
  ]

  /// Languages that Trino has stems for and this engine has not.
  private static let otherLanguages: Set<String> = [
    "ca", "da", "de", "es", "eu", "fi", "fr", "hu", "hy", "ir", "it", "lt", "nl", "no", "pt", "ro", "ru", "sv", "tr",
  ]
}
