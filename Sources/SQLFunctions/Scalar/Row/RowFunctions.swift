import Columnar
import QueryErrors

/// Functions that make rows.
package enum RowFunctions: FunctionFamily {
  package static let title = "Rows"

  package static let functions: [ScalarFunction] = [
    ScalarFunction(
      "row_constructor", summary: "The row of the arguments: ROW(…).",
      examples: [Example("ROW(1, 'a')", "{field0=1, field1=a}")],
      isHidden: true,
      overloads: [
        ScalarOverload(
          Signature(
            [.t], variadic: true, returns: .exact(.row([])),
            resolve: { types in
              SignatureBinding(
                argumentTypes: types, returnType: .row(types.map { DataType.RowField(name: nil, type: $0) }))
            }),
          propagatesNulls: false
        ) { (_) throws(QueryError) -> Kernel in
          { (columns, n, context) throws(QueryError) -> Column in
            let fields = zip(columns, context.returnType.childTypes).map { $0.retyped($1) }
            return Column(row: context.returnType, count: n, children: fields, validity: nil)
          }
        }
      ])
  ]
}
