import Columnar
import Glibc
import QueryErrors

/// Regular expressions, in Java's syntax.
///
/// - Source: Trino `JoniRegexpFunctions`.
package enum RegexpFunctions: FunctionFamily {
  package static let title = "Regular expressions"

  private static let text = TypePattern.exact(.text)
  private static let parts = TypePattern.array(.exact(.text))

  package static let functions: [ScalarFunction] = [
    ScalarFunction(
      "regexp_like", summary: "Whether a pattern matches some part of a text.",
      examples: [Example("regexp_like('1a 2b 14m', '\\d+b')", "true")],
      overloads: [
        overload([text, text], returns: .boolean) { (columns, n, context, cache) in
          mapMatches(columns, n, &context, cache) { _, p, n, pattern, rows throws(QueryError) -> Bool? in
            try pattern.find(p, n, from: 0, unicode: pattern.needsUnicode(p, n))
          }
        }
      ].flatMap { [$0, $0.takingChar(at: 1)] }),
    ScalarFunction(
      "regexp_extract", summary: "The first part of a text that a pattern, or one of its groups, matches.",
      examples: [Example("regexp_extract('1a 2b 14m', '(\\d+)([a-z]+)', 2)", "a")],
      overloads: [[.varchar, text], [.varchar, text, .bigint]].map { (types: [TypePattern]) in
        overload(types, returns: .argument(0)) { (columns, n, context, cache) in
          let groups = columns.count > 2 ? columns[2].view : nil
          return mapMatches(columns, n, &context, cache) { row, p, n, pattern, rows throws(QueryError) -> StringView? in
            guard let group = group(groups, row, pattern, &rows),
              try pattern.find(p, n, from: 0, unicode: pattern.needsUnicode(p, n)), pattern.ranges[group * 2] >= 0
            else { return nil }
            return StringView(p + pattern.ranges[group * 2], count: pattern.ranges[group * 2 + 1] - pattern.ranges[group * 2])
          }
        }
      }),
    ScalarFunction(
      "regexp_extract_all", summary: "All parts of a text that a pattern, or one of its groups, matches.",
      examples: [Example("regexp_extract_all('1a 2b 14m', '\\d+')", "[1, 2, 14]")],
      overloads: [[.varchar, text], [.varchar, text, .bigint]].map { (types: [TypePattern]) in
        overload(types, returns: .arrayOfSameLength) { (columns, n, context, cache) in
          let groups = columns.count > 2 ? columns[2].view : nil
          return mapMatchLists(columns, n, &context, cache) { row, p, n, pattern, list, rows throws(QueryError) in
            guard let group = group(groups, row, pattern, &rows) else { return }
            let unicode = pattern.needsUnicode(p, n)
            var from = 0
            while try pattern.find(p, n, from: from, unicode: unicode) {
              let (start, end) = (pattern.ranges[group * 2], pattern.ranges[group * 2 + 1])
              if start < 0 { list.appendNull() } else { list.append(StringView(p + start, count: end - start)) }
              from = pattern.next(p, n)
            }
          }
        }
      }),
    ScalarFunction(
      "regexp_split", summary: "The parts of a text between matches of a pattern.",
      examples: [Example("regexp_split('1a 2b 14m', '\\s*[a-z]+\\s*')", "[1, 2, 14, ]")],
      overloads: [
        overload([.varchar, text], returns: .arrayOfSameLength) { (columns, n, context, cache) in
          mapMatchLists(columns, n, &context, cache) { _, p, n, pattern, list, rows throws(QueryError) in
            let unicode = pattern.needsUnicode(p, n)
            var last = 0
            var from = 0
            while try pattern.find(p, n, from: from, unicode: unicode) {
              from = pattern.next(p, n)
              list.append(StringView(p + last, count: pattern.ranges[0] - last))
              last = pattern.ranges[1]
            }
            list.append(StringView(p + last, count: n - last))
          }
        }
      ]),
    ScalarFunction(
      "regexp_count", summary: "How often a pattern matches in a text.",
      examples: [Example("regexp_count('1a 2b 14m', '\\d+')", "3")],
      overloads: [
        overload([text, text], returns: .bigint) { (columns, n, context, cache) in
          mapMatches(columns, n, &context, cache) { _, p, n, pattern, rows throws(QueryError) -> Int64? in
            let unicode = pattern.needsUnicode(p, n)
            var count: Int64 = 0
            var from = 0
            while try pattern.find(p, n, from: from, unicode: unicode) {
              count &+= 1
              from = pattern.next(p, n)
            }
            return count
          }
        }
      ]),
    ScalarFunction(
      "regexp_position", summary: "Where a pattern first matches from a character on, or its n-th match; -1 when nowhere.",
      examples: [
        Example("regexp_position('I have 23 apples, 5 pears', '\\d')", "8"),
        Example("regexp_position('I have 23 apples, 5 pears', '\\d', 12)", "19"),
      ],
      overloads: [[text, text], [text, text, .bigint], [text, text, .bigint, .bigint]].map { (types: [TypePattern]) in
        overload(types, returns: .integer) { (columns, n, context, cache) in
          let starts = columns.count > 2 ? columns[2].view : nil
          let occurrences = columns.count > 3 ? columns[3].view : nil
          return mapMatches(columns, n, &context, cache) { row, p, n, pattern, rows throws(QueryError) -> Int32? in
            try position(
              p, n, pattern, start: starts?.value(row, as: Int64.self) ?? 1,
              occurrence: occurrences?.value(row, as: Int64.self) ?? 1, &rows)
          }
        }
      }),
    ScalarFunction(
      "regexp_replace", summary: "The text with every match of a pattern removed, or replaced: $1 and ${name} stand for groups.",
      examples: [
        Example("regexp_replace('1a 2b 14m', '\\d+[ab] ')", "14m"),
        Example("regexp_replace('1a 2b 14m', '(\\d+)([ab]) ', '3c$2 ')", "3ca 3cb 14m"),
      ],
      overloads: [
        overload([.varchar, text], returns: .argument(0)) { (columns, n, context, cache) in
          replaced(columns, n, &context, cache)
        },
        overload([.varchar, .varchar, .varchar], returns: .computed(replacedType)) { (columns, n, context, cache) in
          replaced(columns, n, &context, cache)
        },
        overload([.varchar, text, .function([parts], text)], returns: .varchar) {
          (columns, n, context, cache) throws(QueryError) -> Column in try replacedByLambda(columns, n, &context, cache)
        },
      ]),
  ]

  /// varchar(x), pattern, varchar(y) → varchar(x + max(x · y / 2, y) · (x + 1)).
  private static let replacedType: @Sendable ([DataType]) throws(QueryError) -> DataType = {
    (types: [DataType]) throws(QueryError) -> DataType in
    guard case .varchar(let x?) = types[0], case .varchar(let y?) = types[2], x < 1 << 20, y < 1 << 20 else {
      return .text
    }
    let length = x + max(x * y / 2, y) * (x + 1)
    return length >= Int(Int32.max) ? .text : .varchar(length: length)
  }

  // MARK: Loops

  private static func overload(
    _ parameters: [TypePattern], returns: ReturnType,
    _ body: @escaping @Sendable ([Column], Int, inout KernelContext, RegexpCache) throws(QueryError) -> Column
  ) -> ScalarOverload {
    ScalarOverload(Signature(parameters, returns: returns)) { (_: SignatureBinding) throws(QueryError) -> Kernel in
      let cache = RegexpCache()
      return { (columns: [Column], n: Int, context: inout KernelContext) throws(QueryError) -> Column in
        try body(columns, n, &context, cache)
      }
    }
  }

  /// Calls `body` with each row's text and pattern; nil is NULL.
  @inline(__always)
  private static func mapMatches<R: KernelValue>(
    _ columns: [Column], _ n: Int, _ context: inout KernelContext, _ cache: RegexpCache,
    _ body: (Int, UnsafePointer<UInt8>, Int, RegexpPattern, inout RowContext) throws(QueryError) -> R?
  ) -> Column {
    let (x, y) = (columns[0].view, columns[1].view)
    let views = x.values.assumingMemoryBound(to: StringView.self)
    // Views of one batch that are the same need no look at their bytes.
    var last: (view: StringView, pattern: RegexpPattern)?
    return mapRowsOrNull(columns, n, &context) { row, rows -> R? in
      let view = y.value(row, as: StringView.self)
      if last == nil || !last!.view.isIdentical(to: view) {
        guard let found = cache.pattern(view, &rows) else {
          last = nil
          return nil
        }
        last = (view, found)
      }
      let pattern = last!.pattern
      let location = views + x.position(row)
      let p = StringView.bytes(at: location).assumingMemoryBound(to: UInt8.self)
      do throws(QueryError) { return try body(row, p, location.pointee.count, pattern, &rows) } catch {
        rows.errors.record(row, error)
        return nil
      }
    }
  }

  /// Like `mapMatches`, for lists of texts.
  @inline(__always)
  private static func mapMatchLists(
    _ columns: [Column], _ n: Int, _ context: inout KernelContext, _ cache: RegexpCache,
    _ body: (Int, UnsafePointer<UInt8>, Int, RegexpPattern, StringListBuilder, inout RowContext) throws(QueryError) -> Void
  ) -> Column {
    let (x, y) = (columns[0].view, columns[1].view)
    let views = x.values.assumingMemoryBound(to: StringView.self)
    return mapStringLists(columns, n, &context) { row, list, rows in
      guard let pattern = cache.pattern(y.value(row, as: StringView.self), &rows) else { return }
      let location = views + x.position(row)
      let p = StringView.bytes(at: location).assumingMemoryBound(to: UInt8.self)
      do throws(QueryError) { try body(row, p, location.pointee.count, pattern, list, &rows) } catch {
        rows.errors.record(row, error)
      }
    }
  }

  // MARK: Finding

  private static func group(
    _ groups: ColumnView?, _ row: Int, _ pattern: RegexpPattern, _ rows: inout RowContext
  ) -> Int? {
    guard let group = groups?.value(row, as: Int64.self) else { return 0 }
    if group < 0 {
      rows.fail(.invalidFunctionArgument, "Group cannot be negative")
      return nil
    }
    if group > Int64(pattern.groupCount) {
      rows.fail(
        .invalidFunctionArgument, "Pattern has \(pattern.groupCount) groups. Cannot access group \(group)")
      return nil
    }
    return Int(group)
  }

  private static func position(
    _ p: UnsafePointer<UInt8>, _ n: Int, _ pattern: RegexpPattern, start: Int64, occurrence: Int64,
    _ rows: inout RowContext
  ) throws(QueryError) -> Int32? {
    if start < 1 {
      rows.fail(.invalidFunctionArgument, "start position cannot be smaller than 1")
      return nil
    }
    if occurrence < 1 {
      rows.fail(.invalidFunctionArgument, "occurrence cannot be smaller than 1")
      return nil
    }
    if start > Int64(TextScan.codePoints(p, n)) { return -1 }
    let unicode = pattern.needsUnicode(p, n)
    var from = TextScan.offset(p, n, of: Int(start - 1))
    var rest = occurrence
    while try pattern.find(p, n, from: from, unicode: unicode) {
      rest &-= 1
      if rest == 0 { return Int32(truncatingIfNeeded: TextScan.codePoints(p, pattern.ranges[0]) &+ 1) }
      from = pattern.next(p, n)
    }
    return -1
  }

  // MARK: Replacing

  private static func replaced(
    _ columns: [Column], _ n: Int, _ context: inout KernelContext, _ cache: RegexpCache
  ) -> Column {
    let replacements = columns.count > 2 ? columns[2].view : nil
    let template = RegexpTemplate()
    let text = TextBuffer()
    var last: (view: StringView, pattern: ObjectIdentifier)?
    return mapMatches(columns, n, &context, cache) { row, p, n, pattern, rows throws(QueryError) -> StringView? in
      let unicode = pattern.needsUnicode(p, n)
      guard try pattern.find(p, n, from: 0, unicode: unicode) else { return StringView(p, count: n) }
      let replacement = replacements?.value(row, as: StringView.self) ?? StringView()
      if last == nil || last!.pattern != ObjectIdentifier(pattern) || !last!.view.isIdentical(to: replacement) {
        last = nil
        guard template.load(replacement, pattern, &rows) else { return nil }
        last = (replacement, ObjectIdentifier(pattern))
      }
      // One match of the whole text by one of its groups: a part of the text.
      if let group = template.onlyGroup, pattern.ranges[0] == 0, pattern.ranges[1] == n, n > 0 {
        let (start, end) = (pattern.ranges[group * 2], pattern.ranges[group * 2 + 1])
        let result = start < 0 ? StringView() : StringView(p + start, count: end - start)
        // At the end there may be one more, empty match.
        if try !pattern.find(p, n, from: n, unicode: unicode) { return result }
        _ = try pattern.find(p, n, from: 0, unicode: unicode)
      }
      text.removeAll()
      var last = 0
      var from = 0
      repeat {
        from = pattern.next(p, n)
        text.append(p + last, pattern.ranges[0] - last)
        last = pattern.ranges[1]
        template.append(p, pattern, to: text)
      } while try pattern.find(p, n, from: from, unicode: unicode)
      text.append(p + last, n - last)
      return rows.string(text)
    }
  }

  /// Finds all matches first, then asks the lambda for all replacements at once.
  private static func replacedByLambda(
    _ columns: [Column], _ n: Int, _ context: inout KernelContext, _ cache: RegexpCache
  ) throws(QueryError) -> Column {
    guard let lambda = context.lambdas.first else { throw QueryError(.genericUserError, "regexp_replace needs a lambda") }
    let lists = ColumnBuilder(.array(.text), capacity: n)
    var rowsOfMatches: [Int32] = []
    var ranges: [(start: Int, end: Int)] = []
    let (x, y) = (columns[0].view, columns[1].view)
    let views = x.values.assumingMemoryBound(to: StringView.self)
    let validity = commonValidity(columns)
    var rows = RowContext(errors: context.errors, session: context.session)
    for row in 0..<n where validity.map({ $0[row] }) ?? true {
      rows.row = row
      guard let pattern = cache.pattern(y.value(row, as: StringView.self), &rows) else { continue }
      let location = views + x.position(row)
      let p = StringView.bytes(at: location).assumingMemoryBound(to: UInt8.self)
      let count = location.pointee.count
      do throws(QueryError) {
        let unicode = pattern.needsUnicode(p, count)
        var from = 0
        while try pattern.find(p, count, from: from, unicode: unicode) {
          for group in 0..<pattern.groupCount {
            let (start, end) = (pattern.ranges[group * 2 + 2], pattern.ranges[group * 2 + 3])
            if start < 0 {
              lists.children[0].appendNull()
            } else {
              lists.children[0].append(bytes: UnsafeRawBufferPointer(start: p + start, count: end - start))
            }
          }
          lists.endNested()
          rowsOfMatches.append(Int32(row))
          ranges.append((pattern.ranges[0], pattern.ranges[1]))
          from = pattern.next(p, count)
        }
      } catch { rows.errors.record(row, error) }
    }
    context.errors = rows.errors
    let parameter = lists.finish()
    let count = rowsOfMatches.count
    var errors = context.errors
    let results = try rowsOfMatches.withUnsafeBufferPointer { outer throws(QueryError) -> Column? in
      guard let base = outer.baseAddress, count > 0 else { return nil }
      return try lambda.evaluate([parameter], outerRows: base, rowCount: count, errors: &errors)
    }
    context.errors = errors
    let text = TextBuffer()
    var next = 0
    let made = results?.view
    return mapRowsOrNull(columns, n, &context) { row, rows -> StringView? in
      let location = views + x.position(row)
      let p = StringView.bytes(at: location).assumingMemoryBound(to: UInt8.self)
      text.removeAll()
      var last = 0
      var isNull = false
      while next < count, rowsOfMatches[next] < row { next += 1 }
      while next < count, rowsOfMatches[next] == row {
        text.append(p + last, ranges[next].start - last)
        last = ranges[next].end
        if let made {
          if made.isNull(next) { isNull = true } else { text.append(made.value(next, as: StringView.self)) }
        }
        next += 1
      }
      if isNull { return nil }
      text.append(p + last, location.pointee.count - last)
      return rows.string(text)
    }
  }
}

