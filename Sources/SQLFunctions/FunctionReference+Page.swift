extension FunctionReference {
  /// The reference page: a section per family, a paragraph per function.
  package static var page: String {
    var sections: [(title: String, text: String)] = []
    func add(_ title: String, _ paragraphs: [String]) {
      if !paragraphs.isEmpty { sections.append((title, "## \(title)\n\n" + paragraphs.joined(separator: "\n\n"))) }
    }
    for family in FunctionRegistry.scalarFamilies {
      add(
        family.title,
        family.functions.filter { !$0.isHidden }.map { function in
          paragraph(function.name, function.aliases, function.overloads.map(\.signature), function.summary, function.examples)
        })
    }
    for family in FunctionRegistry.aggregateFamilies {
      add(
        "Aggregates: " + family.title.lowercased(),
        family.functions.filter { !$0.isHidden }.map { function in
          paragraph(function.name, function.aliases, function.overloads.map(\.signature), function.summary, function.examples)
        })
    }
    for family in FunctionRegistry.windowFamilies {
      add(
        "Window functions: " + family.title.lowercased(),
        family.functions.map { function in
          paragraph(function.name, [], function.signatures, function.summary, function.examples)
        })
    }
    sections.sort { $0.title.lowercased() < $1.title.lowercased() }
    return "# Functions\n\nMade from the functions' declarations by a test; every example is run by another.\n\n"
      + sections.map(\.text).joined(separator: "\n\n") + "\n"
  }

  private static func paragraph(
    _ name: String, _ aliases: [String], _ signatures: [Signature], _ summary: String, _ examples: [Example]
  ) -> String {
    let names = aliases.filter { !$0.hasPrefix("$") }
    var text = "### \(name)\n\n\(summary)"
    if !names.isEmpty { text += " Also called " + names.map { "`\($0)`" }.joined(separator: ", ") + "." }
    if FunctionRegistry.isExtension(name) { text += " Athena lacks it: `--compat athena` refuses it." }
    text += "\n\n```text\n"
    for signature in signatures {
      var parameters = signature.parameters.map(\.description)
      if signature.isVariadic { parameters.append("…") }
      text += "\(name)(\(parameters.joined(separator: ", "))) → \(returnType(of: signature))\n"
    }
    text += "```"
    if !examples.isEmpty {
      text += "\n\n```sql\n"
      for example in examples { text += "SELECT \(example.expression)  -- \(example.result)\n" }
      text += "```"
    }
    return text
  }
}
