import Columnar
import Glibc
import ObjectStore
import QueryErrors

/// Reads the records of one split of a JSON file.
///
/// Bytes are indexed in steps; each record's index entries are walked once, which checks its structure and notes where the
/// asked keys' values lie. Values are converted column by column afterwards, those of other keys never.
///
/// - Threads: one owner.
final class JSONReader: TextRowReader {
  private let file: JSONFile
  private let input: TextInput
  private let index: JSONIndex
  private let keys: JSONKeyTable
  private let spans: TextSpans
  /// Requested column → which of the noted values.
  private let slots: [Int]
  private let slotCount: Int
  /// Slot → that of the next key of the same spelling in a record, or -1.
  private let following: [Int]
  private let refusesUnknownKeys: Bool
  private let readsValues: Bool
  private var sawUnknownKey = false
  private var unknownName = ""
  /// The byte behind the value walked last, where records are no objects.
  private var walkedEnd = 0
  /// Position in an array record → slot; for records that are arrays.
  private let slotOfPosition: [Int]
  private let converters: [ValueConverter?]
  private let nested: [JSONNestedReader?]
  private let checkers: [JSONNestedReader?]
  private let isLines: Bool
  private let isDeclared: Bool
  private let ignoresMalformed: Bool
  private let wrapper: String?
  private let isOpenX: Bool

  // MARK: The rows loaded

  private let capacity: Int
  /// Slot · capacity + row → where the value's text starts.
  private let starts: UnsafeMutablePointer<UInt32>
  /// The same → kind << 29 | byte count.
  private let lengths: UnsafeMutablePointer<UInt32>
  private let rowStart: UnsafeMutablePointer<UInt32>
  /// Lines, or records of a document, of the split before it.
  private let rowNumber: UnsafeMutablePointer<Int>
  private var hasNonASCII = false
  private var hasBackslash = false

  // MARK: Where reading stands

  private var indexed = 0
  private var nextRow = 0
  private var nextToken = 0
  private var nextStart = 0
  private var taken = 0
  private var isFinished = false
  private var hasEnded = false
  private var lastStep = (nonASCII: false, backslash: false)
  private var firstRecord: UInt64 = 0
  private var phase = Phase.start
  private let openBits: UnsafeMutablePointer<UInt64>

  /// Where in a document the next token belongs.
  private enum Phase { case start, values, firstElement, element, behindElement, end }

  // MARK: What went wrong in a record

  private var failurePlace = 0
  private var failureReason = ""

  private static let stepByteCount = 64 << 10
  private static let kindShift: UInt32 = 29
  private static let lengthMask: UInt32 = 1 << 29 - 1
  private static let stringKind: UInt32 = 1
  private static let scalarKind: UInt32 = 2
  private static let nestedKind: UInt32 = 3
  /// Results of walking that are no token.
  private static let malformed = -1
  private static let needsMore = -2

