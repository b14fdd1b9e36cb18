import QueryErrors
import SQLFunctions
import SQLSyntax
import TableCatalog

extension Session {
  /// What may stand at a place of a text that is being typed: keywords, functions, databases, tables, columns in scope,
  /// files and values of partition columns.
  ///
  /// Answers within 10 ms: what takes longer to find is left out, and files of paths in FROM are looked at on another
  /// thread for the next time.
  ///
  /// - Parameter offset: bytes of UTF-8 before the place.
  public func completions(for text: String, at offset: Int) -> Completions {
    completions(for: text, at: offset, within: 7)
  }

  /// The same with another limit, in milliseconds.
  package func completions(for text: String, at offset: Int, within milliseconds: Int) -> Completions {
    Completer(self, CompletionContext(text, at: offset), CompletionDeadline(milliseconds: milliseconds)).completions()
  }

  /// Begins to look at the files that a text names in FROM, so that their columns are known when they are asked for.
  public func prepareCompletions(for text: String, at offset: Int) {
    for relation in CompletionContext(text, at: offset).relationsInScope {
      if case .path(let path) = relation.source { completionCache.prepare(path, self) }
    }
  }

  /// The function whose arguments are typed at a place, or nil.
  public func functionHelp(for text: String, at offset: Int) -> FunctionHelp? {
    CompletionContext(text, at: offset).openFunction.flatMap(FunctionHelp.named)
  }
}

/// Finds candidates for one place.
struct Completer {
  private let session: Session
  private let context: CompletionContext
  private let deadline: CompletionDeadline

  /// Candidates that are offered at most.
  static let itemLimit = 300

  init(_ session: Session, _ context: CompletionContext, _ deadline: CompletionDeadline) {
    self.deadline = deadline
    self.session = session
    self.context = context
  }

  func completions() -> Completions {
    if context.isInComment { return Completions(start: context.offset) }
    if let piece = context.typedPiece, context.pieces[piece].kind == .string { return inString(piece) }
    var found = candidates()
    let typed = context.typed
    if let quote = typed.first, quote == "\"" || quote == "`" {
      // Within quotes names stand, and nothing else.
      found.items = found.items.filter { [.column, .table, .database].contains($0.kind) }
      for index in found.items.indices where found.items[index].text.first != "\"" {
        found.items[index].text = "\"" + found.items[index].text + "\""
      }
    }
    found.items = found.items.filter { Completer.begins($0.text, typed) || Completer.begins($0.label, typed) }
    var seen: Set<String> = []
    found.items = found.items.filter { seen.insert($0.text.lowercased()).inserted }
    if found.items.count > Completer.itemLimit {
      found.items = Array(found.items.prefix(Completer.itemLimit))
      found.isPartial = true
    }
    return found
  }

  static func begins(_ text: String, _ typed: String) -> Bool {
    if typed.isEmpty { return true }
    let plain = typed.first == "\"" ? String(typed.dropFirst()) : typed
    return text.lowercased().hasPrefix(typed.lowercased()) || (typed.first == "\"" && text.lowercased().hasPrefix(plain.lowercased()))
  }

  private func candidates() -> Completions {
    let start = context.typedStart
    let qualifier = context.qualifier
    if !qualifier.isEmpty { return Completions(members(of: qualifier), start: start) }
    let before = context.before
    if before == 0 { return Completions(keywords(Completer.beginnings), start: start) }
    let last = context.word(before - 1)
    switch last {
    case "FROM", "JOIN", "INTO", "UPDATE", "DESCRIBE", "DESC", "VIEW", "TABLE", "UNLOAD", "EXISTS", "PARTITIONS", "COLUMNS":
      if last == "EXISTS", !["TABLE", "VIEW"].contains(context.word(before - 2)) { break }
      return relations(start)
    case "USE", "DATABASE", "SCHEMA": return Completions(databases(), start: start)
    case "IN" where context.word(0) == "SHOW": return Completions(databases(), start: start)
    case "SHOW": return Completions(keywords(Completer.shown), start: start)
    case "SESSION" where context.word(before - 2) == "SET" || context.word(before - 2) == "RESET":
      let items = SessionProperty.all.map { Completions.Item($0.name, kind: .keyword, detail: $0.summary, suffix: " = ") }
      return Completions(items, start: start)
    case "EXECUTE", "DEALLOCATE":
      let names = (try? session.engine.workgroups.statements(in: session.workgroup)) ?? []
      return Completions(names.map { Completions.Item(Completer.quoted($0.name), kind: .table, detail: $0.sql) }, start: start)
    default: break
    }
    if context.expectsRelation { return relations(start) }
    if let (column, quotes) = context.comparedColumn(before), let values = partitionValues(column, context.typed, quotes: quotes) {
      if !values.items.isEmpty { return values }
    }
    return expressions(start)
  }

  // MARK: Kinds of candidates

