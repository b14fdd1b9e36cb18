/// What a query costs, by Athena's rule: a price per terabyte, bytes rounded up to the next megabyte, at least ten.
///
/// - Source: Amazon Athena pricing, per-query billing.
public struct ScanBill: Hashable, Sendable {
  public var bytesScanned: Int
  public var bytesBilled: Int
  public var dollars: Double

  /// Megabytes billed at least.
  static let minimumMegabytes = 10

  /// - Parameter isFree: DDL, EXPLAIN, failed queries and those that read no table.
  public init(
    bytesScanned: Int, isFree: Bool, unitBase: EngineConfiguration.UnitBase, dollarsPerTerabyte: Double
  ) {
    self.bytesScanned = bytesScanned
    if isFree {
      bytesBilled = 0
      dollars = 0
      return
    }
    let megabyte = unitBase == .binary ? 1 << 20 : 1_000_000
    let terabyte = unitBase == .binary ? Double(1 << 40) : 1e12
    let megabytes = max(ScanBill.minimumMegabytes, (bytesScanned + megabyte - 1) / megabyte)
    bytesBilled = megabytes * megabyte
    dollars = Double(bytesBilled) / terabyte * dollarsPerTerabyte
  }
}
