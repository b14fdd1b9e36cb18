import Glibc
import ObjectStore
import QueryErrors

/// Decides when the statements of an engine that serves many run: a fixed number at once, others wait in line.
///
///     text → planned → short?  → short lane    two slots; who stays longer than two seconds gives the slot to the next
///                      else    → long lane     `limit` slots; the workgroup that runs least comes first
///
/// A statement is short when it reads no table, or little: what it will read is known once it is planned.
///
/// - Threads: any.
/// - Source: the idea of Amazon Redshift's short query acceleration.
final class StatementAdmission: @unchecked Sendable {
  /// Statements of the long lane that run at once.
  private let limit: Int
  private static let shortSlotCount = 2
  /// Bytes up to which a statement counts as short.
  static let shortByteCount = 16 << 20
  /// Nanoseconds after which a statement is not short any more.
  private static let shortTime = 2_000_000_000
  /// How often who waits for the short lane looks whether somebody has been in it for too long.
  private static let lookSeconds = 0.2

  enum Lane { case short, long }

  /// A place in one of the lanes, from `enter` to `leave`.
  final class Slot {
    fileprivate(set) var lane: Lane
    fileprivate let workgroup: String
    fileprivate let begin = StatementClock.now(CLOCK_MONOTONIC)
    fileprivate init(_ lane: Lane, _ workgroup: String) { (self.lane, self.workgroup) = (lane, workgroup) }
  }

  /// A statement in line.
  private final class Waiter {
    let lane: Lane
    let workgroup: String
    let flag: CancellationFlag
    var slot: Slot?
    init(_ lane: Lane, _ workgroup: String, _ flag: CancellationFlag) { (self.lane, self.workgroup, self.flag) = (lane, workgroup, flag) }
  }

  private let lock = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
  private let changed = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)

  // MARK: Guarded by the lock
  private var running: [ObjectIdentifier: Slot] = [:]
  private var waiting: [Waiter] = []

  init(limit: Int) {
    self.limit = max(1, limit)
    pthread_mutex_init(lock, nil)
    pthread_cond_init(changed, nil)
  }

  deinit {
    pthread_mutex_destroy(lock)
    pthread_cond_destroy(changed)
    lock.deallocate()
    changed.deallocate()
  }

  private func count(_ lane: Lane) -> Int { running.values.count { $0.lane == lane } }

  /// Waits for a slot.
  ///
  /// - Throws: `USER_CANCELED` when the statement is cancelled meanwhile.
  func enter(_ lane: Lane, workgroup: String, _ flag: CancellationFlag) throws(QueryError) -> Slot {
    pthread_mutex_lock(lock)
    defer { pthread_mutex_unlock(lock) }
    let waiter = Waiter(lane, workgroup, flag)
    waiting.append(waiter)
    admit()
    while waiter.slot == nil, !flag.isRaised {
      var time = timespec()
      clock_gettime(CLOCK_REALTIME, &time)
      let nanoseconds = Int(time.tv_nsec) + Int(StatementAdmission.lookSeconds * 1e9)
      time.tv_sec += nanoseconds / 1_000_000_000
      time.tv_nsec = nanoseconds % 1_000_000_000
      pthread_cond_timedwait(changed, lock, &time)
      if waiter.slot == nil, lane == .short { admit() }
    }
    if let slot = waiter.slot { return slot }
    waiting.removeAll { $0 === waiter }
    try flag.check()
    throw QueryError(.userCanceled, "Query was canceled")
  }

  /// Gives a slot back.
  func leave(_ slot: Slot) {
    pthread_mutex_lock(lock)
    running[ObjectIdentifier(slot)] = nil
    admit()
    pthread_mutex_unlock(lock)
  }

  /// Statements that wait look whether they were cancelled.
  func wake() {
    pthread_mutex_lock(lock)
    pthread_cond_broadcast(changed)
    pthread_mutex_unlock(lock)
  }

  /// Hands free slots out; the lock is held.
  private func admit() {
    var isChanged = false
    while let index = next() {
      let waiter = waiting.remove(at: index)
      let slot = Slot(waiter.lane, waiter.workgroup)
      running[ObjectIdentifier(slot)] = slot
      waiter.slot = slot
      isChanged = true
    }
    if isChanged { pthread_cond_broadcast(changed) }
  }

  /// The waiter that comes next, if there is a slot for one.
  private func next() -> Int? {
    if let index = waiting.firstIndex(where: { $0.lane == .short }) {
      if count(.short) < StatementAdmission.shortSlotCount { return index }
      let now = StatementClock.now(CLOCK_MONOTONIC)
      if let old = running.values.first(where: { $0.lane == .short && now - $0.begin > StatementAdmission.shortTime }) {
        old.lane = .long
        return index
      }
    }
    guard count(.long) < limit else { return nil }
    let busy = Dictionary(grouping: running.values.filter { $0.lane == .long }, by: \.workgroup).mapValues(\.count)
    return waiting.indices.filter { waiting[$0].lane == .long }.min {
      (busy[waiting[$0].workgroup] ?? 0, $0) < (busy[waiting[$1].workgroup] ?? 0, $1)
    }
  }
}
