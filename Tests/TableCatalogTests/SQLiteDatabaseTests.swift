import Foundation
import QueryErrors
import Synchronization
import Testing

@testable import TableCatalog

@Suite("SQLite files") struct SQLiteDatabaseTests {
  private func makeFolder() throws -> URL {
    let folder = FileManager.default.temporaryDirectory.appending(path: "sqlq-catalog-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    return folder
  }

  /// Eight connections on a file that does not exist yet: each becomes a catalog, none finds it locked.
  @Test func freshFileTakesManyAtOnce() throws {
    let folder = try makeFolder()
    defer { try? FileManager.default.removeItem(at: folder) }
    let failures = Mutex<[String]>([])
    for round in 0..<20 {
      let path = folder.appending(path: "\(round).sqlite").path
      DispatchQueue.concurrentPerform(iterations: 8) { worker in
        do throws(QueryError) {
          let catalog = try Catalog(path: path)
          try catalog.create(DatabaseDefinition(name: "db\(worker)"))
        } catch {
          failures.withLock { $0.append("\(error)") }
        }
      }
      let names = try Catalog(path: path).databases().map(\.name)
      #expect(names == ["db0", "db1", "db2", "db3", "db4", "db5", "db6", "db7", "default"])
    }
    #expect(failures.withLock { $0 } == [])
  }

  @Test func fileIsPrivate() throws {
    let folder = try makeFolder()
    defer { try? FileManager.default.removeItem(at: folder) }
    let path = folder.appending(path: "catalog.sqlite").path
    _ = try Catalog(path: path)
    let attributes = try FileManager.default.attributesOfItem(atPath: path)
    #expect((attributes[.posixPermissions] as? Int) == 0o600)
  }
}
