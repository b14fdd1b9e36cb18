import Columnar
import Glibc

/// The values of one JSON text as a flat list in document order, so that paths walk it without parsing again.
///
///     {"a":[1,2]}   →   0 object(next 5)  1 key  2 array(next 5)  3 integer  4 integer
///
/// One object serves many texts, one after another; nodes are valid until the next `parse`.
///
/// - Threads: one owner.
final class JSONDocument {
  /// One value or key.
  struct Entry {
    var token: JSONReader.Token
    var hasEscapes: Bool
    /// Bytes of the text; of strings and keys without their quotes.
    var start: Int32
    var end: Int32
    /// The entry after this value and all inside of it.
    var next: Int32
  }

  private(set) var base: UnsafePointer<UInt8>
  private(set) var entries: UnsafeMutablePointer<Entry>
  private var capacity = 64
  private var count = 0
  private var open: [Int32] = []
  private let scratch = TextBuffer()
  private let otherScratch = TextBuffer()
  /// The text once more, each key of an object once.
  private let distinct = TextBuffer()
  private var keys: [Int32] = []

  init() {
    entries = .allocate(capacity: capacity)
    base = UnsafePointer(entries.withMemoryRebound(to: UInt8.self, capacity: 1) { $0 })
  }

  deinit { entries.deallocate() }

  /// Reads a text, which must outlive the nodes; false when it is not JSON.
  ///
  /// Of members with equal names the first one's place and the last one's value count, as in Jackson.
  func parse(_ p: UnsafePointer<UInt8>, _ n: Int) -> Bool {
    var repeats = false
    guard parse(p, n, &repeats) else { return false }
    if !repeats { return true }
    distinct.removeAll()
    appendDistinct(0, to: distinct)
    return parse(UnsafePointer(distinct.pointer), distinct.count, &repeats)
  }

  private func parse(_ p: UnsafePointer<UInt8>, _ n: Int, _ repeats: inout Bool) -> Bool {
    base = p
    count = 0
    open.removeAll(keepingCapacity: true)
    guard n <= Int(Int32.max) else { return false }
    var reader = JSONReader(p, n)
    while true {
      let token = reader.next()
      switch token {
      case .end: return true
      case .invalid: return false
      case .beginObject, .beginArray:
        open.append(Int32(truncatingIfNeeded: count))
        append(token, reader)
      case .endObject, .endArray:
        let begin = Int(open.removeLast())
        entries[begin].next = Int32(truncatingIfNeeded: count)
        entries[begin].end = Int32(truncatingIfNeeded: reader.tokenEnd)
        if token == .endObject, !repeats { repeats = repeatsKeys(begin) }
      default: append(token, reader)
      }
    }
  }

  /// Whether two members of an object have the same name.
  private func repeatsKeys(_ object: Int) -> Bool {
    keys.removeAll(keepingCapacity: true)
    let end = Int(entries[object].next)
    var at = object + 1
    while at < end {
      keys.append(Int32(truncatingIfNeeded: at))
      at = Int(entries[at + 1].next)
    }
    if keys.count < 2 { return false }
    if keys.count > 16 {
      var seen: Set<[UInt8]> = []
      return !keys.allSatisfy { seen.insert(name(entries[Int($0)])).inserted }
    }
    for k in 1..<keys.count {
      for other in 0..<k where isSameName(entries[Int(keys[k])], entries[Int(keys[other])]) { return true }
    }
    return false
  }

  private func isSameName(_ a: Entry, _ b: Entry) -> Bool {
    if !a.hasEscapes, !b.hasEscapes {
      return a.end - a.start == b.end - b.start
        && memcmp(base + Int(a.start), base + Int(b.start), Int(a.end - a.start)) == 0
    }
    return name(a) == name(b)
  }

  private func name(_ key: Entry) -> [UInt8] {
    otherScratch.removeAll()
    appendPlain(key, to: otherScratch)
    return Array(UnsafeBufferPointer(start: otherScratch.pointer, count: otherScratch.count))
  }

  /// Appends a value, each object's keys once.
  private func appendDistinct(_ index: Int, to out: TextBuffer) {
    let entry = entries[index]
    let end = Int(entry.next)
    var at = index + 1
    var isFirst = true
    switch entry.token {
    case .beginArray:
      out.append(0x5b)
      while at < end {
        if !isFirst { out.append(0x2c) }
        isFirst = false
        appendDistinct(at, to: out)
        at = Int(entries[at].next)
      }
      out.append(0x5d)
    case .beginObject:
      var order: [Int] = []
      var values: [[UInt8]: Int] = [:]
      while at < end {
        if values.updateValue(at + 1, forKey: name(entries[at])) == nil { order.append(at) }
        at = Int(entries[at + 1].next)
      }
      out.append(0x7b)
      for key in order {
        if !isFirst { out.append(0x2c) }
        isFirst = false
        appendQuoted(entries[key], to: out)
        out.append(0x3a)
        if let value = values[name(entries[key])] { appendDistinct(value, to: out) }
      }
      out.append(0x7d)
    case .string: appendQuoted(entry, to: out)
    default: out.append(base + Int(entry.start), Int(entry.end - entry.start))
    }
  }

