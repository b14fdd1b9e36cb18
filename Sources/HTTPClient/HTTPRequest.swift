package import ObjectStore

/// One request, ready to be sent.
package struct HTTPRequest: Sendable {
  package var method: String
  package var url: String
  package var headers: [(name: String, value: String)] = []
  package var body: HTTPBody?
  /// Where a successful answer's bytes go; nil keeps them in the answer.
  package var target: HTTPTarget?
  /// Stops the transfer at the next byte.
  package var cancellation: CancellationFlag?
  /// Seconds for making the connection.
  package var connectTimeout: Int
  /// Seconds for the whole exchange; 0 for as long as bytes come.
  package var timeout: Int
  /// Sent by HTTP's scheme Basic.
  package var login: (user: String, password: String)?
  /// Bytes of an answer that is kept in memory, at most.
  package var largestBody = 64 << 20

  package init(
    method: String, url: String, headers: [(name: String, value: String)] = [], body: HTTPBody? = nil, target: HTTPTarget? = nil,
    cancellation: CancellationFlag? = nil, connectTimeout: Int = 10, timeout: Int = 0
  ) {
    self.method = method
    self.url = url
    self.headers = headers
    self.body = body
    self.target = target
    self.cancellation = cancellation
    self.connectTimeout = connectTimeout
    self.timeout = timeout
  }
}

/// A place in memory for an answer's bytes.
package struct HTTPTarget: Sendable {
  let buffer: AlignedBuffer
  let offset: Int
  package let count: Int

  package init(buffer: AlignedBuffer, offset: Int, count: Int) {
    self.buffer = buffer
    self.offset = offset
    self.count = count
  }
}

/// Bytes that are sent.
package struct HTTPBody: @unchecked Sendable {
  let pointer: UnsafeRawPointer?
  package let count: Int
  private let owner: AnyObject

  package init(_ bytes: [UInt8]) {
    let buffer = AlignedBuffer(capacity: bytes.count)!
    bytes.withUnsafeBytes { buffer.pointer.copyMemory(from: $0.baseAddress ?? UnsafeRawPointer(buffer.pointer), byteCount: $0.count) }
    self.init(buffer, count: bytes.count)
  }

  package init(_ buffer: AlignedBuffer, count: Int) {
    pointer = UnsafeRawPointer(buffer.pointer)
    self.count = count
    owner = buffer
  }

  package var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: pointer, count: count) }
}

/// What came back.
package struct HTTPAnswer: Sendable {
  package var status = 0
  /// By name in lower case.
  package var headers: [String: String] = [:]
  /// The body, unless it went to the request's target.
  package var body: [UInt8] = []
  /// Bytes of the body.
  package var byteCount = 0
  /// Why there is no whole answer: libcurl's number and words; nil for an answer of any status.
  package var failure: (code: Int, text: String)?
  /// Whether it failed because the body is larger than the request allows.
  package var isTooLarge = false

  package var isSuccess: Bool { failure == nil && (200..<300).contains(status) }
}