  init(_ file: JSONFile, _ split: Split, _ request: ScanRequest, metrics: ScanMetrics) throws(QueryError) {
    self.file = file
    let settings = file.settings
    isLines = file.layout == .lines
    isDeclared = settings.schema != nil
    ignoresMalformed = settings.ignoresMalformed
    wrapper = settings.wrapper
    isOpenX = settings.isOpenX && isDeclared
    // Of very many columns few rows at a time.
    let capacity = max(1, min(request.batchSize, 1 << 20, max(64, (1 << 24) / max(1, request.columns.count))))
    self.capacity = capacity
    var slotOfKey: [String: Int] = [:]
    var slots: [Int] = []
    var positions: [Int] = []
    var exact: [String: Int] = [:]
    var repeated: [(spelling: String, occurrence: Int, slot: Int)] = []
    var converters: [ValueConverter?] = []
    var nested: [JSONNestedReader?] = []
    var checkers: [JSONNestedReader?] = []
    var slotCount = 0
    for (index, column) in request.columns.enumerated() {
      var slot = slotCount
      if let origin = settings.origins[column.name.lowercased()] {
        if origin.occurrence > 0 {
          repeated.append((origin.spelling, origin.occurrence, slot))
        } else {
          exact[origin.spelling] = slot
        }
        slotCount += 1
      } else {
        let key = settings.mapping.key(for: column.name)
        slot = slotOfKey[key] ?? slotCount
        if slot == slotCount { slotCount += 1 }
        slotOfKey[key] = slot
      }
      slots.append(slot)
      if column.ordinal >= 0, column.ordinal < 1 << 16 {
        while positions.count <= column.ordinal { positions.append(-1) }
        positions[column.ordinal] = slot
      }
      guard NestedSpans.supports(column.type) else {
        throw QueryError.notSupported(
          "Column '\(column.name)': type \(column.type) cannot be read from JSON",
          hint: "Declare the column as string and convert it in the query.")
      }
      let policy = settings.given.policy(of: column.name, settings.policy)
      converters.append(column.type.isNested ? nil : ValueConverter(column.type, policy, capacity: capacity))
      nested.append(
        column.type.isNested
          ? JSONNestedReader(
            column.type, policy, settings.mapping,
            refusesUnknownKeys: settings.learn != nil && request.wholeColumns.contains(index)) : nil)
      checkers.append(
        column.type.isNested && (settings.ignoresMalformed || request.badRows != nil)
          ? JSONNestedReader(column.type, settings.policy, settings.mapping) : nil)
    }
    self.slots = slots
    for converter in converters { converter?.collectsMalformed = request.badRows != nil }
    self.converters = converters
    self.nested = nested
    self.checkers = checkers
    slotOfPosition = positions
    var following = [Int](repeating: -1, count: slotCount)
    for (spelling, chain) in Dictionary(grouping: repeated, by: \.spelling) {
      // Slot after slot of the same key; those that nobody asked for take their values too.
      var last = exact[spelling] ?? slotOfKey[settings.mapping.normalise(spelling)] ?? following.count
      if last == following.count {
        following.append(-1)
        exact[spelling] = last
      }
      var place = 0
      for (_, occurrence, slot) in chain.sorted(by: { $0.occurrence < $1.occurrence }) {
        while place + 1 < occurrence {
          following[last] = following.count
          last = following.count
          following.append(-1)
          place += 1
        }
        following[last] = slot
        last = slot
        place = occurrence
      }
    }
    slotCount = following.count
    self.slotCount = slotCount
    self.following = following
    keys = JSONKeyTable(slotOfKey, exact: exact, settings.mapping)
    refusesUnknownKeys = settings.learn != nil && request.wantsAllColumns && !settings.readsValues
    readsValues = settings.readsValues
    input = try TextInput(
      file.source, file.codec, split.byteRange, expectsAll: request.limit == nil,
      end: file.codec == .none ? nil : file.dataEnd)
    // The bytes before the data are read too: every byte of a file counts as scanned.
    if file.codec == .none, isLines, split.byteRange.lowerBound == file.dataStart, file.dataStart > 0 {
      _ = try file.source.read(0..<file.dataStart, kind: .data)
    }
    index = JSONIndex(isLines: isLines)
    spans = TextSpans(capacity: capacity)
    starts = .allocate(capacity: capacity * max(1, slotCount))
    lengths = .allocate(capacity: capacity * max(1, slotCount))
    rowStart = .allocate(capacity: capacity)
    rowNumber = .allocate(capacity: capacity)
    openBits = .allocate(capacity: JSONText.maxDepth / 64 + 2)
    super.init(request, metrics: metrics)
    try seekFirstRecord(split)
  }

  deinit {
    starts.deallocate()
    lengths.deallocate()
    rowStart.deallocate()
    rowNumber.deallocate()
    openBits.deallocate()
  }

  // MARK: Finding records

  /// Moves to the first line that starts in the split.
  private func seekFirstRecord(_ split: Split) throws(QueryError) {
    if file.codec != .none || !isLines {
      if input.count >= 3, input.base[0] == 0xef, input.base[1] == 0xbb, input.base[2] == 0xbf {
        indexed = 3
        nextStart = 3
      }
      var missing = isLines ? file.settings.skippedLines : 0
      while missing > 0 {
        if let end = memchr(input.base + indexed, 0x0a, input.count - indexed) {
          indexed = UnsafeRawPointer(end) - UnsafeRawPointer(input.base) + 1
          nextStart = indexed
          taken += 1
          missing -= 1
        } else if input.isFinal {
          isFinished = true
          return
        } else {
          try input.advance(keeping: nextStart)
          (indexed, nextStart) = (0, 0)
        }
      }
      return
    }
    let from = split.byteRange.lowerBound
    firstRecord = from
    if from == file.dataStart { return }
    let before = try file.source.read(from - 1..<from, kind: .sampling).withBytes { $0[0] }
    if before == 0x0a { return }
    guard let end = memchr(input.base, 0x0a, input.count) else {
      isFinished = true
      return
    }
    indexed = UnsafeRawPointer(end) - UnsafeRawPointer(input.base) + 1
    nextStart = indexed
    firstRecord = from + UInt64(indexed)
  }

