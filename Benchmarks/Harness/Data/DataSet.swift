import Foundation

/// Data that a suite needs, and what makes it.
struct DataSet {
  let title: String
  /// A folder.
  let path: String
  /// The program in Benchmarks that makes it, and its arguments.
  let maker: [String]
  /// About how large it gets, for the progress bar.
  let expectedByteCount: Int

  var exists: Bool {
    FileManager.default.fileExists(atPath: path)
      && !FileManager.default.fileExists(atPath: path + DataSet.unfinishedMark)
  }

  /// Ends the name of a file beside data whose making has not ended.
  private static let unfinishedMark = ".unfinished"

  /// Makes the data unless it is there.
  ///
  /// - Throws: `ReportedError` when the maker fails; what it made so far is made anew next time.
  func make() throws {
    if exists { return }
    let files = FileManager.default
    try files.createDirectory(atPath: (path as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
    let mark = path + DataSet.unfinishedMark
    _ = files.createFile(atPath: mark, contents: nil)
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = ["python3", BenchmarkFolder.path + "/" + maker[0]] + maker.dropFirst()
    process.standardOutput = FileHandle.nullDevice
    let log = Pipe()
    process.standardError = log
    try process.run()
    let bar = ProgressBar()
    var words = Data()
    let descriptor = log.fileHandleForReading.fileDescriptor
    _ = fcntl(descriptor, F_SETFL, O_NONBLOCK)
    while process.isRunning {
      bar.show(fraction: Double(byteCount) / Double(expectedByteCount), title)
      usleep(250_000)
      var chunk = [UInt8](repeating: 0, count: 4096)
      while case let count = read(descriptor, &chunk, chunk.count), count > 0 { words.append(contentsOf: chunk[0..<count]) }
    }
    bar.clear()
    words.append((try? log.fileHandleForReading.readToEnd()) ?? Data())
    guard process.terminationStatus == 0 else {
      let last = String(decoding: words, as: UTF8.self).split(separator: "\n").last ?? "no message"
      throw ReportedError("Cannot make \(title): \(maker.joined(separator: " ")): \(last)")
    }
    try files.removeItem(atPath: mark)
    Terminal.note("made \(title): \(path)")
  }

  /// Bytes under the path so far.
  private var byteCount: Int {
    guard let list = FileManager.default.enumerator(atPath: path) else { return 0 }
    var sum = 0
    while list.nextObject() != nil { sum += (list.fileAttributes?[.size] as? Int) ?? 0 }
    return sum
  }
}

/// An error whose text is all that the user needs.
struct ReportedError: Error, CustomStringConvertible {
  let description: String
  init(_ description: String) { self.description = description }
}
