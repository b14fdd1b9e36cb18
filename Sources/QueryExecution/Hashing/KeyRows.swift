import Columnar
import Glibc

/// The keys of a batch as words in a `KeyLayout`, with their hashes; one scratch area that is filled again and again.
///
/// - Shape: `words`: `rowCount` rows of `layout.wordCount` words; `hashes`, `nulls`: one per row.
/// - Threads: one owner.
final class KeyRows: @unchecked Sendable {
  let layout: KeyLayout
  private(set) var rowCount = 0
  private var capacity = 0
  private var wordBuffer = Buffer(byteCount: 0)
  private var hashBuffer = Buffer(byteCount: 0)
  private var nullBuffer = Buffer(byteCount: 0)
  /// Columns whose NULLs flag the row.
  private let flagsNulls: [Bool]
  /// How each column's values are told apart.
  private let identities: [KeyIdentity]
  /// Whether some row of the last fill is flagged.
  private(set) var hasNulls = false
  /// Encoded forms of the last fill: keeps their bytes alive.
  private(set) var encoded: [Column] = []

  /// - Parameters:
  ///   - flagsNulls: per column whether NULL there flags the row; nil: only for integer layouts.
  ///   - identities: per column how its values are told apart; nil: as groups tell them.
  init(_ layout: KeyLayout, flagsNulls: [Bool]? = nil, identities: [KeyIdentity]? = nil) {
    self.layout = layout
    self.flagsNulls = flagsNulls ?? Array(repeating: layout.isInteger, count: layout.types.count)
    self.identities = identities ?? Array(repeating: .notDistinct, count: layout.types.count)
  }

  var words: UnsafeMutablePointer<UInt64> { wordBuffer.typed(UInt64.self) }
  var hashes: UnsafeMutablePointer<UInt64> { hashBuffer.typed(UInt64.self) }
  /// 1 where a flagging column is NULL; meaningful when `hasNulls`.
  var nulls: UnsafeMutablePointer<UInt8> { nullBuffer.typed(UInt8.self) }
  var byteCount: Int { capacity * (layout.wordCount * 8 + 9) }

  /// Makes room for so many hashes without touching the words.
  func reserveForHashes(_ count: Int) {
    if hashBuffer.byteCount < count * 8 { hashBuffer = Buffer(byteCount: max(count, 1024) * 8) }
  }

  private func reserve(_ count: Int) {
    reserveForHashes(count)
    if count <= capacity { return }
    capacity = max(count, 1024)
    wordBuffer = Buffer(byteCount: capacity * layout.wordCount * 8)
    nullBuffer = Buffer(byteCount: capacity)
  }

  /// Takes the keys of `rowCount` rows.
  ///
  /// - Parameter wantsHashes: whether `hashes` are needed.
  func fill(_ columns: [Column], rowCount: Int, wantsHashes: Bool = true) {
    reserve(rowCount)
    self.rowCount = rowCount
    hasNulls = false
    encoded = []
    let w = layout.wordCount
    if !layout.isInteger { memset(words, 0, rowCount * w * 8) }
    for (index, column) in columns.enumerated() { put(column, index) }
    if wantsHashes { hash() }
  }

  /// The hashes of the words that are there.
  func hash() {
    KeyRows.hash(layout, words, rowCount, into: hashes)
  }

  /// Every key's hash when tests want collisions.
  static let collidingHash: UInt64 = 0x5bd1_e995_9bd1_e995

  static func hash(
    _ layout: KeyLayout, _ words: UnsafePointer<UInt64>, _ n: Int, into out: UnsafeMutablePointer<UInt64>
  ) {
    let w = layout.wordCount
    var row = 0
    if layout.collides {
      while row < n {
        out[row] = collidingHash
        row &+= 1
      }
      return
    }
    if !layout.hasStrings {
      switch w {
      case 1:
        while row < n {
          out[row] = HashKernel.mix(words[row])
          row &+= 1
        }
      case 2:
        while row < n {
          out[row] = HashKernel.fold(
            words[row &* 2] ^ 0x8ebc_6af0_9c88_c6e3, words[row &* 2 &+ 1] ^ 0x5895_65c6_8a4d_35f5)
          row &+= 1
        }
      default:
        while row < n {
          let p = words + row &* w
          var h = HashKernel.mix(p[0])
          var k = 1
          while k < w {
            h = HashKernel.combine(h, p[k])
            k &+= 1
          }
          out[row] = h
          row &+= 1
        }
      }
      return
    }
    if w == 2 {
      while row < n {
        out[row] = HashKernel.hash(StringView(low: words[row &* 2], high: words[row &* 2 &+ 1]))
        row &+= 1
      }
      return
    }
    let stringWordCount = layout.stringWordCount
    while row < n {
      let p = words + row &* w
      var h: UInt64 = 0
      var k = 0
      while k < stringWordCount {
        h = HashKernel.combine(h, HashKernel.hash(StringView(low: p[k], high: p[k &+ 1])))
        k &+= 2
      }
      while k < w {
        h = HashKernel.combine(h, p[k])
        k &+= 1
      }
      out[row] = h
      row &+= 1
    }
  }

