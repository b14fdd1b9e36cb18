import Columnar
import FileFormats
import Glibc
import QueryErrors

/// The open files of one worker: one for rows without partitions, else one for each partition and bucket.
///
/// Rows of partitions are gathered before they are spread, so that each file takes many at once.
///
/// - Threads: one owner.
final class OpenFiles {
  private let layout: FileLayout
  private let target: any FileTarget
  private let fileLimit: Int
  /// Bytes that all open files may hold in memory.
  private let heldLimit: Int
  /// Gives each partition and bucket a number; nil without any.
  let keys: GroupTable?

  // MARK: Changes while writing

  private var files: [(any BatchFileWriter)?] = []
  private var pending: [Batch] = []
  private var pendingRows = 0
  private var pendingBytes = 0
  private var groups = Buffer(byteCount: 0)

  /// Rows and bytes that are spread at once.
  private static let (spreadRowCount, spreadByteCount) = (1 << 15, 8 << 20)

  /// - Parameters:
  ///   - fileLimit: files beyond it are not opened.
  ///   - collidesHashes: a setting of tests.
  init(
    _ layout: FileLayout, _ target: any FileTarget, fileLimit: Int, heldLimit: Int, collidesHashes: Bool
  ) {
    self.layout = layout
    self.target = target
    self.fileLimit = fileLimit
    self.heldLimit = heldLimit
    let types = layout.partitionColumns.map(\.type) + (layout.buckets == nil ? [] : [DataType.integer])
    keys = types.isEmpty ? nil : GroupTable(KeyLayout(types, collides: collidesHashes))
  }

  /// Adds rows.
  ///
  /// - Parameter overflow: takes rows of partitions that would need more files than may be open, and the hash of each row's
  ///   partition.
  func append(_ batch: Batch, overflow: (Batch, UnsafePointer<UInt8>) throws(QueryError) -> Void) throws(QueryError) {
    guard keys != nil else { return try write(batch, to: 0) }
    pending.append(batch)
    pendingRows += batch.rowCount
    pendingBytes += batch.approximateByteCount
    if pendingRows >= OpenFiles.spreadRowCount || pendingBytes >= OpenFiles.spreadByteCount { try spread(overflow) }
  }

  /// Writes what was gathered and ends all files.
  func close(overflow: (Batch, UnsafePointer<UInt8>) throws(QueryError) -> Void) throws(QueryError) {
    try spread(overflow)
    for index in files.indices { try end(index) }
    files = []
  }

  // MARK: Spreading

  private func spread(_ overflow: (Batch, UnsafePointer<UInt8>) throws(QueryError) -> Void) throws(QueryError) {
    guard let keys, pendingRows > 0 else { return }
    let all = BatchCoalescer.concatenate(pending, types: layout.types)
    pending = []
    (pendingRows, pendingBytes) = (0, 0)
    let count = all.rowCount
    if groups.byteCount < count * 4 { groups = Buffer(byteCount: count * 4) }
    let groups = groups.typed(Int32.self)
    var columns = Array(all.columns[layout.columns.count...])
    if let buckets = layout.buckets { columns.append(buckets.numbers(all)) }
    let known = keys.groupCount
    try keys.assign(columns, rowCount: count, into: groups)
    for group in known..<max(known, keys.groupCount) {
      let (partition, bucket) = key(group)
      let met = try target.note(partition: partition, bucket: bucket)
      if let limit = layout.largestPartitionCount, met > limit {
        throw QueryError(
          .hiveTooManyOpenPartitions, "Exceeded limit of \(limit) open writers for partitions/buckets",
          hint: "Write fewer partitions at once: filter the query, and add the others by INSERT INTO.")
      }
    }
    if keys.groupCount == 1, fileLimit > 0 { return try write(all, to: 0) }
    let (rows, starts) = OpenFiles.order(groups, count, groupCount: keys.groupCount)
    let order = rows.typed(Int32.self)
    var late = count
    for group in 0..<keys.groupCount where starts[group + 1] > starts[group] {
      if group >= fileLimit {
        late = starts[group]
        break
      }
      try write(all.take(order + starts[group], count: starts[group + 1] - starts[group]), to: group)
    }
    if late < count {
      let hashes = Buffer(byteCount: count - late)
      for place in late..<count {
        hashes.pointer.storeBytes(
          of: UInt8(truncatingIfNeeded: keys.hash(of: Int(groups[Int(order[place])])) >> 56), toByteOffset: place - late, as: UInt8.self)
      }
      try overflow(all.take(order + late, count: count - late), hashes.typed(UInt8.self))
    }
  }

  /// The rows of each group one after the other, in their order.
  private static func order(_ groups: UnsafePointer<Int32>, _ count: Int, groupCount: Int) -> (rows: Buffer, starts: [Int]) {
    let rows = Buffer(byteCount: (count + 16) * 4)
    let out = rows.typed(Int32.self)
    var starts = [Int](repeating: 0, count: groupCount + 1)
    for row in 0..<count { starts[Int(groups[row]) + 1] += 1 }
    for group in 0..<groupCount { starts[group + 1] += starts[group] }
    var next = starts
    next.withUnsafeMutableBufferPointer { next in
      for row in 0..<count {
        let group = Int(groups[row])
        out[next[group]] = Int32(truncatingIfNeeded: row)
        next[group] &+= 1
      }
    }
    return (rows, starts)
  }

  private func key(_ group: Int) -> (partition: [Scalar], bucket: Int?) {
    guard let keys else { return ([], nil) }
    var values = keys.keyColumns(group..<group + 1).map { $0.scalar(0) }
    guard layout.buckets != nil else { return (values, nil) }
    return (values, values.removeLast().integerValue.map(Int.init))
  }

  // MARK: Files

  private func write(_ rows: Batch, to group: Int) throws(QueryError) {
    while files.count <= group { files.append(nil) }
    var file = files[group]
    if file == nil {
      let (partition, bucket) = keys == nil ? ([], nil) : key(group)
      file = try target.open(partition: partition, bucket: bucket, blockByteCount: keys == nil ? heldLimit : nil)
      files[group] = file
    }
    let own =
      rows.columns.count == layout.columns.count
      ? rows : Batch(columns: Array(rows.columns[..<layout.columns.count]), rowCount: rows.rowCount)
    try file?.append(own)
    // A bucket is one file, as Hive wants it.
    if layout.buckets == nil, let file, file.byteCount >= layout.targetByteCount { try end(group) }
    if keys != nil { try boundMemory() }
  }

  /// Rows until the next look at what files hold.
  private var untilLook = 0

  private func boundMemory() throws(QueryError) {
    untilLook -= 1
    guard untilLook <= 0 else { return }
    untilLook = files.count
    var held = files.reduce(0) { $0 + ($1?.heldByteCount ?? 0) }
    while held > heldLimit {
      guard let largest = files.indices.max(by: { files[$0]?.heldByteCount ?? 0 < files[$1]?.heldByteCount ?? 0 }),
        let file = files[largest], file.heldByteCount > 0
      else { return }
      held -= file.heldByteCount
      try file.endBlock()
      held += file.heldByteCount
      if file.heldByteCount > heldLimit / 2 { return }
    }
  }

  private func end(_ index: Int) throws(QueryError) {
    guard let file = files[index] else { return }
    files[index] = nil
    try target.close(file)
  }
}
