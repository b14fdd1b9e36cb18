// What the embedded API hands out: errors, types, columns and batches.
@_exported public import Columnar
@_exported public import QueryErrors
