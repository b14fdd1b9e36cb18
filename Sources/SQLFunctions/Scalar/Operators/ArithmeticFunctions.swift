import Columnar
import QueryErrors

/// `+ - * / %` and negation of numbers; dates and intervals add their forms in `DateTimeArithmeticFunctions`.
package enum ArithmeticFunctions: FunctionFamily {
  package static let title = "Arithmetic operators"

  package static let functions: [ScalarFunction] = [
    operation(
      "+", "Adds two values.", [Example("1 + 2", "3"), Example("1.5 + 2", "3.5")],
      integers { op in
        switch op {
        case .tinyint: addition(Int8.self, .tinyint)
        case .smallint: addition(Int16.self, .smallint)
        case .integer: addition(Int32.self, .integer)
        default: addition(Int64.self, .bigint)
        }
      } + [
        floating(Float.self, .real, .add), floating(Double.self, .double, .add),
        DecimalArithmetic.addition(subtracts: false),
      ] + DateTimeArithmetic.additions),
    operation(
      "-", "Subtracts the second value from the first.", [Example("5 - 7", "-2")],
      integers { op in
        switch op {
        case .tinyint: subtraction(Int8.self, .tinyint)
        case .smallint: subtraction(Int16.self, .smallint)
        case .integer: subtraction(Int32.self, .integer)
        default: subtraction(Int64.self, .bigint)
        }
      } + [
        floating(Float.self, .real, .subtract), floating(Double.self, .double, .subtract),
        DecimalArithmetic.addition(subtracts: true),
      ] + DateTimeArithmetic.subtractions),
    operation(
      "*", "Multiplies two values.", [Example("6 * 7", "42")],
      integers { op in
        switch op {
        case .tinyint: multiplication(Int8.self, .tinyint)
        case .smallint: multiplication(Int16.self, .smallint)
        case .integer: multiplication(Int32.self, .integer)
        default: multiplication(Int64.self, .bigint)
        }
      } + [
        floating(Float.self, .real, .multiply), floating(Double.self, .double, .multiply),
        DecimalArithmetic.multiplication,
      ] + DateTimeArithmetic.multiplications),
    operation(
      "/", "Divides the first value by the second; integers truncate.", [Example("7 / 2", "3"), Example("7 / 2e0", "3.5")],
      integers { op in
        switch op {
        case .tinyint: division(Int8.self, .tinyint)
        case .smallint: division(Int16.self, .smallint)
        case .integer: division(Int32.self, .integer)
        default: division(Int64.self, .bigint)
        }
      } + [
        floating(Float.self, .real, .divide), floating(Double.self, .double, .divide),
        DecimalArithmetic.division,
      ] + DateTimeArithmetic.divisions),
    operation(
      "%", "The remainder of dividing the first value by the second.", [Example("7 % 4", "3")],
      integers { op in
        switch op {
        case .tinyint: remainder(Int8.self, .tinyint)
        case .smallint: remainder(Int16.self, .smallint)
        case .integer: remainder(Int32.self, .integer)
        default: remainder(Int64.self, .bigint)
        }
      } + [
        floating(Float.self, .real, .remainder), floating(Double.self, .double, .remainder),
        DecimalArithmetic.remainder,
      ]),
    operation(
      "negate", "The value with the other sign.", [],
      integers { op in
        switch op {
        case .tinyint: negation(Int8.self, .tinyint)
        case .smallint: negation(Int16.self, .smallint)
        case .integer: negation(Int32.self, .integer)
        default: negation(Int64.self, .bigint)
        }
      } + [
        .columns([.real], returns: .real) { (columns, n, context) throws(QueryError) -> Column in
          negatedColumn(columns, n, context.returnType, Float.self)
        },
        .columns([.double], returns: .double) { (columns, n, context) throws(QueryError) -> Column in
          negatedColumn(columns, n, context.returnType, Double.self)
        }, DecimalArithmetic.negation,
      ] + DateTimeArithmetic.negations),
  ]

  private static func operation(
    _ name: String, _ summary: String, _ examples: [Example], _ overloads: [ScalarOverload]
  ) -> ScalarFunction {
    ScalarFunction(name, summary: summary, examples: examples, isHidden: true, overloads: overloads)
  }

  private static func integers(_ make: (DataType) -> ScalarOverload) -> [ScalarOverload] {
    [make(.tinyint), make(.smallint), make(.integer), make(.bigint)]
  }

  // MARK: Integers

  @inline(__always)
  private static func addition<T: FixedWidthInteger & KernelValue>(_: T.Type, _ type: DataType) -> ScalarOverload {
    .columns([.exact(type), .exact(type)], returns: .exact(type)) { (columns, n, context) throws(QueryError) -> Column in
      var errors = context.errors
      defer { context.errors = errors }
      return checkedBinaryColumn(columns, n, type, T.self, T.self, T.self) { a, b in
        let r = a &+ b
        return (r, Int64(truncatingIfNeeded: (a ^ r) & (b ^ r)))
      } onFailure: { row, a, b in
        errors.record(row, .numericValueOutOfRange, "\(type) addition overflow: \(a) + \(b)")
      }
    }
  }

  @inline(__always)
  private static func subtraction<T: FixedWidthInteger & KernelValue>(_: T.Type, _ type: DataType) -> ScalarOverload {
    .columns([.exact(type), .exact(type)], returns: .exact(type)) { (columns, n, context) throws(QueryError) -> Column in
      var errors = context.errors
      defer { context.errors = errors }
      return checkedBinaryColumn(columns, n, type, T.self, T.self, T.self) { a, b in
        let r = a &- b
        return (r, Int64(truncatingIfNeeded: (a ^ b) & (a ^ r)))
      } onFailure: { row, a, b in
        errors.record(row, .numericValueOutOfRange, "\(type) subtraction overflow: \(a) - \(b)")
      }
    }
  }

  @inline(__always)
  private static func multiplication<T: FixedWidthInteger & KernelValue>(_: T.Type, _ type: DataType) -> ScalarOverload {
    .columns([.exact(type), .exact(type)], returns: .exact(type)) { (columns, n, context) throws(QueryError) -> Column in
      var errors = context.errors
      defer { context.errors = errors }
      return checkedBinaryColumn(columns, n, type, T.self, T.self, T.self) { a, b in
        if T.bitWidth < 64 {
          // The product fits in 64 bits; it overflows when narrowing changes it.
          let wide = Int64(truncatingIfNeeded: a) &* Int64(truncatingIfNeeded: b)
          let r = T(truncatingIfNeeded: wide)
          return (r, flag(Int64(truncatingIfNeeded: r) != wide))
        }
        let (r, overflows) = a.multipliedReportingOverflow(by: b)
        return (r, flag(overflows))
      } onFailure: { row, a, b in
        errors.record(row, .numericValueOutOfRange, "\(type) multiplication overflow: \(a) * \(b)")
      }
    }
  }

  @inline(__always)
  private static func division<T: FixedWidthInteger & KernelValue>(_: T.Type, _ type: DataType) -> ScalarOverload {
    .columns([.exact(type), .exact(type)], returns: .exact(type)) { (columns, n, context) throws(QueryError) -> Column in
      var errors = context.errors
      defer { context.errors = errors }
      return checkedBinaryColumn(columns, n, type, T.self, T.self, T.self) { a, b in
        let (r, fails) = a.dividedReportingOverflow(by: b)
        return (r, flag(fails))
      } onFailure: { row, a, b in
        if b == 0 {
          errors.record(row, .divisionByZero, "Division by zero")
        } else {
          errors.record(row, .numericValueOutOfRange, "\(type) division overflow: \(a) / \(b)")
        }
      }
    }
  }

  @inline(__always)
  private static func remainder<T: FixedWidthInteger & KernelValue>(_: T.Type, _ type: DataType) -> ScalarOverload {
    .columns([.exact(type), .exact(type)], returns: .exact(type)) { (columns, n, context) throws(QueryError) -> Column in
      var errors = context.errors
      defer { context.errors = errors }
      return checkedBinaryColumn(columns, n, type, T.self, T.self, T.self) { a, b in
        // min % -1 is 0, though its quotient overflows.
        (b == 0 || b == -1 ? 0 : a % b, flag(b == 0))
      } onFailure: { row, a, b in
        errors.record(row, .divisionByZero, "Division by zero")
      }
    }
  }

  @inline(__always)
  private static func negation<T: FixedWidthInteger & KernelValue>(_: T.Type, _ type: DataType) -> ScalarOverload {
    .columns([.exact(type)], returns: .exact(type)) { (columns, n, context) throws(QueryError) -> Column in
      let values = Buffer(byteCount: n &* MemoryLayout<T>.stride)
      var fails = false
      fillUnary(columns[0], n, values.typed(T.self)) { (a: T) -> T in
        fails = fails || a == T.min
        return 0 &- a
      }
      let validity = columns[0].validity
      if fails {
        let x = columns[0].view
        for row in 0..<n where validity.map({ $0[row] }) ?? true {
          if x.value(row, as: T.self) == T.min {
            context.errors.record(row, .numericValueOutOfRange, "\(type) negation overflow: \(T.min)")
          }
        }
      }
      return Column(flat: type, count: n, values: values, validity: validity)
    }
  }

  // MARK: Floating point

  private enum FloatingOperation { case add, subtract, multiply, divide, remainder }

  @inline(__always)
  private static func floating<T: BinaryFloatingPoint & KernelValue>(
    _: T.Type, _ type: DataType, _ operation: FloatingOperation
  ) -> ScalarOverload {
    .columns([.exact(type), .exact(type)], returns: .exact(type)) { (columns, n, context) throws(QueryError) -> Column in
      switch operation {
      case .add: binaryColumn(columns, n, type, T.self, T.self, T.self) { $0 + $1 }
      case .subtract: binaryColumn(columns, n, type, T.self, T.self, T.self) { $0 - $1 }
      case .multiply: binaryColumn(columns, n, type, T.self, T.self, T.self) { $0 * $1 }
      case .divide: binaryColumn(columns, n, type, T.self, T.self, T.self) { $0 / $1 }
      case .remainder:
        binaryColumn(columns, n, type, T.self, T.self, T.self) { $0.truncatingRemainder(dividingBy: $1) }
      }
    }
  }

  @inline(__always)
  private static func negatedColumn<T: BinaryFloatingPoint & KernelValue>(
    _ columns: [Column], _ n: Int, _ type: DataType, _: T.Type
  ) -> Column {
    let values = Buffer(byteCount: n &* MemoryLayout<T>.stride)
    fillUnary(columns[0], n, values.typed(T.self)) { (a: T) -> T in -a }
    return Column(flat: type, count: n, values: values, validity: columns[0].validity)
  }
}
