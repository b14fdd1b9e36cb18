import Columnar
import QueryErrors

/// Applies SQL operators and functions to single values, as paths need it.
///
/// Kernels work on columns; here each column has one row. Resolved operations are kept by operand types.
///
/// - Threads: one owner.
final class ScalarOperations {
  private struct Key: Hashable {
    var name: String
    var types: [DataType]
  }

  private struct Operation {
    var kernel: Kernel
    var casts: [Kernel?]
    var types: [DataType]
    var returnType: DataType
  }

  private var operations: [Key: Operation?] = [:]
  private let session: SessionContext

  init(session: SessionContext) { self.session = session }

  /// The value of a function or operator.
  ///
  /// - Returns: nil when there is none for these types.
  /// - Throws: the error of the operation itself.
  func call(
    _ name: String, _ arguments: [(value: Scalar, type: DataType)]
  ) throws(QueryError) -> (value: Scalar, type: DataType)? {
    let key = Key(name: name, types: arguments.map(\.type))
    let operation: Operation?
    if let known = operations[key] {
      operation = known
    } else {
      operation = resolve(key)
      operations[key] = .some(operation)
    }
    guard let operation else { return nil }
    var columns: [Column] = []
    for (index, argument) in arguments.enumerated() {
      var column = Column.constant(argument.value, argument.type, count: 1)
      if let cast = operation.casts[index] { column = try run(cast, [column], operation.types[index]) }
      columns.append(column)
    }
    return (try run(operation.kernel, columns, operation.returnType).scalar(0), operation.returnType)
  }

  /// A value as another type; nil when there is no such cast.
  func cast(_ value: Scalar, _ from: DataType, to: DataType) throws(QueryError) -> Scalar? {
    if from == to { return value }
    guard let factory = CastRegistry.makeKernel(from: from, to: to) else { return nil }
    let kernel = try factory(SignatureBinding(argumentTypes: [from], returnType: to))
    return try run(kernel, [.constant(value, from, count: 1)], to).scalar(0)
  }

  private func run(_ kernel: Kernel, _ columns: [Column], _ type: DataType) throws(QueryError) -> Column {
    var context = KernelContext(returnType: type, session: session)
    let result = try kernel(columns, 1, &context)
    if let first = context.errors.first { throw first.error }
    return result
  }

  private func resolve(_ key: Key) -> Operation? {
    guard let function = FunctionRegistry.scalar(key.name),
      let (index, binding) = try? OverloadResolution.resolve(
        name: key.name, function.overloads.map(\.signature), key.types.map { .type($0) }, at: nil),
      let kernel = try? function.overloads[index].makeKernel(binding)
    else { return nil }
    var casts: [Kernel?] = []
    for (from, to) in zip(key.types, binding.argumentTypes) {
      if from == to {
        casts.append(nil)
        continue
      }
      guard let factory = CastRegistry.makeKernel(from: from, to: to),
        let cast = try? factory(SignatureBinding(argumentTypes: [from], returnType: to))
      else { return nil }
      casts.append(cast)
    }
    return Operation(kernel: kernel, casts: casts, types: binding.argumentTypes, returnType: binding.returnType)
  }
}
