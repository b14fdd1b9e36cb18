/// STS as far as clients ask who they are.
///
/// - Source: AWS Security Token Service API, version 2011-06-15.
struct STSService: Sendable {
  let settings: ServiceSettings

  private static let namespace = " xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\""
  /// Seconds that handed out credentials are good for.
  private static let lifetime = 3600

  func handle(_ request: ServiceRequest, now: Int) -> ServiceResponse {
    let form = request.form
    switch form["Action"] {
    case "GetCallerIdentity":
      return answer("GetCallerIdentity") { xml in
        xml.element("Arn", "arn:aws:iam::\(settings.account):user/sqlq")
        xml.element("UserId", "AIDASQLQ")
        xml.element("Account", settings.account)
      }
    case "AssumeRole":
      guard let role = form["RoleArn"], let session = form["RoleSessionName"] else {
        return STSService.failure(400, "ValidationError", "RoleArn and RoleSessionName are needed")
      }
      // There is one user: a role is this user under another name, with the same keys.
      let key = settings.keys.sorted { $0.key < $1.key }.first
      return answer("AssumeRole") { xml in
        xml.element("Credentials") { xml in
          xml.element("AccessKeyId", key?.key ?? "ASIASQLQ")
          xml.element("SecretAccessKey", key?.value ?? "sqlq")
          xml.element("SessionToken", "sqlq")
          xml.element("Expiration", HTTPDate.iso(nanoseconds: Int64(now + STSService.lifetime) * 1_000_000_000))
        }
        xml.element("AssumedRoleUser") { xml in
          xml.element("Arn", role.split(separator: ":").dropLast().joined(separator: ":") + ":assumed-role/\(session)")
          xml.element("AssumedRoleId", "AROASQLQ:" + session)
        }
      }
    default: return STSService.failure(400, "InvalidAction", "Could not find operation \(form["Action"] ?? "")")
    }
  }

  private func answer(_ action: String, _ body: (inout XMLText) -> Void) -> ServiceResponse {
    var xml = XMLText()
    let id = RequestID.make()
    xml.element(action + "Response", attributes: STSService.namespace) { xml in
      xml.element(action + "Result") { body(&$0) }
      xml.element("ResponseMetadata") { $0.element("RequestId", id) }
    }
    return ServiceResponse(200, [("Content-Type", "text/xml"), ("x-amzn-RequestId", id)], .bytes(Array(xml.text.utf8)))
  }

  static func failure(_ status: Int, _ code: String, _ message: String) -> ServiceResponse {
    var xml = XMLText()
    xml.element("ErrorResponse", attributes: namespace) { xml in
      xml.element("Error") { xml in
        xml.element("Type", "Sender")
        xml.element("Code", code)
        xml.element("Message", message)
      }
      xml.element("RequestId", RequestID.make())
    }
    return ServiceResponse(status, [("Content-Type", "text/xml")], .bytes(Array(xml.text.utf8)))
  }
}
