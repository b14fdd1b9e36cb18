import CKernels
import QueryErrors

/// How a delimited file is punctuated and what its texts mean.
struct DelimitedDialect: Hashable, Sendable {
  var separator: UInt8 = 0x2c
  /// Nil: quotes are ordinary characters.
  var quote: UInt8?
  var escape: UInt8?
  /// Whether the escape character also works outside quotes (LazySimpleSerDe); else only before quote and escape.
  var escapesAnywhere = false
  /// The text that stands for NULL.
  var nullText: [UInt8]?
  /// An unquoted empty field is NULL.
  var emptyIsNull = false
  /// What a line without any character is.
  var blankLine = BlankLine.row
  /// The last declared column takes the rest of the line, separators included.
  var lastColumnTakesRest = false
  /// Records before the data.
  var skippedRecords = 0
  /// Lines behind the data.
  var footerLines = 0
  /// Records that begin with this byte are comments.
  var comment: UInt8?
  /// Only unquoted fields can be NULL.
  var quotedIsNeverNull = false
  /// Text behind a closing quote is an error, blanks there are nothing; else both belong to the value.
  var refusesStrayText = false

  /// What a line without any character is.
  enum BlankLine: Sendable {
    /// A record of one empty field.
    case row
    /// A record without fields.
    case nulls
    /// Nothing.
    case skipped
  }

  /// The same for the scanner.
  var scanned: ck_text_dialect {
    ck_text_dialect(
      separator: separator, quote: quote ?? 0, escape: escape ?? 0, has_quote: quote == nil ? 0 : 1,
      has_escape: escape == nil ? 0 : (escapesAnywhere ? 2 : 1))
  }
}

/// A text property's value as one byte: a character, `\t`-like escape, or a number.
enum DelimiterProperty {
  /// - Parameter allowsNumbers: whether `1` means byte 1, as LazySimpleSerDe reads it.
  /// - Throws: `INVALID_TABLE_PROPERTY` when the value is not one byte.
  static func byte(_ value: String, _ name: String, allowsNumbers: Bool) throws(QueryError) -> UInt8 {
    let bytes = Array(value.utf8)
    if allowsNumbers, let number = Int(value), number >= -128, number <= 255, bytes.count > 1 || number < 10 {
      return UInt8(truncatingIfNeeded: number)
    }
    if bytes.count == 1 { return bytes[0] }
    switch value {
    case "\\t": return 0x09
    case "\\n": return 0x0a
    case "\\r": return 0x0d
    case "\\\\": return 0x5c
    case "\\'": return 0x27
    case "\\\"": return 0x22
    case "\\b": return 0x08
    default: break
    }
    // \001 in octal and \u0001 in hexadecimal.
    if bytes.count == 4, bytes[0] == 0x5c, let code = Int(value.dropFirst(), radix: 8), code < 256 {
      return UInt8(code)
    }
    if bytes.count == 6, value.hasPrefix("\\u"), let code = Int(value.dropFirst(2), radix: 16), code < 128 {
      return UInt8(code)
    }
    throw QueryError(
      .invalidTableProperty, "Property \(name) has to be one character of one byte: '\(value)'",
      hint: "Separators of several bytes are not supported.")
  }
}
