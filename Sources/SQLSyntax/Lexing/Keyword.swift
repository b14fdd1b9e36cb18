/// A word with a meaning in the grammar; raw values are the words in upper case.
///
/// Most keywords are names too wherever no clause can start; see `isReserved`.
///
/// - Source: Trino `SqlBase.g4`; Athena's DDL pages for the words of Hive's statements.
package enum Keyword: String, Hashable, Sendable, CaseIterable {
  // Trino's words.
  case absent = "ABSENT", add = "ADD", admin = "ADMIN", after = "AFTER", all = "ALL", alter = "ALTER",
    analyze = "ANALYZE", and = "AND", `any` = "ANY", array = "ARRAY", `as` = "AS", asc = "ASC", at = "AT",
    authorization = "AUTHORIZATION", begin = "BEGIN", bernoulli = "BERNOULLI", between = "BETWEEN", both = "BOTH",
    by = "BY", call = "CALL", called = "CALLED", cascade = "CASCADE", `case` = "CASE", cast = "CAST",
    catalog = "CATALOG", catalogs = "CATALOGS", column = "COLUMN", columns = "COLUMNS", comment = "COMMENT",
    commit = "COMMIT", committed = "COMMITTED", conditional = "CONDITIONAL", constraint = "CONSTRAINT",
    count = "COUNT", copartition = "COPARTITION", create = "CREATE", cross = "CROSS", cube = "CUBE",
    current = "CURRENT", currentCatalog = "CURRENT_CATALOG", currentDate = "CURRENT_DATE",
    currentPath = "CURRENT_PATH", currentRole = "CURRENT_ROLE", currentSchema = "CURRENT_SCHEMA",
    currentTime = "CURRENT_TIME", currentTimestamp = "CURRENT_TIMESTAMP", currentUser = "CURRENT_USER",
    data = "DATA", date = "DATE", day = "DAY", deallocate = "DEALLOCATE", declare = "DECLARE", `default` = "DEFAULT",
    define = "DEFINE", definer = "DEFINER", delete = "DELETE", deny = "DENY", desc = "DESC", describe = "DESCRIBE",
    descriptor = "DESCRIPTOR", deterministic = "DETERMINISTIC", distinct = "DISTINCT", distributed = "DISTRIBUTED",
    `do` = "DO", double = "DOUBLE", drop = "DROP", `else` = "ELSE", empty = "EMPTY", elseif = "ELSEIF",
    encoding = "ENCODING", end = "END", error = "ERROR", escape = "ESCAPE", except = "EXCEPT",
    excluding = "EXCLUDING", execute = "EXECUTE", exists = "EXISTS", explain = "EXPLAIN", extract = "EXTRACT",
    `false` = "FALSE", fetch = "FETCH", filter = "FILTER", final = "FINAL", first = "FIRST", following = "FOLLOWING",
    `for` = "FOR", format = "FORMAT", from = "FROM", full = "FULL", function = "FUNCTION", functions = "FUNCTIONS",
    grace = "GRACE", grant = "GRANT", granted = "GRANTED", grants = "GRANTS", graphviz = "GRAPHVIZ", group = "GROUP",
    grouping = "GROUPING", groups = "GROUPS", having = "HAVING", hour = "HOUR", `if` = "IF", ignore = "IGNORE",
    immediate = "IMMEDIATE", `in` = "IN", including = "INCLUDING", initial = "INITIAL", inner = "INNER",
    input = "INPUT", insert = "INSERT", intersect = "INTERSECT", interval = "INTERVAL", into = "INTO",
    invoker = "INVOKER", io = "IO", `is` = "IS", isolation = "ISOLATION", iterate = "ITERATE", join = "JOIN",
    json = "JSON", jsonArray = "JSON_ARRAY", jsonExists = "JSON_EXISTS", jsonObject = "JSON_OBJECT",
    jsonQuery = "JSON_QUERY", jsonTable = "JSON_TABLE", jsonValue = "JSON_VALUE", keep = "KEEP", key = "KEY",
    keys = "KEYS", language = "LANGUAGE", last = "LAST", lateral = "LATERAL", leading = "LEADING", leave = "LEAVE",
    left = "LEFT", level = "LEVEL", like = "LIKE", limit = "LIMIT", listagg = "LISTAGG", local = "LOCAL",
    localtime = "LOCALTIME", localtimestamp = "LOCALTIMESTAMP", logical = "LOGICAL", loop = "LOOP", map = "MAP",
    match = "MATCH", matched = "MATCHED", matches = "MATCHES", matchRecognize = "MATCH_RECOGNIZE",
    materialized = "MATERIALIZED", measures = "MEASURES", merge = "MERGE", minute = "MINUTE", month = "MONTH",
    natural = "NATURAL", nested = "NESTED", next = "NEXT", nfc = "NFC", nfd = "NFD", nfkc = "NFKC", nfkd = "NFKD",
    no = "NO", none = "NONE", normalize = "NORMALIZE", not = "NOT", null = "NULL", nullif = "NULLIF",
    nulls = "NULLS", object = "OBJECT", of = "OF", offset = "OFFSET", omit = "OMIT", on = "ON", one = "ONE",
    only = "ONLY", option = "OPTION", or = "OR", order = "ORDER", ordinality = "ORDINALITY", outer = "OUTER",
    output = "OUTPUT", over = "OVER", overflow = "OVERFLOW", partition = "PARTITION", partitions = "PARTITIONS",
    passing = "PASSING", past = "PAST", path = "PATH", pattern = "PATTERN", per = "PER", period = "PERIOD",
    permute = "PERMUTE", plan = "PLAN", position = "POSITION", preceding = "PRECEDING", precision = "PRECISION",
    prepare = "PREPARE", privileges = "PRIVILEGES", properties = "PROPERTIES", prune = "PRUNE", quotes = "QUOTES",
    range = "RANGE", read = "READ", recursive = "RECURSIVE", refresh = "REFRESH", rename = "RENAME",
    `repeat` = "REPEAT", repeatable = "REPEATABLE", replace = "REPLACE", reset = "RESET", respect = "RESPECT",
    restrict = "RESTRICT", `return` = "RETURN", returning = "RETURNING", returns = "RETURNS", revoke = "REVOKE",
    right = "RIGHT", role = "ROLE", roles = "ROLES", rollback = "ROLLBACK", rollup = "ROLLUP", row = "ROW",
    rows = "ROWS", running = "RUNNING", scalar = "SCALAR", schema = "SCHEMA", schemas = "SCHEMAS", second = "SECOND",
    security = "SECURITY", seek = "SEEK", select = "SELECT", serializable = "SERIALIZABLE", session = "SESSION",
    set = "SET", sets = "SETS", show = "SHOW", skip = "SKIP", some = "SOME", start = "START", stats = "STATS",
    string = "STRING", subset = "SUBSET", substring = "SUBSTRING", system = "SYSTEM", table = "TABLE",
    tables = "TABLES", tablesample = "TABLESAMPLE", text = "TEXT", then = "THEN", ties = "TIES", time = "TIME",
    timestamp = "TIMESTAMP", to = "TO", trailing = "TRAILING", transaction = "TRANSACTION", trim = "TRIM",
    `true` = "TRUE", truncate = "TRUNCATE", tryCast = "TRY_CAST", type = "TYPE", uescape = "UESCAPE",
    unbounded = "UNBOUNDED", uncommitted = "UNCOMMITTED", unconditional = "UNCONDITIONAL", union = "UNION",
    unique = "UNIQUE", unknown = "UNKNOWN", unmatched = "UNMATCHED", unnest = "UNNEST", until = "UNTIL",
    update = "UPDATE", use = "USE", user = "USER", using = "USING", utf16 = "UTF16", utf32 = "UTF32", utf8 = "UTF8",
    validate = "VALIDATE", value = "VALUE", values = "VALUES", verbose = "VERBOSE", version = "VERSION",
    view = "VIEW", when = "WHEN", `where` = "WHERE", `while` = "WHILE", window = "WINDOW", with = "WITH",
    within = "WITHIN", without = "WITHOUT", work = "WORK", wrapper = "WRAPPER", write = "WRITE", year = "YEAR",
    zone = "ZONE"

  // Words of Athena's statements and of later extensions; never reserved.
  case asymmetric = "ASYMMETRIC", binPack = "BIN_PACK", buckets = "BUCKETS", change = "CHANGE", clustered = "CLUSTERED",
    collection = "COLLECTION", database = "DATABASE", databases = "DATABASES", dbproperties = "DBPROPERTIES",
    defined = "DEFINED", delimited = "DELIMITED", escaped = "ESCAPED", extended = "EXTENDED", external = "EXTERNAL",
    fields = "FIELDS", formatted = "FORMATTED", inputformat = "INPUTFORMAT", items = "ITEMS", lines = "LINES",
    location = "LOCATION", msck = "MSCK", optimize = "OPTIMIZE", overlaps = "OVERLAPS", overlay = "OVERLAY",
    outputformat = "OUTPUTFORMAT",
    partitioned = "PARTITIONED", placing = "PLACING", qualify = "QUALIFY", repair = "REPAIR", rewrite = "REWRITE",
    serde = "SERDE",
    serdeproperties = "SERDEPROPERTIES", sorted = "SORTED", stored = "STORED", symmetric = "SYMMETRIC",
    tblproperties = "TBLPROPERTIES",
    terminated = "TERMINATED", unload = "UNLOAD", unset = "UNSET", vacuum = "VACUUM", views = "VIEWS"

  /// Whether the word cannot be a name without quotes.
  ///
  /// - Source: Trino `SqlBase.g4`, the complement of `nonReserved`.
  package var isReserved: Bool {
    switch self {
    case .alter, .and, .as, .between, .by, .case, .cast, .constraint, .create, .cross, .cube, .currentCatalog,
      .currentDate, .currentPath, .currentRole, .currentSchema, .currentTime, .currentTimestamp, .currentUser,
      .deallocate, .delete, .describe, .distinct, .drop, .else, .end, .escape, .except, .execute, .exists, .extract,
      .false, .for, .from, .full, .group, .grouping, .having, .in, .inner, .insert, .intersect, .into, .is, .join,
      .jsonArray, .jsonExists, .jsonObject, .jsonQuery, .jsonTable, .jsonValue, .left, .like, .listagg, .localtime,
      .localtimestamp, .natural, .normalize, .not, .null, .on, .or, .order, .outer, .prepare, .recursive, .right,
      .rollup, .select, .skip, .table, .then, .trim, .true, .uescape, .union, .unnest, .using, .values, .when,
      .where, .with:
      true
    default: false
    }
  }
}