  override func loadRows(limit: Int) throws(QueryError) -> Int {
    if isFinished { return 0 }
    index.drop(tokens: nextToken, rows: nextRow)
    nextToken = 0
    nextRow = 0
    hasNonASCII = lastStep.nonASCII
    hasBackslash = lastStep.backslash
    let limit = min(limit, capacity)
    for slot in 0..<slotCount { memset(lengths + slot * capacity, 0, limit * 4) }
    var loaded = 0
    while true {
      loaded = isLines ? try takeLines(loaded, limit) : try takeValues(loaded, limit)
      if loaded == limit || isFinished { return loaded }
      if indexed < input.count {
        let to = min(input.count, indexed + JSONReader.stepByteCount)
        index.scan(input.base, from: indexed, to: to)
        lastStep = (index.sawNonASCII, index.sawBackslash)
        hasNonASCII = hasNonASCII || lastStep.nonASCII
        hasBackslash = hasBackslash || lastStep.backslash
        indexed = to
      } else if input.isFinal {
        if hasEnded || !isLines || nextStart >= input.count {
          isFinished = true
          return loaded
        }
        index.appendLineEnd(at: input.count)
        hasEnded = true
      } else if loaded > 0 {
        return loaded
      } else if nextStart >= input.recordLimit {
        isFinished = true
        return 0
      } else {
        try input.advance(keeping: nextStart)
        index.reset()
        (indexed, nextStart, nextToken, nextRow) = (0, 0, 0, 0)
      }
    }
  }

  /// Takes complete lines until there are `limit` records.
  private func takeLines(_ already: Int, _ limit: Int) throws(QueryError) -> Int {
    var loaded = already
    let recordLimit = input.recordLimit
    let (rows, tokens, base) = (index.rows, index.tokens, input.base)
    while nextRow < index.rowCount, loaded < limit {
      if nextStart >= recordLimit {
        isFinished = true
        break
      }
      let endToken = Int(rows[nextRow])
      let end = Int(tokens[endToken])
      let first = nextToken
      let start = JSONText.skipBlanks(base, nextStart, end)
      let number = taken
      nextRow += 1
      nextToken = endToken + 1
      nextStart = end + 1
      taken += 1
      if start == end {
        // A blank line: NULLs in a declared table, nothing else.
        if !isDeclared { continue }
      } else if isOpenX, base[start] != 0x7b, base[start] != 0x5b {
        // OpenX's SerDe takes objects and arrays; any other line is a row of NULLs.
      } else {
        let after = readsValues ? walkWhole(first, endToken, start, loaded) : walk(first, endToken, start, loaded)
        var isGood = after == endToken
        if sawUnknownKey { throw try unknownKey(start, number, loaded) }
        if readsValues, isGood {
          if JSONText.skipBlanks(base, walkedEnd, end) != end { isGood = false }
        } else if isGood, JSONText.skipBlanks(base, Int(tokens[after - 1]) + 1, end) != end {
          isGood = false
          fail(Int(tokens[after - 1]) + 1, "Unexpected text behind the object")
        } else if !isGood, after >= 0 {
          fail(Int(tokens[after]), "Unexpected text behind the object")
        } else if after == JSONReader.needsMore {
          fail(end, "Unexpected end of line")
        }
        if !isGood {
          if !ignoresMalformed {
            guard let bad = request.badRows else { throw try malformedRecord(start, end, number) }
            try bad.note(try malformedRecord(start, end, number))
            sawUnknownKey = false
            if bad.action != .null {
              for slot in 0..<slotCount { lengths[slot * capacity + loaded] = 0 }
              continue
            }
          }
          for slot in 0..<slotCount { lengths[slot * capacity + loaded] = 0 }
        }
      }
      rowStart[loaded] = UInt32(truncatingIfNeeded: start)
      rowNumber[loaded] = number
      loaded += 1
    }
    return loaded
  }

