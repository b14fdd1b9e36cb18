#define _GNU_SOURCE
#include "ck_account.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

_Thread_local ck_thread_account ck_thread_account_state = {.account = 0, .pending = 0, .threshold = 256 << 10, .is_refused = 0};

#ifdef __linux__
static int statm_descriptor = -1;
static pthread_once_t statm_once = PTHREAD_ONCE_INIT;

static void open_statm(void) { statm_descriptor = open("/proc/self/statm", O_RDONLY | O_CLOEXEC); }

int64_t ck_anonymous_bytes(void) {
  pthread_once(&statm_once, open_statm);
  if (statm_descriptor < 0) return 0;
  char text[128];
  ssize_t n = pread(statm_descriptor, text, sizeof text - 1, 0);
  if (n <= 0) return 0;
  text[n] = 0;
  char *end = text;
  strtoll(end, &end, 10);
  int64_t resident = strtoll(end, &end, 10), shared = strtoll(end, &end, 10);
  return (resident - shared) * (int64_t)sysconf(_SC_PAGESIZE);
}

static int sink_descriptor = -1;
static pthread_once_t sink_once = PTHREAD_ONCE_INIT;
static const uint64_t sink_size = 2 << 20;

static void open_sink(void) {
  sink_descriptor = memfd_create("sink", MFD_CLOEXEC);
  if (sink_descriptor >= 0 && ftruncate(sink_descriptor, (off_t)sink_size) != 0) {
    close(sink_descriptor);
    sink_descriptor = -1;
  }
}

void *ck_map_sink(uint64_t n) {
  pthread_once(&sink_once, open_sink);
  if (sink_descriptor < 0) return 0;
  uint64_t size = (n + sink_size - 1) & ~(sink_size - 1);
  char *p = mmap(0, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (p == MAP_FAILED) return 0;
  for (uint64_t at = 0; at < size; at += sink_size) {
    if (mmap(p + at, sink_size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, sink_descriptor, 0) == MAP_FAILED) {
      munmap(p, size);
      return 0;
    }
  }
  return p;
}
#else
int64_t ck_anonymous_bytes(void) { return 0; }
void *ck_map_sink(uint64_t n) {
  void *p = mmap(0, n, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  return p == MAP_FAILED ? 0 : p;
}
#endif
