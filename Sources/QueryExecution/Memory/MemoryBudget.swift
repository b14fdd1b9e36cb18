package import Columnar
import Glibc
package import QueryErrors
import Synchronization

/// The memory of one query: its account, and the operators that hold it.
///
/// Buffers charge the account by themselves. Operators ask before they grow, note what they hold, and write rows to disk when they
/// are told that there is no room; only where nobody can, the query fails.
///
///     up to 80 % of the limit     operators may grow
///     above                       who can, spills
///     above the limit             the query fails, and says who holds what
///
/// - Units: bytes.
/// - Threads: shared by all workers of a query.
package final class MemoryBudget: Sendable {
  package let account: MemoryAccount
  private let consumers = Mutex<[MemoryConsumer]>([])

  /// The part of the limit up to which operators may grow.
  private static let softPercent = 80
  /// How far the system's view may lie above the limit before the query fails: it has the allocator's free memory in it, and what the
  /// process holds before its first query.
  private static let (hardPercent, hardByteCount) = (104, 8 << 20)
  /// Consumers still to come for which room is kept.
  private static let largestPending = 2
  /// The part of the room, in percent, that is free for whoever comes first.
  private static let freePercent = 60

  package init(limit: Int? = nil) { account = MemoryAccount.open(limit: limit) }

  deinit { account.close() }

  /// Bytes held now.
  package var used: Int { account.used }
  /// The most bytes held at once.
  package var peak: Int { account.peak }
  /// Bytes written to disk for want of memory.
  package var spilled: Int { consumers.withLock { $0.reduce(0) { $0 + $1.spilled } } }

  // MARK: Asking

  /// Takes up an operator that holds memory.
  func register(_ node: QueryProfile.Node) -> MemoryConsumer {
    let consumer = MemoryConsumer(node, self)
    consumers.withLock { $0.append(consumer) }
    return consumer
  }

  /// Bytes that operators may still take; negative when they hold too much.
  var room: Int {
    let limit = account.limit
    let own = limit == Int.max ? Int.max : limit / 100 * MemoryBudget.softPercent - account.used
    var shared = MemoryPool.room(percent: MemoryBudget.softPercent)
    if shared < 0 {
      // Queries above their share give back before those below it do.
      let share = MemoryPool.fairShare
      if account.used < share / 2 { shared = share / 2 - account.used }
    }
    return min(own, shared)
  }

  /// Whether an operator that holds `held` bytes may take `byteCount` more: some room is left for operators still to come.
  func mayGrow(_ byteCount: Int, held: Int) -> Bool {
    let room = room
    if room == Int.max { return true }
    let whole = account.effectiveLimit / 100 * MemoryBudget.softPercent
    if room - byteCount > whole / 100 * (100 - MemoryBudget.freePercent) { return true }
    let pending = min(MemoryBudget.largestPending, consumers.withLock { $0.count { $0.isPending } })
    return held + byteCount <= (room + held) / (1 + pending) && byteCount <= room
  }

  // MARK: Failing

  /// Checks the limits; for every batch.
  ///
  /// - Throws: `EXCEEDED_LOCAL_MEMORY_LIMIT` when one is passed.
  package func check() throws(QueryError) {
    try MemoryAccount.checkRefused()
    if account.refuses(0) || isFarOver { try checkSlowly() }
  }

  private var isFarOver: Bool { MemoryPool.room(percent: MemoryBudget.hardPercent) < -MemoryBudget.hardByteCount }

  @inline(never)
  private func checkSlowly() throws(QueryError) {
    var patience = 200
    while true {
      MemoryPool.trim()
      MemoryPool.poll(monotonicNanoseconds())
      if !account.refuses(0), !isFarOver { return }
      // Other queries that hold more than their share may give back; what the system sees has to stay for a while.
      let mayPass =
        account.used <= account.limit
        && (account.used < MemoryPool.fairShare / 2 || MemoryPool.used <= MemoryPool.limit)
      if !mayPass || patience == 0 { throw explained(account.exceeded(0)) }
      patience -= 1
      usleep(5000)
    }
  }

  /// The error with who holds what.
  func explained(_ error: QueryError) -> QueryError {
    guard error.code == .exceededLocalMemoryLimit, !error.message.contains("[") else { return error }
    let holders = consumers.withLock { list in
      list.map { (name: $0.node.name, held: $0.held) }.filter { $0.held > 0 }.sorted { $0.held > $1.held }
    }
    var message = error.message
    if !holders.isEmpty {
      let top = holders.prefix(3).map { "\($0.name)=\(ByteCountText.text($0.held))" }.joined(separator: ", ")
      message += " [Allocated: \(ByteCountText.text(account.used)), Top Consumers: {\(top)}]"
    }
    return QueryError(error.code, message, at: error.range, hint: error.hint)
  }
}

