import Columnar
import ObjectStore

/// Strings and binaries: lengths and bytes, or numbers of a dictionary's entries.
final class ORCStringReader: ORCColumnReader {
  private let type: DataType
  private let conversion: ORCConversion
  private let data: ORCStream?
  private let lengths: ORCIntegerDecoder?
  private let codes: ORCIntegerDecoder?
  /// The stripe's dictionary, of the wanted type.
  private(set) var dictionary: Column?
  private var scratch = Buffer(byteCount: 0)

  init(_ type: DataType, _ node: ORCNode, _ conversion: ORCConversion, _ stripe: ORCStripe) throws(ORCDamage) {
    self.type = type
    self.conversion = conversion
    let encoding = try stripe.encoding(node.id)
    if encoding.isDictionary {
      codes = ORCIntegerDecoder(
        try stripe.requiredStream(node.id, .data), isSigned: false, isVersion2: encoding.isVersion2)
      data = nil
      lengths = nil
      dictionary = try stripe.dictionary(node.id) { () throws(ORCDamage) -> Column in
        try ORCStringReader.dictionary(type, node, conversion, encoding, stripe)
      }
    } else {
      codes = nil
      // A stripe of empty strings or NULLs alone has no bytes.
      data = try stripe.stream(node.id, .data)
      lengths = ORCIntegerDecoder(
        try stripe.requiredStream(node.id, .length), isSigned: false, isVersion2: encoding.isVersion2)
    }
    try super.init(node, stripe)
  }

  private static func dictionary(
    _ type: DataType, _ node: ORCNode, _ conversion: ORCConversion, _ encoding: ORCStripe.Encoding, _ stripe: ORCStripe
  ) throws(ORCDamage) -> Column {
    let count = encoding.dictionarySize
    guard count < 1 << 31 else { throw ORCDamage("a dictionary has \(count) entries") }
    let sizes = Buffer(byteCount: count * 8)
    if count > 0 {
      let lengths = ORCIntegerDecoder(
        try stripe.requiredStream(node.id, .length), isSigned: false, isVersion2: encoding.isVersion2)
      try lengths.read(into: sizes.typed(Int64.self), count: count)
    }
    return try strings(
      sizes.typed(Int64.self), count, try stripe.stream(node.id, .dictionaryData), type, conversion, validity: nil,
      rowCount: count)
  }

  override func readValues(_ count: Int, of rowCount: Int, validity: Bitmap?) throws(ORCDamage) -> Column {
    if scratch.byteCount < count * 8 { scratch = Buffer(byteCount: max(count * 8, 32 << 10)) }
    let numbers = scratch.typed(Int64.self)
    guard let codes, let dictionary else {
      try lengths?.read(into: numbers, count: count)
      return try ORCStringReader.strings(numbers, count, data, type, conversion, validity: validity, rowCount: rowCount)
    }
    if count == 0 { return Column.nulls(type, count: rowCount) }
    try codes.read(into: numbers, count: count)
    let indices = Buffer(byteCount: count * 4)
    let out = indices.typed(Int32.self)
    var highest: UInt64 = 0
    var i = 0
    while i < count {
      highest = max(highest, UInt64(bitPattern: numbers[i]))
      out[i] = Int32(truncatingIfNeeded: numbers[i])
      i &+= 1
    }
    guard highest < UInt64(dictionary.count) else { throw ORCDamage("a value is no entry of its dictionary") }
    let spaced = ORCColumnReader.spread(indices, byteWidth: 4, count: count, over: rowCount, validity)
    return Column.dictionary(dictionary, indices: spaced, count: rowCount, validity: validity)
  }

  /// Strings that lie one behind the other in `data`.
  private static func strings(
    _ lengths: UnsafePointer<Int64>, _ count: Int, _ data: ORCStream?, _ type: DataType, _ conversion: ORCConversion,
    validity: Bitmap?, rowCount: Int
  ) throws(ORCDamage) -> Column {
    var total = 0
    for i in 0..<count {
      guard lengths[i] >= 0, lengths[i] < 1 << 31 else { throw ORCDamage("a string has \(lengths[i]) bytes") }
      total += Int(lengths[i])
    }
    let heap = Buffer(byteCount: total)
    if total > 0 {
      guard let data else { throw ORCDamage("a stream of strings is missing") }
      try data.require(total)
      heap.pointer.copyMemory(from: data.next, byteCount: total)
      data.advance(total)
    }
    let views = Buffer(byteCount: count * 16)
    let out = views.typed(StringView.self)
    var at = UnsafeRawPointer(heap.pointer)
    for i in 0..<count {
      let length = Int(lengths[i])
      if case .text(let limit, let isChar) = conversion {
        out[i] = StringView(at, count: cut(at, length, limit, isChar))
      } else {
        out[i] = StringView(at, count: length)
      }
      at += length
    }
    let spaced = spread(views, byteWidth: 16, count: count, over: rowCount, validity)
    return Column(flat: type, count: rowCount, values: spaced, validity: validity, heap: StringHeap([heap]))
  }

  /// Bytes of the first `limit` code points, without spaces at the end for char.
  private static func cut(_ p: UnsafeRawPointer, _ length: Int, _ limit: Int, _ isChar: Bool) -> Int {
    let bytes = p.assumingMemoryBound(to: UInt8.self)
    var count = length
    if length > limit {
      var (points, at) = (0, 0)
      while at < length {
        // Bytes that do not continue a code point begin one.
        if bytes[at] & 0xc0 != 0x80 {
          if points == limit { break }
          points += 1
        }
        at += 1
      }
      count = at
    }
    if isChar { while count > 0, bytes[count - 1] == 0x20 { count -= 1 } }
    return count
  }

  override func skipValues(_ count: Int) throws(ORCDamage) {
    if let codes { return try codes.skip(count) }
    let total = try lengths?.sum(count) ?? 0
    try data?.skip(total)
  }

  override func seekValues(_ positions: inout ORCPositions) throws(ORCDamage) {
    if let codes { return try codes.seek(&positions) }
    if let data { try positions.seek(data) }
    try lengths?.seek(&positions)
  }
}
