import Testing

/// Every case file under every configuration.
@Suite("SQL logic", .serialized) struct SQLLogicTests {
  @Test(arguments: LogicTestConfiguration.all) func cases(_ configuration: LogicTestConfiguration) async throws {
    #expect(!LogicTestRunner.files.isEmpty)
    if LogicTestRunner.isRecording, configuration.name != LogicTestConfiguration.all[0].name { return }
    for file in LogicTestRunner.files {
      let folder = String(file.prefix { $0 != "/" })
      if let folders = configuration.folders, !folders.contains(folder) { continue }
      if !configuration.isQuick, LogicTestConfiguration.heavyFolders.contains(folder) { continue }
      try await LogicTestRunner(configuration, folder).run(file)
    }
  }
}
