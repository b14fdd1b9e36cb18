/// The implicit conversions between types: which casts the binder may insert by itself.
///
/// - Source: Trino `io.trino.type.TypeCoercion`.
public enum TypeCoercion {
  /// The longest char.
  public static let maxCharLength = 65_536

  /// Whether a value of type `from` may stand where `to` is wanted.
  public static func canCoerce(_ from: DataType, to: DataType) -> Bool {
    if from == to { return true }
    return compatibility(from, to)?.isCoercible ?? false
  }

  /// The smallest type both coerce to.
  public static func commonSuperType(_ a: DataType, _ b: DataType) -> DataType? {
    if a == b { return a }
    return compatibility(a, b)?.commonSuperType
  }

  /// The common super type of all; nil when there is none or the list is empty.
  public static func commonSuperType(of types: [DataType]) -> DataType? {
    guard var result = types.first else { return nil }
    for type in types.dropFirst() {
      guard let common = commonSuperType(result, type) else { return nil }
      result = common
    }
    return result
  }

  /// Whether the conversion changes nothing in memory, so that the column only needs another type.
  public static func isTypeOnly(_ from: DataType, to: DataType) -> Bool {
    switch (from, to) {
    case _ where from == to: return true
    case (.varchar(let a), .varchar(let b)):
      guard let b else { return true }
      return a.map { $0 <= b } ?? false
    case (.char(let a), .char(let b)): return a <= b
    case (.decimal(let p, let s), .decimal(let q, let t)):
      return s == t && p <= q
        && (p <= DataType.maxShortDecimalPrecision) == (q <= DataType.maxShortDecimalPrecision)
    case (.timestamp(let p), .timestamp(let q)):
      return p <= q && (p <= DataType.maxShortTimestampPrecision) == (q <= DataType.maxShortTimestampPrecision)
    case (.time(let p), .time(let q)), (.timeWithTimeZone(let p), .timeWithTimeZone(let q)),
      (.timestampWithTimeZone(let p), .timestampWithTimeZone(let q)):
      return p <= q
    case (.array(let a), .array(let b)): return isTypeOnly(a, to: b)
    case (.map(let k, let v), .map(let l, let w)): return isTypeOnly(k, to: l) && isTypeOnly(v, to: w)
    case (.row(let a), .row(let b)):
      return a.count == b.count && zip(a, b).allSatisfy { isTypeOnly($0.type, to: $1.type) }
    case (.varchar, .jsonPath), (.p4HyperLogLog, .hyperLogLog): return true
    default: return false
    }
  }

  private struct Compatibility {
    var commonSuperType: DataType
    /// Whether the first type coerces to the second.
    var isCoercible: Bool
  }