  /// Takes complete values of a document until there are `limit` records.
  private func takeValues(_ already: Int, _ limit: Int) throws(QueryError) -> Int {
    var loaded = already
    let (tokens, base) = (index.tokens, input.base)
    while loaded < limit {
      let isLast = input.isFinal && indexed == input.count
      let at = JSONText.skipBlanks(base, nextStart, indexed)
      if at == indexed {
        if !isLast { return loaded }
        nextStart = at
        if phase == .firstElement || phase == .element || phase == .behindElement {
          fail(at, "Expected a ',' or ']'")
          throw try malformedRecord(max(0, at - 50), at, taken)
        }
        return loaded
      }
      let c = base[at]
      // Every byte that may stand here is a token of its own.
      let isScalar = readsValues && (phase == .firstElement || phase == .element) && nextToken < index.tokenCount
      guard isScalar || (nextToken < index.tokenCount && Int(tokens[nextToken]) == at) else {
        if readsValues, !isLast { return loaded }
        fail(at, "A JSONObject text must begin with '{'")
        throw try malformedRecord(at, indexed, taken)
      }
      switch phase {
      case .start where wrapper != nil:
        guard let inner = unwrap(at) else {
          if !isLast { return loaded }
          fail(at, "The file does not begin with {\"\(wrapper ?? "")\": […]}")
          throw try malformedRecord(at, indexed, taken)
        }
        phase = .firstElement
        nextToken += 4
        nextStart = inner
        continue
      case .start where c == 0x5b:
        phase = .firstElement
        nextToken += 1
        nextStart = at + 1
        continue
      case .start: phase = .values
      case .firstElement where c == 0x5d, .behindElement where c == 0x5d:
        phase = .end
        nextToken += 1
        nextStart = at + 1
        if wrapper != nil {
          isFinished = true
          return loaded
        }
        continue
      case .behindElement where c == 0x2c:
        phase = .element
        nextToken += 1
        nextStart = at + 1
        continue
      case .behindElement:
        fail(at, "Expected a ',' or ']'")
        throw try malformedRecord(at, indexed, taken)
      case .end:
        fail(at, "Unexpected text behind the array")
        throw try malformedRecord(at, indexed, taken)
      default: break
      }
      let after =
        readsValues ? walkWhole(nextToken, index.tokenCount, at, loaded) : walk(nextToken, index.tokenCount, at, loaded)
      if sawUnknownKey, after >= 0 { throw try unknownKey(at, taken, loaded) }
      sawUnknownKey = false
      if after == JSONReader.needsMore, !isLast {
        for slot in 0..<slotCount { lengths[slot * capacity + loaded] = 0 }
        return loaded
      }
      guard after >= 0 else {
        if after == JSONReader.needsMore { fail(indexed, "Unexpected end of file") }
        throw try malformedRecord(at, indexed, taken)
      }
      rowStart[loaded] = UInt32(truncatingIfNeeded: at)
      rowNumber[loaded] = taken
      nextToken = after
      nextStart = readsValues ? walkedEnd : Int(tokens[after - 1]) + 1
      if phase != .values { phase = .behindElement }
      taken += 1
      loaded += 1
    }
    return loaded
  }

  // MARK: Walking a record

  private func fail(_ place: Int, _ reason: String) {
    failurePlace = place
    failureReason = reason
  }

  @inline(never)
  private func malformed(_ place: Int, _ reason: String) -> Int {
    fail(place, reason)
    return JSONReader.malformed
  }

  /// Notes where row `row`'s values lie and returns the token behind the record that starts at byte `start`, or
  /// `malformed`, or `needsMore` when the tokens end within it.
  private func walk(_ firstToken: Int, _ endToken: Int, _ start: Int, _ row: Int) -> Int {
    let (tokens, base) = (index.tokens, input.base)
    if firstToken >= endToken { return malformed(start, "A JSONObject text must begin with '{'") }
    if Int(tokens[firstToken]) != start || base[start] != 0x7b {
      if base[start] == 0x5b, isDeclared, isLines { return walkArray(firstToken, endToken, row) }
      return malformed(start, "A JSONObject text must begin with '{'")
    }
    let (starts, lengths, capacity) = (starts, lengths, capacity)
    let keys = keys
    var t = firstToken &+ 1
    var previous = start
    var place = 0
    if t >= endToken { return JSONReader.needsMore }
    if base[Int(tokens[t])] == 0x7d {
      let close = Int(tokens[t])
      if JSONText.skipBlanks(base, previous &+ 1, close) != close {
        return malformed(previous &+ 1, "Expected a quoted key or '}'")
      }
      return t &+ 1
    }
    while true {
      // Key, close quote, and at least one token behind the value.
      if t &+ 2 >= endToken {
        if t < endToken, base[Int(tokens[t])] != 0x22 { return malformed(Int(tokens[t]), "Expected a quoted key") }
        return JSONReader.needsMore
      }
      let open = Int(tokens[t])
      let close = Int(tokens[t &+ 1])
      if base[open] != 0x22 { return malformed(open, "Expected a quoted key") }
      if open != previous &+ 1, JSONText.skipBlanks(base, previous &+ 1, open) != open {
        return malformed(previous &+ 1, "Expected a quoted key")
      }
      let slot = keys.slot(base + (open &+ 1), close &- open &- 1, place: place)
      if slot < 0, refusesUnknownKeys { noteUnknownKey(open + 1, close) }
      place &+= 1
      t &+= 2
      var value = close &+ 1
      let bound = Int(tokens[t])
      if base[value] != 0x3a {
        value = JSONText.skipBlanks(base, value, bound)
        if value >= bound || base[value] != 0x3a { return malformed(value, "Expected a ':' after a key") }
      }
      value &+= 1
      if base[value] <= 0x20 { value = JSONText.skipBlanks(base, value, bound) }
      let after = walkValue(&t, endToken, value, slot, row, tokens, base, starts, lengths, capacity)
      if after < 0 { return after }
      // The value is followed by a comma or the closing brace.
      if t >= endToken { return JSONReader.needsMore }
      let next = Int(tokens[t])
      if after != next, JSONText.skipBlanks(base, after, next) != next {
        return malformed(after, "Expected a ',' or '}'")
      }
      let c = base[next]
      t &+= 1
      if c == 0x7d { return t }
      if c != 0x2c { return malformed(next, "Expected a ',' or '}'") }
      previous = next
    }
  }

