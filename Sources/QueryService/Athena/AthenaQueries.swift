import QueryEngine
import QueryErrors
import Synchronization

/// Starting, watching, stopping and listing queries.
extension AthenaService {
  static let queryID = InputShape.Member.string("QueryExecutionId", 1...1024, required: true)

  static let queryOperations: [String: Operation] = [
    "StartQueryExecution": Operation([
      .string("QueryString", 1...262_144, required: true), .string("ClientRequestToken", 32...128),
      .structure("QueryExecutionContext", [.string("Database", 1...255), .string("Catalog", 1...256)]),
      .structure(
        "ResultConfiguration",
        [.string("OutputLocation"), .structure("EncryptionConfiguration"), .string("ExpectedBucketOwner"), .structure("AclConfiguration")]),
      .string("WorkGroup", workgroupName), .list("ExecutionParameters", 1...Int(Int32.max)),
      .structure(
        "ResultReuseConfiguration",
        [
          .structure(
            "ResultReuseByAgeConfiguration", [.boolean("Enabled", required: true), .integer("MaxAgeInMinutes", minimum: 0, maximum: 10080)])
        ]),
      .structure("EngineConfiguration"),
    ]) { try $0.start($1) },
    "GetQueryExecution": Operation([queryID]) { service, input in
      ["QueryExecution": try service.describe(try service.record(input))]
    },
    "StopQueryExecution": Operation([queryID]) { service, input in
      let record = try service.record(input)
      service.liveQuery(record.id)?.execution.cancel()
      return [:]
    },
    "BatchGetQueryExecution": Operation([.list("QueryExecutionIds", 1...50, required: true)]) { service, input in
      var (found, missing): ([JSONValue], [JSONValue]) = ([], [])
      for id in input["QueryExecutionIds"]?.array?.compactMap(\.string) ?? [] {
        if let record = try service.engine.history.execution(id) {
          found.append(try service.describe(record))
        } else {
          missing.append([
            "QueryExecutionId": .string(id), "ErrorCode": "QUERY_EXECUTION_NOT_FOUND",
            "ErrorMessage": .string("QueryExecution \(id) was not found"),
          ])
        }
      }
      return ["QueryExecutions": .array(found), "UnprocessedQueryExecutionIds": .array(missing)]
    },
    "ListQueryExecutions": Operation([token, maxResults(50, minimum: 0), .string("WorkGroup", workgroupName)]) { service, input in
      let group = try service.workgroup(input).name
      let count = max(1, input["MaxResults"]?.integer ?? 50)
      var filter = QueryHistory.Filter()
      filter.before = input["NextToken"]?.string
      if let before = filter.before, try service.engine.history.execution(before) == nil {
        throw AWSError.invalidInput("Malformed nextPageToken \(before)")
      }
      // Statements of other workgroups are passed over, page by page.
      filter.limit = count + 1
      var ids: [String] = []
      while ids.count <= count {
        let page = try service.engine.history.list(filter)
        ids += page.filter { $0.workgroup == group }.map(\.id)
        filter.before = page.last?.id
        if page.count < filter.limit { break }
      }
      let next: JSONValue = ids.count > count ? .string(ids[count - 1]) : .null
      return ["QueryExecutionIds": .array(ids.prefix(count).map { .string($0) }), "NextToken": next]
    },
    "GetQueryRuntimeStatistics": Operation([queryID]) { service, input in
      let record = try service.record(input)
      let figures = record.statistics
      return [
        "QueryRuntimeStatistics": [
          "Timeline": [
            "QueryQueueTimeInMillis": .number(Int(figures.queueMilliseconds)),
            "QueryPlanningTimeInMillis": .number(Int(figures.planningMilliseconds)),
            "EngineExecutionTimeInMillis": .number(Int(figures.wallMilliseconds - figures.queueMilliseconds)),
            "ServiceProcessingTimeInMillis": .number(Int(figures.publishingMilliseconds)),
            "TotalExecutionTimeInMillis": .number(Int(figures.wallMilliseconds)),
          ],
          "Rows": [
            "InputRows": .null, "InputBytes": .number(figures.bytesScanned), "OutputRows": .number(figures.rows),
            "OutputBytes": .number(figures.resultBytes + figures.bytesWritten),
          ],
        ]
      ]
    },
  ]

  /// The query of a call.
  func record(_ input: JSONValue) throws -> QueryRecord {
    let id = input["QueryExecutionId"]?.string ?? ""
    if let query = liveQuery(id) { return query.execution.record }
    if let record = try engine.history.execution(id) { return record }
    throw AWSError.invalidRequest("QUERY_EXECUTION_NOT_FOUND", "QueryExecution \(id) was not found")
  }

  // MARK: Starting

