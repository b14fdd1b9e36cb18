// The structs of the Arrow C data interface; source: Arrow documentation, "The Arrow C data interface".
#ifndef CK_ARROW_H
#define CK_ARROW_H
#include <stdint.h>

struct ck_arrow_schema {
  const char *format;
  const char *name;
  const char *metadata;
  int64_t flags;
  int64_t n_children;
  struct ck_arrow_schema **children;
  struct ck_arrow_schema *dictionary;
  void (*release)(struct ck_arrow_schema *);
  void *private_data;
};

struct ck_arrow_array {
  int64_t length;
  int64_t null_count;
  int64_t offset;
  int64_t n_buffers;
  int64_t n_children;
  const void **buffers;
  struct ck_arrow_array **children;
  struct ck_arrow_array *dictionary;
  void (*release)(struct ck_arrow_array *);
  void *private_data;
};

#endif
