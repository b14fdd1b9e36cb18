import Testing

@testable import Columnar

@Suite struct ExtentPoolTests {
  /// Memory handed out is aligned, belongs to one owner, and keeps what its owner writes, whatever else comes and goes.
  @Test func extentsNeverOverlap() async {
    await withTaskGroup(of: Int.self) { group in
      for worker in 1...4 {
        group.addTask {
          var random = RepeatableRandom(state: UInt64(worker) &* 0x9E37_79B9_7F4A_7C15)
          var owned: [(buffer: Buffer, mark: UInt64)] = []
          var damaged = 0
          for step in 0..<300 {
            if owned.count < 6, random.below(3) > 0 {
              let buffer = Buffer(byteCount: Buffer.hugePageThreshold + random.below(20 << 20))
              let mark = UInt64(worker * 1000 + step)
              if UInt(bitPattern: buffer.pointer) % (2 << 20) != 0 { damaged += 1 }
              for place in ExtentPoolTests.places(buffer) { buffer.pointer.storeBytes(of: mark, toByteOffset: place, as: UInt64.self) }
              owned.append((buffer, mark))
            } else if !owned.isEmpty {
              let (buffer, mark) = owned.remove(at: random.below(owned.count))
              for place in ExtentPoolTests.places(buffer)
              where buffer.pointer.load(fromByteOffset: place, as: UInt64.self) != mark { damaged += 1 }
            }
          }
          return damaged
        }
      }
      for await damaged in group { #expect(damaged == 0) }
    }
  }

  /// The first and last word, and one of every 64 KB.
  private static func places(_ buffer: Buffer) -> [Int] {
    Array(stride(from: 0, to: buffer.byteCount - 8, by: 1 << 16)) + [(buffer.byteCount - 8) & ~7]
  }

  /// Extents are cut up and joined again: what is free and what was taken are all there is, and in the end one piece.
  @Test func freeExtentsAreCutAndJoined() {
    let (start, unit, units) = (UInt(1) << 32, 2 << 20, 64)
    var free = FreeExtents()
    free.insert(.init(start: start, byteCount: units * unit, hasPages: true))
    var taken: [(start: UInt, count: Int)] = []
    var random = RepeatableRandom(state: 11)
    for _ in 0..<2000 {
      if random.below(2) == 0, !taken.isEmpty {
        let (start, count) = taken.remove(at: random.below(taken.count))
        free.insert(.init(start: start, byteCount: count, hasPages: true))
      } else {
        let count = (1 + random.below(12)) * unit
        let largest = free.extents.map(\.byteCount).max() ?? 0
        let found = free.take(count, hasPages: true)
        #expect((found != nil) == (largest >= count), "taken exactly where an extent is large enough")
        if let found { taken.append((found, count)) }
      }
      var pieces = free.extents.map { (start: $0.start, count: $0.byteCount) } + taken
      pieces.sort { $0.start < $1.start }
      var at = start
      for piece in pieces {
        #expect(piece.start == at)
        at += UInt(piece.count)
      }
      #expect(at == start + UInt(units * unit))
      #expect(free.byteCount == free.extents.reduce(0) { $0 + $1.byteCount })
      #expect(zip(free.extents, free.extents.dropFirst()).allSatisfy { $0.end < $1.start }, "neighbours are one")
    }
    for (start, count) in taken { free.insert(.init(start: start, byteCount: count, hasPages: true)) }
    #expect(free.extents == [.init(start: start, byteCount: units * unit, hasPages: true)])
  }

  /// Extents with pages and without are told apart, and the smallest that fits is taken.
  @Test func kindsStayApart() {
    var free = FreeExtents()
    free.insert(.init(start: 0x1000_0000, byteCount: 8 << 20, hasPages: false))
    free.insert(.init(start: 0x1080_0000, byteCount: 6 << 20, hasPages: true))
    free.insert(.init(start: 0x2000_0000, byteCount: 4 << 20, hasPages: true))
    #expect(free.extents.count == 3 && free.byteCount == 10 << 20)
    #expect(free.take(8 << 20, hasPages: true) == nil)
    #expect(free.take(2 << 20, hasPages: true) == 0x2000_0000)
    #expect(free.take(8 << 20, hasPages: false) == 0x1000_0000)
    #expect(free.extents.map(\.start) == [0x1080_0000, 0x2020_0000] && free.byteCount == 8 << 20)
  }
}
