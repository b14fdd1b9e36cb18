import ObjectStore

/// One request, ready to be sent.
struct HTTPRequest: Sendable {
  var method: String
  var url: String
  var headers: [(name: String, value: String)] = []
  var body: HTTPBody?
  /// Where a successful answer's bytes go; nil keeps them in the answer.
  var target: HTTPTarget?
  /// Stops the transfer at the next byte.
  var cancellation: CancellationFlag?
  /// Seconds for making the connection.
  var connectTimeout = 10
  /// Seconds for the whole exchange; 0 for as long as bytes come.
  var timeout = 0
}

/// A place in memory for an answer's bytes.
struct HTTPTarget: Sendable {
  let buffer: AlignedBuffer
  let offset: Int
  let count: Int
}

/// Bytes that are sent.
struct HTTPBody: @unchecked Sendable {
  let pointer: UnsafeRawPointer?
  let count: Int
  private let owner: AnyObject

  init(_ bytes: [UInt8]) {
    let buffer = AlignedBuffer(capacity: bytes.count)!
    bytes.withUnsafeBytes { buffer.pointer.copyMemory(from: $0.baseAddress ?? UnsafeRawPointer(buffer.pointer), byteCount: $0.count) }
    self.init(buffer, count: bytes.count)
  }

  init(_ buffer: AlignedBuffer, count: Int) {
    pointer = UnsafeRawPointer(buffer.pointer)
    self.count = count
    owner = buffer
  }

  var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: pointer, count: count) }
}

/// What came back.
struct HTTPAnswer: Sendable {
  var status = 0
  /// By name in lower case.
  var headers: [String: String] = [:]
  /// The body, unless it went to the request's target.
  var body: [UInt8] = []
  /// Bytes of the body.
  var byteCount = 0
  /// Why there is no whole answer: libcurl's number and words; nil for an answer of any status.
  var failure: (code: Int, text: String)?

  var isSuccess: Bool { failure == nil && (200..<300).contains(status) }
}
