import QueryErrors

// MARK: - CREATE

extension Parser {
  @inline(never)
  mutating func parseCreate() throws(Failure) -> StatementSyntax {
    let start = index
    advance()
    var isReplace = false
    if accept(.or) {
      try expect(.replace)
      isReplace = true
    }
    if accept(.external) {
      try expect(.table)
      return try parseCreateTable(start, isReplace: isReplace, isExternal: true)
    }
    if accept(.table) { return try parseCreateTable(start, isReplace: isReplace, isExternal: false) }
    if accept(.view) { return try parseCreateView(start, isReplace: isReplace) }
    if !isReplace, accept(.schema) || accept(.database) { return try parseCreateSchema(start) }
    if !isReplace, allowsExtensions, isAt(.catalog) { return try parseCreateCatalog(start) }
    switch token.keyword {
    case .materialized, .function, .role, .catalog:
      throw failNotSupported("CREATE \(string(of: token).uppercased())", at: token.range)
    case nil where token.kind == .word:
      let word = string(of: token).uppercased()
      if ["PROTECTED", "TEMPORARY", "INDEX", "MULTI", "MACRO"].contains(word) {
        throw failNotSupported("CREATE \(word)", at: token.range)
      }
      throw Failure()
    default: throw Failure()
    }
  }

  @inline(never)
  private mutating func parseIfNotExists() throws(Failure) -> Bool {
    guard isAt(.if), peek(1).keyword == .not else { return false }
    index += 2
    try expect(.exists)
    return true
  }

  @inline(never)
  private mutating func parseIfExists() -> Bool { accept(.if, .exists) }

  @inline(never)
  private mutating func parseCreateCatalog(_ start: Int) throws(Failure) -> StatementSyntax {
    try expect(.catalog)
    let ifNotExists = try parseIfNotExists()
    let name = try parseIdentifier()
    try expect(.using)
    var catalog = CreateCatalogSyntax(
      name: name, ifNotExists: ifNotExists, connector: try parseIdentifier(), comment: nil, properties: [], range: token.range)
    if accept(.comment) { catalog.comment = try parseString() }
    if accept(.with) { catalog.properties = try parseProperties() }
    catalog.range = range(from: start)
    return .createCatalog(catalog)
  }

  @inline(never)
  private mutating func parseCreateSchema(_ start: Int) throws(Failure) -> StatementSyntax {
    let ifNotExists = try parseIfNotExists()
    let name = try parseQualifiedName()
    var schema = CreateSchemaSyntax(
      name: name, ifNotExists: ifNotExists, comment: nil, location: nil, databaseProperties: [], properties: [],
      range: token.range)
    if token.keyword == .authorization { throw failNotSupported("AUTHORIZATION", at: token.range) }
    while true {
      if accept(.comment) {
        schema.comment = try parseString()
      } else if accept(.location) {
        schema.location = try parseString()
      } else if accept(.with) {
        if accept(.dbproperties) {
          schema.databaseProperties = try parseStringProperties()
        } else {
          schema.properties = try parseProperties()
        }
      } else {
        break
      }
    }
    schema.range = range(from: start)
    return .createSchema(schema)
  }

  @inline(never)
  private mutating func parseCreateView(_ start: Int, isReplace: Bool) throws(Failure) -> StatementSyntax {
    let ifNotExists = try parseIfNotExists()
    let name = try parseQualifiedName()
    var columns: [ViewColumnSyntax] = []
    if isAt(.leftParenthesis) {
      columns = try parseParenthesizedList { (parser: inout Parser) throws(Failure) -> ViewColumnSyntax in
        let name = try parser.parseIdentifier()
        return ViewColumnSyntax(name: name, comment: parser.accept(.comment) ? try parser.parseString() : nil)
      }
    }
    let comment = accept(.comment) ? try parseString() : nil
    var security: CreateViewSyntax.Security?
    if accept(.security) {
      if accept(.definer) {
        security = .definer
      } else {
        try expect(.invoker)
        security = .invoker
      }
    }
    try expect(.as)
    let query = try parseQuery()
    return .createView(
      CreateViewSyntax(
        name: name, isReplace: isReplace, ifNotExists: ifNotExists, columns: columns, comment: comment,
        security: security, query: query, range: range(from: start)))
  }

