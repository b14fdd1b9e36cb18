import CKernels
package import QueryErrors
import Synchronization

/// The memory that one query holds: every `Buffer` is charged to the account of the thread that made it, and given back to the same
/// account wherever it goes away.
///
/// Threads gather small changes and tell the account now and then, so that a buffer costs a few instructions:
///
///     worker 0:  +32 kB +32 kB −32 kB …  ┐ each 256 kB
///     worker 1:  +32 kB +1 MB …          ┴────────────→ account ──→ MemoryPool (the process)
///
/// Accounts live for ever and are used again once nothing is charged to them: buffers may outlive their query.
///
/// - Units: bytes.
/// - Threads: any.
package final class MemoryAccount: @unchecked Sendable {
  private let usedBytes = Atomic<Int>(0)
  private let peakBytes = Atomic<Int>(0)
  private let limitBytes = Atomic<Int>(Int.max)
  /// What the process held beside accounts when this one was opened.
  private let baseBytes = Atomic<Int>(0)

  /// What no query asked for: caches, planning.
  package static let engine = MemoryAccount()
  private static let unusedAccounts = Mutex<[MemoryAccount]>([])
  /// Bytes a thread may keep to itself.
  private static let largestThreshold = 256 << 10

  private init() {}

  /// An account with nothing on it.
  ///
  /// - Parameter limit: the most bytes it may hold; nil: as many as the process.
  package static func open(limit: Int?) -> MemoryAccount {
    let account =
      unusedAccounts.withLock { list -> MemoryAccount? in
        guard let index = list.firstIndex(where: { $0.used == 0 }) else { return nil }
        return list.remove(at: index)
      } ?? MemoryAccount()
    account.limitBytes.store(limit ?? Int.max, ordering: .relaxed)
    account.peakBytes.store(0, ordering: .relaxed)
    account.baseBytes.store(MemoryPool.uncounted, ordering: .relaxed)
    MemoryPool.join(account)
    return account
  }

  /// The query is over; what it left behind stays charged until it goes.
  package func close() {
    MemoryPool.leave(self)
    limitBytes.store(Int.max, ordering: .relaxed)
    MemoryAccount.unusedAccounts.withLock { $0.append(self) }
  }

  /// Bytes held now, as far as threads have told.
  package var used: Int { usedBytes.load(ordering: .relaxed) }
  /// The most bytes held at once, with what the system saw beside the account.
  package var peak: Int { peakBytes.load(ordering: .relaxed) }
  /// The most bytes it may hold by its own limit.
  package var limit: Int { limitBytes.load(ordering: .relaxed) }

  // MARK: Threads

  /// The account of the current thread.
  package static var current: MemoryAccount {
    guard let pointer = ck_account_current() else { return engine }
    return Unmanaged<MemoryAccount>.fromOpaque(pointer).takeUnretainedValue()
  }

  /// Charges what this thread takes from now on to an account; nil: to the engine's.
  ///
  /// - Returns: the account before.
  @discardableResult
  package static func bind(_ account: MemoryAccount?) -> MemoryAccount? {
    tell()
    let before = ck_account_current().map { Unmanaged<MemoryAccount>.fromOpaque($0).takeUnretainedValue() }
    let threshold = account.map { min(largestThreshold, $0.limit / 256) } ?? largestThreshold
    ck_account_bind(account.map { Unmanaged.passUnretained($0).toOpaque() }, Int64(threshold))
    ck_account_set_refused(0)
    return before
  }

  /// Tells the account what this thread has kept to itself.
  @inline(never)
  package static func tell() {
    let bytes = Int(ck_account_take_pending())
    if bytes != 0 { current.add(bytes) }
  }

  /// Bytes that buffers of this thread have taken, less those it gave back: what a piece of work keeps is the difference.
  package static var threadTotal: Int { Int(ck_account_total()) }

  /// Charges the current thread's account.
  ///
  /// - Returns: the account, for the giving back.
  @inline(__always)
  static func charge(_ byteCount: Int) -> Unmanaged<MemoryAccount> {
    if ck_account_note(Int64(byteCount)) != 0 { tell() }
    guard let pointer = ck_account_current() else { return Unmanaged.passUnretained(engine) }
    return Unmanaged.fromOpaque(pointer)
  }

  /// Gives back what was charged to an account.
  @inline(__always)
  static func giveBack(_ byteCount: Int, to account: Unmanaged<MemoryAccount>) {
    let own = ck_account_current() ?? Unmanaged.passUnretained(engine).toOpaque()
    if own == account.toOpaque() {
      if ck_account_note(Int64(-byteCount)) != 0 { tell() }
    } else {
      account._withUnsafeGuaranteedRef { $0.add(-byteCount) }
    }
  }

  /// Counts bytes that lie in no buffer.
  package func add(_ byteCount: Int) {
    let now = usedBytes.wrappingAdd(byteCount, ordering: .relaxed).newValue
    let total = MemoryPool.add(byteCount)
    if byteCount > 0 {
      notePeak(now)
      MemoryPool.makeRoom(total)
    }
  }

  /// Compares what is held with the peak.
  func notePeak(_ used: Int) {
    let beside = max(0, MemoryPool.uncounted - baseBytes.load(ordering: .relaxed))
    let now = used + beside
    if now > peakBytes.load(ordering: .relaxed) { peakBytes.max(now, ordering: .relaxed) }
  }

  // MARK: Refusing

  /// Whether so many bytes more pass the limit of the account or of the process.
  package func refuses(_ byteCount: Int) -> Bool {
    let pending = Int(ck_account_pending())
    return used + pending + byteCount > limit || MemoryPool.used + pending + byteCount > MemoryPool.limit
  }

  /// Checks that one large piece of memory may be taken, before a loop that cannot fail fills it.
  ///
  /// - Throws: `EXCEEDED_LOCAL_MEMORY_LIMIT`.
  package static func require(_ byteCount: Int) throws(QueryError) {
    if byteCount < 1 << 18 { return }
    let account = current
    if account.refuses(byteCount) { throw account.exceeded(byteCount) }
  }

  /// Takes note that memory was refused to the current thread; what it made since is worthless.
  static func refuse() { ck_account_set_refused(1) }

  /// Whether so many bytes more are refused to the current thread; the next check throws then. For loops that cannot fail.
  package static func hasRefused(_ byteCount: Int) -> Bool {
    if ck_account_is_refused() != 0 { return true }
    guard current.refuses(byteCount) else { return false }
    refuse()
    return true
  }

  /// - Throws: `EXCEEDED_LOCAL_MEMORY_LIMIT` when the account or the process holds more than it may.
  package static func check() throws(QueryError) {
    try checkRefused()
    let account = current
    if account.refuses(0) { throw account.exceeded(0) }
  }

  /// - Throws: `EXCEEDED_LOCAL_MEMORY_LIMIT` when memory was refused since the last check.
  @inline(__always)
  package static func checkRefused() throws(QueryError) {
    if ck_account_is_refused() != 0 { try failRefused() }
  }

  @inline(never)
  private static func failRefused() throws(QueryError) {
    ck_account_set_refused(0)
    throw current.exceeded(0)
  }

  /// The limit that holds for this account.
  package var effectiveLimit: Int { min(limit, MemoryPool.limit) }

  /// The error when a limit is passed.
  package func exceeded(_ byteCount: Int) -> QueryError {
    QueryError(
      .exceededLocalMemoryLimit, "Query exceeded per-node memory limit of \(ByteCountText.text(effectiveLimit))",
      hint: "Read fewer columns, filter earlier, or raise the memory limit.")
  }
}

/// Byte counts as Trino prints them: `512MB`, `1.50GB`.
package enum ByteCountText {
  /// - Source: airlift `DataSize.toString`.
  package static func text(_ byteCount: Int) -> String {
    let units = ["B", "kB", "MB", "GB", "TB", "PB"]
    var value = Double(byteCount)
    var unit = 0
    while value >= 1024, unit < units.count - 1 {
      value /= 1024
      unit += 1
    }
    if value == value.rounded() { return "\(Int(value))\(units[unit])" }
    let hundredths = Int((value * 100).rounded())
    let fraction = hundredths % 100
    return "\(hundredths / 100).\(fraction < 10 ? "0" : "")\(fraction)\(units[unit])"
  }
}
