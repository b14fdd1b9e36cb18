import Columnar
import Glibc

/// Holds back small batches and hands them on as one, so that selective filters do not make operators work on a few rows
/// at a time.
///
/// - Threads: one owner.
final class BatchCoalescer {
  private let types: [DataType]
  private let target: Int
  private var pending: [Batch] = []
  private var pendingRows = 0

  /// - Parameter batchSize: rows of a full batch; from a quarter of it on batches pass as they are.
  init(_ types: [DataType], batchSize: Int) {
    self.types = types
    target = max(1, batchSize / 4)
  }

  var isEmpty: Bool { pending.isEmpty }

  /// Takes a batch; true when `take` should follow.
  func add(_ batch: Batch) -> Bool {
    pending.append(batch)
    pendingRows += batch.rowCount
    return pendingRows >= target
  }

  /// All rows held, as one batch; nil when there are none.
  func take() -> Batch? {
    if pending.isEmpty { return nil }
    defer {
      pending.removeAll(keepingCapacity: true)
      pendingRows = 0
    }
    return pending.count == 1 ? pending[0] : BatchCoalescer.concatenate(pending, types: types)
  }

  /// All rows of some batches as one; constants and dictionaries that all share stay encoded.
  static func concatenate(_ batches: [Batch], types: [DataType]) -> Batch {
    if batches.count == 1 { return batches[0] }
    let rowCount = batches.reduce(0) { $0 + $1.rowCount }
    let columns = types.enumerated().map { index, type in
      concatenate(batches.map { $0.columns[index] }, type, rowCount)
    }
    return Batch(columns: columns, rowCount: rowCount)
  }

  private static func concatenate(_ columns: [Column], _ type: DataType, _ rowCount: Int) -> Column {
    let first = columns[0]
    guard first.encoding != .flat, let base = first.base, columns.allSatisfy({ $0.base === base }) else {
      return .concatenate(columns, type: type)
    }
    if first.encoding == .constant {
      guard columns.allSatisfy({ $0.encoding == .constant && ($0.validity == nil) == (first.validity == nil) }) else {
        return .concatenate(columns, type: type)
      }
      return first.resized(to: rowCount)
    }
    guard columns.allSatisfy({ $0.encoding == .dictionary }) else { return .concatenate(columns, type: type) }
    let indices = Buffer(byteCount: rowCount * 4)
    var validity: Bitmap?
    if columns.contains(where: { $0.validity != nil }) { validity = Bitmap(count: rowCount, filled: true) }
    var at = 0
    for column in columns {
      memcpy(indices.pointer + at * 4, column.indices!.pointer, column.count * 4)
      if let validity, let own = column.validity {
        for row in 0..<column.count where !own[row] { validity.clear(at + row) }
      }
      at += column.count
    }
    return .dictionary(base, indices: indices, count: rowCount, validity: validity)
  }
}

extension Batch {
  /// Roughly the bytes its columns hold; dictionaries count without their entries.
  var approximateByteCount: Int {
    columns.reduce(0) { $0 + $1.approximateByteCount }
  }
}

extension Column {
  var approximateByteCount: Int {
    let nulls = validity == nil ? 0 : count / 8
    switch encoding {
    case .constant: return 64
    case .dictionary: return count * 4 + nulls
    case .flat:
      switch type.physicalType {
      case .array, .map, .row: return nulls + count * 4 + children.reduce(0) { $0 + $1.approximateByteCount }
      case .string:
        // Long strings: their bytes are shared with whoever made them; a rough share is counted.
        return nulls + count * (heap == nil ? 16 : 40)
      default: return nulls + count * type.physicalType.byteWidth
      }
    }
  }
}