  /// What two types have in common, seen from `from`; nil when nothing.
  private static func compatibility(_ from: DataType, _ to: DataType) -> Compatibility? {
    if from == to { return Compatibility(commonSuperType: to, isCoercible: true) }
    if from == .unknown { return Compatibility(commonSuperType: to, isCoercible: true) }
    if to == .unknown { return Compatibility(commonSuperType: from, isCoercible: false) }
    switch (from, to) {
    case (.decimal(let p, let s), .decimal(let q, let t)):
      let scale = max(s, t)
      let precision = min(DataType.maxDecimalPrecision, max(p - s, q - t) + scale)
      return same(.decimal(precision: precision, scale: scale), to)
    case (.varchar(let a), .varchar(let b)):
      guard let a, let b else { return same(.varchar(length: nil), to) }
      return same(.varchar(length: max(a, b)), to)
    case (.char(let a), .char(let b)): return same(.char(length: max(a, b)), to)
    case (.time(let p), .time(let q)): return same(.time(precision: max(p, q)), to)
    case (.timeWithTimeZone(let p), .timeWithTimeZone(let q)):
      return same(.timeWithTimeZone(precision: max(p, q)), to)
    case (.timestamp(let p), .timestamp(let q)): return same(.timestamp(precision: max(p, q)), to)
    case (.timestampWithTimeZone(let p), .timestampWithTimeZone(let q)):
      return same(.timestampWithTimeZone(precision: max(p, q)), to)
    case (.array(let a), .array(let b)):
      guard let element = compatibility(a, b) else { return nil }
      return Compatibility(commonSuperType: .array(element.commonSuperType), isCoercible: element.isCoercible)
    case (.map(let k, let v), .map(let l, let w)):
      guard let key = compatibility(k, l), let value = compatibility(v, w) else { return nil }
      return Compatibility(
        commonSuperType: .map(key: key.commonSuperType, value: value.commonSuperType),
        isCoercible: key.isCoercible && value.isCoercible)
    case (.row(let a), .row(let b)):
      guard a.count == b.count else { return nil }
      var fields: [DataType.RowField] = []
      var isCoercible = true
      for (x, y) in zip(a, b) {
        guard let field = compatibility(x.type, y.type) else { return nil }
        fields.append(.init(name: x.name == y.name ? x.name : nil, type: field.commonSuperType))
        isCoercible = isCoercible && field.isCoercible
      }
      return Compatibility(commonSuperType: .row(fields), isCoercible: isCoercible)
    default: break
    }
    if let coerced = coerced(from, toBaseOf: to) { return compatibility(coerced, to) }
    if let coerced = coerced(to, toBaseOf: from), let back = compatibility(from, coerced) {
      return Compatibility(commonSuperType: back.commonSuperType, isCoercible: false)
    }
    return nil
  }

  private static func same(_ common: DataType, _ to: DataType) -> Compatibility {
    Compatibility(commonSuperType: common, isCoercible: common == to)
  }

  /// The narrowest type with the base name of `target` that holds every value of `source`.
  public static func coerced(_ source: DataType, toBaseOf target: DataType) -> DataType? {
    if source == .unknown {
      switch target {
      case .varchar: return .varchar(length: 0)
      case .char: return .char(length: 0)
      case .decimal: return .decimal(precision: 1, scale: 0)
      case .time: return .time(precision: 0)
      case .timeWithTimeZone: return .timeWithTimeZone(precision: 0)
      case .timestamp: return .timestamp(precision: 0)
      case .timestampWithTimeZone: return .timestampWithTimeZone(precision: 0)
      default: return target
      }
    }
    switch (source, target) {
    case (.tinyint, .smallint), (.tinyint, .integer), (.tinyint, .bigint), (.tinyint, .real), (.tinyint, .double),
      (.smallint, .integer), (.smallint, .bigint), (.smallint, .real), (.smallint, .double),
      (.integer, .bigint), (.integer, .real), (.integer, .double),
      (.bigint, .real), (.bigint, .double), (.decimal, .real), (.decimal, .double), (.real, .double):
      return target
    case (.tinyint, .decimal): return .decimal(precision: 3, scale: 0)
    case (.smallint, .decimal): return .decimal(precision: 5, scale: 0)
    case (.integer, .decimal): return .decimal(precision: 10, scale: 0)
    case (.bigint, .decimal): return .decimal(precision: 19, scale: 0)
    case (.date, .timestamp): return .timestamp(precision: 0)
    case (.date, .timestampWithTimeZone): return .timestampWithTimeZone(precision: 0)
    case (.time(let p), .timeWithTimeZone): return .timeWithTimeZone(precision: p)
    case (.timestamp(let p), .timestampWithTimeZone): return .timestampWithTimeZone(precision: p)
    case (.varchar(let length), .char): return .char(length: min(maxCharLength, length ?? maxCharLength))
    case (.varchar, .jsonPath), (.char, .jsonPath): return .jsonPath
    case (.p4HyperLogLog, .hyperLogLog): return .hyperLogLog
    default: return nil
    }
  }
}
