#define _GNU_SOURCE
#include "ck_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int ck_open_unnamed(const char *folder) {
#ifdef O_TMPFILE
  int descriptor = open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
  if (descriptor >= 0 || (errno != EOPNOTSUPP && errno != EISDIR && errno != EINVAL)) return descriptor;
#endif
  size_t n = strlen(folder) + sizeof "/sqlq-spill-XXXXXX";
  char *name = malloc(n);
  if (!name) return -1;
  snprintf(name, n, "%s/sqlq-spill-XXXXXX", folder);
  int named = mkstemp(name);
  if (named >= 0) {
    unlink(name);
    fcntl(named, F_SETFD, FD_CLOEXEC);
  }
  free(name);
  return named;
}

void ck_punch_hole(int descriptor, int64_t offset, int64_t count) {
#ifdef FALLOC_FL_PUNCH_HOLE
  /* Where the file system cannot, the space stays until the file goes. */
  int unused = fallocate(descriptor, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, offset, count);
  (void)unused;
#else
  (void)descriptor; (void)offset; (void)count;
#endif
}