extension Keyword {
  /// The keyword spelled by these bytes in any case, or nil.
  @inline(__always)
  static func lookUp(_ word: UnsafeBufferPointer<UInt8>) -> Keyword? {
    guard word.count <= KeywordTable.longestWord else { return nil }
    return KeywordTable.shared.lookUp(word)
  }
}

/// An open-addressing hash table from upper-cased words to keywords.
///
/// Built on first use in a few microseconds from the enumeration itself, so no second list has to be kept in step.
private struct KeywordTable: Sendable {
  struct Slot {
    var hash: UInt64 = 0
    var keyword: Keyword?
  }

  static let shared = KeywordTable()
  static let longestWord = 17
  private static let mask = 1023

  private let slots: [Slot]

  private init() {
    var slots = [Slot](repeating: Slot(), count: KeywordTable.mask + 1)
    for keyword in Keyword.allCases {
      var name = keyword.rawValue
      let hash = name.withUTF8 { KeywordTable.hash($0) }
      var index = Int(truncatingIfNeeded: hash) & KeywordTable.mask
      while slots[index].keyword != nil { index = (index + 1) & KeywordTable.mask }
      slots[index] = Slot(hash: hash, keyword: keyword)
    }
    self.slots = slots
  }

  /// - Source: FNV-1a, folded; letters count as upper case.
  private static func hash(_ word: UnsafeBufferPointer<UInt8>) -> UInt64 {
    var hash: UInt64 = 0xcbf2_9ce4_8422_2325
    for byte in word {
      let isLower = byte >= 0x61 && byte <= 0x7A
      hash = (hash ^ UInt64(isLower ? byte &- 0x20 : byte)) &* 0x100_0000_01b3
    }
    return hash ^ (hash >> 29)
  }

  func lookUp(_ word: UnsafeBufferPointer<UInt8>) -> Keyword? {
    let hash = KeywordTable.hash(word)
    var index = Int(truncatingIfNeeded: hash) & KeywordTable.mask
    while let keyword = slots[index].keyword {
      if slots[index].hash == hash, KeywordTable.spells(word, keyword.rawValue) { return keyword }
      index = (index + 1) & KeywordTable.mask
    }
    return nil
  }

  private static func spells(_ word: UnsafeBufferPointer<UInt8>, _ name: String) -> Bool {
    var index = 0
    for byte in name.utf8 {
      guard index < word.count else { return false }
      let written = word[index]
      guard (written >= 0x61 && written <= 0x7A ? written &- 0x20 : written) == byte else { return false }
      index += 1
    }
    return index == word.count
  }
}
