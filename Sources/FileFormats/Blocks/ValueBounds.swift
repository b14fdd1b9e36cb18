import Columnar

/// What metadata tells of the least and the greatest value in some stretch of rows, in the type that a query asked for.
struct ValueBounds {
  private(set) var min: Scalar?
  private(set) var max: Scalar?
  /// Whether both occur among the values.
  private(set) var isExact = false
  /// Whether there were bounds of which the least is above the greatest: they are left out.
  private(set) var isContradictory = false

  static let unknown = ValueBounds(min: nil, max: nil)

  /// Both or none: one bound alone is not used.
  init(min: Scalar?, max: Scalar?, isExact: Bool = false) {
    guard let min, let max, let order = Scalar.order(min, max) else { return }
    if order > 0 {
      isContradictory = true
      return
    }
    self.min = min
    self.max = max
    self.isExact = isExact
  }
}
