import Foundation
import Testing

/// The sources obey `.swift-format`: `swift format -i -r -p Sources Tests Benchmarks Package.swift` makes them.
@Suite struct FormatTests {
  @Test func sourcesObeyTheFormat() throws {
    let package = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    let lint = Process()
    lint.executableURL = URL(filePath: "/usr/bin/env")
    lint.currentDirectoryURL = package
    lint.arguments = ["swift", "format", "lint", "--strict", "-r", "-p", "Sources", "Tests", "Benchmarks", "Package.swift"]
    let said = FileManager.default.temporaryDirectory.appending(path: "format-\(ProcessInfo.processInfo.processIdentifier).txt")
    #expect(FileManager.default.createFile(atPath: said.path, contents: nil))
    defer { try? FileManager.default.removeItem(at: said) }
    lint.standardError = try FileHandle(forWritingTo: said)
    try lint.run()
    lint.waitUntilExit()
    let findings = try String(contentsOf: said, encoding: .utf8)
    #expect(lint.terminationStatus == 0, "\(findings.prefix(2000))")
  }
}
