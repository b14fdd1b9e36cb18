/// The program's version: what `--version` says.
enum Version {
  static let text = "0.9.0"
}