  /// A record that is no object: the value of the one column there is.
  private func walkWhole(_ firstToken: Int, _ endToken: Int, _ start: Int, _ row: Int) -> Int {
    var t = firstToken
    // At the end of a line the token behind a value is the line's.
    let bound = isLines ? min(endToken + 1, index.tokenCount) : endToken
    if t >= bound { return JSONReader.needsMore }
    let slot = keys.slot(JSONReader.valueKey, JSONSurvey.valueColumn.utf8.count, place: 0)
    let after = walkValue(&t, bound, start, slot, row, index.tokens, input.base, starts, lengths, capacity)
    if after < 0 { return after }
    walkedEnd = after
    return t
  }

  nonisolated(unsafe) private static let valueKey: UnsafePointer<UInt8> = {
    let text = UnsafeMutablePointer<UInt8>.allocate(capacity: 16)
    text.initialize(repeating: 0, count: 16)
    for (place, letter) in JSONSurvey.valueColumn.utf8.enumerated() { text[place] = letter }
    return UnsafePointer(text)
  }()

  @inline(never)
  private func noteUnknownKey(_ start: Int, _ end: Int) {
    if sawUnknownKey { return }
    sawUnknownKey = true
    unknownName = JSONText.string(input.base + start, end - start)
  }

  /// A record that is an array: its elements are columns by position.
  private func walkArray(_ firstToken: Int, _ endToken: Int, _ row: Int) -> Int {
    let (tokens, base) = (index.tokens, input.base)
    var t = firstToken &+ 1
    var previous = Int(tokens[firstToken])
    var position = 0
    if t >= endToken { return JSONReader.needsMore }
    let first = Int(tokens[t])
    if base[first] == 0x5d, JSONText.skipBlanks(base, previous &+ 1, first) == first { return t &+ 1 }
    while true {
      if t >= endToken { return JSONReader.needsMore }
      let value = JSONText.skipBlanks(base, previous &+ 1, Int(tokens[t]))
      let slot = position < slotOfPosition.count ? slotOfPosition[position] : -1
      position += 1
      let after = walkValue(&t, endToken, value, slot, row, tokens, base, starts, lengths, capacity)
      if after < 0 { return after }
      if t >= endToken { return JSONReader.needsMore }
      let next = Int(tokens[t])
      if JSONText.skipBlanks(base, after, next) != next { return malformed(after, "Expected a ',' or ']'") }
      t &+= 1
      if base[next] == 0x5d { return t }
      if base[next] != 0x2c { return malformed(next, "Expected a ',' or ']'") }
      previous = next
    }
  }

