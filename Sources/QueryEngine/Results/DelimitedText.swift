import Glibc

/// Delimited text of batches: how a consumer wants its rows when it only writes them out.
///
/// Batches are independent of each other, so that every worker turns its own into text.
public struct DelimitedText: Sendable, Hashable {
  /// Which values stand in quotes, in which quotes are doubled. NULL is an empty field without quotes.
  public enum Quoting: Sendable, Hashable {
    case never
    /// Empty values and those that hold separators, quotes or line ends.
    case needed
    case always
  }

  public var separator: UInt8
  public var quoting: Quoting

  public init(separator: UInt8, quoting: Quoting) {
    self.separator = separator
    self.quoting = quoting
  }

  /// The records of a batch.
  public func text(_ batch: Batch) -> TextBuffer { DelimitedText.texts(batch, [self])[0] }

  /// The records of a batch in several forms; each value is written once and copied.
  public static func texts(_ batch: Batch, _ forms: [DelimitedText]) -> [TextBuffer] {
    let buffers = forms.map { _ in TextBuffer(capacity: batch.rowCount * batch.columns.count * 12) }
    let columns = batch.columns.map(ResultText.init)
    let value = TextBuffer()
    var row = 0
    while row < batch.rowCount {
      var index = 0
      while index < columns.count {
        let column = columns[index]
        let isNull = column.isNull(row)
        if !isNull, !column.isText {
          value.count = 0
          column.append(row, to: value)
        }
        var form = 0
        while form < forms.count {
          let out = buffers[form]
          if index > 0 { out.append(forms[form].separator) }
          if isNull {
          } else if column.isText {
            column.view(row).withBytes { (bytes, count) in
              forms[form].append(bytes.assumingMemoryBound(to: UInt8.self), count, isPlain: false, to: out)
            }
          } else {
            forms[form].append(value.pointer, value.count, isPlain: column.isPlain, to: out)
          }
          form &+= 1
        }
        index &+= 1
      }
      for out in buffers { out.append(0x0a) }
      row &+= 1
    }
    withExtendedLifetime(batch) {}
    return buffers
  }

  /// The names of columns as a first record.
  public func header(_ names: [String]) -> TextBuffer {
    let out = TextBuffer()
    for (index, name) in names.enumerated() {
      if index > 0 { out.append(separator) }
      var name = name
      name.withUTF8 { bytes in
        if let p = bytes.baseAddress { append(p, bytes.count, isPlain: false, to: out) } else { append(out.pointer, 0, isPlain: false, to: out) }
      }
    }
    out.append(0x0a)
    return out
  }

  // MARK: Values

  /// - Parameter isPlain: whether the value is known to hold nothing that needs quotes.
  @inline(__always)
  private func append(_ p: UnsafePointer<UInt8>, _ count: Int, isPlain: Bool, to out: TextBuffer) {
    switch quoting {
    case .never: out.append(p, count)
    case .needed:
      if isPlain || !needsQuotes(p, count) { out.append(p, count) } else { appendQuoted(p, count, to: out) }
    case .always:
      if !isPlain { return appendQuoted(p, count, to: out) }
      let target = out.room(count &+ 2)
      target[0] = 0x22
      memcpy(target + 1, p, count)
      target[count &+ 1] = 0x22
      out.count &+= count &+ 2
    }
  }

  private func needsQuotes(_ p: UnsafePointer<UInt8>, _ count: Int) -> Bool {
    if count == 0 { return true }
    // Without a branch a value, so that the compiler takes many at once.
    var found: UInt8 = 0
    var i = 0
    while i < count {
      let c = p[i]
      let isOne = (c == separator) || (c == 0x22) || (c == 0x0a) || (c == 0x0d)
      found |= unsafeBitCast(isOne, to: UInt8.self)
      i &+= 1
    }
    return found != 0
  }

  private func appendQuoted(_ p: UnsafePointer<UInt8>, _ count: Int, to out: TextBuffer) {
    out.append(0x22)
    var at = 0
    while at < count, let found = memchr(p + at, 0x22, count &- at) {
      let length = UnsafeRawPointer(found) - UnsafeRawPointer(p + at) &+ 1
      out.append(p + at, length)
      out.append(0x22)
      at &+= length
    }
    out.append(p + at, count &- at)
    out.append(0x22)
  }
}
