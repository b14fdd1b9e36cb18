import SQLFunctions

/// Values written by people, compared with values of a result.
package enum ResultValues {
  /// Texts as results have them in a type: `10.5` is `10.50` in a decimal(10,2). What is no value of the type stays what it is, and
  /// so do texts of arrays, maps and rows.
  package static func canonical(_ texts: [String?], _ type: DataType) -> [String?] {
    texts.map { text in
      guard let text, type != .text, ResultReader.isTold(byText: type) else { return text }
      let builder = ColumnBuilder(.text, capacity: 1)
      builder.append(string: text)
      do throws(QueryError) {
        let batch = try ResultTextTypes([type]).batch(Batch(columns: [builder.finish()], rowCount: 1))
        let value = ResultText(batch.columns[0])
        if value.isNull(0) { return text }
        var bytes: [UInt8] = []
        value.append(0, to: &bytes)
        return String(decoding: bytes, as: UTF8.self)
      } catch { return text }
    }
  }
}
