/// What kind of failure a code stands for; it decides the exit code and whether `TRY` turns it into NULL.
public enum ErrorKind: String, Sendable {
  /// The statement or its input values are at fault (exit code 1).
  case userError
  /// The files read are damaged or do not fit their schema (exit code 3).
  case badData
  /// A scan limit or budget was exceeded (exit code 4).
  case overLimit
  /// Memory, disk or time ran out (exit code 5).
  case insufficientResources
  /// Files or stores could not be reached (exit code 6).
  case external
  /// The feature does not exist here (exit code 7).
  case notSupported
  /// The query was stopped by its user (exit code 130).
  case cancelled
  /// A defect of sqlq itself.
  case internalError

  /// The process exit code of the command line's contract.
  public var exitCode: Int32 {
    switch self {
    case .userError, .internalError: 1
    case .badData: 3
    case .overLimit: 4
    case .insufficientResources: 5
    case .external: 6
    case .notSupported: 7
    case .cancelled: 130
    }
  }
}

/// The error codes of Athena and Trino; raw values are the names users see.
///
/// - Source: Trino `StandardErrorCode`, `HiveErrorCode`.
public enum ErrorCode: String, Sendable, CaseIterable {
  /// The text is not a statement.
  case syntaxError = "SYNTAX_ERROR"
  case columnNotFound = "COLUMN_NOT_FOUND"
  case tableNotFound = "TABLE_NOT_FOUND"
  case schemaNotFound = "SCHEMA_NOT_FOUND"
  case catalogNotFound = "CATALOG_NOT_FOUND"
  case functionNotFound = "FUNCTION_NOT_FOUND"
  case typeNotFound = "TYPE_NOT_FOUND"
  case typeMismatch = "TYPE_MISMATCH"
  case ambiguousName = "AMBIGUOUS_NAME"
  case ambiguousFunctionCall = "AMBIGUOUS_FUNCTION_CALL"
  case columnTypeUnknown = "COLUMN_TYPE_UNKNOWN"
  case missingColumnName = "MISSING_COLUMN_NAME"
  case missingColumnAliases = "MISSING_COLUMN_ALIASES"
  case mismatchedColumnAliases = "MISMATCHED_COLUMN_ALIASES"
  case duplicateColumnName = "DUPLICATE_COLUMN_NAME"
  case duplicateNamedQuery = "DUPLICATE_NAMED_QUERY"
  case duplicateParameterName = "DUPLICATE_PARAMETER_NAME"
  case duplicateWindowName = "DUPLICATE_WINDOW_NAME"
  case invalidWindowReference = "INVALID_WINDOW_REFERENCE"
  case invalidPartitionBy = "INVALID_PARTITION_BY"
  case nullTreatmentNotAllowed = "NULL_TREATMENT_NOT_ALLOWED"
  case invalidWindowFrame = "INVALID_WINDOW_FRAME"
  case invalidWindowMeasure = "INVALID_WINDOW_MEASURE"
  case invalidLabel = "INVALID_LABEL"
  case invalidRange = "INVALID_RANGE"
  case invalidRowPattern = "INVALID_ROW_PATTERN"
  case invalidProcessingMode = "INVALID_PROCESSING_MODE"
  case invalidNavigationNesting = "INVALID_NAVIGATION_NESTING"
  case invalidPatternRecognitionFunction = "INVALID_PATTERN_RECOGNITION_FUNCTION"
  case nestedRowPatternRecognition = "NESTED_ROW_PATTERN_RECOGNITION"
  case missingRowPattern = "MISSING_ROW_PATTERN"
  case missingVariableDefinitions = "MISSING_VARIABLE_DEFINITIONS"
  case missingOrderBy = "MISSING_ORDER_BY"
  case missingOver = "MISSING_OVER"
  case missingGroupBy = "MISSING_GROUP_BY"
  case nestedWindow = "NESTED_WINDOW"
  case nestedAggregation = "NESTED_AGGREGATION"
  case expressionNotAggregate = "EXPRESSION_NOT_AGGREGATE"
  case expressionNotScalar = "EXPRESSION_NOT_SCALAR"
  case expressionNotConstant = "EXPRESSION_NOT_CONSTANT"
  case expressionNotInDistinct = "EXPRESSION_NOT_IN_DISTINCT"
  case functionNotAggregate = "FUNCTION_NOT_AGGREGATE"
  case functionNotWindow = "FUNCTION_NOT_WINDOW"
  case functionNotScalar = "FUNCTION_NOT_SCALAR"
  case invalidColumnReference = "INVALID_COLUMN_REFERENCE"
  case invalidOrderBy = "INVALID_ORDER_BY"
  case invalidArguments = "INVALID_ARGUMENTS"
  case missingArgument = "MISSING_ARGUMENT"
  case invalidParameterUsage = "INVALID_PARAMETER_USAGE"
  case invalidLimitClause = "INVALID_LIMIT_CLAUSE"
  case invalidRecursiveReference = "INVALID_RECURSIVE_REFERENCE"
  case nestedRecursive = "NESTED_RECURSIVE"
  case invalidLiteral = "INVALID_LITERAL"
  case invalidView = "INVALID_VIEW"
  case viewIsStale = "VIEW_IS_STALE"
  case viewIsRecursive = "VIEW_IS_RECURSIVE"
  case unsupportedSubquery = "UNSUPPORTED_SUBQUERY"
  case tooManyArguments = "TOO_MANY_ARGUMENTS"
  case tooManyGroupingSets = "TOO_MANY_GROUPING_SETS"
  case typeSignatureTooLong = "INVALID_TYPE_DEFINITION"
  case tableAlreadyExists = "TABLE_ALREADY_EXISTS"
  case schemaAlreadyExists = "SCHEMA_ALREADY_EXISTS"
  case schemaNotEmpty = "SCHEMA_NOT_EMPTY"
  /// A query does not keep a condition that its table sets.
  case constraintViolation = "CONSTRAINT_VIOLATION"
  case invalidTableProperty = "INVALID_TABLE_PROPERTY"
  case invalidSchemaProperty = "INVALID_SCHEMA_PROPERTY"
  case invalidCatalogProperty = "INVALID_CATALOG_PROPERTY"
  case invalidSessionProperty = "INVALID_SESSION_PROPERTY"
  case tableHasNoColumns = "TABLE_HAS_NO_COLUMNS"
  case alreadyExists = "ALREADY_EXISTS"
  case notFound = "NOT_FOUND"
  case notSupported = "NOT_SUPPORTED"
  case invalidCastArgument = "INVALID_CAST_ARGUMENT"
  case invalidFunctionArgument = "INVALID_FUNCTION_ARGUMENT"
  case divisionByZero = "DIVISION_BY_ZERO"
  case numericValueOutOfRange = "NUMERIC_VALUE_OUT_OF_RANGE"
  case subqueryMultipleRows = "SUBQUERY_MULTIPLE_ROWS"
  case stackOverflow = "STACK_OVERFLOW"
  case exceededFunctionMemoryLimit = "EXCEEDED_FUNCTION_MEMORY_LIMIT"
  case pathEvaluationError = "PATH_EVALUATION_ERROR"
  case jsonInputConversionError = "JSON_INPUT_CONVERSION_ERROR"
  case jsonOutputConversionError = "JSON_OUTPUT_CONVERSION_ERROR"
  case jsonValueResultError = "JSON_VALUE_RESULT_ERROR"
  /// A SQL/JSON path, or what it is given, cannot work for any input.
  case invalidPath = "INVALID_PATH"
  /// The PLAN of JSON_TABLE does not fit its paths.
  case invalidPlan = "INVALID_PLAN"
  case missingPathName = "MISSING_PATH_NAME"
  case duplicateColumnOrPathName = "DUPLICATE_COLUMN_OR_PATH_NAME"
  /// The session may only read.
  case readOnlyViolation = "READ_ONLY_VIOLATION"
  case genericUserError = "GENERIC_USER_ERROR"
  case userCanceled = "USER_CANCELED"
  case queryTextTooLarge = "QUERY_TEXT_TOO_LARGE"
  case exceededScanLimit = "EXCEEDED_SCAN_LIMIT"
  /// A budget of a workgroup or tag is spent.
  case exceededBudget = "EXCEEDED_BUDGET"
  case exceededTimeLimit = "EXCEEDED_TIME_LIMIT"
  case exceededLocalMemoryLimit = "EXCEEDED_LOCAL_MEMORY_LIMIT"
  case diskFull = "GENERIC_INSUFFICIENT_RESOURCES"
  case hiveBadData = "HIVE_BAD_DATA"
  case hiveCursorError = "HIVE_CURSOR_ERROR"
  case hiveCannotOpenSplit = "HIVE_CANNOT_OPEN_SPLIT"
  case hiveFilesystemError = "HIVE_FILESYSTEM_ERROR"
  case hiveMetastoreError = "HIVE_METASTORE_ERROR"
  case hiveInvalidMetadata = "HIVE_INVALID_METADATA"
  case hiveInvalidPartitionValue = "HIVE_INVALID_PARTITION_VALUE"
  case hivePartitionSchemaMismatch = "HIVE_PARTITION_SCHEMA_MISMATCH"
  case hiveUnknownError = "HIVE_UNKNOWN_ERROR"
  case hivePathAlreadyExists = "HIVE_PATH_ALREADY_EXISTS"
  case hiveColumnOrderMismatch = "HIVE_COLUMN_ORDER_MISMATCH"
  case hiveTooManyOpenPartitions = "HIVE_TOO_MANY_OPEN_PARTITIONS"
  case hiveWriterError = "HIVE_WRITER_DATA_ERROR"
  /// A catalog's source cannot be reached, or says no.
  case foreignSourceError = "JDBC_ERROR"
  case internalError = "GENERIC_INTERNAL_ERROR"