  @inline(never)
  private mutating func parseCreateTable(
    _ start: Int, isReplace: Bool, isExternal: Bool
  ) throws(Failure) -> StatementSyntax {
    let ifNotExists = try parseIfNotExists()
    let name = try parseQualifiedName()
    var table = CreateTableSyntax(name: name, range: token.range)
    table.isReplace = isReplace
    table.isExternal = isExternal
    table.ifNotExists = ifNotExists
    var aliases: [Identifier] = []
    if isAt(.leftParenthesis) {
      // `(a, b) AS query` names columns, `(a bigint, b date)` defines them.
      let next = peek(2).kind
      if next == .comma || next == .rightParenthesis, isName(peek(1)), !isExternal {
        aliases = try parseColumnAliases()
      } else {
        table.elements = try parseParenthesizedList { (parser: inout Parser) throws(Failure) in
          try parser.parseTableElement()
        }
      }
    } else if token.keyword == .like {
      throw failNotSupported("CREATE TABLE LIKE", at: token.range)
    }
    try parseTableClauses(&table)
    if table.elements.isEmpty, !isExternal, isAt(.as) {
      advance()
      return try parseCreateTableAs(start, table, aliases)
    }
    if table.elements.isEmpty, !isExternal, table.location == nil, table.tableProperties.isEmpty { throw Failure() }
    if !aliases.isEmpty {
      _ = isAt(.as)
      throw Failure()
    }
    table.range = range(from: start)
    return .createTable(table)
  }

  /// Parses what follows AS.
  @inline(never)
  private mutating func parseCreateTableAs(
    _ start: Int, _ table: CreateTableSyntax, _ aliases: [Identifier]
  ) throws(Failure) -> StatementSyntax {
    if let extra = table.location ?? table.tableProperties.first?.key {
      throw fail("CREATE TABLE AS takes its options in WITH (…)", at: extra.range)
    }
    let query: QuerySyntax
    if isAtQueryParenthesis, !continuesQuery(closing(index) + 1) {
      query = try parseParenthesizedQuery()
    } else {
      query = try parseQuery()
    }
    var isWithData = true
    if accept(.with) {
      isWithData = !accept(.no)
      try expect(.data)
    }
    return .createTableAs(
      CreateTableAsSyntax(
        name: table.name, isReplace: table.isReplace, ifNotExists: table.ifNotExists, columnAliases: aliases,
        comment: table.comment, properties: table.properties, query: query, isWithData: isWithData,
        range: range(from: start)))
  }

  /// Whether the token at `position`, after a parenthesized query, belongs to a larger query.
  private func continuesQuery(_ position: Int) -> Bool {
    switch tokens[min(position, tokens.count - 1)].keyword {
    case .union, .except, .intersect, .order, .limit, .offset, .fetch: true
    default: false
    }
  }

  @inline(never)
  private mutating func parseTableElement() throws(Failure) -> TableElementSyntax {
    if accept(.like) {
      let table = try parseQualifiedName()
      var isIncluding: Bool?
      if isAt(.including) || isAt(.excluding) {
        isIncluding = token.keyword == .including
        advance()
        try expect(.properties)
      }
      return .like(table, isIncludingProperties: isIncluding)
    }
    return .column(try parseColumnDefinition())
  }

  /// Parses `name type [NOT NULL] [COMMENT 'text'] [WITH (…)]`.
  @inline(never)
  mutating func parseColumnDefinition() throws(Failure) -> ColumnDefinitionSyntax {
    let start = index
    let name = try parseIdentifier()
    let type = try parseType()
    var column = ColumnDefinitionSyntax(
      name: name, type: type, isNotNull: false, comment: nil, properties: [], range: token.range)
    if accept(.not) {
      try expect(.null)
      column.isNotNull = true
    }
    if accept(.comment) { column.comment = try parseString() }
    if isAt(.with), peek(1).kind == .leftParenthesis {
      advance()
      column.properties = try parseProperties()
    }
    column.range = range(from: start)
    return column
  }

