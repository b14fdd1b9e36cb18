/// A group of scalar functions documented together; the list is the registry.
package protocol FunctionFamily: SendableMetatype {
  /// As reference pages and `SHOW FUNCTIONS` head it: "String distance".
  static var title: String { get }
  static var functions: [ScalarFunction] { get }
}

/// A group of aggregate functions.
package protocol AggregateFamily: SendableMetatype {
  static var title: String { get }
  static var functions: [AggregateFunction] { get }
}

/// A group of window functions.
package protocol WindowFamily: SendableMetatype {
  static var title: String { get }
  static var functions: [WindowFunction] { get }
}
