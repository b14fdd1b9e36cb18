import QueryErrors

/// Named patterns, and what `%{NAME:capture}` in others stands for.
///
/// - Source: Logstash's grok-patterns 1.4, which Athena's GrokSerDe knows.
struct GrokPatterns {
  /// Captures of this name are none.
  static let unwanted = "UNWANTED"

  private var patterns = GrokPatterns.known

  /// Adds lines of `NAME pattern`, in place of known ones of the name; other lines say nothing.
  mutating func add(_ lines: String) {
    for line in lines.split(whereSeparator: \.isNewline) {
      guard let blank = line.firstIndex(where: { $0 == " " || $0 == "\t" }) else { continue }
      let name = line[..<blank]
      let pattern = line[blank...].drop { $0 == " " || $0 == "\t" }
      guard !name.isEmpty, !pattern.isEmpty, name.utf8.allSatisfy(GrokPatterns.isNameByte) else { continue }
      patterns[String(name)] = String(pattern)
    }
  }

  /// A format as one pattern in Java's syntax, and what its groups capture.
  struct Expansion {
    var pattern = ""
    /// A group's name in the pattern → the capture's.
    var names: [String: String] = [:]
  }

  /// - Parameter namedOnly: whether `%{NAME}` without a capture's name captures nothing.
  /// - Throws: `INVALID_TABLE_PROPERTY` for names that are not known and patterns that contain themselves.
  func expand(_ format: String, namedOnly: Bool) throws(QueryError) -> Expansion {
    var expansion = Expansion()
    expansion.pattern = try expand(Array(format), namedOnly, [], &expansion.names)
    return expansion
  }

  private func expand(
    _ format: [Character], _ namedOnly: Bool, _ open: [String], _ names: inout [String: String]
  ) throws(QueryError) -> String {
    var out = ""
    var at = 0
    while at < format.count {
      if format[at] == "(", format[at...].starts(with: "(?<"), at + 3 < format.count, format[at + 3] != "=", format[at + 3] != "!",
        let close = format[at...].firstIndex(of: ">")
      {
        // A group named by the user: Java's names have no underscores, so it gets another.
        out += "(?<" + name(String(format[(at + 3)..<close]), &names) + ">"
        at = close + 1
        continue
      }
      guard format[at...].starts(with: "%{"), let close = format[at...].firstIndex(of: "}") else {
        out.append(format[at])
        at += 1
        continue
      }
      let parts = String(format[(at + 2)..<close]).split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
      guard let pattern = patterns[parts[0]] else {
        throw QueryError(
          .invalidTableProperty, "Grok compilation failure: Pattern \(parts[0]) is not defined.",
          hint: NameSuggestion.hint(for: parts[0], among: patterns.keys.sorted())
            ?? "Define it in the SerDe property input.grokCustomPatterns: '\(parts[0]) [0-9]+'.")
      }
      guard !open.contains(parts[0]) else {
        throw QueryError(.invalidTableProperty, "Grok compilation failure: Deep recursion pattern compilation of \(parts[0])")
      }
      // A capture's name may be followed by a type, which the column's declaration tells here.
      let capture = parts.count > 1 ? String(parts[1].prefix { $0 != ";" && $0 != ":" }) : nil
      let group = capture == nil && namedOnly ? nil : name(capture ?? parts[0], &names)
      let inner = try expand(Array(pattern), namedOnly, open + [parts[0]], &names)
      out += (group.map { "(?<\($0)>" } ?? "(?:") + inner + ")"
      at = close + 1
    }
    return out
  }

  /// A group's name, no other's, for a capture.
  private func name(_ capture: String, _ names: inout [String: String]) -> String {
    let id = "name\(names.count)"
    names[id] = capture
    return id
  }

  private static func isNameByte(_ byte: UInt8) -> Bool {
    byte &- 0x30 < 10 || (byte | 0x20) &- 0x61 < 26 || byte == 0x5f
  }

  private static let months =
    #"\b(?:Jan(?:uary)?|Feb(?:ruary)?|Mar(?:ch)?|Apr(?:il)?|May|Jun(?:e)?|Jul(?:y)?|Aug(?:ust)?|Sep(?:tember)?|Oct(?:ober)?|Nov(?:ember)?|Dec(?:ember)?)\b"#
  private static let octet = "(?:25[0-5]|2[0-4][0-9]|[0-1]?[0-9]{1,2})"
  private static let hex = "[0-9A-Fa-f]{1,4}"

