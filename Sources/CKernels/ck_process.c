#define _GNU_SOURCE
#include "ck_process.h"

#include <unistd.h>

#ifdef __linux__
#include <poll.h>
#include <sched.h>
#include <sys/syscall.h>
#include <sys/types.h>

static char helper_stack[16 << 10] __attribute__((aligned(64)));

/* Runs in the helper, on the same memory: system calls only. */
static int keep_memory(void *process) {
  /* Readers of our pipes and files must not wait for the helper. */
  syscall(SYS_close_range, 0u, ~0u, 0u);
  struct pollfd ended = {.fd = (int)syscall(SYS_pidfd_open, *(pid_t *)process, 0u), .events = POLLIN};
  /* Without the descriptor this only sleeps. */
  poll(&ended, ended.fd < 0 ? 0 : 1, ended.fd < 0 ? 100 : 1000);
  _exit(0);
}

void ck_exit_leaving_memory(int code) {
  static pid_t process;
  process = getpid();
  clone(keep_memory, helper_stack + sizeof helper_stack, CLONE_VM, &process);
  _exit(code);
}
#else
void ck_exit_leaving_memory(int code) { _exit(code); }
#endif