  private func start(_ input: JSONValue) throws -> JSONValue {
    // Athena's model marks the token as filled in by the client, and its wire wants it.
    guard let token = input["ClientRequestToken"]?.string else {
      throw AWSError.invalidInput(
        "1 validation error detected: Value null at 'clientRequestToken' failed to satisfy constraint: Member must not be null")
    }
    let result = input["ResultConfiguration"]
    for name in ["EncryptionConfiguration", "AclConfiguration", "ExpectedBucketOwner"] where result?[name] != nil {
      throw AWSError.invalidInput("ResultConfiguration.\(name) is not supported: results are kept as they are")
    }
    if let settings = input["EngineConfiguration"] {
      throw AWSError.invalidInput("EngineConfiguration is not supported: \(settings.object?.keys.sorted().joined(separator: ", ") ?? "")")
    }
    let location = result?["OutputLocation"]?.string
    if let location { try AthenaService.check(outputLocation: location) }
    let group = try workgroup(input)
    guard group.isEnabled else { throw AWSError.invalidInput("WorkGroup \(group.name) is disabled.") }
    let context = input["QueryExecutionContext"]
    let catalog = context?["Catalog"]?.string?.lowercased()
    if let catalog, !["awsdatacatalog", "hive"].contains(catalog) {
      throw AWSError.invalidRequest("DATACATALOG_NOT_FOUND", "Data catalog \(catalog) was not found")
    }
    let sql = input["QueryString"]?.string ?? ""
    let (text, kind) = try statement(sql)
    // What a later call with the same token has to say again.
    let asked: JSONValue = [
      "QueryString": .string(sql), "Database": .text(context?["Database"]?.string), "Catalog": .text(catalog),
      "OutputLocation": .text(location), "ResultReuseConfiguration": input["ResultReuseConfiguration"] ?? .null,
    ]
    // Both ends of the comparison have been through the store, which leaves out what is null.
    let comparable = JSONParser.parse(asked.bytes) ?? .null
    return try starting.withLock { _ throws -> JSONValue in
      if let known = try store.query(token: token) {
        var (a, b) = (known.request.object ?? [:], comparable.object ?? [:])
        (a["ResultReuseConfiguration"], b["ResultReuseConfiguration"]) = (nil, nil)
        guard a == b else {
          throw AWSError.invalidRequest("IDEMPOTENT_PARAMETER_MISMATCH", "Idempotent parameters do not match")
        }
        return ["QueryExecutionId": .string(known.id)]
      }
      if liveCount >= settings.limits.queuedCount + settings.limits.runningCount {
        throw AWSError(
          "TooManyRequestsException", "You have exceeded the limit for the number of queries you can run concurrently.",
          code: "TOO_MANY_REQUESTS", members: ["Reason": "CONCURRENT_QUERY_LIMIT_EXCEEDED"])
      }
      var options = StatementOptions()
      options.delivery = .resultFile
      options.workgroup = group.name
      options.database = context?["Database"]?.string.map(AthenaService.unquoted)
      options.outputLocation = location ?? group.outputLocation ?? settings.outputLocation
      let parameters = (input["ExecutionParameters"]?.array ?? []).compactMap(\.string).map { SQLParameter.expression($0) }
      let session = try engine.session(settings.session)
      let execution = session.queue(SQLStatement(text, parameters: parameters), options)
      try store.save(query: execution.id, token: token, request: comparable)
      watch(LiveQuery(execution: execution, kind: kind))
      execution.start()
      return ["QueryExecutionId": .string(execution.id)]
    }
  }

  /// The one statement of a text, without what separates it from a next one, and what it is.
  private func statement(_ sql: String) throws -> (text: String, kind: StatementClass) {
    let statements = Session.split(sql).statements
    if statements.count > 1 {
      throw AWSError.invalidRequest("INVALID_INPUT", "Only one sql statement is allowed. Got: \(sql)")
    }
    var text = sql
    while let last = text.last, last.isWhitespace || last == ";" { text.removeLast() }
    do throws(QueryError) { return (text, try Session.classify(text, settings.session.compatibility)) } catch {
      let place = error.range.map { "line \($0.start.line):\($0.start.column): " } ?? ""
      throw AWSError.invalidRequest("MALFORMED_QUERY", place + error.message)
    }
  }

  /// awswrangler writes names in backquotes.
  private static func unquoted(_ name: String) -> String {
    name.count > 2 && name.hasPrefix("`") && name.hasSuffix("`") ? String(name.dropFirst().dropLast()) : name
  }

