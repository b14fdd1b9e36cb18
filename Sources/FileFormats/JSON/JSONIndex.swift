import CKernels

/// The places of quotes, brackets, braces, commas and, in line mode, line ends in one window of JSON.
///
/// - Threads: one owner.
final class JSONIndex {
  private(set) var tokens: UnsafeMutablePointer<UInt32>
  /// For each line end, its index in `tokens`.
  private(set) var rows: UnsafeMutablePointer<UInt32>
  private var tokenCapacity = 64
  private var rowCapacity = 64
  private var state = ck_json_state()
  private let isLines: Bool

  var tokenCount: Int { state.token_count }
  var rowCount: Int { state.row_count }
  /// Whether the last scan saw a byte above 127.
  private(set) var sawNonASCII = false
  /// Whether the last scan saw a backslash.
  private(set) var sawBackslash = false

  init(isLines: Bool) {
    self.isLines = isLines
    tokens = .allocate(capacity: 64)
    rows = .allocate(capacity: 64)
  }

  deinit {
    tokens.deallocate()
    rows.deallocate()
  }

  /// Forgets everything; the next scan starts outside strings.
  func reset() { state = ck_json_state() }

  /// Forgets the first places.
  func drop(tokens firstToken: Int, rows firstRow: Int) {
    if firstToken == 0, firstRow == 0 { return }
    let (tokenRest, rowRest) = (tokenCount - firstToken, rowCount - firstRow)
    tokens.update(from: tokens + firstToken, count: tokenRest)
    var i = 0
    while i < rowRest {
      rows[i] = rows[firstRow &+ i] &- UInt32(truncatingIfNeeded: firstToken)
      i &+= 1
    }
    state.token_count = tokenRest
    state.row_count = rowRest
  }

  /// Adds the places of `base[from ..< to]`.
  func scan(_ base: UnsafePointer<UInt8>, from: Int, to: Int) {
    reserve(to - from + 80)
    state.non_ascii = 0
    state.backslashes = 0
    ck_json_scan(base, from, to, isLines ? 1 : 0, &state, tokens, rows)
    sawNonASCII = state.non_ascii != 0
    sawBackslash = state.backslashes != 0
  }

  /// Adds a line end that is not in the text: the end of the file.
  func appendLineEnd(at place: Int) {
    reserve(1)
    rows[state.row_count] = UInt32(truncatingIfNeeded: state.token_count)
    tokens[state.token_count] = UInt32(truncatingIfNeeded: place)
    state.token_count += 1
    state.row_count += 1
  }

  private func reserve(_ count: Int) {
    if tokenCount + count > tokenCapacity {
      tokenCapacity = max(tokenCapacity * 2, tokenCount + count)
      let larger = UnsafeMutablePointer<UInt32>.allocate(capacity: tokenCapacity)
      larger.update(from: tokens, count: tokenCount)
      tokens.deallocate()
      tokens = larger
    }
    if rowCount + count > rowCapacity {
      rowCapacity = max(rowCapacity * 2, rowCount + count)
      let larger = UnsafeMutablePointer<UInt32>.allocate(capacity: rowCapacity)
      larger.update(from: rows, count: rowCount)
      rows.deallocate()
      rows = larger
    }
  }
}
