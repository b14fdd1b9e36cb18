import Glibc
package import QueryEngine

/// Charts in files: `.svg`, or `.html` with the picture on a page.
package enum ChartFile {
  package static func canWrite(_ path: String) -> Bool { [".svg", ".html", ".htm"].contains { path.lowercased().hasSuffix($0) } }

  /// Writes a chart; the file appears whole.
  package static func write(_ data: ChartData, title: String, to path: String) throws(QueryError) {
    let picture = SVGChart().draw(data, title: title)
    var text = picture
    if !path.lowercased().hasSuffix(".svg") {
      let heading = title.isEmpty ? "" : "<pre>\(HTMLText.escaped(title))</pre>\n"
      text = HTMLText.pageStart("Chart", style: "svg { max-width: 60em; width: 100%; }") + heading + picture + HTMLText.pageEnd
    }
    try WholeFile.write(Array(text.utf8), to: path)
  }
}

/// Files that appear whole or not at all.
enum WholeFile {
  static func write(_ bytes: [UInt8], to path: String) throws(QueryError) {
    let temporary = path + ".\(getpid()).tmp"
    let descriptor = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o666)
    guard descriptor >= 0 else { throw failure(errno, path) }
    let code = Descriptor.write(bytes, to: descriptor)
    close(descriptor)
    if let code {
      unlink(temporary)
      throw failure(code, path)
    }
    if rename(temporary, path) != 0 {
      let code = errno
      unlink(temporary)
      throw failure(code, path)
    }
  }

  static func failure(_ code: Int32, _ path: String) -> QueryError {
    QueryError(
      code == ENOSPC || code == EDQUOT ? .diskFull : .hiveFilesystemError, "Cannot write \(path): \(String(cString: strerror(code)))")
  }
}
