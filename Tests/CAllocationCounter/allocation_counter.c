#include "allocation_counter.h"
#include <stdlib.h>

// Of one thread, so that tests running beside do not count; in the program's own storage, which needs no allocation.
static _Thread_local unsigned long count __attribute__((tls_model("initial-exec")));

unsigned long allocation_count(void) { return count; }

// glibc lets a program put its own functions before these; sanitizers bring theirs.
#if defined(__GLIBC__) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)

extern void *__libc_malloc(size_t);
extern void *__libc_calloc(size_t, size_t);
extern void *__libc_realloc(void *, size_t);

static void note(void) { count += 1; }

void *malloc(size_t size) {
  note();
  return __libc_malloc(size);
}

void *calloc(size_t number, size_t size) {
  note();
  return __libc_calloc(number, size);
}

void *realloc(void *block, size_t size) {
  note();
  return __libc_realloc(block, size);
}

#endif
