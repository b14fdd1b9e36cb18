import Columnar

/// The keys of partition folders in the order they are met, and which types all of their values have.
struct PartitionKeys {
  private struct Key {
    var name: String
    var hasValue = false
    var isWhole = true
    var isDate = true
    /// Values that were looked at.
    var seen: Set<String> = []
  }

  private var keys: [Key] = []
  private var places: [String: Int] = [:]

  /// Adds a folder's key and value; whether the columns changed by it.
  @discardableResult
  mutating func add(_ key: String, _ value: String?) -> Bool {
    let name = key.lowercased()
    let isNew = places[name] == nil
    if isNew {
      places[name] = keys.count
      keys.append(Key(name: name))
    }
    let index = places[name]!
    guard let value, keys[index].seen.insert(value).inserted else { return isNew }
    let before = type(keys[index])
    keys[index].hasValue = true
    keys[index].isWhole = keys[index].isWhole && PartitionKeys.isWhole(value)
    keys[index].isDate = keys[index].isDate && PartitionValue.days(value) != nil
    return isNew || type(keys[index]) != before
  }

  /// The columns that the keys give, names in lower case.
  var columns: [Field] { keys.map { Field($0.name, type($0)) } }

  /// bigint when all values are whole numbers, date when all are dates, else varchar.
  private func type(_ key: Key) -> DataType {
    if !key.hasValue { return .text }
    if key.isWhole { return .bigint }
    return key.isDate ? .date : .text
  }

  /// Whether a value of a column read as `type` says the same as its text.
  static func fits(_ text: String, _ type: DataType) -> Bool {
    switch type {
    case .bigint: isWhole(text)
    case .date: PartitionValue.days(text) != nil
    default: true
    }
  }

  /// Whether nothing is lost when the text becomes a number. Zeros in front mean text (`zip=00501`), unless they fill a
  /// part of a date or time to two digits (`month=05`).
  private static func isWhole(_ text: String) -> Bool {
    let digits = text.utf8.first == UInt8(ascii: "-") ? text.utf8.dropFirst() : text.utf8[...]
    guard !digits.isEmpty, digits.count <= 19, digits.allSatisfy({ $0 &- 0x30 <= 9 }) else { return false }
    if digits.first == UInt8(ascii: "0"), digits.count > 1 || digits.count < text.utf8.count {
      return text.utf8.count == 2 && digits.count == 2
    }
    return Int64(text) != nil
  }
}
