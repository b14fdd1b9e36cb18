import Columnar

extension ParquetSchema {
  /// The columns under names that differ, with the SQL types that hold their values.
  var namedColumns: [Field] {
    zip(names.distinct, columns).map { Field($0, $1.naturalType) }
  }
}