  /// - Throws: InvalidRequestException unless it is `s3://bucket` with or without a key.
  static func check(outputLocation location: String) throws(AWSError) {
    let rest = location.hasPrefix("s3://") ? location.dropFirst(5) : ""
    let bucket = rest.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false).first ?? ""
    guard S3Bucket.isName(String(bucket)) else { throw .invalidInput("outputLocation is not a valid S3 path.") }
  }

  /// The workgroup of a call; `primary` when it names none.
  func workgroup(_ input: JSONValue) throws -> Workgroup {
    do throws(QueryError) { return try engine.workgroups.workgroup(input["WorkGroup"]?.string ?? Workgroup.primaryName) } catch {
      if error.code == .notFound { throw AWSError.invalidInput("WorkGroup is not found.") }
      throw error
    }
  }

  // MARK: Describing

  /// A query as GetQueryExecution has it.
  func describe(_ record: QueryRecord) throws -> JSONValue {
    let figures = record.statistics
    let kind = liveQuery(record.id)?.kind
    let request = try store.request(of: record.id)
    var status: [String: JSONValue] = [
      "State": .string(record.state.rawValue), "SubmissionDateTime": .time(micros: record.submittedAtMicros),
    ]
    if record.state.isFinal { status["CompletionDateTime"] = .time(micros: record.endedAtMicros ?? record.submittedAtMicros) }
    if let text = record.errorText {
      let isCancelled = record.errorCode == ErrorCode.userCanceled.rawValue
      status["StateChangeReason"] = .string(isCancelled ? "Query cancelled by user" : text)
      if record.state == .failed { status["AthenaError"] = AthenaFailure(record).json }
    }
    var statistics: [String: JSONValue] = [
      "DataScannedInBytes": .number(figures.bytesScanned),
      "EngineExecutionTimeInMillis": .number(Int(figures.wallMilliseconds - figures.queueMilliseconds)),
      "TotalExecutionTimeInMillis": .number(Int(figures.wallMilliseconds)),
      "QueryQueueTimeInMillis": .number(Int(figures.queueMilliseconds)),
      "ServicePreProcessingTimeInMillis": 0,
      "DataManifestLocation": .text(figures.manifestLocation),
      "ResultReuseInformation": ["ReusedPreviousResult": .bool(figures.reusedQueryID != nil)],
    ]
    if record.state.isFinal {
      statistics["QueryPlanningTimeInMillis"] = .number(Int(figures.planningMilliseconds))
      statistics["ServiceProcessingTimeInMillis"] = .number(Int(figures.publishingMilliseconds))
    }
    let type = figures.type?.rawValue ?? kind?.type.rawValue
    let database = request == nil ? record.database : request?["Database"]?.string
    let reuse = request?["ResultReuseConfiguration"] ?? ["ResultReuseByAgeConfiguration": ["Enabled": false]]
    return [
      "QueryExecutionId": .string(record.id), "Query": .string(request?["QueryString"]?.string ?? record.sql),
      "StatementType": .text(type ?? record.statistics.statementType),
      "SubstatementType": .text(figures.substatementType ?? kind?.subtype),
      "WorkGroup": .string(record.workgroup),
      "QueryExecutionContext": ["Database": .text(database), "Catalog": .text(request?["Catalog"]?.string)],
      "ResultConfiguration": ["OutputLocation": .text(outputLocation(record, subtype: figures.substatementType ?? kind?.subtype))],
      "ResultReuseConfiguration": reuse, "Status": .object(status), "Statistics": .object(statistics),
      "EngineVersion": AthenaService.engineVersion,
      "ExecutionParameters": record.parameters.isEmpty ? .null : .array(record.parameters.map { .string($0) }),
    ]
  }

  static let engineVersion: JSONValue = ["SelectedEngineVersion": "AUTO", "EffectiveEngineVersion": "Athena engine version 3"]

  /// Where the result lies, or would.
  func outputLocation(_ record: QueryRecord, subtype: String?) -> String? {
    if let location = record.statistics.resultLocation { return location }
    guard var folder = record.outputFolder else { return nil }
    if !folder.hasSuffix("/") { folder += "/" }
    switch subtype {
    case "CREATE_TABLE_AS_SELECT": return folder + "tables/" + record.id
    case "INSERT", "UNLOAD": return folder + record.id
    case "SELECT", "EXECUTE", "SHOW_FUNCTIONS", "UPDATE", "DELETE", "MERGE": return folder + record.id + ".csv"
    default: return folder + record.id + ".txt"
    }
  }
}

/// Why a query failed, as Athena classifies it.
struct AthenaFailure {
  let json: JSONValue

  /// Athena's numbers of error types, as far as they were measured, by the engine's codes.
  private static let types: [ErrorCode: Int] = [
    .tableNotFound: 1301, .schemaNotFound: 1301, .columnNotFound: 1006, .typeMismatch: 1002, .functionNotFound: 1303,
    .divisionByZero: 1001, .invalidCastArgument: 1100, .notSupported: 1200,
  ]
  private static let otherUserError = 1000
  private static let otherSystemError = 200

  init(_ record: QueryRecord) {
    let code = record.errorCode.flatMap(ErrorCode.init)
    let isSystem =
      switch code?.kind {
      case .internalError, .external, .insufficientResources, nil: true
      default: false
      }
    let type = code.flatMap { AthenaFailure.types[$0] } ?? (isSystem ? AthenaFailure.otherSystemError : AthenaFailure.otherUserError)
    json = [
      "ErrorCategory": isSystem ? 1 : 2, "ErrorType": .number(type), "Retryable": .bool(false),
      "ErrorMessage": .text(record.errorText),
    ]
  }
}
