/// The names of a file's columns as SQL sees them, which must differ without regard to case.
package enum ColumnNames {
  /// The names in order, each kept unless one before it is the same but for case: that one gets `_1`, `_2` and so on.
  ///
  ///     column, COLUMN, Column   →  column, COLUMN_1, Column_2
  ///     a, a, a_1                →  a, a_1, a_1_1
  ///
  /// - Source: DuckDB `QueryResult::DeduplicateColumns`; every format names its columns by this rule.
  package static func distinct(_ names: [String]) -> [String] {
    var seen: Set<String> = []
    seen.reserveCapacity(names.count)
    // How often a name was met, so that a thousand equal ones are not tried a thousand times each.
    var counts: [String: Int] = [:]
    return names.map { name in
      let wanted = name.lowercased()
      if seen.insert(wanted).inserted { return name }
      var number = counts[wanted] ?? 1
      while !seen.insert("\(wanted)_\(number)").inserted { number += 1 }
      counts[wanted] = number + 1
      return "\(name)_\(number)"
    }
  }

  /// Whether no two names are the same but for case.
  package static func areDistinct(_ names: [String]) -> Bool {
    var seen: Set<String> = []
    seen.reserveCapacity(names.count)
    return names.allSatisfy { seen.insert($0.lowercased()).inserted }
  }
}