  /// Who or what is at fault.
  public var kind: ErrorKind {
    switch self {
    case .internalError: .internalError
    case .notSupported: .notSupported
    case .userCanceled: .cancelled
    case .exceededScanLimit, .exceededBudget: .overLimit
    case .exceededTimeLimit, .exceededLocalMemoryLimit, .diskFull: .insufficientResources
    case .hiveBadData, .hiveCursorError, .hivePartitionSchemaMismatch, .hiveInvalidPartitionValue: .badData
    case .foreignSourceError, .hiveCannotOpenSplit, .hiveFilesystemError, .hiveMetastoreError, .hiveUnknownError, .hiveWriterError:
      .external
    default: .userError
    }
  }

  /// Whether `TRY` turns this error into NULL.
  ///
  /// - Source: Trino, `TRY`: division by zero, invalid cast or function argument, numeric value out of range.
  public var isCaughtByTry: Bool {
    switch self {
    case .divisionByZero, .invalidCastArgument, .invalidFunctionArgument, .numericValueOutOfRange: true
    default: false
    }
  }

  /// Lets `catch ErrorCode.columnNotFound` match a thrown `QueryError`.
  public static func ~= (pattern: ErrorCode, error: any Error) -> Bool {
    (error as? QueryError)?.code == pattern
  }
}

extension ErrorKind {
  /// Lets `catch ErrorKind.userError` match a thrown `QueryError`.
  public static func ~= (pattern: ErrorKind, error: any Error) -> Bool {
    (error as? QueryError)?.code.kind == pattern
  }
}
