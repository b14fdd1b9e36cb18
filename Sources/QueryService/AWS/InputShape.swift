/// What an operation takes: checked before anything else, in the order and the words of AWS' own services.
///
/// - Source: botocore's `service-2.json`; the order was measured: types of all members, then constraints of all.
struct InputShape: Sendable {
  /// One member of a request.
  struct Member: Sendable {
    enum Kind: Sendable {
      case string(ClosedRange<Int>?)
      case integer(minimum: Int?, maximum: Int?)
      case boolean
      case list(ClosedRange<Int>?)
      case structure([Member])
    }
    var name: String
    var kind: Kind
    var isRequired: Bool

    static func string(_ name: String, _ length: ClosedRange<Int>? = nil, required: Bool = false) -> Member {
      Member(name: name, kind: .string(length), isRequired: required)
    }
    static func integer(_ name: String, minimum: Int? = nil, maximum: Int? = nil, required: Bool = false) -> Member {
      Member(name: name, kind: .integer(minimum: minimum, maximum: maximum), isRequired: required)
    }
    static func boolean(_ name: String, required: Bool = false) -> Member { Member(name: name, kind: .boolean, isRequired: required) }
    static func list(_ name: String, _ count: ClosedRange<Int>? = nil, required: Bool = false) -> Member {
      Member(name: name, kind: .list(count), isRequired: required)
    }
    static func structure(_ name: String, _ members: [Member] = [], required: Bool = false) -> Member {
      Member(name: name, kind: .structure(members), isRequired: required)
    }
  }

  var members: [Member]

  init(_ members: [Member]) { self.members = members }

  /// - Throws: SerializationException for types; `invalid` for constraints.
  func check(_ input: JSONValue, invalid: (String) -> AWSError) throws(AWSError) {
    try InputShape.checkTypes(members, input)
    var violations: [String] = []
    InputShape.checkConstraints(members, input, "", &violations)
    if violations.isEmpty { return }
    let count = violations.count == 1 ? "1 validation error" : "\(violations.count) validation errors"
    throw invalid("\(count) detected: " + violations.joined(separator: "; "))
  }

  private static func checkTypes(_ members: [Member], _ input: JSONValue) throws(AWSError) {
    for member in members {
      guard let value = input[member.name] else { continue }
      func mismatch(_ wanted: String) -> AWSError {
        let message =
          switch value {
          case .null: "NULL_VALUE can not be converted to \(wanted)"
          case .bool(let value): "\(value ? "TRUE" : "FALSE")_VALUE can not be converted to \(wanted)"
          case .integer, .double: "NUMBER_VALUE can not be converted to \(wanted)"
          case .string: "STRING_VALUE can not be converted to \(wanted)"
          case .array: "Start of list found where not expected"
          case .object: "Start of structure or map found where not expected."
          }
        return AWSError("SerializationException", message)
      }
      switch (member.kind, value) {
      case (.string, .string), (.integer, .integer), (.boolean, .bool), (.list, .array): break
      case (.integer, .double): if value.integer == nil { throw mismatch("an Integer") }
      case (.structure(let inner), .object): try checkTypes(inner, value)
      case (.string, _): throw mismatch("a String")
      case (.integer, _): throw mismatch("an Integer")
      case (.boolean, _): throw mismatch("a Boolean")
      case (.list, _): throw AWSError("SerializationException", "Expected list or null")
      case (.structure, _): throw AWSError("SerializationException", "Expected structure or null")
      }
    }
  }

  private static func checkConstraints(_ members: [Member], _ input: JSONValue, _ path: String, _ violations: inout [String]) {
    for member in members {
      let place = path + lowerFirst(member.name)
      guard let value = input[member.name] else {
        if member.isRequired { violations.append("Value null at '\(place)' failed to satisfy constraint: Member must not be null") }
        continue
      }
      func violate(_ shown: String, _ rule: String) {
        violations.append("Value \(shown)at '\(place)' failed to satisfy constraint: Member must have \(rule)")
      }
      switch (member.kind, value) {
      case (.string(let length?), .string(let text)):
        let shown = text.utf8.count <= 256 ? "'\(text)' " : ""
        if text.utf16.count < length.lowerBound { violate(shown, "length greater than or equal to \(length.lowerBound)") }
        if text.utf16.count > length.upperBound { violate(shown, "length less than or equal to \(length.upperBound)") }
      case (.integer(let minimum, let maximum), _):
        guard let number = value.integer else { continue }
        if let minimum, number < minimum { violate("", "value greater than or equal to \(minimum)") }
        if let maximum, number > maximum { violate("", "value less than or equal to \(maximum)") }
      case (.list(let count?), .array(let values)):
        if values.count < count.lowerBound { violate("", "length greater than or equal to \(count.lowerBound)") }
        if values.count > count.upperBound { violate("", "length less than or equal to \(count.upperBound)") }
      case (.structure(let inner), .object): checkConstraints(inner, value, place + ".", &violations)
      default: break
      }
    }
  }

  private static func lowerFirst(_ name: String) -> String { name.prefix(1).lowercased() + name.dropFirst() }
}
