import QueryEngine
import QueryErrors

/// Workgroups: what Athena keeps of them and the engine does not is kept as text and handed out again.
extension AthenaService {
  private static let name = InputShape.Member.string("WorkGroup", workgroupName, required: true)

  static let workgroupOperations: [String: Operation] = [
    "ListWorkGroups": Operation([token, maxResults(50)]) { service, input in
      let page = try page(service.engine.workgroups.list(), input, maximum: 50) { $0.name }
      let groups = page.items.map { group -> JSONValue in
        [
          "Name": .string(group.name), "State": .string(group.isEnabled ? "ENABLED" : "DISABLED"),
          "Description": .text(group.description), "CreationTime": .time(micros: group.createdAtMicros),
          "EngineVersion": engineVersion,
        ]
      }
      return ["WorkGroups": .array(groups), "NextToken": page.next]
    },
    "GetWorkGroup": Operation([name]) { service, input in ["WorkGroup": service.describe(try service.workgroup(input))] },
    "CreateWorkGroup": Operation([
      .string("Name", workgroupName, required: true), .string("Description", 0...1024), .structure("Configuration"), .list("Tags"),
    ]) { service, input in
      var group = Workgroup(input["Name"]?.string ?? "")
      group.description = input["Description"]?.string
      if let configuration = input["Configuration"] { try service.apply(configuration, to: &group) }
      for tag in input["Tags"]?.array ?? [] { group.tags[tag["Key"]?.string ?? ""] = tag["Value"]?.string ?? "" }
      do throws(QueryError) { try service.engine.workgroups.create(group) } catch {
        if error.code == .alreadyExists { throw AWSError.invalidInput("WorkGroup is already created") }
        throw error
      }
      return [:]
    },
    "UpdateWorkGroup": Operation([
      name, .string("Description", 0...1024), .structure("ConfigurationUpdates"), .string("State"),
    ]) { service, input in
      let known = try service.workgroup(input)
      var changed = known
      if let text = input["Description"]?.string { changed.description = text }
      if let state = input["State"]?.string {
        guard state == "ENABLED" || state == "DISABLED" else { throw AWSError.invalidInput("State must be ENABLED or DISABLED") }
        changed.isEnabled = state == "ENABLED"
      }
      if let updates = input["ConfigurationUpdates"] { try service.apply(updates, to: &changed) }
      let result = changed
      try service.engine.workgroups.update(known.name) { $0 = result }
      return [:]
    },
    "DeleteWorkGroup": Operation([name, .boolean("RecursiveDeleteOption")]) { service, input in
      let group = try service.workgroup(input)
      try service.engine.workgroups.delete(group.name, recursive: input["RecursiveDeleteOption"]?.bool ?? false)
      return [:]
    },
    "ListEngineVersions": Operation([token, maxResults(10)]) { _, _ in ["EngineVersions": [engineVersion]] },
    "ListTagsForResource": Operation([.string("ResourceARN", 1...1011, required: true), token, maxResults(1000, minimum: 75)]) {
      service, input in
      let group = try service.workgroup(arn: input)
      return ["Tags": .array(group.tags.sorted { $0.key < $1.key }.map { ["Key": .string($0.key), "Value": .string($0.value)] })]
    },
    "TagResource": Operation([.string("ResourceARN", 1...1011, required: true), .list("Tags", required: true)]) { service, input in
      let tags = input["Tags"]?.array ?? []
      try service.engine.workgroups.update(service.workgroup(arn: input).name) { group in
        for tag in tags { group.tags[tag["Key"]?.string ?? ""] = tag["Value"]?.string ?? "" }
      }
      return [:]
    },
    "UntagResource": Operation([.string("ResourceARN", 1...1011, required: true), .list("TagKeys", required: true)]) { service, input in
      let keys = (input["TagKeys"]?.array ?? []).compactMap(\.string)
      try service.engine.workgroups.update(service.workgroup(arn: input).name) { group in for key in keys { group.tags[key] = nil } }
      return [:]
    },
  ]

  /// The workgroup that `arn:aws:athena:region:account:workgroup/name` names.
  private func workgroup(arn input: JSONValue) throws -> Workgroup {
    let arn = input["ResourceARN"]?.string ?? ""
    let parts = arn.split(separator: "/", maxSplits: 1)
    guard parts.count == 2, parts[0].hasSuffix(":workgroup") else { throw AWSError.invalidInput("Invalid ARN: \(arn)") }
    return try workgroup(["WorkGroup": .string(String(parts[1]))])
  }

  /// Members of a configuration that are kept without a meaning here.
  private static let kept: Set<String> = [
    "PublishCloudWatchMetricsEnabled", "RequesterPaysEnabled", "AdditionalConfiguration", "ExecutionRole", "EngineVersion",
    "EnableMinimumEncryptionConfiguration",
  ]

  private func describe(_ group: Workgroup) -> JSONValue {
    var configuration: [String: JSONValue] = [
      "PublishCloudWatchMetricsEnabled": false, "RequesterPaysEnabled": false, "EnableMinimumEncryptionConfiguration": false,
    ]
    configuration.merge(JSONParser.parse(Array((group.serviceDetails ?? "").utf8))?.object ?? [:]) { $1 }
    configuration["EngineVersion"] = AthenaService.engineVersion
    configuration["EnforceWorkGroupConfiguration"] = .bool(group.isEnforced)
    configuration["ResultConfiguration"] = ["OutputLocation": .text(group.outputLocation)]
    configuration["BytesScannedCutoffPerQuery"] = group.bytesScannedCutoff.map { .number($0) } ?? .null
    return [
      "Name": .string(group.name), "State": .string(group.isEnabled ? "ENABLED" : "DISABLED"), "Description": .text(group.description),
      "CreationTime": .time(micros: group.createdAtMicros), "Configuration": .object(configuration),
    ]
  }

  /// Takes what WorkGroupConfiguration or WorkGroupConfigurationUpdates say.
  private func apply(_ configuration: JSONValue, to group: inout Workgroup) throws(AWSError) {
    var details = JSONParser.parse(Array((group.serviceDetails ?? "").utf8))?.object ?? [:]
    for (name, value) in (configuration.object ?? [:]).sorted(by: { $0.key < $1.key }) where value != .null {
      switch name {
      case "ResultConfiguration", "ResultConfigurationUpdates":
        for member in (value.object ?? [:]).keys.sorted() where !["OutputLocation", "RemoveOutputLocation"].contains(member) {
          if member.hasPrefix("Remove") { continue }
          throw .invalidInput("\(name).\(member) is not supported: results are kept as they are")
        }
        if let location = value["OutputLocation"]?.string {
          try AthenaService.check(outputLocation: location)
          group.outputLocation = location
        }
        if value["RemoveOutputLocation"]?.bool == true { group.outputLocation = nil }
      case "EnforceWorkGroupConfiguration": group.isEnforced = value.bool ?? false
      case "BytesScannedCutoffPerQuery":
        let minimum = 10_000_000
        guard let bytes = value.integer, bytes >= minimum else {
          throw .invalidInput("BytesScannedCutoffPerQuery must be at least \(minimum)")
        }
        group.bytesScannedCutoff = bytes
      case "RemoveBytesScannedCutoffPerQuery": if value.bool == true { group.bytesScannedCutoff = nil }
      default:
        guard AthenaService.kept.contains(name) else { throw .invalidInput("Configuration.\(name) is not supported") }
        details[name] = value
      }
    }
    group.serviceDetails = details.isEmpty ? nil : String(decoding: JSONValue.object(details).bytes, as: UTF8.self)
  }
}
