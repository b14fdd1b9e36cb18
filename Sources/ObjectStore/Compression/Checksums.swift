import CDeflate

/// Checksums that file formats keep beside their bytes.
package enum Checksums {
  /// CRC-32 as gzip and Avro have it.
  package static func crc32(_ bytes: UnsafeRawPointer, count: Int) -> UInt32 { libdeflate_crc32(0, bytes, count) }
}
