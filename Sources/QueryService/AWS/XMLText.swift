/// Writes XML: what S3 and STS answer.
struct XMLText {
  private(set) var text = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"

  /// An element with what `body` writes in it.
  mutating func element(_ name: String, attributes: String = "", _ body: (inout XMLText) -> Void) {
    text += "<\(name)\(attributes)>"
    body(&self)
    text += "</\(name)>"
  }

  mutating func element(_ name: String, _ value: String) {
    text += "<\(name)>" + XMLText.escaped(value) + "</\(name)>"
  }

  mutating func append(_ value: String) { text += XMLText.escaped(value) }

  static func escaped(_ value: String) -> String {
    var out = ""
    for scalar in value.unicodeScalars {
      switch scalar {
      case "&": out += "&amp;"
      case "<": out += "&lt;"
      case ">": out += "&gt;"
      case "\"": out += "&quot;"
      case "\u{0}"..<" " where scalar != "\n" && scalar != "\t": out += "&#\(scalar.value);"
      default: out.unicodeScalars.append(scalar)
      }
    }
    return out
  }
}