  /// Passes over the value at byte `value`, noting it when `slot` is not negative; `t` is the token at or behind its start.
  ///
  /// Returns the byte behind the value, `malformed` or `needsMore`.
  @inline(__always)
  private func walkValue(
    _ t: inout Int, _ endToken: Int, _ value: Int, _ slot: Int, _ row: Int, _ tokens: UnsafePointer<UInt32>,
    _ base: UnsafePointer<UInt8>, _ starts: UnsafeMutablePointer<UInt32>, _ lengths: UnsafeMutablePointer<UInt32>,
    _ capacity: Int
  ) -> Int {
    let next = Int(tokens[t])
    let from: Int
    let after: Int
    let length: Int
    let kind: UInt32
    if value == next {
      let c = base[value]
      if c == 0x22 {
        if t &+ 1 >= endToken { return JSONReader.needsMore }
        let close = Int(tokens[t &+ 1])
        from = value &+ 1
        length = close &- from
        after = close &+ 1
        kind = JSONReader.stringKind
        t &+= 2
      } else if c == 0x7b || c == 0x5b {
        let last = skipNested(t, endToken)
        if last < 0 { return last }
        from = value
        after = Int(tokens[last]) &+ 1
        length = after &- from
        kind = JSONReader.nestedKind
        t = last &+ 1
      } else {
        return malformed(value, "Missing value")
      }
    } else {
      var end = next
      while end > value, JSONText.isBlank(base[end &- 1]) { end &-= 1 }
      from = value
      length = end &- value
      after = next
      kind = JSONReader.scalarKind
      if length <= 0 || !JSONText.isScalar(base + value, length) {
        return malformed(value, "Expected a value")
      }
    }
    if slot >= 0 {
      var at = slot &* capacity &+ row
      if lengths[at] != 0, following[slot] >= 0 {
        var next = slot
        while lengths[at] != 0, following[next] >= 0 {
          next = following[next]
          at = next &* capacity &+ row
        }
      }
      if lengths[at] != 0 {
        // A key that occurs twice: an error in Hive's SerDes, the first one counts elsewhere.
        if isDeclared { return malformed(value, "Duplicate key") }
        return after
      }
      if length > Int(JSONReader.lengthMask) { return malformed(value, "Value is too long") }
      starts[at] = UInt32(truncatingIfNeeded: from)
      lengths[at] = (kind &<< JSONReader.kindShift) | UInt32(truncatingIfNeeded: length)
    }
    return after
  }

  /// The token that closes the array or object opened by token `first`, or `malformed`, or `needsMore`.
  private func skipNested(_ first: Int, _ endToken: Int) -> Int {
    let (tokens, base, openBits) = (index.tokens, input.base, openBits)
    var depth = 0
    var t = first
    while t < endToken {
      let c = base[Int(tokens[t])]
      // Braces have bit 5 set, brackets not.
      let isBrace = UInt64((c &>> 5) & 1)
      switch c {
      case 0x7b, 0x5b:
        if depth == JSONText.maxDepth { return malformed(Int(tokens[t]), "Nested deeper than \(JSONText.maxDepth)") }
        let bit = UInt64(depth & 63)
        openBits[depth >> 6] = (openBits[depth >> 6] & ~(1 &<< bit)) | (isBrace &<< bit)
        depth &+= 1
      case 0x7d, 0x5d:
        depth &-= 1
        if (openBits[depth >> 6] &>> UInt64(depth & 63)) & 1 != isBrace {
          return malformed(Int(tokens[t]), "Bracket does not match")
        }
        if depth == 0 { return t }
      default: break
      }
      t &+= 1
    }
    return JSONReader.needsMore
  }

  /// The byte behind the bracket that opens the array of records, when the object at `at` begins with it.
  private func unwrap(_ at: Int) -> Int? {
    guard let wrapper, nextToken + 3 < index.tokenCount, input.base[at] == 0x7b else { return nil }
    // The brace, the quotes around the key, and the bracket.
    let places = (0..<4).map { Int(index.tokens[nextToken + $0]) }
    guard places[0] == at, input.base[places[3]] == 0x5b,
      JSONText.skipBlanks(input.base, at + 1, indexed) == places[1], input.base[places[1]] == 0x22
    else { return nil }
    let key = UnsafeBufferPointer(start: input.base + places[1] + 1, count: places[2] - places[1] - 1)
    let colon = JSONText.skipBlanks(input.base, places[2] + 1, indexed)
    guard key.elementsEqual(wrapper.utf8), input.base[colon] == 0x3a,
      JSONText.skipBlanks(input.base, colon + 1, indexed) == places[3]
    else { return nil }
    return places[3] + 1
  }

  override func finish() throws(QueryError) { try file.source.checkUnchanged() }

  // MARK: Converting

