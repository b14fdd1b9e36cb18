import ObjectStore
import Testing

@testable import FileFormats

@Suite("Format registry") struct FormatRegistryTests {
  @Test func namesTellFormats() {
    #expect(FormatRegistry.format(forFileNamed: "a.CSV.gz") == CSVFormat.self)
    #expect(FormatRegistry.format(forFileNamed: "part-0.snappy.parquet") == ParquetFormat.self)
    // Checksums and copies are not what they belong to.
    #expect(FormatRegistry.format(forFileNamed: "a.parquet.crc") == nil)
    #expect(FormatRegistry.format(forFileNamed: "a.csv.bak") == nil)
    #expect(FormatRegistry.format(forFileNamed: ".csv") == nil)
    #expect(FormatRegistry.unsupported(forFileNamed: "x.xlsx")?.name == "Excel")
    #expect(FormatRegistry.unsupported(forFileNamed: "x.csv") == nil)
  }

  @Test func bytesTellFormats() throws {
    func recognized(_ bytes: [UInt8], _ name: String = "x") throws -> String {
      switch try FormatRegistry.recognize(try MemoryByteSource(bytes, path: name, meter: ScanMeter())) {
      case .format(let type): type.descriptor.name
      case .unsupported(let format): format.name
      case .text: "text"
      case .nothing: "nothing"
      }
    }
    #expect(try recognized(Array("PAR1....".utf8)) == "parquet")
    #expect(try recognized(Array(" \n[{\"a\":1}]".utf8)) == "json")
    #expect(try recognized(Array("a,b\n1,2\n".utf8)) == "text")
    #expect(try recognized(Array("Obj".utf8) + [1, 4]) == "avro")
    #expect(try recognized(Array("ORC".utf8) + [0, 8]) == "orc")
    #expect(try recognized(Array("PK".utf8) + [3, 4]) == "Zip")
    #expect(try recognized([0, 1, 2, 3]) == "nothing")
    #expect(try recognized([]) == "nothing")
  }

  @Test func classesTellFormats() {
    #expect(
      FormatRegistry.format(inputFormat: "org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat") == ParquetFormat.self)
    #expect(FormatRegistry.format(inputFormat: "org.apache.hadoop.mapred.textinputformat") == DelimitedTextFormat.self)
    #expect(FormatRegistry.format(inputFormat: "org.apache.hadoop.hive.ql.io.SymlinkTextInputFormat") == nil)
  }
}
