import CStemmer
import Columnar
import QueryErrors

/// Stems of words, by the Snowball algorithms of libstemmer.
///
/// - Source: Trino `WordStemFunction`, which hands words to Snowball as they are: upper case stays.
package enum WordStemFunctions: FunctionFamily {
  package static let title = "Word stems"

  package static let functions: [ScalarFunction] = [
    ScalarFunction(
      "word_stem",
      summary: "The stem of a word, in English or the language of the code: \(languages.keys.sorted().joined(separator: " ")).",
      examples: [
        Example("word_stem('authorized')", "author"), Example("word_stem('continuerait', 'fr')", "continu"),
      ],
      overloads: [stemming([.varchar]), stemming([.varchar, .exact(.varchar(length: 2))])])
  ]

  private static func stemming(_ parameters: [TypePattern]) -> ScalarOverload {
    ScalarOverload(Signature(parameters, returns: .argument(0))) { (_: SignatureBinding) throws(QueryError) -> Kernel in
      var stemmer: Stemmer?
      return { (columns: [Column], n: Int, context: inout KernelContext) throws(QueryError) -> Column in
        let words = columns[0].view
        let codes = columns.count > 1 ? columns[1].view : nil
        return mapRows(columns, n, &context) { row, rows -> StringView in
          let code = codes.map { $0.value(row, as: StringView.self).string } ?? "en"
          if stemmer?.code != code { stemmer = Stemmer(code) }
          guard let stemmer else {
            rows.fail(.invalidFunctionArgument, "Unknown stemmer language: \(code)")
            return StringView()
          }
          return rows.string(stemmer.stem(words.value(row, as: StringView.self).bytes))
        }
      }
    }
  }

  /// Snowball's algorithms by the codes that Trino gives them.
  fileprivate static let languages: [String: String] = [
    "ca": "catalan", "da": "danish", "de": "german", "en": "english", "es": "spanish", "eu": "basque", "fi": "finnish",
    "fr": "french", "hu": "hungarian", "hy": "armenian", "ir": "irish", "it": "italian", "lt": "lithuanian",
    "nl": "dutch", "no": "norwegian", "pt": "portuguese", "ro": "romanian", "ru": "russian", "sv": "swedish",
    "tr": "turkish",
  ]

  /// One language's algorithm.
  ///
  /// - Threads: one owner.
  private final class Stemmer {
    let code: String
    private let handle: OpaquePointer

    /// - Returns: nil for a language that has none.
    init?(_ code: String) {
      guard let name = languages[code], let handle = sb_stemmer_new(name, "UTF_8") else { return nil }
      self.code = code
      self.handle = handle
    }

    deinit { sb_stemmer_delete(handle) }

    func stem(_ word: [UInt8]) -> [UInt8] {
      let word = code == "de" ? withUmlauts(word) : word
      guard let length = Int32(exactly: word.count), let result = sb_stemmer_stem(handle, word, length) else {
        return word
      }
      return Array(UnsafeBufferPointer(start: result, count: Int(sb_stemmer_length(handle))))
    }

    /// The word with ä, ö and ü for ae, oe and ue: what the algorithm German2, which Trino takes, does before German.
    ///
    /// The u of `qu` and one between vowels stay.
    private func withUmlauts(_ word: [UInt8]) -> [UInt8] {
      var out = ""
      let letters = Array(String(decoding: word, as: UTF8.self).unicodeScalars)
      var at = 0
      while at < letters.count {
        let letter = letters[at]
        let next = at + 1 < letters.count ? letters[at + 1] : nil
        if letter == "q", next == "u" {
          out += "qu"
          at += 2
        } else if next == "e", let umlaut = ["a": "ä", "o": "ö", "u": "ü"][String(letter)],
          letter != "u" || at == 0 || !"aeiouyäöü".unicodeScalars.contains(letters[at - 1])
        {
          out += umlaut
          at += 2
        } else {
          out.unicodeScalars.append(letter)
          at += 1
        }
      }
      return Array(out.utf8)
    }
  }
}