  private static let beginnings = [
    "SELECT", "WITH", "SHOW", "DESCRIBE", "CREATE", "DROP", "ALTER", "INSERT INTO", "EXPLAIN", "MSCK REPAIR TABLE", "PREPARE",
    "EXECUTE", "DEALLOCATE PREPARE", "USE", "SET SESSION", "RESET SESSION", "SET TIME ZONE", "UNLOAD", "VALUES", "TABLE",
  ]

  private static let shown = [
    "TABLES", "VIEWS", "DATABASES", "SCHEMAS", "COLUMNS", "PARTITIONS", "FUNCTIONS", "CREATE TABLE", "CREATE VIEW",
    "TBLPROPERTIES", "SESSION", "CATALOGS",
  ]

  private static let allKeywords = Keyword.allCases.map(\.rawValue).sorted()
  private static let allFunctions = FunctionRegistry.names

  /// Words in the case of what is typed.
  private func keywords(_ words: [String]) -> [Completions.Item] {
    let typed = context.typed
    let isLower = typed.contains { $0.isLowercase }
    return words.map { Completions.Item(isLower ? $0.lowercased() : $0, kind: .keyword, suffix: " ") }
  }

  private func functions() -> [Completions.Item] {
    let typed = context.typed
    if typed.isEmpty { return [] }
    let isUpper = !typed.contains { $0.isLowercase }
    return Completer.allFunctions.filter { Completer.begins($0, typed) }.map { name in
      let help = FunctionHelp.named(name)
      return Completions.Item(
        isUpper && typed.count > 1 ? name.uppercased() : name, kind: .function, detail: help?.signatures.first ?? help?.summary,
        suffix: "(")
    }
  }

  private func databases() -> [Completions.Item] {
    let names = (try? session.engine.openCatalog().databases().map(\.name)) ?? []
    return (names + [InformationSchema.databaseName]).map { Completions.Item(Completer.quoted($0), kind: .database) }
  }

  private func tables(in database: String) -> Completions {
    if database == InformationSchema.databaseName {
      return Completions(InformationSchema.tableNames.map { Completions.Item($0, kind: .table) }, start: context.typedStart)
    }
    let typed = CompletionContext.plain(context.typed)
    let found = try? session.engine.openCatalog().relations(in: database, beginning: typed, limit: Completer.itemLimit)
    let items = (found ?? []).map {
      Completions.Item(Completer.quoted($0.name), label: $0.name, kind: .table, detail: $0.isView ? "view" : "table")
    }
    return Completions(items, start: context.typedStart, isPartial: items.count == Completer.itemLimit)
  }

  /// What FROM takes.
  private func relations(_ start: Int) -> Completions {
    var found = tables(in: session.database)
    found.items = context.commonTables.keys.sorted().map { Completions.Item(Completer.quoted($0), kind: .table, detail: "WITH") } + found.items
    found.items += databases().map { Completions.Item($0.text, kind: .database, suffix: ".") }
    if !context.typed.isEmpty { found.items += keywords(["UNNEST", "LATERAL", "TABLE", "IF", "VALUES"]) }
    return found
  }

  /// What expressions are made of.
  private func expressions(_ start: Int) -> Completions {
    let typed = context.typed
    var items: [Completions.Item] = []
    let scope = context.relationsInScope
    for relation in scope { items += columns(of: relation) }
    for relation in scope {
      if let alias = relation.alias { items.append(Completions.Item(Completer.quoted(alias), kind: .table, detail: "alias", suffix: ".")) }
      if case .name(let names) = relation.source, relation.alias == nil, let name = names.last {
        items.append(Completions.Item(Completer.quoted(name), kind: .table, suffix: "."))
      }
    }
    if !typed.isEmpty {
      items += functions()
      items += keywords(Completer.allKeywords)
    }
    return Completions(items, start: start)
  }

  /// What stands behind `a.` or `a.b.`.
  private func members(of qualifier: [String]) -> [Completions.Item] {
    var items: [Completions.Item] = []
    let scope = context.relationsInScope
    let last = qualifier[qualifier.count - 1]
    for relation in scope {
      let isNamed: Bool
      if let alias = relation.alias {
        isNamed = alias == last
      } else if case .name(let names) = relation.source {
        isNamed = names.last == last
      } else {
        isNamed = false
      }
      if isNamed { items += columns(of: relation) }
    }
    if !items.isEmpty { return items }
    // A row's fields.
    for relation in scope {
      for (name, type, _) in fields(of: relation) where name.lowercased() == last.lowercased() {
        guard case .row(let fields) = type else { continue }
        items += fields.compactMap { field in
          field.name.map { Completions.Item(Completer.quoted($0), kind: .column, detail: field.type.description) }
        }
      }
    }
    if !items.isEmpty { return items }
    return tables(in: last.lowercased()).items
  }

  private func columns(of relation: CompletionContext.Relation) -> [Completions.Item] {
    fields(of: relation).map { name, type, isPartition in
      let detail = [type?.description, isPartition ? "partition" : nil].compactMap { $0 }.joined(separator: " · ")
      return Completions.Item(Completer.quoted(name), label: name, kind: .column, detail: detail.isEmpty ? nil : detail)
    }
  }

