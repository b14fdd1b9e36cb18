import CKernels
import Glibc
import Synchronization

/// The memory of the process: its limit, what accounts hold of it, and what the system sees beside.
///
///     anonymous resident memory  =  charged to accounts  +  unused blocks kept for use again  +  uncounted
///
/// What lies in no buffer (Swift's arrays, decompressors, the allocator's free memory) is not counted one by one: the system is
/// asked now and then how much the process holds, and the difference counts as used.
///
/// - Units: bytes.
/// - Threads: any.
package enum MemoryPool {
  private static let usedBytes = Atomic<Int>(0)
  private static let limitBytes = Atomic<Int>(Int.max)
  private static let uncountedBytes = Atomic<Int>(0)
  private static let sampledAt = Atomic<Int>(0)
  private static let sampledUsed = Atomic<Int>(0)
  private static let trimmedAt = Atomic<Int>(0)
  private static let accounts = Mutex<[MemoryAccount]>([])

  /// The part of the machine's memory, or of its control group's, that the process takes unless told otherwise.
  package static let defaultLimit = machineByteCount / 10 * 6

  /// The machine's memory, or what its control group (version 2) leaves of it.
  package static let machineByteCount: Int = {
    let physical = sysconf(Int32(_SC_PHYS_PAGES)) * sysconf(Int32(_SC_PAGESIZE))
    guard let file = fopen("/sys/fs/cgroup/memory.max", "r") else { return physical }
    defer { fclose(file) }
    var line = [CChar](repeating: 0, count: 32)
    guard fgets(&line, Int32(line.count), file) != nil else { return physical }
    let limit = strtol(line, nil, 10)  // "max" reads as 0.
    return limit > 0 ? min(physical, limit) : physical
  }()

  /// The most bytes the process may hold; `Int.max` while nobody set a limit.
  package static var limit: Int { limitBytes.load(ordering: .relaxed) }

  /// Sets the process's limit; nil: the default one, where none was set before.
  package static func setLimit(_ byteCount: Int?) {
    if let byteCount {
      limitBytes.store(byteCount, ordering: .relaxed)
    } else {
      _ = limitBytes.compareExchange(expected: Int.max, desired: defaultLimit, ordering: .relaxed)
    }
  }

  /// Bytes charged to all accounts.
  package static var used: Int { usedBytes.load(ordering: .relaxed) }
  /// Bytes the system saw beside when it was last asked.
  package static var uncounted: Int { uncountedBytes.load(ordering: .relaxed) }
  /// Bytes of memory that is kept for use again.
  static var unused: Int { BlockPool.unusedByteCount + ExtentPool.unusedByteCount }

  /// Adds to what is charged; the sum.
  static func add(_ byteCount: Int) -> Int { usedBytes.wrappingAdd(byteCount, ordering: .relaxed).newValue }

  // MARK: Queries

  static func join(_ account: MemoryAccount) { accounts.withLock { $0.append(account) } }
  static func leave(_ account: MemoryAccount) { accounts.withLock { $0.removeAll { $0 === account } } }

  /// The bytes each running query may count on.
  package static var fairShare: Int {
    let limit = limit
    return limit == Int.max ? limit : limit / max(1, accounts.withLock { $0.count })
  }

  /// Bytes that may be taken until a part of the limit is reached; negative beyond it.
  ///
  /// - Parameter percent: of the limit.
  package static func room(percent: Int) -> Int {
    let limit = limit
    return limit == Int.max ? Int.max : limit / 100 * percent - used - uncounted
  }

  // MARK: What the system sees

  /// Nanoseconds between two looks.
  private static let sampleInterval = 10_000_000
  /// Growth after which the system is asked at once.
  private static let sampleGrowth = 8 << 20

  /// Asks the system how much the process holds, unless it was asked just now.
  ///
  /// - Parameter time: nanoseconds of a clock that only goes forward.
  package static func poll(_ time: Int) {
    let last = sampledAt.load(ordering: .relaxed)
    if time &- last < sampleInterval, abs(used - sampledUsed.load(ordering: .relaxed)) < sampleGrowth { return }
    guard sampledAt.compareExchange(expected: last, desired: time, ordering: .relaxed).exchanged else { return }
    sample()
  }

  private static func sample() {
    let resident = Int(ck_anonymous_bytes())
    if resident == 0 { return }
    let used = used
    sampledUsed.store(used, ordering: .relaxed)
    uncountedBytes.store(max(0, resident - used - unused), ordering: .relaxed)
    accounts.withLock { $0.count == 1 ? $0[0] : nil }.map { $0.notePeak($0.used) }
  }

  /// Gives unused memory back where the process would pass its limit otherwise.
  ///
  /// - Parameter used: what is charged.
  @inline(__always)
  static func makeRoom(_ used: Int) {
    let limit = limit
    if limit != Int.max, used + uncounted + unused > limit { trim() }
  }

  /// Milliseconds between two times that the allocator is asked to give its free memory back.
  private static let trimInterval = 100_000_000
  /// Uncounted bytes from which on some of them may be free memory of the allocator.
  private static let trimmedUncounted = 24 << 20

  /// Gives unused memory back: as much as keeps the process below its limit, and more when it is asked for.
  @inline(never)
  package static func trim(all: Bool = false) {
    let limit = limit
    let excess = all ? unused : min(unused, used + uncounted + unused - limit)
    if excess > 0 {
      let dropped = ExtentPool.trim(excess)
      if dropped < excess { BlockPool.trim(to: max(0, BlockPool.unusedByteCount - (excess - dropped))) }
    }
    if used + uncounted > limit / 10 * 8, uncounted > trimmedUncounted {
      var time = timespec()
      clock_gettime(CLOCK_MONOTONIC, &time)
      let now = time.tv_sec &* 1_000_000_000 &+ time.tv_nsec
      let last = trimmedAt.load(ordering: .relaxed)
      if now &- last > trimInterval, trimmedAt.compareExchange(expected: last, desired: now, ordering: .relaxed).exchanged {
        malloc_trim(0)
        sample()
      }
    }
  }
}
