import Glibc

/// Numbers with a fixed count of digits after the point, for messages.
enum FixedText {
  /// `12.50` with two decimals.
  static func text(_ value: Double, decimals: Int32) -> String {
    withUnsafeTemporaryAllocation(of: CChar.self, capacity: 400) { room in
      let n = withVaList([decimals, value]) { vsnprintf(room.baseAddress!, room.count, "%.*f", $0) }
      return String(decoding: room.prefix(max(0, min(Int(n), room.count - 1))).map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
  }
}