  /// IPv6 by how many groups stand before `::`.
  private static let ipv6: String = {
    let v4 = "(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])(?:\\.(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])){3}"
    var forms = ["(?:\(hex):){7}(?:\(hex)|:)"]
    for before in (0...6).reversed() {
      let most = 7 - before
      let mapped = before == 6 ? v4 : "(?::\(hex)){0,\(max(0, most - 3))}:\(v4)"
      let head = before == 0 ? ":" : "(?:\(hex):){\(before)}"
      forms.append("\(head)(?:(?::\(hex)){1,\(most)}|\(mapped)|:)")
    }
    return "(?:" + forms.joined(separator: "|") + ")(?:%[0-9A-Za-z]+)?"
  }()

  private static let known: [String: String] = [
    "USERNAME": "[a-zA-Z0-9._-]+",
    "USER": "%{USERNAME}",
    "INT": "(?:[+-]?(?:[0-9]+))",
    "BASE10NUM": #"(?<![0-9.+-])(?>[+-]?(?:(?:[0-9]+(?:\.[0-9]+)?)|(?:\.[0-9]+)))"#,
    "NUMBER": "(?:%{BASE10NUM})",
    "BASE16NUM": "(?<![0-9A-Fa-f])(?:[+-]?(?:0x)?(?:[0-9A-Fa-f]+))",
    "BASE16FLOAT": #"\b(?<![0-9A-Fa-f.])(?:[+-]?(?:0x)?(?:(?:[0-9A-Fa-f]+(?:\.[0-9A-Fa-f]*)?)|(?:\.[0-9A-Fa-f]+)))\b"#,
    "POSINT": #"\b(?:[1-9][0-9]*)\b"#,
    "NONNEGINT": #"\b(?:[0-9]+)\b"#,
    "WORD": #"\b\w+\b"#,
    "NOTSPACE": #"\S+"#,
    "SPACE": #"\s*"#,
    "DATA": ".*?",
    "GREEDYDATA": ".*",
    "QUOTEDSTRING": #"(?>(?<!\\)(?>"(?>\\.|[^\\"]+)+"|""|(?>'(?>\\.|[^\\']+)+')|''|(?>`(?>\\.|[^\\`]+)+`)|``))"#,
    "QS": "%{QUOTEDSTRING}",
    "UUID": "[A-Fa-f0-9]{8}-(?:[A-Fa-f0-9]{4}-){3}[A-Fa-f0-9]{12}",
    "MAC": "(?:%{CISCOMAC}|%{WINDOWSMAC}|%{COMMONMAC})",
    "CISCOMAC": #"(?:(?:[A-Fa-f0-9]{4}\.){2}[A-Fa-f0-9]{4})"#,
    "WINDOWSMAC": "(?:(?:[A-Fa-f0-9]{2}-){5}[A-Fa-f0-9]{2})",
    "COMMONMAC": "(?:(?:[A-Fa-f0-9]{2}:){5}[A-Fa-f0-9]{2})",
    "IPV6": ipv6,
    "IPV4": "(?<![0-9])(?:\(octet)[.]\(octet)[.]\(octet)[.]\(octet))(?![0-9])",
    "IP": "(?:%{IPV6}|%{IPV4})",
    "HOSTNAME": #"\b(?:[0-9A-Za-z][0-9A-Za-z-]{0,62})(?:\.(?:[0-9A-Za-z][0-9A-Za-z-]{0,62}))*(?:\.?|\b)"#,
    "HOST": "%{HOSTNAME}",
    "IPORHOST": "(?:%{HOSTNAME}|%{IP})",
    "HOSTPORT": "(?:%{IPORHOST}:%{POSINT:PORT})",
    "PATH": "(?:%{UNIXPATH}|%{WINPATH})",
    "UNIXPATH": #"(?>/(?>[\w_%!$@:.,~-]+|\\.)*)+"#,
    "TTY": #"(?:/dev/(?:pts|tty(?:[pq])?)(?:\w+)?/?(?:[0-9]+))"#,
    "WINPATH": #"(?>[A-Za-z]+:|\\)(?:\\[^\\?*]*)+"#,
    "URIPROTO": #"[A-Za-z]+(?:\+[A-Za-z+]+)?"#,
    "URIHOST": "%{IPORHOST}(?::%{POSINT:port})?",
    "URIPATH": #"(?:/[A-Za-z0-9$.+!*'(){},~:;=@#%_\-]*)+"#,
    "URIPARAM": #"\?[A-Za-z0-9$.+!*'|(){},~@#%&/=:;_?\-\[\]]*"#,
    "URIPATHPARAM": "%{URIPATH}(?:%{URIPARAM})?",
    "URI": "%{URIPROTO}://(?:%{USER}(?::[^@]*)?@)?(?:%{URIHOST})?(?:%{URIPATHPARAM})?",
    "MONTH": months,
    "MONTHNUM": "(?:0?[1-9]|1[0-2])",
    "MONTHNUM2": "(?:0[1-9]|1[0-2])",
    "MONTHDAY": "(?:(?:0[1-9])|(?:[12][0-9])|(?:3[01])|[1-9])",
    "DAY": "(?:Mon(?:day)?|Tue(?:sday)?|Wed(?:nesday)?|Thu(?:rsday)?|Fri(?:day)?|Sat(?:urday)?|Sun(?:day)?)",
    "YEAR": #"(?>\d\d){1,2}"#,
    "HOUR": "(?:2[0123]|[01]?[0-9])",
    "MINUTE": "(?:[0-5][0-9])",
    "SECOND": "(?:(?:[0-5]?[0-9]|60)(?:[:.,][0-9]+)?)",
    "TIME": "(?!<[0-9])%{HOUR}:%{MINUTE}(?::%{SECOND})(?![0-9])",
    "DATE_US": "%{MONTHNUM}[/-]%{MONTHDAY}[/-]%{YEAR}",
    "DATE_EU": "%{MONTHDAY}[./-]%{MONTHNUM}[./-]%{YEAR}",
    "ISO8601_TIMEZONE": "(?:Z|[+-]%{HOUR}(?::?%{MINUTE}))",
    "ISO8601_SECOND": "(?:%{SECOND}|60)",
    "TIMESTAMP_ISO8601": "%{YEAR}-%{MONTHNUM}-%{MONTHDAY}[T ]%{HOUR}:?%{MINUTE}(?::?%{SECOND})?%{ISO8601_TIMEZONE}?",
    "DATE": "%{DATE_US}|%{DATE_EU}",
    "DATESTAMP": "%{DATE}[- ]%{TIME}",
    "TZ": "(?:[PMCE][SD]T|UTC)",
    "DATESTAMP_RFC822": "%{DAY} %{MONTH} %{MONTHDAY} %{YEAR} %{TIME} %{TZ}",
    "DATESTAMP_RFC2822": "%{DAY}, %{MONTHDAY} %{MONTH} %{YEAR} %{TIME} %{ISO8601_TIMEZONE}",
    "DATESTAMP_OTHER": "%{DAY} %{MONTH} %{MONTHDAY} %{TIME} %{TZ} %{YEAR}",
    "DATESTAMP_EVENTLOG": "%{YEAR}%{MONTHNUM2}%{MONTHDAY}%{HOUR}%{MINUTE}%{SECOND}",
    "SYSLOGTIMESTAMP": "%{MONTH} +%{MONTHDAY} %{TIME}",
    "PROG": #"(?:[\w._/%-]+)"#,
    "SYSLOGPROG": #"%{PROG:program}(?:\[%{POSINT:pid}\])?"#,
    "SYSLOGHOST": "%{IPORHOST}",
    "SYSLOGFACILITY": "<%{NONNEGINT:facility}.%{NONNEGINT:priority}>",
    "HTTPDATE": "%{MONTHDAY}/%{MONTH}/%{YEAR}:%{TIME} %{INT}",
    "SYSLOGBASE": "%{SYSLOGTIMESTAMP:timestamp} (?:%{SYSLOGFACILITY} )?%{SYSLOGHOST:logsource} %{SYSLOGPROG}:",
    "MESSAGESLOG": "%{SYSLOGBASE} %{DATA}",
    "COMMONAPACHELOG":
      #"%{IPORHOST:clientip} %{USER:ident} %{USER:auth} \[%{HTTPDATE:timestamp}\] "(?:%{WORD:verb} %{NOTSPACE:request}(?: HTTP/%{NUMBER:httpversion})?|%{DATA:rawrequest})" %{NUMBER:response} (?:%{NUMBER:bytes}|-)"#,
    "COMBINEDAPACHELOG": "%{COMMONAPACHELOG} %{QS:referrer} %{QS:agent}",
    "LOGLEVEL":
      "([A|a]lert|ALERT|[T|t]race|TRACE|[D|d]ebug|DEBUG|[N|n]otice|NOTICE|[I|i]nfo|INFO|[W|w]arn?(?:ing)?|WARN?(?:ING)?|[E|e]rr?(?:or)?|ERR?(?:OR)?|[C|c]rit?(?:ical)?|CRIT?(?:ICAL)?|[F|f]atal|FATAL|[S|s]evere|SEVERE|EMERG(?:ENCY)?|[Ee]merg(?:ency)?)",
  ]
}
