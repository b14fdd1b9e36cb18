import Foundation
import Glibc
import Synchronization

/// Stands between a client and a server on 127.0.0.1 and does one thing wrong to what the server sends.
final class FaultyWire: Sendable {
  enum Fault: Sendable {
    case none
    /// Bytes are counted from the signature that a binary COPY begins with.
    case damage(behindSignature: Int)
    case cut(behindSignature: Int)
    case stall(behindSignature: Int)
    /// Does something once before the client's first prepared statement goes on.
    case meanwhile(@Sendable () -> Void)
  }

  let port: Int
  private let listener: Int32
  private let serverPort: Int
  private let fault: Fault
  private let wasDone = Atomic<Bool>(false)

  struct Failure: Error {}

  init(to serverPort: Int, _ fault: Fault) throws {
    self.serverPort = serverPort
    self.fault = fault
    let listener = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    self.listener = listener
    var address = FaultyWire.address(0)
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    let bound = withUnsafeMutablePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        bind(listener, $0, length) == 0 && listen(listener, 16) == 0 && getsockname(listener, $0, &length) == 0
      }
    }
    guard bound else { throw Failure() }
    port = Int(UInt16(bigEndian: address.sin_port))
    Thread.detachNewThread { [self] in accept() }
  }

  /// A loopback address.
  private static func address(_ port: Int) -> sockaddr_in {
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = UInt16(port).bigEndian
    address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
    return address
  }

  private func accept() {
    while true {
      let client = Glibc.accept(listener, nil, nil)
      guard client >= 0 else { return }
      let server = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
      var address = FaultyWire.address(serverPort)
      _ = withUnsafePointer(to: &address) {
        $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { connect(server, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) }
      }
      Thread.detachNewThread { [self] in
        FaultyWire.pump(client, server) { [self] bytes in
          // Parse messages begin with a P.
          if case .meanwhile(let body) = fault, bytes.first == UInt8(ascii: "P"),
            wasDone.exchange(true, ordering: .relaxed) == false
          {
            body()
          }
          return true
        }
      }
      Thread.detachNewThread { [self] in
        var seen: [UInt8] = []
        var behind: Int?
        FaultyWire.pump(server, client) { [self] bytes in
          if behind == nil {
            seen = bytes
            if let at = seen.firstRange(of: Array("PGCOPY\n".utf8))?.lowerBound { behind = -at }
          }
          guard let start = behind else { return true }
          behind = start + bytes.count
          switch fault {
          case .damage(let offset):
            let place = offset - start
            if bytes.indices.contains(place) { bytes[place] ^= 0x55 }
          case .cut(let offset): return behind! < offset
          case .stall(let offset) where behind! >= offset: Thread.sleep(forTimeInterval: 30)
          default: break
          }
          return true
        }
      }
    }
  }

  /// Carries bytes until one side ends or `change` says so; then both are closed.
  private static func pump(_ from: Int32, _ to: Int32, _ change: (inout [UInt8]) -> Bool) {
    var buffer = [UInt8](repeating: 0, count: 16_384)
    while true {
      let count = recv(from, &buffer, buffer.count, 0)
      if count <= 0 { break }
      var bytes = Array(buffer[..<count])
      if !change(&bytes) { break }
      var sent = 0
      while sent < bytes.count {
        let more = bytes.withUnsafeBytes { send(to, $0.baseAddress! + sent, bytes.count - sent, Int32(MSG_NOSIGNAL)) }
        if more <= 0 { break }
        sent += more
      }
    }
    shutdown(from, Int32(SHUT_RDWR))
    shutdown(to, Int32(SHUT_RDWR))
  }
}
