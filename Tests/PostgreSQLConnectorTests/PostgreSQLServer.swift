import Foundation
import Glibc

/// A server of the tests' own, started when first asked for; nil where PostgreSQL is not installed.
enum PostgreSQLServer {
  static let script = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .appending(path: "Foreign/postgresql.sh").path

  static let isInstalled = run("available") == 0

  /// Runs the script. Foundation's `Process` would wait for the server, which keeps the descriptors that it inherits.
  static func run(_ arguments: String...) -> Int32 {
    let words = ["/bin/sh", "-c", "exec sh \"$@\" > /dev/null 2>&1", "sh", script] + arguments
    let pointers: [UnsafeMutablePointer<CChar>?] = words.map { strdup($0) } + [nil]
    defer { for pointer in pointers { free(pointer) } }
    var child = pid_t()
    guard posix_spawn(&child, "/bin/sh", nil, nil, pointers, environ) == 0 else { return -1 }
    var status: Int32 = 0
    while waitpid(child, &status, 0) < 0, errno == EINTR {}
    return status == 0 ? 0 : 1
  }

  /// A server while `body` runs, with `sql` run in it.
  static func with<T>(_ sql: String, _ body: (Server) async throws -> T) async throws -> T {
    let folder = "/tmp/sqlq-postgresql-\(UUID().uuidString.prefix(8))"
    let server = Server(folder: folder, port: Int.random(in: 20_000...29_999))
    guard run("start", folder, String(server.port)) == 0 else {
      throw Failure(text: "PostgreSQL did not start: see \(folder)")
    }
    defer {
      _ = run("stop", folder)
      try? FileManager.default.removeItem(atPath: folder)
    }
    try server.psql(sql)
    return try await body(server)
  }

  struct Failure: Error { var text: String }

  struct Server {
    var folder: String
    var port: Int

    /// What CREATE CATALOG takes.
    func properties(port other: Int? = nil) -> String {
      "host = '127.0.0.1', port = \(other ?? port), database = 'postgres', \"user\" = 'tester', password = 'geheim'"
    }

    @discardableResult
    func psql(_ sql: String) throws -> String {
      let process = Process()
      process.executableURL = URL(filePath: "/usr/bin/env")
      process.arguments = [
        "PGPASSWORD=geheim", "psql", "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-h", "127.0.0.1", "-p", String(port), "-U",
        "tester", "-d", "postgres", "-f", "-",
      ]
      let (input, output) = (Pipe(), Pipe())
      process.standardInput = input
      process.standardOutput = output
      try process.run()
      input.fileHandleForWriting.write(Data(sql.utf8))
      try input.fileHandleForWriting.close()
      let data = output.fileHandleForReading.readDataToEndOfFile()
      process.waitUntilExit()
      guard process.terminationStatus == 0 else { throw Failure(text: "psql failed") }
      return String(decoding: data, as: UTF8.self)
    }

    func stop() { _ = PostgreSQLServer.run("stop", folder) }
  }
}
