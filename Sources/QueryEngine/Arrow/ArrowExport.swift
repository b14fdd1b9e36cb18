import CKernels
import Columnar
import Glibc
import QueryErrors

extension Schema {
  /// Fills an `ArrowSchema` of the C data interface: a struct with a field a column.
  ///
  /// - Parameter target: memory of an `ArrowSchema`; whoever has it calls its `release`.
  /// - Throws: `NOT_SUPPORTED` for types whose digits Arrow cannot hold.
  public func exportArrow(to target: UnsafeMutableRawPointer) throws(QueryError) {
    let fields = try ArrowField.fields(self)
    target.assumingMemoryBound(to: ck_arrow_schema.self).initialize(to: ArrowExport.schema("", "+s", fields.map { ($0, true) }, 0))
  }
}

extension Batch {
  /// Fills an `ArrowArray` of the C data interface with the batch's columns: a struct array whose type is `schema`'s.
  ///
  /// Numbers, dates and times lie where the batch has them; texts are laid out anew, since Arrow's have no prefixes.
  ///
  /// - Parameter target: memory of an `ArrowArray`; whoever has it calls its `release`, on any thread.
  /// - Throws: `NOT_SUPPORTED`, `NUMERIC_VALUE_OUT_OF_RANGE` for values that Arrow cannot hold.
  public func exportArrow(schema: Schema, to target: UnsafeMutableRawPointer) throws(QueryError) {
    var children: [ArrowArray] = []
    for (column, field) in zip(columns, try ArrowField.fields(schema)) { children.append(try ArrowArray(column, field.type)) }
    let whole = ArrowArray(row: rowCount, children)
    target.assumingMemoryBound(to: ck_arrow_array.self).initialize(to: ArrowExport.array(whole))
  }
}

/// Makes the structs of the Arrow C data interface, and gives back what they hold.
private enum ArrowExport {
  /// Keeps the buffers of an array alive until its release.
  final class Holder {
    let buffers: [ArrowArray.Bytes?]
    init(_ buffers: [ArrowArray.Bytes?]) { self.buffers = buffers }
  }

  static let isNullableFlag: Int64 = 2

  static func schema(
    _ name: String, _ format: String, _ children: [(field: ArrowField, isNullable: Bool)], _ flags: Int64
  ) -> ck_arrow_schema {
    let list = allocate(children.count, of: UnsafeMutablePointer<ck_arrow_schema>?.self)
    for (index, child) in children.enumerated() {
      let place = UnsafeMutablePointer<ck_arrow_schema>.allocate(capacity: 1)
      place.initialize(
        to: schema(child.field.name, child.field.type.format, child.field.children, child.isNullable ? isNullableFlag : 0))
      list?[index] = place
    }
    return ck_arrow_schema(
      format: UnsafePointer(strdup(format)), name: UnsafePointer(strdup(name)), metadata: nil, flags: flags,
      n_children: Int64(children.count), children: list, dictionary: nil, release: releaseSchema, private_data: nil)
  }

  static func array(_ array: ArrowArray) -> ck_arrow_array {
    let buffers = allocate(array.buffers.count, of: UnsafeRawPointer?.self)
    for (index, bytes) in array.buffers.enumerated() { buffers?[index] = bytes.map { UnsafeRawPointer($0.buffer.pointer) } }
    let children = allocate(array.children.count, of: UnsafeMutablePointer<ck_arrow_array>?.self)
    for (index, child) in array.children.enumerated() {
      let place = UnsafeMutablePointer<ck_arrow_array>.allocate(capacity: 1)
      place.initialize(to: self.array(child))
      children?[index] = place
    }
    return ck_arrow_array(
      length: Int64(array.length), null_count: Int64(array.nullCount), offset: 0, n_buffers: Int64(array.buffers.count),
      n_children: Int64(array.children.count), buffers: buffers, children: children, dictionary: nil, release: releaseArray,
      private_data: Unmanaged.passRetained(Holder(array.buffers)).toOpaque())
  }

  private static func allocate<T>(_ count: Int, of type: T.Type) -> UnsafeMutablePointer<T>? {
    count == 0 ? nil : .allocate(capacity: count)
  }

  /// A consumer may have moved a child away, which leaves it without `release`.
  private static let releaseSchema: @convention(c) (UnsafeMutablePointer<ck_arrow_schema>?) -> Void = { place in
    guard let place else { return }
    for index in 0..<Int(place.pointee.n_children) {
      guard let child = place.pointee.children[index] else { continue }
      child.pointee.release?(child)
      child.deallocate()
    }
    place.pointee.children?.deallocate()
    free(UnsafeMutableRawPointer(mutating: place.pointee.format))
    free(UnsafeMutableRawPointer(mutating: place.pointee.name))
    place.pointee.release = nil
  }

  private static let releaseArray: @convention(c) (UnsafeMutablePointer<ck_arrow_array>?) -> Void = { place in
    guard let place else { return }
    for index in 0..<Int(place.pointee.n_children) {
      guard let child = place.pointee.children[index] else { continue }
      child.pointee.release?(child)
      child.deallocate()
    }
    place.pointee.children?.deallocate()
    place.pointee.buffers?.deallocate()
    if let holder = place.pointee.private_data { Unmanaged<Holder>.fromOpaque(holder).release() }
    place.pointee.release = nil
  }
}