  @inline(never)
  private mutating func parseTableClauses(_ table: inout CreateTableSyntax) throws(Failure) {
    while true {
      if accept(.comment) {
        table.comment = try parseString()
      } else if accept(.partitioned) {
        try expect(.by)
        table.partitionedBy = try parseParenthesizedList { (parser: inout Parser) throws(Failure) in
          try parser.parsePartitionField()
        }
      } else if accept(.clustered) {
        table.clusteredBy = try parseClusteredBy()
      } else if isAt(.row), peek(1).keyword == .format {
        index += 2
        table.rowFormat = try parseRowFormat()
      } else if accept(.stored) {
        try parseStoredAs(&table)
      } else if accept(.location) {
        table.location = try parseString()
      } else if accept(.tblproperties) {
        table.tableProperties = try parseStringProperties()
      } else if isAt(.with), peek(1).keyword == .serdeproperties {
        index += 2
        let properties = try parseStringProperties()
        guard case .serde(let name, let given) = table.rowFormat else {
          throw fail("WITH SERDEPROPERTIES must follow ROW FORMAT SERDE", at: tokens[index - 1].range)
        }
        table.rowFormat = .serde(name: name, properties: given + properties)
      } else if isAt(.with), peek(1).kind == .leftParenthesis {
        advance()
        table.properties = try parseProperties()
      } else {
        return
      }
    }
  }

  @inline(never)
  private mutating func parsePartitionField() throws(Failure) -> PartitionFieldSyntax {
    let next = peek(1).kind
    if next == .leftParenthesis || next == .comma || next == .rightParenthesis {
      return .transform(try parseExpression())
    }
    return .column(try parseColumnDefinition())
  }

  @inline(never)
  private mutating func parseClusteredBy() throws(Failure) -> ClusteredBySyntax {
    let start = index - 1
    try expect(.by)
    let columns = try parseColumnAliases()
    var sortedBy: [SortItemSyntax] = []
    if accept(.sorted) {
      try expect(.by)
      sortedBy = try parseParenthesizedList { (parser: inout Parser) throws(Failure) in try parser.parseSortItem() }
    }
    try expect(.into)
    let count = try parseInteger()
    try expect(.buckets)
    return ClusteredBySyntax(columns: columns, sortedBy: sortedBy, bucketCount: count, range: range(from: start))
  }

  @inline(never)
  private mutating func parseRowFormat() throws(Failure) -> RowFormatSyntax {
    if accept(.serde) {
      let name = try parseString()
      var properties: [StringPropertySyntax] = []
      if isAt(.with), peek(1).keyword == .serdeproperties {
        index += 2
        properties = try parseStringProperties()
      }
      return .serde(name: name, properties: properties)
    }
    try expect(.delimited)
    var format = DelimitedRowFormatSyntax()
    while true {
      if accept(.fields) {
        format.fieldsTerminatedBy = try parseTerminator()
      } else if accept(.escaped) {
        try expect(.by)
        format.escapedBy = try parseString()
      } else if accept(.collection) {
        try expect(.items)
        format.collectionItemsTerminatedBy = try parseTerminator()
      } else if accept(.map) {
        try expect(.keys)
        format.mapKeysTerminatedBy = try parseTerminator()
      } else if accept(.lines) {
        format.linesTerminatedBy = try parseTerminator()
      } else if accept(.null) {
        try expect(.defined, .as)
        format.nullDefinedAs = try parseString()
      } else {
        return .delimited(format)
      }
    }
  }

  @inline(never)
  private mutating func parseTerminator() throws(Failure) -> StringSyntax {
    try expect(.terminated, .by)
    return try parseString()
  }