/// An operator that holds memory: how much, and how much it has written to disk.
///
/// - Threads: any.
final class MemoryConsumer: Sendable {
  let node: QueryProfile.Node
  unowned let budget: MemoryBudget
  private let heldBytes = Atomic<Int>(0)
  private let peakBytes = Atomic<Int>(0)
  private let spilledBytes = Atomic<Int>(0)
  private let pending = Atomic<Bool>(true)

  fileprivate init(_ node: QueryProfile.Node, _ budget: MemoryBudget) {
    self.node = node
    self.budget = budget
  }

  /// Bytes held now.
  var held: Int { heldBytes.load(ordering: .relaxed) }
  var spilled: Int { spilledBytes.load(ordering: .relaxed) }
  /// Whether it has not begun to take memory.
  var isPending: Bool { pending.load(ordering: .relaxed) }

  /// Rows come, or will not come any more.
  func begin() { pending.store(false, ordering: .relaxed) }

  /// Notes bytes more, or less, that the operator's buffers hold.
  func add(_ byteCount: Int) {
    if byteCount == 0 { return }
    let now = heldBytes.wrappingAdd(byteCount, ordering: .relaxed).newValue
    if byteCount > 0 {
      begin()
      if now > peakBytes.load(ordering: .relaxed) { node.metrics.note(stateBytes: now) }
      peakBytes.max(now, ordering: .relaxed)
    }
  }

  /// Bytes of rows that one worker gathers before they are worth going to disk.
  var smallByteCount: Int {
    max(256 << 10, min(4 << 20, budget.account.effectiveLimit / 128))
  }

  func addSpilled(_ byteCount: Int) {
    spilledBytes.wrappingAdd(byteCount, ordering: .relaxed)
    node.metrics.addSpilled(byteCount)
  }

  /// Whether it may take so many bytes beside what it holds.
  func mayGrow(_ byteCount: Int) -> Bool {
    begin()
    return budget.mayGrow(byteCount, held: held)
  }
}

/// What one state holds; notes it with its consumer, and takes the note back when it goes away.
///
/// - Threads: one owner at a time.
final class MemoryReservation: @unchecked Sendable {
  private let consumer: MemoryConsumer?
  private let account: MemoryAccount?
  private(set) var byteCount = 0

  /// A note about buffers, which are charged by themselves.
  init(_ consumer: MemoryConsumer) {
    self.consumer = consumer
    account = nil
  }

  /// A charge for memory that lies in no buffer.
  init(_ budget: MemoryBudget) {
    consumer = nil
    account = budget.account
  }

  deinit {
    consumer?.add(-byteCount)
    account?.add(-byteCount)
  }

  /// The state now holds so many bytes.
  ///
  /// - Throws: `EXCEEDED_LOCAL_MEMORY_LIMIT` when a charge passes the limit.
  func set(_ byteCount: Int) throws(QueryError) {
    let change = byteCount - self.byteCount
    if change == 0 { return }
    self.byteCount = byteCount
    consumer?.add(change)
    if let account {
      account.add(change)
      if change > 0, account.refuses(0) { throw account.exceeded(change) }
    }
  }

  /// The state holds so many bytes more.
  func grow(_ byteCount: Int) throws(QueryError) { try set(self.byteCount + byteCount) }
}
