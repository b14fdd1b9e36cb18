import Columnar

/// The texts of values met lately: columns of dates and hours hold few different ones.
///
/// - Threads: one owner.
final class FormattedTexts {
  private struct Entry {
    var value: Int64
    var text: StringView
    /// The batch whose heap holds the text; -1 for none yet.
    var batch: Int
  }

  private static let bitCount = 11
  /// A value's place follows from the value; the last one there stays. Made when first used.
  private var entries: UnsafeMutablePointer<Entry>?
  private var batch = 0

  deinit { entries?.deallocate() }

  /// Long texts of earlier batches are forgotten: their bytes belong to those.
  func beginBatch() { batch += 1 }

  func forget() {
    entries?.deallocate()
    entries = nil
  }

  @inline(__always)
  private static func place(_ value: Int64) -> Int {
    Int(truncatingIfNeeded: (UInt64(bitPattern: value) &* 0x9e37_79b9_7f4a_7c15) &>> UInt64(64 &- bitCount))
  }

  @inline(__always)
  func text(of value: Int64) -> StringView? {
    guard let entries else { return nil }
    let entry = entries + FormattedTexts.place(value)
    guard entry.pointee.value == value, entry.pointee.batch == batch || (entry.pointee.batch >= 0 && entry.pointee.text.isInline)
    else { return nil }
    return entry.pointee.text
  }

  func note(_ value: Int64, _ text: StringView) {
    if entries == nil {
      let made = UnsafeMutablePointer<Entry>.allocate(capacity: 1 << FormattedTexts.bitCount)
      made.initialize(repeating: Entry(value: 0, text: StringView(), batch: -1), count: 1 << FormattedTexts.bitCount)
      entries = made
    }
    entries![FormattedTexts.place(value)] = Entry(value: value, text: text, batch: batch)
  }
}