  /// Appends a string or key as it stands in the text.
  private func appendQuoted(_ entry: Entry, to out: TextBuffer) {
    out.append(0x22)
    out.append(base + Int(entry.start), Int(entry.end - entry.start))
    out.append(0x22)
  }

  private func append(_ token: JSONReader.Token, _ reader: JSONReader) {
    if count == capacity {
      let larger = UnsafeMutablePointer<Entry>.allocate(capacity: capacity * 2)
      larger.update(from: entries, count: count)
      entries.deallocate()
      entries = larger
      capacity *= 2
    }
    entries[count] = Entry(
      token: token, hasEscapes: reader.hasEscapes, start: Int32(truncatingIfNeeded: reader.tokenStart),
      end: Int32(truncatingIfNeeded: reader.tokenEnd), next: Int32(truncatingIfNeeded: count + 1))
    count += 1
  }

  /// The whole text's value.
  var root: JSONNode { JSONNode(document: self, index: 0) }

  /// The value of an object's member, the last of equal names; nil when there is none.
  func member(_ object: Int32, _ key: [UInt8]) -> Int32? {
    let end = entries[Int(object)].next
    var at = object + 1
    var found: Int32?
    key.withUnsafeBufferPointer { wanted in
      while at < end {
        if isEqual(entries[Int(at)], wanted) { found = at + 1 }
        at = entries[Int(at + 1)].next
      }
    }
    return found
  }

  private func isEqual(_ entry: Entry, _ key: UnsafeBufferPointer<UInt8>) -> Bool {
    if !entry.hasEscapes {
      return Int(entry.end - entry.start) == key.count
        && (key.count == 0 || memcmp(base + Int(entry.start), key.baseAddress!, key.count) == 0)
    }
    scratch.removeAll()
    appendPlain(entry, to: scratch)
    return scratch.count == key.count && (key.count == 0 || memcmp(scratch.pointer, key.baseAddress!, key.count) == 0)
  }

  /// Appends a string or key, its escapes undone.
  func appendPlain(_ entry: Entry, to out: TextBuffer) {
    JSONReader.appendUnescaped(base + Int(entry.start), Int(entry.end - entry.start), entry.hasEscapes, to: out)
  }
}

/// One value of a document.
///
/// The document is not retained: whoever parsed it keeps it for as long as the nodes are used.
struct JSONNode {
  unowned(unsafe) let document: JSONDocument
  let index: Int32

  private var entry: JSONDocument.Entry { document.entries[Int(index)] }
  var token: JSONReader.Token { entry.token }

  /// What kind of value it is, as Jackson names it in messages.
  var kindName: String {
    switch token {
    case .beginObject: "OBJECT"
    case .beginArray: "ARRAY"
    case .string: "STRING"
    case .integer, .decimal: "NUMBER"
    case .true, .false: "BOOLEAN"
    default: "NULL"
    }
  }

  /// The number of an array's elements.
  var elementCount: Int {
    var count = 0
    forEachElement { _ in count += 1 }
    return count
  }

  @inline(__always)
  func forEachElement(_ body: (JSONNode) -> Void) {
    let end = entry.next
    var at = index + 1
    while at < end {
      body(JSONNode(document: document, index: at))
      at = document.entries[Int(at)].next
    }
  }

  /// Calls `body` with each member's key and value.
  @inline(__always)
  func forEachMember(_ body: (JSONDocument.Entry, JSONNode) -> Void) {
    let end = entry.next
    var at = index + 1
    while at < end {
      body(document.entries[Int(at)], JSONNode(document: document, index: at + 1))
      at = document.entries[Int(at + 1)].next
    }
  }

  func member(_ key: [UInt8]) -> JSONNode? {
    document.member(index, key).map { JSONNode(document: document, index: $0) }
  }

  /// The bytes of a number, or of a string when it has no escapes.
  var bytes: UnsafeBufferPointer<UInt8> {
    UnsafeBufferPointer(start: document.base + Int(entry.start), count: Int(entry.end - entry.start))
  }

  var hasEscapes: Bool { entry.hasEscapes }

  /// Appends a string's characters, its escapes undone.
  func appendString(to out: TextBuffer) { document.appendPlain(entry, to: out) }

  /// Appends the value as JSON without spaces, members in the order they stand in.
  func appendJSON(to out: TextBuffer) {
    let entry = entry
    // Strings stand without their quotes.
    let quotes = entry.token == .string ? 1 : 0
    var reader = JSONReader(
      document.base + Int(entry.start) - quotes, Int(entry.end - entry.start) + 2 * quotes)
    _ = JSONText.appendCompact(&reader, reader.next(), to: out)
  }
}
