import Columnar
import Testing

@testable import SQLFunctions

@Suite struct WindowFunctionTests {
  /// Two partitions of 4 and 2 rows; peers are equal keys; the frame runs from the partition's start to the peers' end.
  private func run(_ name: String, _ arguments: (DataType, [Scalar])..., ignoresNulls: Bool = false) throws -> String {
    let starts: [Int32] = [0, 0, 0, 0, 4, 4]
    let ends: [Int32] = [4, 4, 4, 4, 6, 6]
    let peerStarts: [Int32] = [0, 1, 1, 3, 4, 5]
    let peerEnds: [Int32] = [1, 3, 3, 4, 5, 6]
    let function = try #require(FunctionRegistry.window(name))
    var columns: [Column] = []
    for argument in arguments { columns.append(try AggregateHarness.make(argument.0, argument.1, argument.0)) }
    let type = arguments.first?.0 ?? (["percent_rank", "cume_dist"].contains(name) ? .double : .bigint)
    let result = try function.evaluate(
      WindowInput(
        arguments: columns, rowCount: 6, returnType: type, partitionStart: starts, partitionEnd: ends,
        peerStart: peerStarts, peerEnd: peerEnds, frameStart: starts, frameEnd: peerEnds, ignoresNulls: ignoresNulls,
        session: FunctionHarness.session))
    return (0..<6).map { FunctionHarness.text(result, $0) }.joined(separator: " ")
  }

  @Test func ranks() throws {
    #expect(try run("row_number") == "1 2 3 4 1 2")
    #expect(try run("rank") == "1 2 2 4 1 2")
    #expect(try run("dense_rank") == "1 2 2 3 1 2")
    #expect(try run("percent_rank") == "0.0 0.3333333333333333 0.3333333333333333 1.0 0.0 1.0")
    #expect(try run("cume_dist") == "0.25 0.75 0.75 1.0 0.5 1.0")
    #expect(try run("ntile", (.bigint, [3, 3, 3, 3, 3, 3])) == "1 1 2 3 1 2")
  }

  @Test func values() throws {
    let x: (DataType, [Scalar]) = (.integer, [nil, 2, 3, nil, 5, nil])
    #expect(try run("first_value", x) == "NULL NULL NULL NULL 5 5")
    #expect(try run("first_value", x, ignoresNulls: true) == "NULL 2 2 2 5 5")
    #expect(try run("last_value", x) == "NULL 3 3 NULL 5 NULL")
    #expect(try run("last_value", x, ignoresNulls: true) == "NULL 3 3 3 5 5")
    let two: (DataType, [Scalar]) = (.bigint, [2, 2, 2, 2, 2, 2])
    #expect(try run("nth_value", x, two) == "NULL 2 2 2 NULL NULL")
    #expect(try run("nth_value", x, two, ignoresNulls: true) == "NULL 3 3 3 NULL NULL")
    #expect(try run("lead", x) == "2 3 NULL NULL NULL NULL")
    #expect(try run("lag", x, ignoresNulls: true) == "NULL NULL 2 3 NULL 5")
    #expect(try run("lead", x, two, (.integer, [9, 9, 9, 9, 9, 9])) == "3 NULL 9 9 9 9")
  }
}
