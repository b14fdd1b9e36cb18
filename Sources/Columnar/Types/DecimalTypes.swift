/// The result types of decimal arithmetic.
///
/// - Source: Trino `DecimalOperators`, release 401.
public enum DecimalTypes {
  /// `a + b` and `a - b`.
  public static func sum(_ p: Int, _ s: Int, _ q: Int, _ t: Int) -> DataType {
    let scale = max(s, t)
    return .decimal(precision: min(38, scale + max(p - s, q - t) + 1), scale: scale)
  }

  /// `a * b`; nil when the scale passes 38.
  public static func product(_ p: Int, _ s: Int, _ q: Int, _ t: Int) -> DataType {
    .decimal(precision: min(38, p + q), scale: s + t)
  }

  /// `a / b`.
  public static func quotient(_ p: Int, _ s: Int, _ q: Int, _ t: Int) -> DataType {
    .decimal(precision: min(38, p + t + max(t - s, 0)), scale: max(s, t))
  }

  /// `a % b`.
  public static func remainder(_ p: Int, _ s: Int, _ q: Int, _ t: Int) -> DataType {
    .decimal(precision: max(1, min(q - t, p - s) + max(s, t)), scale: max(s, t))
  }
}