  override func column(_ column: Int, rows: UnsafePointer<Int32>?, count: Int) throws(QueryError) -> Column {
    let slot = slots[column] * capacity
    let type = request.columns[column].type
    let (starts, lengths) = (starts + slot, lengths + slot)
    if let nested = nested[column] { return try nestedColumn(column, nested, rows, count) }
    let (base, spans) = (input.base, spans)
    let takesNested = type.isCharacter || type == .json
    let isJSON = type == .json
    let hasBackslash = hasBackslash
    var i = 0
    while i < count {
      let row = rows.map { Int($0[i]) } ?? i
      let entry = lengths[row]
      let start = base + Int(starts[row])
      let length = Int(entry & JSONReader.lengthMask)
      spans.starts[i] = start
      switch entry &>> JSONReader.kindShift {
      case JSONReader.stringKind:
        spans.lengths[i] = Int32(truncatingIfNeeded: length)
        if isJSON {
          spans.starts[i] = start - 1
          spans.lengths[i] = Int32(truncatingIfNeeded: length &+ 2)
        } else if hasBackslash, length > 0, memchr(start, 0x5c, length) != nil {
          let out = spans.reserve(length)
          guard let n = JSONText.unescape(start, length, into: out) else {
            if ignoresMalformed {
              spans.lengths[i] = -1
              break
            }
            fail(Int(starts[row]), "Illegal escape")
            try note(badRow: row) { () throws(QueryError) in
              try malformedRecord(Int(rowStart[row]), Int(starts[row]) + length, rowNumber[row])
            }
            spans.lengths[i] = -1
            break
          }
          spans.starts[i] = UnsafePointer(out)
          spans.lengths[i] = Int32(truncatingIfNeeded: n)
        }
      case JSONReader.scalarKind:
        spans.lengths[i] = JSONText.isNull(start, length) && !isJSON ? -1 : Int32(truncatingIfNeeded: length)
      case JSONReader.nestedKind:
        if !takesNested {
          if file.settings.policy.malformedIsNull {
            spans.lengths[i] = -1
            break
          }
          try note(badRow: row) { () throws(QueryError) in
            try badValue(
              column, row, String(decoding: UnsafeBufferPointer(start: start, count: min(length, 100)), as: UTF8.self))
          }
          spans.lengths[i] = -1
          break
        }
        spans.lengths[i] = Int32(truncatingIfNeeded: length)
      default: spans.lengths[i] = -1
      }
      i &+= 1
    }
    var failure: Int?
    let result = converters[column]!.convert(
      spans, count: count, isASCII: !hasNonASCII, owner: input.owner, failure: &failure)
    func wrong(_ place: Int) throws(QueryError) -> QueryError {
      let bytes = UnsafeBufferPointer(start: spans.starts[place], count: max(0, min(100, Int(spans.lengths[place]))))
      return try badValue(column, Int(rows?[place] ?? Int32(place)), String(decoding: bytes, as: UTF8.self))
    }
    for place in converters[column]!.malformed {
      try note(badRow: Int(rows?[place] ?? Int32(place))) { () throws(QueryError) in try wrong(place) }
    }
    if let failure { throw try wrong(failure) }
    return result
  }

  private func nestedColumn(
    _ column: Int, _ reader: JSONNestedReader, _ rows: UnsafePointer<Int32>?, _ count: Int
  ) throws(QueryError) -> Column {
    let slot = slots[column] * capacity
    for i in 0..<count {
      let row = rows.map { Int($0[i]) } ?? i
      let entry = lengths[slot + row]
      let start = Int(starts[slot + row])
      let length = Int(entry & JSONReader.lengthMask)
      let p = input.base + start
      let kind = entry >> JSONReader.kindShift
      if kind == 0 || (kind == JSONReader.scalarKind && JSONText.isNull(p, length)) {
        reader.root.appendNull()
        continue
      }
      guard kind == JSONReader.nestedKind else {
        // Hive writes an empty string for a missing struct.
        if kind == JSONReader.stringKind, length == 0, isDeclared {
          reader.root.appendNull()
          continue
        }
        if ignoresMalformed {
          reader.root.appendNull()
          continue
        }
        try note(badRow: row) { () throws(QueryError) in
          try badValue(
            column, row, String(decoding: UnsafeBufferPointer(start: p, count: min(length, 100)), as: UTF8.self))
        }
        reader.root.appendNull()
        continue
      }
      do throws(JSONNestedReader.Failure) {
        if let checker = checkers[column] {
          defer { checker.root.reset() }
          try checker.append(p, length)
        }
        try reader.append(p, length)
      } catch {
        if ignoresMalformed {
          reader.root.appendNull()
          continue
        }
        let value = String(decoding: UnsafeBufferPointer(start: p, count: min(length, 100)), as: UTF8.self)
        switch error {
        case .malformed:
          fail(start, "Malformed value of '\(request.columns[column].name)'")
          try note(badRow: row) { () throws(QueryError) in
            try malformedRecord(Int(rowStart[row]), start + length, rowNumber[row])
          }
          reader.root.appendNull()
        case .mismatch:
          try note(badRow: row) { () throws(QueryError) in try badValue(column, row, value) }
          reader.root.appendNull()
        case .unknownKey: throw try unknownKey(Int(rowStart[row]), rowNumber[row], row, column: request.columns[column].name)
        }
      }
    }
    var failure: (row: Int, value: String)?
    let result = reader.root.finish(isASCII: !hasNonASCII && !hasBackslash, owner: input.owner, failure: &failure)
    guard let failure else { return result }
    let row = Int(rows?[failure.row] ?? Int32(failure.row))
    try note(badRow: row) { () throws(QueryError) in try badValue(column, row, failure.value) }
    // Once more without it.
    lengths[slot + row] = 0
    return try nestedColumn(column, reader, rows, count)
  }

