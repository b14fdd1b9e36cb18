// libcurl's types, and what Swift cannot call: its functions of variable arguments, through pointers that dlsym found.
#ifndef SQLQ_CCURL_SHIM_H
#define SQLQ_CCURL_SHIM_H

#define CURL_DISABLE_TYPECHECK
#include <curl/curl.h>

typedef CURLcode (*ccurl_easy_setopt)(CURL *handle, CURLoption option, ...);
typedef CURLcode (*ccurl_easy_getinfo)(CURL *handle, CURLINFO info, ...);
typedef CURLMcode (*ccurl_multi_setopt)(CURLM *multi, CURLMoption option, ...);
typedef size_t (*ccurl_data_callback)(char *bytes, size_t size, size_t count, void *context);

static inline CURLcode ccurl_set_long(void *function, CURL *handle, CURLoption option, long value) {
  return ((ccurl_easy_setopt)function)(handle, option, value);
}

static inline CURLcode ccurl_set_offset(void *function, CURL *handle, CURLoption option, long long value) {
  return ((ccurl_easy_setopt)function)(handle, option, (curl_off_t)value);
}

static inline CURLcode ccurl_set_pointer(void *function, CURL *handle, CURLoption option, const void *value) {
  return ((ccurl_easy_setopt)function)(handle, option, value);
}

static inline CURLcode ccurl_set_callback(void *function, CURL *handle, CURLoption option, ccurl_data_callback value) {
  return ((ccurl_easy_setopt)function)(handle, option, value);
}

static inline CURLcode ccurl_get_pointer(void *function, CURL *handle, CURLINFO info, void **value) {
  return ((ccurl_easy_getinfo)function)(handle, info, value);
}

static inline CURLMcode ccurl_multi_set_long(void *function, CURLM *multi, CURLMoption option, long value) {
  return ((ccurl_multi_setopt)function)(multi, option, value);
}

static inline CURLcode ccurl_message_result(const CURLMsg *message) { return message->data.result; }

#endif