  @inline(never)
  private mutating func parseStoredAs(_ table: inout CreateTableSyntax) throws(Failure) {
    try expect(.as)
    if accept(.inputformat) {
      let input = try parseString()
      try expect(.outputformat)
      table.storedAs = .classes(input: input, output: try parseString())
    } else {
      table.storedAs = .named(try parseIdentifier())
    }
  }

  // MARK: Properties

  /// Parses `(a = 1, b = 'x')`.
  @inline(never)
  mutating func parseProperties() throws(Failure) -> [PropertySyntax] {
    try parseParenthesizedList { (parser: inout Parser) throws(Failure) in try parser.parseProperty() }
  }

  @inline(never)
  private mutating func parseProperty() throws(Failure) -> PropertySyntax {
    let start = index
    let name = try parseIdentifier()
    try expect(.equal)
    let value = try parseExpression()
    return PropertySyntax(name: name, value: value, range: range(from: start))
  }

  /// Parses `('a' = 'b', …)`.
  @inline(never)
  private mutating func parseStringProperties() throws(Failure) -> [StringPropertySyntax] {
    try parseParenthesizedList { (parser: inout Parser) throws(Failure) -> StringPropertySyntax in
      let key = try parser.parseString()
      try parser.expect(.equal)
      return StringPropertySyntax(key: key, value: try parser.parseString())
    }
  }

  /// Parses `PARTITION (a = 1, b = 'x')`.
  @inline(never)
  mutating func parsePartitionSpecification() throws(Failure) -> [PartitionValueSyntax] {
    try expect(.partition)
    return try parseParenthesizedList { (parser: inout Parser) throws(Failure) -> PartitionValueSyntax in
      let start = parser.index
      let key = try parser.parseIdentifier()
      switch parser.token.kind {
      case .lessThan, .greaterThan, .lessThanOrEqual, .greaterThanOrEqual, .notEqual:
        throw parser.failNotSupported("PARTITION with '\(parser.string(of: parser.token))' (no filtering criteria)", at: parser.token.range)
      default: break
      }
      try parser.expect(.equal)
      let value = try parser.parseValue()
      return PartitionValueSyntax(key: key, value: value, range: parser.range(from: start))
    }
  }
}

// MARK: - DROP, ALTER, MSCK, COMMENT

extension Parser {
  @inline(never)
  mutating func parseDrop() throws(Failure) -> StatementSyntax {
    let start = index
    allowsBackquotes = true
    advance()
    if accept(.table) { return .dropTable(try parseDropRelation(start)) }
    if accept(.view) { return .dropView(try parseDropRelation(start)) }
    if accept(.schema) || accept(.database) {
      let ifExists = parseIfExists()
      let name = try parseQualifiedName()
      let isCascade = accept(.cascade)
      if !isCascade { _ = accept(.restrict) }
      return .dropSchema(
        DropSchemaSyntax(name: name, ifExists: ifExists, isCascade: isCascade, range: range(from: start)))
    }
    if allowsExtensions, accept(.catalog) {
      let ifExists = parseIfExists()
      let name = try parseIdentifier()
      if isAt(.cascade) { throw failNotSupported("DROP CATALOG … CASCADE", at: token.range) }
      _ = accept(.restrict)
      return .dropCatalog(DropCatalogSyntax(name: name, ifExists: ifExists, range: range(from: start)))
    }
    switch token.keyword {
    case .materialized, .function, .role, .catalog:
      throw failNotSupported("DROP \(string(of: token).uppercased())", at: token.range)
    case nil where token.kind == .word && ["INDEX", "TEMPORARY", "MACRO"].contains(string(of: token).uppercased()):
      throw failNotSupported("DROP \(string(of: token).uppercased())", at: token.range)
    default: throw Failure()
    }
  }

  @inline(never)
  private mutating func parseDropRelation(_ start: Int) throws(Failure) -> DropRelationSyntax {
    let ifExists = parseIfExists()
    let name = try parseQualifiedName()
    return DropRelationSyntax(name: name, ifExists: ifExists, range: range(from: start))
  }

