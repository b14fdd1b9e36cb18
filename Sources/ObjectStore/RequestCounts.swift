import Synchronization

/// What object services charge a request for.
package enum RequestKind: Sendable {
  /// A page of keys.
  case list
  /// Bytes of an object.
  case get
  /// What is known of an object.
  case head
  /// An object or a part of one written, copied or completed.
  case put
  /// Objects removed, uploads given up: free of charge.
  case delete
}

/// Requests to object services and their bytes, as they went over the wire: failed tries count too, as they are charged.
package struct RequestCounts: Hashable, Sendable {
  package var list = 0
  package var get = 0
  package var head = 0
  package var put = 0
  package var delete = 0
  package var receivedBytes = 0
  package var sentBytes = 0

  package init() {}

  package var total: Int { list + get + head + put + delete }

  /// US dollars for the requests.
  ///
  /// - Source: Amazon S3 pricing, S3 Standard, us-east-1: LIST, PUT, COPY and POST $0.005 per 1,000, GET and all others
  ///   $0.0004 per 1,000, DELETE free.
  package var dollars: Double { Double(list + put) * 0.005 / 1000 + Double(get + head) * 0.0004 / 1000 }
}

/// Counters behind `RequestCounts`.
///
/// - Threads: any.
final class RequestCounters: Sendable {
  private let state = Mutex(RequestCounts())

  func add(_ kind: RequestKind, received: Int, sent: Int) {
    state.withLock { counts in
      switch kind {
      case .list: counts.list += 1
      case .get: counts.get += 1
      case .head: counts.head += 1
      case .put: counts.put += 1
      case .delete: counts.delete += 1
      }
      counts.receivedBytes += received
      counts.sentBytes += sent
    }
  }

  var counts: RequestCounts { state.withLock { $0 } }
}