  // MARK: Errors

  private func place(
    _ row: Int, _ number: Int, _ byte: Int, column: String?, value: String, _ excerpt: DataLocation.Excerpt? = nil
  ) throws(QueryError) -> DataLocation {
    var before = 0
    if file.codec == .none, isLines { before = try file.lineCount(before: firstRecord) }
    return DataLocation(
      path: file.source.path, row: before + number + 1, column: column, value: value,
      byteOffset: file.codec == .none ? Int(input.offset) + byte : nil, excerpt: excerpt)
  }

  /// A loaded record, its value of a column marked.
  private func excerpt(_ column: Int, _ row: Int) -> DataLocation.Excerpt? {
    let start = Int(rowStart[row])
    guard let end = JSONText.valueEnd(input.base, start, input.count) else { return nil }
    let slot = slots[column] * capacity + row
    let value = Int(starts[slot])
    return TextExcerpt.make(
      UnsafeBufferPointer(start: input.base, count: input.count), start..<end,
      value..<value + Int(lengths[slot] & JSONReader.lengthMask))
  }

  private func malformedRecord(_ start: Int, _ end: Int, _ number: Int) throws(QueryError) -> QueryError {
    let snippet = UnsafeBufferPointer(start: input.base + start, count: max(0, min(end - start, 100)))
    return QueryError(
      isDeclared ? .hiveCursorError : .hiveBadData,
      "Row is not a valid JSON Object - JSONException: \(failureReason) at character \(max(0, failurePlace - start) + 1)",
      data: try place(
        0, number, failurePlace, column: nil, value: String(decoding: snippet, as: UTF8.self),
        TextExcerpt.make(
          UnsafeBufferPointer(start: input.base, count: input.count), start..<max(start, end),
          failurePlace..<failurePlace + 1)),
      hint: isLines && isDeclared && file.settings.isOpenX
        ? "Set the SerDe property 'ignore.malformed.json' = 'true' to read such rows as NULL." : nil)
  }

  private func badValue(_ column: Int, _ row: Int, _ value: String) throws(QueryError) -> QueryError {
    let asked = request.columns[column]
    let isText = asked.type.physicalType == .string
    let hint = InferenceHint(function: "read_json", path: file.source.path, given: file.settings.given)
    var error = QueryError(
      .hiveBadData,
      isText
        ? "Text is not valid UTF-8"
        : "Error parsing field value '\(value)' for column '\(asked.name)': not a \(asked.type)",
      data: try place(
        row, rowNumber[row], Int(rowStart[row]), column: asked.name, value: value, excerpt(column, row)),
      hint: isDeclared ? "Declare the column as string." : isText ? hint.encoding : hint.type(asked.name, asked.type))
    if !isDeclared, !isText, request.badRows == nil, !file.settings.given.declares(asked.name) { error.mayStartAgain = learn(row) }
    return error
  }

  /// Hands a loaded record to whoever widens columns; whether the statement may begin anew.
  private func learn(_ row: Int) -> Bool {
    let start = Int(rowStart[row])
    guard let learn = file.settings.learn, let end = JSONText.valueEnd(input.base, start, input.count) else { return false }
    return learn(file.source, UnsafeBufferPointer(start: input.base + start, count: end - start))
  }

  /// A record has a key that no sample showed.
  private func unknownKey(
    _ start: Int, _ number: Int, _ row: Int, column: String? = nil
  ) throws(QueryError) -> QueryError {
    rowStart[row] = UInt32(truncatingIfNeeded: start)
    let hint = InferenceHint(function: "read_json", path: file.source.path, given: file.settings.given)
    let what = column.map { "An object of column '\($0)' has a key" } ?? "A record has the key '\(unknownName)',"
    var error = QueryError(
      .hiveBadData, "\(what) that no sample of the file showed: keys were sampled",
      data: try place(
        row, number, start, column: column,
        value: String(
          decoding: UnsafeBufferPointer(start: input.base + start, count: min(100, input.count - start)), as: UTF8.self)),
      hint: "Look at all records first: " + hint.call("sample_size => -1"))
    error.mayStartAgain = learn(row)
    return error
  }
}