  /// Puts one column's values, and its NULLs, into the words.
  private func put(_ column: Column, _ index: Int) {
    if column.validity != nil { flagNulls(column, index) }
    let identity = identities[index]
    let values: Column
    if case .encoded = layout.places[index] {
      values = KeyEncoding.encode(column, identity)
      encoded.append(values)
    } else {
      values = column
    }
    let view = values.view
    withExtendedLifetime(values) {
      switch layout.places[index] {
      case .nothing: break
      case .string(let word), .encoded(let word):
        let p = view.values.assumingMemoryBound(to: StringView.self)
        let (out, w, n) = (words + word, layout.wordCount, rowCount)
        var row = 0
        if view.validity == nil {
          while row < n {
            let value = p[view.position(row)]
            out[row &* w] = value.low
            out[row &* w &+ 1] = value.high
            row &+= 1
          }
        } else {
          while row < n {
            if view.isNull(row) {
              out[row &* w] = KeyLayout.nullString
              out[row &* w &+ 1] = 0
            } else {
              let value = p[view.position(row)]
              out[row &* w] = value.low
              out[row &* w &+ 1] = value.high
            }
            row &+= 1
          }
        }
      case .wide(let word):
        let p = view.values.assumingMemoryBound(to: Int128.self)
        let (out, w, n) = (words + word, layout.wordCount, rowCount)
        var row = 0
        while row < n {
          if !view.isNull(row) {
            let value = p[view.position(row)]
            out[row &* w] = UInt64(truncatingIfNeeded: value)
            out[row &* w &+ 1] = UInt64(truncatingIfNeeded: value &>> 64)
          }
          row &+= 1
        }
      case .word(let word):
        let out = words + word
        switch values.type.physicalType {
        case .int64: store(view, out, Int64.self) { UInt64(bitPattern: $0) }
        case .double: store(view, out, Double.self) { identity.bits($0) }
        case .int32: store(view, out, Int32.self) { UInt64(bitPattern: Int64($0)) }
        case .int16: store(view, out, Int16.self) { UInt64(bitPattern: Int64($0)) }
        case .int8: store(view, out, Int8.self) { UInt64(bitPattern: Int64($0)) }
        case .bool: store(view, out, UInt8.self) { UInt64($0) }
        case .float: store(view, out, Float.self) { UInt64(identity.bits($0)) }
        default: break
        }
      case .bits(let word, let shift):
        let out = words + word
        switch values.type.physicalType {
        case .int32: merge(view, out, shift, UInt32.self) { UInt64($0) }
        case .float: merge(view, out, shift, Float.self) { UInt64(identity.bits($0)) }
        case .int16: merge(view, out, shift, UInt16.self) { UInt64($0) }
        case .int8, .bool: merge(view, out, shift, UInt8.self) { UInt64($0) }
        default: break
        }
      }
    }
  }

  /// Sets the null bits of a column, and flags rows when it flags.
  private func flagNulls(_ column: Column, _ index: Int) {
    guard let validity = column.validity else { return }
    let (n, w) = (rowCount, layout.wordCount)
    if flagsNulls[index] {
      if !hasNulls { memset(nulls, 0, n) }
      hasNulls = true
      let flags = nulls
      var row = 0
      while row < n {
        flags[row] |= validity[row] ? 0 : 1
        row &+= 1
      }
    }
    if let (word, mask) = layout.nullBits[index] {
      let out = words + word
      var row = 0
      while row < n {
        if !validity[row] { out[row &* w] |= mask }
        row &+= 1
      }
    }
  }

  /// Values that take a word of their own; 0 where NULL.
  @inline(__always)
  private func store<T: BitwiseCopyable>(
    _ view: ColumnView, _ out: UnsafeMutablePointer<UInt64>, _: T.Type, _ convert: (T) -> UInt64
  ) {
    let p = view.values.assumingMemoryBound(to: T.self)
    let (n, w) = (rowCount, layout.wordCount)
    var row = 0
    if view.validity == nil {
      if view.isFlat, w == 1 {
        while row < n {
          out[row] = convert(p[row])
          row &+= 1
        }
      } else {
        while row < n {
          out[row &* w] = convert(p[view.position(row)])
          row &+= 1
        }
      }
    } else {
      while row < n {
        out[row &* w] = view.isNull(row) ? 0 : convert(p[view.position(row)])
        row &+= 1
      }
    }
  }

