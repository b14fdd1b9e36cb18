import Columnar

/// The texts of one column's values in one batch: an address and a length per row.
///
/// - Shape: a length of -1 stands for NULL; addresses are readable for 64 bytes past the text.
/// - Threads: one owner.
final class TextSpans {
  private(set) var starts: UnsafeMutablePointer<UnsafePointer<UInt8>>
  private(set) var lengths: UnsafeMutablePointer<Int32>
  private(set) var capacity: Int
  /// Texts that had to be rewritten: unescaped, unquoted, repaired.
  var arena = StringArena()
  /// Whether `arena` holds texts of the current batch.
  var usesArena = false

  init(capacity: Int) {
    self.capacity = capacity
    starts = .allocate(capacity: capacity + 16)
    lengths = .allocate(capacity: capacity + 16)
  }

  deinit {
    starts.deallocate()
    lengths.deallocate()
  }

  /// Makes room for `count` rows, keeping the first `used`.
  func grow(to count: Int, keeping used: Int) {
    if count <= capacity { return }
    capacity = max(count, capacity * 2)
    let newStarts = UnsafeMutablePointer<UnsafePointer<UInt8>>.allocate(capacity: capacity + 16)
    let newLengths = UnsafeMutablePointer<Int32>.allocate(capacity: capacity + 16)
    newStarts.update(from: starts, count: used)
    newLengths.update(from: lengths, count: used)
    starts.deallocate()
    lengths.deallocate()
    starts = newStarts
    lengths = newLengths
  }

  /// Room for `count` rewritten bytes.
  func reserve(_ count: Int) -> UnsafeMutablePointer<UInt8> {
    usesArena = true
    return arena.reserve(count).assumingMemoryBound(to: UInt8.self)
  }

  /// Takes blanks off both ends of row `row`'s text; whether there were any.
  func trim(_ row: Int) -> Bool {
    var start = starts[row]
    var count = lengths[row]
    let before = count
    while count > 0, start[0] == 0x20 || start[0] == 0x09 {
      start += 1
      count -= 1
    }
    while count > 0, start[Int(count) - 1] == 0x20 || start[Int(count) - 1] == 0x09 { count -= 1 }
    starts[row] = start
    lengths[row] = count
    return count != before && count >= 0
  }

  /// What keeps the rewritten texts alive; the arena starts anew.
  func takeHeap() -> StringHeap? {
    guard usesArena else { return nil }
    let heap = arena.heap
    arena = StringArena()
    usesArena = false
    return heap
  }
}
