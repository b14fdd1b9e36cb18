import Columnar
import QueryErrors
import Testing

@testable import FileFormats

@Suite("Schemas of several files") struct SchemaMergeTests {
  private func merged(_ types: DataType..., isText: Bool = false) -> DataType? {
    var merge = SchemaMerge(isText: isText)
    for (index, type) in types.enumerated() { merge.add(Schema([Field("v", type)]), path: "\(index)") }
    return merge.conflict(of: "v") == nil ? merge.schema[0].type : nil
  }

  @Test func numbersWiden() {
    #expect(merged(.integer, .bigint) == .bigint)
    #expect(merged(.integer, .double) == .double)
    #expect(merged(.real, .double) == .double)
    // A real does not hold all whole numbers.
    #expect(merged(.real, .integer) == .double)
    #expect(merged(.decimal(precision: 4, scale: 2), .decimal(precision: 7, scale: 2)) == .decimal(precision: 7, scale: 2))
    #expect(merged(.decimal(precision: 10, scale: 0), .decimal(precision: 5, scale: 3)) == .decimal(precision: 13, scale: 3))
    #expect(merged(.bigint, .decimal(precision: 4, scale: 2)) == .decimal(precision: 21, scale: 2))
  }

  @Test func columnsWithoutValuesYield() {
    #expect(merged(.unknown, .date) == .date)
    #expect(merged(.array(.unknown), .array(.bigint), .unknown) == .array(.bigint))
    #expect(merged(.row([]), .row([.init(name: "x", type: .bigint)])) == .row([.init(name: "x", type: .bigint)]))
    #expect(SchemaMerge.settled(.row([])) == .text)
    #expect(SchemaMerge.settled(.array(.unknown)) == .array(.text))
  }

  @Test func onlyTextFallsBackToVarchar() {
    #expect(merged(.bigint, .text) == nil)
    #expect(merged(.bigint, .text, isText: true) == .text)
    #expect(merged(.bigint, .array(.bigint), isText: true) == .text)
    #expect(merged(.date, .bigint, isText: true) == .text)
    #expect(merged(.date, .timestamp(precision: 3), isText: true) == .timestamp(precision: 3))
    // Readers of typed files turn no dates into times.
    #expect(merged(.date, .timestamp(precision: 3)) == nil)
  }

  @Test func namesMeetWithoutRegardToCase() {
    var merge = SchemaMerge(isText: false)
    merge.add(Schema([Field("id", .integer), Field("Name", .text)]), path: "a")
    merge.add(Schema([Field("NAME", .text), Field("ID", .bigint), Field("more", .date)]), path: "b")
    #expect(merge.schema == Schema([Field("id", .bigint), Field("Name", .text), Field("more", .date)]))
  }

  @Test func conflictsNameTheMinority() throws {
    var merge = SchemaMerge(isText: false)
    for index in 0..<10 { merge.add(Schema([Field("v", index == 3 || index == 7 ? .text : .bigint)]), path: "f\(index)") }
    #expect(merge.hasConflict)
    #expect(merge.schema[0].type == .bigint)
    let error = try #require(merge.conflict(of: "V"))
    #expect(error.code == .hivePartitionSchemaMismatch)
    #expect(error.message == "Column 'v' is bigint in 8 files but varchar in 2 files (f3, f7)")
  }

  @Test func rowsOfFewerFieldsAreHeld() {
    let x = DataType.RowField(name: "x", type: .bigint)
    let y = DataType.RowField(name: "y", type: .text)
    #expect(SchemaMerge.holds(.row([x]), .row([x, y]), isText: false))
    #expect(SchemaMerge.hasMoreFields(.row([x, y]), than: .row([x])))
    #expect(!SchemaMerge.hasMoreFields(.row([x]), than: .row([x, y])))
    #expect(!SchemaMerge.holds(.row([.init(name: "x", type: .integer)]), .row([x]), isText: false))
  }
}

@Suite("Column names") struct ColumnNamesTests {
  @Test func equalNamesAreNumbered() {
    #expect(ColumnNames.distinct(["column", "COLUMN", "Column"]) == ["column", "COLUMN_1", "Column_2"])
    #expect(ColumnNames.distinct(["column", "column_1", "column"]) == ["column", "column_1", "column_2"])
    #expect(ColumnNames.distinct(["a", "a", "a_1"]) == ["a", "a_1", "a_1_1"])
    #expect(ColumnNames.areDistinct(["a", "b"]) && !ColumnNames.areDistinct(["a", "A"]))
  }
}