/// A replacement text: literal bytes and groups.
///
/// - Threads: one owner; keeps the last one read.
private final class RegexpTemplate {
  private enum Piece {
    case literal([UInt8])
    case group(Int)
  }
  private var pieces: [Piece] = []
  private var known: [UInt8]?
  /// The pattern that its groups are of.
  private var owner: RegexpPattern?

  /// The group, when the replacement is nothing else.
  private(set) var onlyGroup: Int?

  /// Reads a replacement; false, and the row failed, when it is damaged.
  func load(_ view: StringView, _ pattern: RegexpPattern, _ rows: inout RowContext) -> Bool {
    if let known, owner === pattern, known.count == view.count,
      view.withUTF8({ p, n in known.withUnsafeBufferPointer { n == 0 || memcmp($0.baseAddress!, p, n) == 0 } })
    {
      return true
    }
    let text = view.bytes
    known = nil
    pieces = []
    var literal: [UInt8] = []
    var at = 0
    func fail(_ detail: String) -> Bool {
      rows.fail(.invalidFunctionArgument, "Illegal replacement sequence: \(detail)")
      return false
    }
    while at < text.count {
      if text[at] == 0x24 {
        at += 1
        guard at < text.count else { return fail(view.string) }
        let group: Int
        if text[at] == 0x7b {
          let start = at + 1
          var end = start
          while end < text.count, text[end] != 0x7d { end += 1 }
          let name = Array(text[start..<end])
          guard let number = pattern.group(named: name) else {
            return fail("unknown group { \(String(decoding: name, as: UTF8.self)) }")
          }
          group = number
          at = end + 1
        } else {
          guard text[at] >= 0x30, text[at] <= 0x39 else { return fail(view.string) }
          var number = Int(text[at] - 0x30)
          guard number <= pattern.groupCount else { return fail("unknown group \(number)") }
          at += 1
          while at < text.count, text[at] >= 0x30, text[at] <= 0x39 {
            let longer = number * 10 + Int(text[at] - 0x30)
            if longer > pattern.groupCount { break }
            number = longer
            at += 1
          }
          group = number
        }
        if !literal.isEmpty { pieces.append(.literal(literal)) }
        literal = []
        pieces.append(.group(group))
      } else {
        if text[at] == 0x5c {
          at += 1
          guard at < text.count else { return fail(view.string) }
        }
        literal.append(text[at])
        at += 1
      }
    }
    if !literal.isEmpty { pieces.append(.literal(literal)) }
    onlyGroup = nil
    if pieces.count == 1, case .group(let group) = pieces[0] { onlyGroup = group }
    known = text
    owner = pattern
    return true
  }

  /// Appends the replacement of the last match.
  func append(_ p: UnsafePointer<UInt8>, _ pattern: RegexpPattern, to text: TextBuffer) {
    for piece in pieces {
      switch piece {
      case .literal(let bytes): bytes.withUnsafeBufferPointer { text.append($0.baseAddress!, $0.count) }
      case .group(let group):
        let (start, end) = (pattern.ranges[group * 2], pattern.ranges[group * 2 + 1])
        if start >= 0 { text.append(p + start, end - start) }
      }
    }
  }
}
