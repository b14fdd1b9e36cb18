import Glibc

/// The profiles of `~/.aws/config` and `~/.aws/credentials`.
///
///     [profile work]                [services mine]
///     region = eu-west-1            s3 =
///     services = mine                 endpoint_url = http://localhost:9000
///
/// - Source: AWS SDKs and Tools Reference Guide, format of the shared config and credentials files.
package struct AWSProfiles: Sendable {
  private var profiles: [String: [String: String]] = [:]
  /// `services` sections: by name, service and setting.
  private var services: [String: [String: [String: String]]] = [:]

  package init() {}

  /// Reads the files that the environment names; missing ones are empty.
  package static func load() -> AWSProfiles {
    let home = S3Configuration.environment("HOME") ?? ""
    let config = S3Configuration.environment("AWS_CONFIG_FILE") ?? home + "/.aws/config"
    let credentials = S3Configuration.environment("AWS_SHARED_CREDENTIALS_FILE") ?? home + "/.aws/credentials"
    var result = AWSProfiles()
    if let text = readText(config) { result.add(text, isConfig: true) }
    // What stands in the credentials file wins.
    if let text = readText(credentials) { result.add(text, isConfig: false) }
    return result
  }

  package subscript(_ name: String) -> [String: String]? { profiles[name] }

  package func service(_ service: String, of section: String) -> [String: String]? { services[section]?[service] }

  package mutating func add(_ text: String, isConfig: Bool) {
    enum Section {
      case profile(String)
      case services(String)
      case other
    }
    var section = Section.other
    var parent: String?
    for line in text.split(whereSeparator: \.isNewline) {
      let isNested = line.first == " " || line.first == "\t"
      let trimmed = trim(line)
      if trimmed.isEmpty || trimmed.hasPrefix("#") || trimmed.hasPrefix(";") { continue }
      if trimmed.hasPrefix("["), let end = trimmed.firstIndex(of: "]") {
        let words = trimmed[trimmed.index(after: trimmed.startIndex)..<end].split(whereSeparator: { $0 == " " || $0 == "\t" })
        parent = nil
        switch (words.count, words.first ?? "") {
        case (2, "profile") where isConfig: section = .profile(String(words[1]))
        case (2, "services") where isConfig: section = .services(String(words[1]))
        case (1, "default"): section = .profile("default")
        case (1, let name) where !isConfig: section = .profile(String(name))
        default: section = .other
        }
        continue
      }
      guard let equals = trimmed.firstIndex(of: "=") else { continue }
      let key = trim(trimmed[..<equals]).lowercased()
      var value = trim(trimmed[trimmed.index(after: equals)...])
      if let comment = value.range(ofComment: " #") { value = trim(value[..<comment]) }
      switch section {
      case .profile(let name):
        if !isNested { profiles[name, default: [:]][key] = value }
      case .services(let name):
        if isNested, let parent {
          services[name, default: [:]][parent, default: [:]][key] = value
        } else {
          parent = key
        }
      case .other: break
      }
    }
  }

  private func trim(_ text: some StringProtocol) -> String {
    var slice = Substring(text)
    while let first = slice.first, first == " " || first == "\t" || first == "\r" { slice.removeFirst() }
    while let last = slice.last, last == " " || last == "\t" || last == "\r" { slice.removeLast() }
    return String(slice)
  }
}

extension String {
  /// Where a comment behind a value starts.
  fileprivate func range(ofComment mark: String) -> String.Index? {
    var at = startIndex
    while at < endIndex {
      if self[at...].hasPrefix(mark) { return at }
      at = index(after: at)
    }
    return nil
  }
}

/// The whole text of a small file; nil when it cannot be read.
func readText(_ path: String) -> String? {
  let descriptor = open(path, O_RDONLY | O_CLOEXEC)
  guard descriptor >= 0 else { return nil }
  defer { close(descriptor) }
  return readAll(descriptor).map { String(decoding: $0, as: UTF8.self) }
}

func readAll(_ descriptor: Int32) -> [UInt8]? {
  var bytes: [UInt8] = []
  var block = [UInt8](repeating: 0, count: 1 << 14)
  while bytes.count < 1 << 24 {
    let count = read(descriptor, &block, block.count)
    if count < 0, errno == EINTR { continue }
    if count < 0 { return nil }
    if count == 0 { return bytes }
    bytes.append(contentsOf: block[..<count])
  }
  return nil
}
