import Glibc
import QueryErrors

/// Runs a profile's program that hands out credentials.
///
/// - Source: AWS SDKs and Tools Reference Guide, process credential provider.
enum CredentialProcess {
  static func run(_ command: String, profile: String) throws(QueryError) -> AWSCredentials {
    func failed(_ reason: String) -> QueryError {
      QueryError(.hiveFilesystemError, "The credential_process of AWS profile '\(profile)' failed: \(reason)")
    }
    var ends: [Int32] = [0, 0]
    guard pipe(&ends) == 0 else { throw failed(String(cString: strerror(errno))) }
    for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
    posix_spawn_file_actions_adddup2(&actions, ends[1], 1)
    defer { posix_spawn_file_actions_destroy(&actions) }
    var arguments: [UnsafeMutablePointer<CChar>?] = ["/bin/sh", "-c", command].map { (text: String) in strdup(text) } + [nil]
    defer { for argument in arguments { free(argument) } }
    var process = pid_t()
    let started = posix_spawn(&process, "/bin/sh", &actions, nil, &arguments, environ)
    close(ends[1])
    defer { close(ends[0]) }
    guard started == 0 else { throw failed(String(cString: strerror(started))) }
    let output = readAll(ends[0]) ?? []
    var status: Int32 = 0
    while waitpid(process, &status, 0) < 0, errno == EINTR {}
    guard status == 0 else { throw failed("it ended with status \(status >> 8 & 255)") }
    guard let members = JSONMembers.parse(output), members["Version"] == "1", let keys = CredentialsChain.keys(json: output)
    else { throw failed("it did not print a JSON object with Version 1, AccessKeyId and SecretAccessKey") }
    return keys
  }
}
