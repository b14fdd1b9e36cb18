import CCurl
import Glibc
import QueryErrors

/// The functions of libcurl, looked up in the shared library when the first request is made.
///
/// Linking it would load some 35 libraries at every start: 20 ms for programs that may never leave this machine.
struct CurlLibrary: @unchecked Sendable {
  let easyInit: @convention(c) () -> UnsafeMutableRawPointer?
  let easyCleanup: @convention(c) (UnsafeMutableRawPointer?) -> Void
  let easyError: @convention(c) (CURLcode) -> UnsafePointer<CChar>?
  /// Of variable arguments: for the shim.
  let easySetopt: UnsafeMutableRawPointer
  let easyGetinfo: UnsafeMutableRawPointer
  let multiInit: @convention(c) () -> UnsafeMutableRawPointer?
  let multiCleanup: @convention(c) (UnsafeMutableRawPointer?) -> CURLMcode
  let multiAdd: @convention(c) (UnsafeMutableRawPointer?, UnsafeMutableRawPointer?) -> CURLMcode
  let multiRemove: @convention(c) (UnsafeMutableRawPointer?, UnsafeMutableRawPointer?) -> CURLMcode
  let multiPerform: @convention(c) (UnsafeMutableRawPointer?, UnsafeMutablePointer<Int32>) -> CURLMcode
  let multiPoll:
    @convention(c) (UnsafeMutableRawPointer?, UnsafeMutableRawPointer?, UInt32, Int32, UnsafeMutablePointer<Int32>?) ->
      CURLMcode
  let multiWakeup: @convention(c) (UnsafeMutableRawPointer?) -> CURLMcode
  let multiInfo: @convention(c) (UnsafeMutableRawPointer?, UnsafeMutablePointer<Int32>) -> UnsafeMutablePointer<CURLMsg>?
  let multiSetopt: UnsafeMutableRawPointer
  let listAppend: @convention(c) (UnsafeMutablePointer<curl_slist>?, UnsafePointer<CChar>) -> UnsafeMutablePointer<curl_slist>?
  let listFree: @convention(c) (UnsafeMutablePointer<curl_slist>?) -> Void

  /// nil where the library is missing or older than it must be (7.68).
  static let shared = CurlLibrary()

  private init?() {
    let names = ["libcurl.so.4", "libcurl-gnutls.so.4", "libcurl.so", "libcurl.4.dylib", "libcurl.dylib"]
    var library: UnsafeMutableRawPointer?
    for name in names where library == nil { library = dlopen(name, RTLD_NOW | RTLD_LOCAL) }
    guard let library else { return nil }
    var isComplete = true
    func address(_ name: String) -> UnsafeMutableRawPointer {
      let found = dlsym(library, "curl_" + name)
      if found == nil { isComplete = false }
      return found ?? library
    }
    func symbol<F>(_ name: String) -> F { unsafeBitCast(address(name), to: F.self) }
    let globalInit: @convention(c) (Int) -> CURLcode = symbol("global_init")
    easyInit = symbol("easy_init")
    easyCleanup = symbol("easy_cleanup")
    easyError = symbol("easy_strerror")
    easySetopt = address("easy_setopt")
    easyGetinfo = address("easy_getinfo")
    multiInit = symbol("multi_init")
    multiCleanup = symbol("multi_cleanup")
    multiAdd = symbol("multi_add_handle")
    multiRemove = symbol("multi_remove_handle")
    multiPerform = symbol("multi_perform")
    multiPoll = symbol("multi_poll")
    multiWakeup = symbol("multi_wakeup")
    multiInfo = symbol("multi_info_read")
    multiSetopt = address("multi_setopt")
    listAppend = symbol("slist_append")
    listFree = symbol("slist_free_all")
    if !isComplete { return nil }
    guard globalInit(3) == CURLE_OK else { return nil }
  }

  static func missing() -> QueryError {
    .notSupported(
      "Addresses on the network need the library libcurl, which is not installed",
      hint: "Install it, on Debian with: apt-get install libcurl4")
  }
}
