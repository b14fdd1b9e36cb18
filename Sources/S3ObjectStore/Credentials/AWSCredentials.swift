/// Keys that sign requests.
package struct AWSCredentials: Hashable, Sendable {
  package var accessKey: String
  package var secretKey: String
  package var sessionToken: String?
  /// When they end, in seconds since 1970-01-01 UTC; nil for keys that last.
  package var expiration: Int?

  package init(accessKey: String, secretKey: String, sessionToken: String? = nil, expiration: Int? = nil) {
    self.accessKey = accessKey
    self.secretKey = secretKey
    self.sessionToken = sessionToken
    self.expiration = expiration
  }

  /// Whether they last for minutes yet.
  var isFresh: Bool { expiration.map { $0 - UTCTime.now > 300 } ?? true }
}
