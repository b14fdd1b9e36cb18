/// A word with a meaning in the grammar; raw values are the words in upper case.
///
/// Most keywords are names too wherever no clause can start; see `isReserved`.
///
/// - Source: Trino `SqlBase.g4`; Athena's DDL pages for the words of Hive's statements.
package enum Keyword: String, Hashable, Sendable, CaseIterable {
  // Trino's words.
  case absent = "ABSENT"
  case add = "ADD"
  case admin = "ADMIN"
  case after = "AFTER"
  case all = "ALL"
  case alter = "ALTER"
  case
    analyze = "ANALYZE"
  case and = "AND"
  case `any` = "ANY"
  case array = "ARRAY"
  case `as` = "AS"
  case asc = "ASC"
  case at = "AT"
  case
    authorization = "AUTHORIZATION"
  case begin = "BEGIN"
  case bernoulli = "BERNOULLI"
  case between = "BETWEEN"
  case both = "BOTH"
  case
    by = "BY"
  case call = "CALL"
  case called = "CALLED"
  case cascade = "CASCADE"
  case `case` = "CASE"
  case cast = "CAST"
  case
    catalog = "CATALOG"
  case catalogs = "CATALOGS"
  case column = "COLUMN"
  case columns = "COLUMNS"
  case comment = "COMMENT"
  case
    commit = "COMMIT"
  case committed = "COMMITTED"
  case conditional = "CONDITIONAL"
  case constraint = "CONSTRAINT"
  case
    count = "COUNT"
  case copartition = "COPARTITION"
  case create = "CREATE"
  case cross = "CROSS"
  case cube = "CUBE"
  case
    current = "CURRENT"
  case currentCatalog = "CURRENT_CATALOG"
  case currentDate = "CURRENT_DATE"
  case
    currentPath = "CURRENT_PATH"
  case currentRole = "CURRENT_ROLE"
  case currentSchema = "CURRENT_SCHEMA"
  case
    currentTime = "CURRENT_TIME"
  case currentTimestamp = "CURRENT_TIMESTAMP"
  case currentUser = "CURRENT_USER"
  case
    data = "DATA"
  case date = "DATE"
  case day = "DAY"
  case deallocate = "DEALLOCATE"
  case declare = "DECLARE"
  case `default` = "DEFAULT"
  case
    define = "DEFINE"
  case definer = "DEFINER"
  case delete = "DELETE"
  case deny = "DENY"
  case desc = "DESC"
  case describe = "DESCRIBE"
  case
    descriptor = "DESCRIPTOR"
  case deterministic = "DETERMINISTIC"
  case distinct = "DISTINCT"
  case distributed = "DISTRIBUTED"
  case
    `do` = "DO"
  case double = "DOUBLE"
  case drop = "DROP"
  case `else` = "ELSE"
  case empty = "EMPTY"
  case elseif = "ELSEIF"
  case
    encoding = "ENCODING"
  case end = "END"
  case error = "ERROR"
  case escape = "ESCAPE"
  case except = "EXCEPT"
  case
    excluding = "EXCLUDING"
  case execute = "EXECUTE"
  case exists = "EXISTS"
  case explain = "EXPLAIN"
  case extract = "EXTRACT"
  case
    `false` = "FALSE"
  case fetch = "FETCH"
  case filter = "FILTER"
  case final = "FINAL"
  case first = "FIRST"
  case following = "FOLLOWING"
  case
    `for` = "FOR"
  case format = "FORMAT"
  case from = "FROM"
  case full = "FULL"
  case function = "FUNCTION"
  case functions = "FUNCTIONS"
  case
    grace = "GRACE"
  case grant = "GRANT"
  case granted = "GRANTED"
  case grants = "GRANTS"
  case graphviz = "GRAPHVIZ"
  case group = "GROUP"
  case
    grouping = "GROUPING"
  case groups = "GROUPS"
  case having = "HAVING"
  case hour = "HOUR"
  case `if` = "IF"
  case ignore = "IGNORE"
  case
    immediate = "IMMEDIATE"
  case `in` = "IN"
  case including = "INCLUDING"
  case initial = "INITIAL"
  case inner = "INNER"
  case
    input = "INPUT"
  case insert = "INSERT"
  case intersect = "INTERSECT"
  case interval = "INTERVAL"
  case into = "INTO"
  case
    invoker = "INVOKER"
  case io = "IO"
  case `is` = "IS"
  case isolation = "ISOLATION"
  case iterate = "ITERATE"
  case join = "JOIN"
  case
    json = "JSON"
  case jsonArray = "JSON_ARRAY"
  case jsonExists = "JSON_EXISTS"
  case jsonObject = "JSON_OBJECT"
  case
    jsonQuery = "JSON_QUERY"
  case jsonTable = "JSON_TABLE"
  case jsonValue = "JSON_VALUE"
  case keep = "KEEP"
  case key = "KEY"
  case
    keys = "KEYS"
  case language = "LANGUAGE"
  case last = "LAST"
  case lateral = "LATERAL"
  case leading = "LEADING"
  case leave = "LEAVE"
  case
    left = "LEFT"
  case level = "LEVEL"
  case like = "LIKE"
  case limit = "LIMIT"
  case listagg = "LISTAGG"
  case local = "LOCAL"
  case
    localtime = "LOCALTIME"
  case localtimestamp = "LOCALTIMESTAMP"
  case logical = "LOGICAL"
  case loop = "LOOP"
  case map = "MAP"
  case
    match = "MATCH"
  case matched = "MATCHED"
  case matches = "MATCHES"
  case matchRecognize = "MATCH_RECOGNIZE"
  case
    materialized = "MATERIALIZED"
  case measures = "MEASURES"
  case merge = "MERGE"
  case minute = "MINUTE"
  case month = "MONTH"
  case
    natural = "NATURAL"
  case nested = "NESTED"
  case next = "NEXT"
  case nfc = "NFC"
  case nfd = "NFD"
  case nfkc = "NFKC"
  case nfkd = "NFKD"
  case
    no = "NO"
  case none = "NONE"
  case normalize = "NORMALIZE"
  case not = "NOT"
  case null = "NULL"
  case nullif = "NULLIF"
  case
    nulls = "NULLS"
  case object = "OBJECT"
  case of = "OF"
  case offset = "OFFSET"
  case omit = "OMIT"
  case on = "ON"
  case one = "ONE"
  case
    only = "ONLY"
  case option = "OPTION"
  case or = "OR"
  case order = "ORDER"
  case ordinality = "ORDINALITY"
  case outer = "OUTER"
  case
    output = "OUTPUT"
  case over = "OVER"
  case overflow = "OVERFLOW"
  case partition = "PARTITION"
  case partitions = "PARTITIONS"
  case
    passing = "PASSING"
  case past = "PAST"
  case path = "PATH"
  case pattern = "PATTERN"
  case per = "PER"
  case period = "PERIOD"
  case
    permute = "PERMUTE"
  case plan = "PLAN"
  case position = "POSITION"
  case preceding = "PRECEDING"
  case precision = "PRECISION"
  case
    prepare = "PREPARE"
  case privileges = "PRIVILEGES"
  case properties = "PROPERTIES"
  case prune = "PRUNE"
  case quotes = "QUOTES"
  case
    range = "RANGE"
  case read = "READ"
  case recursive = "RECURSIVE"
  case refresh = "REFRESH"
  case rename = "RENAME"
  case
    `repeat` = "REPEAT"
  case repeatable = "REPEATABLE"
  case replace = "REPLACE"
  case reset = "RESET"
  case respect = "RESPECT"
  case
    restrict = "RESTRICT"
  case `return` = "RETURN"
  case returning = "RETURNING"
  case returns = "RETURNS"
  case revoke = "REVOKE"
  case
    right = "RIGHT"
  case role = "ROLE"
  case roles = "ROLES"
  case rollback = "ROLLBACK"
  case rollup = "ROLLUP"
  case row = "ROW"
  case
    rows = "ROWS"
  case running = "RUNNING"
  case scalar = "SCALAR"
  case schema = "SCHEMA"
  case schemas = "SCHEMAS"
  case second = "SECOND"
  case
    security = "SECURITY"
  case seek = "SEEK"
  case select = "SELECT"
  case serializable = "SERIALIZABLE"
  case session = "SESSION"
  case
    set = "SET"
  case sets = "SETS"
  case show = "SHOW"
  case skip = "SKIP"
  case some = "SOME"
  case start = "START"
  case stats = "STATS"
  case
    string = "STRING"
  case subset = "SUBSET"
  case substring = "SUBSTRING"
  case system = "SYSTEM"
  case table = "TABLE"
  case
    tables = "TABLES"
  case tablesample = "TABLESAMPLE"
  case text = "TEXT"
  case then = "THEN"
  case ties = "TIES"
  case time = "TIME"
  case
    timestamp = "TIMESTAMP"
  case to = "TO"
  case trailing = "TRAILING"
  case transaction = "TRANSACTION"
  case trim = "TRIM"
  case
    `true` = "TRUE"
  case truncate = "TRUNCATE"
  case tryCast = "TRY_CAST"
  case type = "TYPE"
  case uescape = "UESCAPE"
  case
    unbounded = "UNBOUNDED"
  case uncommitted = "UNCOMMITTED"
  case unconditional = "UNCONDITIONAL"
  case union = "UNION"
  case
    unique = "UNIQUE"
  case unknown = "UNKNOWN"
  case unmatched = "UNMATCHED"
  case unnest = "UNNEST"
  case until = "UNTIL"
  case
    update = "UPDATE"
  case use = "USE"
  case user = "USER"
  case using = "USING"
  case utf16 = "UTF16"
  case utf32 = "UTF32"
  case utf8 = "UTF8"
  case
    validate = "VALIDATE"
  case value = "VALUE"
  case values = "VALUES"
  case verbose = "VERBOSE"
  case version = "VERSION"
  case
    view = "VIEW"
  case when = "WHEN"
  case `where` = "WHERE"
  case `while` = "WHILE"
  case window = "WINDOW"
  case with = "WITH"
  case
    within = "WITHIN"
  case without = "WITHOUT"
  case work = "WORK"
  case wrapper = "WRAPPER"
  case write = "WRITE"
  case year = "YEAR"
  case
    zone = "ZONE"

  // Words of Athena's statements and of later extensions; never reserved.
  case asymmetric = "ASYMMETRIC"
  case binPack = "BIN_PACK"
  case buckets = "BUCKETS"
  case change = "CHANGE"
  case clustered = "CLUSTERED"
  case
    collection = "COLLECTION"
  case database = "DATABASE"
  case databases = "DATABASES"
  case dbproperties = "DBPROPERTIES"
  case
    defined = "DEFINED"
  case delimited = "DELIMITED"
  case escaped = "ESCAPED"
  case extended = "EXTENDED"
  case external = "EXTERNAL"
  case
    fields = "FIELDS"
  case formatted = "FORMATTED"
  case inputformat = "INPUTFORMAT"
  case items = "ITEMS"
  case lines = "LINES"
  case
    location = "LOCATION"
  case msck = "MSCK"
  case optimize = "OPTIMIZE"
  case overlaps = "OVERLAPS"
  case overlay = "OVERLAY"
  case
    outputformat = "OUTPUTFORMAT"
  case
    partitioned = "PARTITIONED"
  case placing = "PLACING"
  case qualify = "QUALIFY"
  case repair = "REPAIR"
  case rewrite = "REWRITE"
  case
    serde = "SERDE"
  case
    serdeproperties = "SERDEPROPERTIES"
  case sorted = "SORTED"
  case stored = "STORED"
  case symmetric = "SYMMETRIC"
  case
    tblproperties = "TBLPROPERTIES"
  case
    terminated = "TERMINATED"
  case unload = "UNLOAD"
  case unset = "UNSET"
  case vacuum = "VACUUM"
  case views = "VIEWS"

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
  package static func lookUp(_ word: UnsafeBufferPointer<UInt8>) -> Keyword? {
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
