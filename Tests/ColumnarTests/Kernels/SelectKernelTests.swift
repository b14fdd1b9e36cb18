import CKernels
import Testing

@Suite struct SelectKernelTests {
  /// Row numbers by the kernel, by its portable twin and by a plain loop.
  private func check(_ n: Int, _ passes: (Int) -> Bool, _ kernels: [(UnsafeMutablePointer<Int32>) -> Int]) {
    let expected = (0..<n).filter(passes).map { Int32($0) }
    for kernel in kernels {
      var out = [Int32](repeating: -1, count: n + 17)
      let found = kernel(&out)
      #expect(Array(out[..<found]) == expected, "\(n) rows")
      #expect(out[(n + 1)...].allSatisfy { $0 == -1 }, "wrote behind the rows")
    }
  }

  @Test func flags() {
    var random = RepeatableRandom(state: 11)
    for n in [0, 1, 7, 8, 9, 64, 1000] {
      for density in [0, 1, 50, 99, 100] {
        let flags = (0..<n).map { _ in UInt8(Int.random(in: 0..<100, using: &random) < density ? 1 : 0) }
        for unwanted: UInt8 in [0, 1] {
          check(
            n, { flags[$0] != unwanted },
            [
              { ck_select(flags, n, unwanted, $0) },
              { ck_select_portable(flags, 0, n, unwanted, $0, 0) },
            ])
        }
      }
    }
  }

  @Test func codes() {
    var random = RepeatableRandom(state: 11)
    let table = (0..<300).map { _ in UInt8.random(in: 0...1, using: &random) }
    for n in [0, 1, 7, 8, 9, 64, 1000] {
      let codes = (0..<n).map { _ in Int32.random(in: 0..<300, using: &random) }
      check(
        n, { table[Int(codes[$0])] == 1 },
        [
          { ck_select_coded(table, codes, n, $0) },
          { ck_select_coded_portable(table, codes, 0, n, $0, 0) },
        ])
    }
  }

  /// Members of a set of integers near `low`; the values asked for lie in it, beside it and at both ends of 64 bits.
  @Test func members() {
    var random = RepeatableRandom(state: 11)
    for (low, span) in [(Int64(0), 1), (-70, 64), (1_000_000, 65), (.min, 1000), (.max - 300, 300)] {
      let bits = (0..<(span + 63) / 64).map { _ in UInt64.random(in: 0...UInt64.max, using: &random) }
      for n in [0, 1, 7, 8, 9, 64, 1000] {
        let values = (0..<n).map { row -> Int64 in
          row % 50 == 0 ? [.min, .max, 0][row / 50 % 3] : low &+ Int64.random(in: -3..<Int64(span) + 3, using: &random)
        }
        func isMember(_ value: Int64) -> Bool {
          let (at, overflow) = value.subtractingReportingOverflow(low)
          return !overflow && at >= 0 && at < span && (bits[Int(at) / 64] >> UInt64(at % 64)) & 1 == 1
        }
        check(
          n, { isMember(values[$0]) },
          [
            { ck_select_members(values, n, low, UInt64(span), bits, $0) },
            { ck_select_members_portable(values, 0, n, low, UInt64(span), bits, $0, 0) },
          ])
      }
    }
  }
}
