// What the embedded API hands out: errors, types, columns and batches; and what it takes: connectors.
@_exported public import Columnar
@_exported public import ConnectorSDK
@_exported public import QueryErrors