  @inline(never)
  mutating func parseRepair() throws(Failure) -> StatementSyntax {
    let start = index
    allowsBackquotes = true
    try expect(.msck, .repair)
    try expect(.table)
    let name = try parseQualifiedName()
    return .repairTable(RepairTableSyntax(name: name, range: range(from: start)))
  }

  @inline(never)
  mutating func parseComment() throws(Failure) -> StatementSyntax {
    let start = index
    try expect(.comment, .on)
    let subject: CommentSyntax.Subject
    if accept(.table) {
      subject = .table
    } else if accept(.view) {
      subject = .view
    } else {
      try expect(.column)
      subject = .column
    }
    let name = try parseQualifiedName()
    try expect(.is)
    let text = accept(.null) ? nil : try parseString()
    return .comment(CommentSyntax(subject: subject, name: name, text: text, range: range(from: start)))
  }

  @inline(never)
  mutating func parseAlter() throws(Failure) -> StatementSyntax {
    let start = index
    allowsBackquotes = true
    advance()
    if accept(.table) { return try parseAlterTable(start) }
    if accept(.view) { return try parseAlterView(start) }
    if accept(.schema) || accept(.database) { return try parseAlterSchema(start) }
    if token.keyword == .materialized || string(of: token).uppercased() == "INDEX" {
      throw failNotSupported("ALTER \(string(of: token).uppercased())", at: token.range)
    }
    throw Failure()
  }

  @inline(never)
  private mutating func parseAlterSchema(_ start: Int) throws(Failure) -> StatementSyntax {
    let name = try parseQualifiedName()
    let action: AlterSchemaSyntax.Action
    if accept(.rename) {
      try expect(.to)
      action = .rename(try parseIdentifier())
    } else {
      try expect(.set)
      if accept(.location) {
        action = .setLocation(try parseString())
      } else {
        try expect(.dbproperties)
        action = .setProperties(try parseStringProperties())
      }
    }
    return .alterSchema(AlterSchemaSyntax(name: name, action: action, range: range(from: start)))
  }

  @inline(never)
  private mutating func parseAlterView(_ start: Int) throws(Failure) -> StatementSyntax {
    let name = try parseQualifiedName()
    let action: AlterViewSyntax.Action
    if accept(.rename) {
      try expect(.to)
      action = .rename(try parseQualifiedName())
    } else if accept(.as) {
      action = .replace(try parseQuery())
    } else if string(of: token).uppercased() == "FORCE" || token.keyword == .add || token.keyword == .drop
      || token.keyword == .update
    {
      throw failNotSupported("ALTER VIEW … DIALECT", at: token.range)
    } else {
      try expect(.set, .tblproperties)
      action = .setTableProperties(try parseStringProperties())
    }
    return .alterView(AlterViewSyntax(name: name, action: action, range: range(from: start)))
  }

  @inline(never)
  private mutating func parseAlterTable(_ start: Int) throws(Failure) -> StatementSyntax {
    let ifExists = parseIfExists()
    let name = try parseQualifiedName()
    let partition = isAt(.partition) ? try parsePartitionSpecification() : []
    let action = try parseAlterTableAction(isPartition: !partition.isEmpty)
    return .alterTable(
      AlterTableSyntax(
        name: name, ifExists: ifExists, partition: partition, action: action, range: range(from: start)))
  }