  typealias FieldOfRelation = (name: String, type: DataType?, isPartition: Bool)

  /// The columns of a relation, as far as they are known by now.
  private func fields(of relation: CompletionContext.Relation, depth: Int = 0) -> [FieldOfRelation] {
    if depth > 8 { return [] }
    func ofQuery(_ query: Range<Int>) -> [FieldOfRelation] {
      let (names, relations) = context.outputs(of: query)
      return names.flatMap { name -> [FieldOfRelation] in
        if let name { return [(name, nil, false)] }
        return relations.flatMap { fields(of: $0, depth: depth + 1) }
      }
    }
    switch relation.source {
    case .query(let query): return ofQuery(query)
    case .path(let path):
      return session.completionCache.columns(of: path, session, deadline).map { ($0.name, $0.type, $0.isPartition) }
    case .name(let names):
      if names.count == 1, let query = context.commonTables[names[0]] { return ofQuery(query) }
      guard let catalog = try? session.engine.openCatalog(), let name = tableName(names) else { return [] }
      if name.database == InformationSchema.databaseName {
        return InformationSchema.columns(of: name.name).map { ($0.name, $0.type, false) }
      }
      if let table = try? catalog.table(name) {
        return table.columns.map { ($0.name, $0.type, false) } + table.partitionColumns.map { ($0.name, $0.type, true) }
      }
      return ((try? catalog.view(name))??.columns ?? []).map { ($0.name, $0.type, false) }
    }
  }

  private func tableName(_ names: [String]) -> TableName? {
    switch names.count {
    case 1: TableName(database: session.database, name: names[0])
    case 2: TableName(database: names[0], name: names[1])
    case 3: TableName(catalog: names[0], database: names[1], name: names[2])
    default: nil
    }
  }

  // MARK: Within quotes

  private func inString(_ piece: Int) -> Completions {
    let typed = CompletionContext.unquoted(context.typed + "'")
    if let (column, _) = context.comparedColumn(piece), let values = partitionValues(column, typed, quotes: true) { return values }
    guard context.expectsPath(piece) || typed.hasPrefix("/") || typed.hasPrefix("./") || typed.hasPrefix("../") else {
      return Completions(start: context.offset)
    }
    return PathCompletion(deadline).completions(typed, start: context.typedStart + 1, isOpen: context.pieces[piece].isOpen)
  }

  /// The values of a partition column in scope that begin with what is typed; nil when it is none.
  ///
  /// - Parameter quotes: whether the place is within quotes or a text is wanted.
  private func partitionValues(_ column: [String], _ typed: String, quotes: Bool) -> Completions? {
    guard let name = column.last else { return nil }
    let isInString = context.typedPiece.map { context.pieces[$0].kind == .string } ?? false
    let isOpen = context.typedPiece.map { context.pieces[$0].isOpen } ?? true
    for relation in context.relationsInScope {
      if column.count > 1 {
        var own: [String?] = [relation.alias]
        if case .name(let names) = relation.source { own.append(names.last) }
        if !own.contains(column[column.count - 2]) { continue }
      }
      var type: DataType?
      let found: PartitionValues.Found?
      let given = context.equalities
      switch relation.source {
      case .query: continue
      case .path(let path):
        found = PartitionValues(deadline).values(ofPath: path, column: name, beginning: typed, given)
      case .name(let names):
        guard let full = tableName(names), let catalog = try? session.engine.openCatalog(), let table = try? catalog.table(full),
          let key = table.partitionColumns.first(where: { $0.name.lowercased() == name.lowercased() })
        else { continue }
        type = key.type
        found = PartitionValues(deadline).values(of: table, catalog, column: name, beginning: typed, given)
      }
      guard let found else { continue }
      let items = found.values.map { value in
        let text = "'" + value.replacing("'", with: "''") + (isOpen || !isInString ? "'" : "")
        let isNumber = type?.isNumeric ?? (!isInString && Double(value) != nil)
        let literal = isInString ? text : isNumber ? value : type == .date ? "DATE " + text : text
        return Completions.Item(literal, label: value, kind: .value)
      }
      return Completions(items, start: context.typedStart, isPartial: found.isPartial)
    }
    return nil
  }

  /// A name as SQL takes it.
  static func quoted(_ name: String) -> String {
    let isPlain =
      name.unicodeScalars.enumerated().allSatisfy { place, scalar in
        ("a"..."z").contains(scalar) || scalar == "_" || (place > 0 && ("0"..."9").contains(scalar))
      } && !name.isEmpty
    var upper = Array(name.utf8)
    let isReserved = upper.withUnsafeMutableBufferPointer { Keyword.lookUp(UnsafeBufferPointer($0))?.isReserved ?? false }
    return isPlain && !isReserved ? name : "\"" + name.replacing("\"", with: "\"\"") + "\""
  }
}
