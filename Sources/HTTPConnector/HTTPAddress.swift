/// An absolute address of HTTP: `https://host:port/path?query`.
struct HTTPAddress: Hashable, Sendable {
  /// `https://host:port`, lower case.
  var origin: String
  /// Path and query, at least `/`.
  var path: String

  /// Nil for texts that are no such address, or that hold a user's name.
  init?(_ text: String) {
    guard text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f }) else { return nil }
    let lower = text.lowercased()
    guard let scheme = ["https://", "http://"].first(where: { lower.hasPrefix($0) }) else { return nil }
    let rest = text.dropFirst(scheme.count).prefix { $0 != "#" }
    let authority = rest.prefix { $0 != "/" && $0 != "?" }
    guard !authority.isEmpty, !authority.contains("@") else { return nil }
    origin = scheme + authority.lowercased()
    path = String(rest.dropFirst(authority.count))
    if !path.hasPrefix("/") { path = "/" + path }
  }

  /// The address that a link on this one's page means; nil when it is none.
  ///
  /// - Source: RFC 3986, section 5.2, without the removal of dots.
  func resolved(_ link: String) -> HTTPAddress? {
    let lower = link.lowercased()
    if lower.hasPrefix("http://") || lower.hasPrefix("https://") { return HTTPAddress(link) }
    if link.hasPrefix("//") { return HTTPAddress(String(origin.prefix { $0 != "/" }) + link) }
    if link.hasPrefix("/") { return HTTPAddress(origin + link) }
    let own = path.prefix { $0 != "?" }
    if link.hasPrefix("?") { return HTTPAddress(origin + own + link) }
    let folder = own.lastIndex(of: "/").map { own[...$0] } ?? "/"
    return HTTPAddress(origin + folder + link)
  }

  /// With further parameters, `name=value`.
  func adding(_ parameters: [String]) -> HTTPAddress {
    var result = self
    for parameter in parameters { result.path += (result.path.contains("?") ? "&" : "?") + parameter }
    return result
  }

  var text: String { origin + path }

  /// The query's pairs.
  var parameters: [Substring] { path.firstIndex(of: "?").map { path[path.index(after: $0)...].split(separator: "&") } ?? [] }

  /// The text without the values of some parameters.
  func text(hiding names: Set<Substring>) -> String {
    guard let mark = path.firstIndex(of: "?"), !names.isEmpty else { return text }
    let shown = parameters.map { pair in
      let name = pair.prefix { $0 != "=" }
      return names.contains(name) ? name + "=***" : pair
    }
    return origin + path[...mark] + shown.joined(separator: "&")
  }
}