  @inline(never)
  private mutating func parseAlterTableAction(isPartition: Bool) throws(Failure) -> AlterTableAction {
    if accept(.add) { return try parseAlterTableAdd() }
    if accept(.drop) { return try parseAlterTableDrop() }
    if accept(.rename) { return try parseAlterTableRename(isPartition: isPartition) }
    if accept(.replace) {
      try expect(.columns)
      return .replaceColumns(try parseColumnDefinitions())
    }
    if accept(.change) { return try parseChangeColumn() }
    if accept(.alter) {
      try expect(.column)
      let column = try parseQualifiedName()
      if accept(.drop) {
        try expect(.not, .null)
        return .dropNotNull(column.last)
      }
      try expect(.set, .data)
      try expect(.type)
      return .setColumnType(column, try parseType())
    }
    if accept(.unset) {
      try expect(.tblproperties)
      let ifExists = parseIfExists()
      let keys = try parseParenthesizedList { (parser: inout Parser) throws(Failure) in try parser.parseString() }
      return .unsetTableProperties(keys, ifExists: ifExists)
    }
    if accept(.set) {
      if token.kind == .word, ["FILEFORMAT", "SERDE", "SERDEPROPERTIES", "SKEWED"].contains(string(of: token).uppercased()) {
        throw failNotSupported("ALTER TABLE … SET \(string(of: token).uppercased())", at: token.range)
      }
      if accept(.tblproperties) { return .setTableProperties(try parseStringProperties()) }
      if accept(.location) { return .setLocation(try parseString()) }
      if accept(.properties) {
        return .setProperties(
          try parseList { (parser: inout Parser) throws(Failure) in try parser.parseProperty() })
      }
    }
    try refuseAlterTable()
    throw Failure()
  }

  /// Refuses by name the actions that Hive or Trino have and Athena has not.
  private mutating func refuseAlterTable() throws(Failure) {
    let word = string(of: token).uppercased()
    switch word {
    case "ARCHIVE", "UNARCHIVE", "CLUSTERED", "NOT", "SKEWED", "EXCHANGE", "COMPACT", "CONCATENATE", "TOUCH", "EXECUTE",
      "FILEFORMAT", "SERDEPROPERTIES", "AUTHORIZATION", "SERDE":
      throw failNotSupported("ALTER TABLE … \(word)", at: token.range)
    default: return
    }
  }

  @inline(never)
  private mutating func parseAlterTableAdd() throws(Failure) -> AlterTableAction {
    if accept(.columns) { return .addColumns(try parseColumnDefinitions(), ifNotExists: false) }
    if accept(.column) {
      let ifNotExists = try parseIfNotExists()
      return .addColumns([try parseColumnDefinition()], ifNotExists: ifNotExists)
    }
    let ifNotExists = try parseIfNotExists()
    var partitions: [PartitionSyntax] = []
    repeat {
      let values = try parsePartitionSpecification()
      partitions.append(PartitionSyntax(values: values, location: accept(.location) ? try parseString() : nil))
      _ = accept(.comma)
    } while isAt(.partition)
    return .addPartitions(partitions, ifNotExists: ifNotExists)
  }

  @inline(never)
  private mutating func parseAlterTableDrop() throws(Failure) -> AlterTableAction {
    if accept(.column) {
      let ifExists = parseIfExists()
      return .dropColumn(try parseQualifiedName(), ifExists: ifExists)
    }
    let ifExists = parseIfExists()
    let partitions = try parseList { (parser: inout Parser) throws(Failure) in
      try parser.parsePartitionSpecification()
    }
    return .dropPartitions(partitions, ifExists: ifExists)
  }

  @inline(never)
  private mutating func parseAlterTableRename(isPartition: Bool) throws(Failure) -> AlterTableAction {
    if accept(.to) {
      if isPartition { return .renamePartition(to: try parsePartitionSpecification()) }
      return .rename(try parseQualifiedName())
    }
    try expect(.column)
    let ifExists = parseIfExists()
    let old = try parseQualifiedName()
    try expect(.to)
    return .renameColumn(old, to: try parseIdentifier(), ifExists: ifExists)
  }

  @inline(never)
  private mutating func parseChangeColumn() throws(Failure) -> AlterTableAction {
    if isAt(.column), isName(peek(1)), isName(peek(2)) { advance() }
    let old = try parseIdentifier()
    let new = try parseColumnDefinition()
    var position: ColumnPositionSyntax?
    if accept(.first) {
      position = .first
    } else if accept(.after) {
      position = .after(try parseIdentifier())
    }
    return .changeColumn(old: old, new: new, position: position)
  }

  @inline(never)
  private mutating func parseColumnDefinitions() throws(Failure) -> [ColumnDefinitionSyntax] {
    try parseParenthesizedList { (parser: inout Parser) throws(Failure) in try parser.parseColumnDefinition() }
  }
}
