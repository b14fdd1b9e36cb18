import Columnar
import Testing

@testable import FileFormats

/// Page indexes that contradict the footer or themselves are not believed.
@Suite struct PageBoundsTests {
  private static func bounds(_ low: Int64, _ high: Int64) -> ValueBounds {
    ValueBounds(min: .integer(low), max: .integer(high))
  }

  private static func exact(_ low: Int64, _ high: Int64) -> ValueBounds {
    ValueBounds(min: .integer(low), max: .integer(high), isExact: true)
  }

  private static func text(_ low: String, _ high: String) -> ValueBounds {
    ValueBounds(min: .string(low), max: .string(high))
  }

  @Test func leastAboveGreatestTellsNothing() {
    let reversed = Self.bounds(7, 3)
    #expect(reversed.min == nil && reversed.max == nil && reversed.isContradictory)
    #expect(Self.bounds(3, 3).min == .integer(3))
  }

  @Test func pagesHaveToAgreeWithTheirChunk() {
    let chunk = Self.exact(0, 100)
    #expect(PageBounds.agree([Self.bounds(0, 40), Self.bounds(30, 100)], with: chunk, isBytes: false))
    // Beyond the chunk's bounds, and short of them.
    #expect(!PageBounds.agree([Self.bounds(0, 40), Self.bounds(30, 101)], with: chunk, isBytes: false))
    #expect(!PageBounds.agree([Self.bounds(0, 40), Self.bounds(30, 99)], with: chunk, isBytes: false))
    // With a page of unknown bounds the others need not reach the chunk's.
    let unknown = ValueBounds.unknown
    #expect(PageBounds.agree([Self.bounds(0, 40), unknown], with: chunk, isBytes: false))
    #expect(PageBounds.agree([Self.bounds(500, 600)], with: unknown, isBytes: false))
  }

  @Test func textMayBeCutOff() {
    let chunk = Self.text("apple", "zebra")
    #expect(PageBounds.agree([Self.text("app", "f"), Self.text("g", "zf")], with: chunk, isBytes: true))
    #expect(!PageBounds.agree([Self.text("zz", "zzz")], with: chunk, isBytes: true))
  }

  @Test func writersAreToldFromTheirNames() {
    let old = ParquetWriterIdentity("parquet-mr version 1.6.0rc3 (build abc)")
    #expect(old.application == "parquet-mr" && old.version == [1, 6, 0])
    #expect(old.hasCorruptByteBounds)
    #expect(!ParquetWriterIdentity("parquet-mr version 1.12.3 (build abc)").hasCorruptByteBounds)
    #expect(!ParquetWriterIdentity("parquet-cpp-arrow version 26.0.1").hasCorruptByteBounds)
    #expect(ParquetWriterIdentity("").hasCorruptByteBounds)
    #expect(ParquetWriterIdentity("DuckDB").version.isEmpty)
  }
}
