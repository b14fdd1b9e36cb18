/// Where the properties of a Swift type lie in a result's columns.
///
/// A property is looked for under its own name, then with case ignored, then as `snake_case`.
final class RowLayout: Sendable {
  let schema: Schema
  private let exact: [String: Int]
  private let folded: [String: Int]

  init(_ schema: Schema) {
    self.schema = schema
    let positions = schema.fields.enumerated().map { ($0.element.name, $0.offset) }
    exact = Dictionary(positions, uniquingKeysWith: { first, _ in first })
    folded = Dictionary(positions.map { ($0.0.lowercased(), $0.1) }, uniquingKeysWith: { first, _ in first })
  }

  func index(of property: String) -> Int? {
    exact[property] ?? folded[property.lowercased()] ?? folded[RowLayout.snakeCase(property)]
  }

  /// `customerID` → `customer_id`, `lineItem2` → `line_item2`, in lower case.
  static func snakeCase(_ name: String) -> String {
    var result = ""
    let letters = Array(name)
    for (index, letter) in letters.enumerated() {
      let startsWord =
        letter.isUppercase && index > 0
        && (!letters[index - 1].isUppercase || (index + 1 < letters.count && letters[index + 1].isLowercase))
      if startsWord, letters[index - 1] != "_" { result.append("_") }
      result += letter.lowercased()
    }
    return result
  }
}