  /// Values that share a word.
  @inline(__always)
  private func merge<T: BitwiseCopyable>(
    _ view: ColumnView, _ out: UnsafeMutablePointer<UInt64>, _ shift: UInt64, _: T.Type, _ convert: (T) -> UInt64
  ) {
    let p = view.values.assumingMemoryBound(to: T.self)
    let (n, w) = (rowCount, layout.wordCount)
    var row = 0
    if view.validity == nil {
      while row < n {
        out[row &* w] |= convert(p[view.position(row)]) &<< shift
        row &+= 1
      }
    } else {
      while row < n {
        if !view.isNull(row) { out[row &* w] |= convert(p[view.position(row)]) &<< shift }
        row &+= 1
      }
    }
  }

  // MARK: Back to columns

  /// The columns that `count` rows of words hold; encoded ones are nil.
  ///
  /// - Parameter heap: keeps the bytes of long strings alive.
  /// - Parameter nullRow: integer layouts: the row that stands for NULL, or -1.
  static func columns(
    _ layout: KeyLayout, _ words: UnsafePointer<UInt64>, count: Int, heap: StringHeap?, nullRow: Int = -1
  ) -> [Column?] {
    let w = layout.wordCount
    return layout.places.enumerated().map { index, place in
      let type = layout.types[index]
      var validity: Bitmap?
      if let (word, mask) = layout.nullBits[index] {
        validity = bitmap(count) { words[$0 &* w &+ word] & mask == 0 }
      } else if layout.isInteger, nullRow >= 0, nullRow < count {
        let bits = Bitmap(count: count, filled: true)
        bits.clear(nullRow)
        validity = bits
      }
      let width = type.physicalType.byteWidth
      switch place {
      case .encoded: return nil
      case .nothing: return .nulls(type, count: count)
      case .string(let word):
        validity = bitmap(count) { words[$0 &* w &+ word] != KeyLayout.nullString }
        let values = Buffer(byteCount: count * 16)
        let out = values.typed(StringView.self)
        var row = 0
        while row < count {
          let low = words[row &* w &+ word]
          out[row] = low == KeyLayout.nullString ? StringView() : StringView(low: low, high: words[row &* w &+ word &+ 1])
          row &+= 1
        }
        return Column(flat: type, count: count, values: values, validity: validity, heap: heap)
      case .wide(let word):
        let values = Buffer(byteCount: count * 16)
        let out = values.typed(UInt64.self)
        var row = 0
        while row < count {
          out[row &* 2] = words[row &* w &+ word]
          out[row &* 2 &+ 1] = words[row &* w &+ word &+ 1]
          row &+= 1
        }
        return Column(flat: type, count: count, values: values, validity: validity)
      case .word(let word): return narrow(type, width, words + word, w, 0, count, validity)
      case .bits(let word, let shift): return narrow(type, width, words + word, w, shift, count, validity)
      }
    }
  }

  /// The low `width` bytes of one word per row.
  private static func narrow(
    _ type: DataType, _ width: Int, _ words: UnsafePointer<UInt64>, _ w: Int, _ shift: UInt64, _ count: Int,
    _ validity: Bitmap?
  ) -> Column {
    let values = Buffer(byteCount: count * width)
    @inline(__always)
    func loop<T: FixedWidthInteger>(_: T.Type) {
      let out = values.typed(UInt64.self)
      let narrow = UnsafeMutableRawPointer(out).assumingMemoryBound(to: T.self)
      var row = 0
      while row < count {
        narrow[row] = T(truncatingIfNeeded: words[row &* w] &>> shift)
        row &+= 1
      }
    }
    switch width {
    case 1: loop(UInt8.self)
    case 2: loop(UInt16.self)
    case 4: loop(UInt32.self)
    default: loop(UInt64.self)
    }
    return Column(flat: type, count: count, values: values, validity: validity)
  }

  /// A bitmap of a condition; nil when it holds for all rows.
  @inline(__always)
  private static func bitmap(_ count: Int, _ isSet: (Int) -> Bool) -> Bitmap? {
    let bits = Bitmap(count: count, filled: false)
    let out = bits.words
    var missing: UInt64 = 0
    var row = 0
    while row < count {
      let end = min(row &+ 64, count)
      var word: UInt64 = 0
      var k = row
      while k < end {
        word |= UInt64(truncatingIfNeeded: bit(isSet(k))) &<< UInt64(k & 63)
        k &+= 1
      }
      let full: UInt64 = end &- row == 64 ? ~0 : (1 &<< UInt64(end &- row)) &- 1
      missing |= word ^ full
      out[row >> 6] = word
      row = end
    }
    return missing == 0 ? nil : bits
  }
}
