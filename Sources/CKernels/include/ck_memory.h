#pragma once
/* Memory primitives that Swift cannot say: prefetch, allocator settings, huge pages. */
#include <malloc.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

/* Asks for the cache line at p, for reading. */
static inline void ck_prefetch(const void *p) { __builtin_prefetch(p, 0, 3); }

/* Sets bits of a word that other threads set bits of, too. */
static inline void ck_atomic_or(uint64_t *word, uint64_t bits) { __atomic_fetch_or(word, bits, __ATOMIC_RELAXED); }

/* glibc settings that keep freed memory instead of giving it back per query (performance notes, section 10). */
static inline void ck_tune_allocator(void) {
  mallopt(M_MMAP_THRESHOLD, 1 << 30);
  mallopt(M_TRIM_THRESHOLD, 0x7fffffff);
  mallopt(M_TOP_PAD, 16 << 20);
}

/* Asks the kernel for huge pages behind [p, p + n). */
static inline void ck_advise_huge_pages(void *p, size_t n) {
#ifdef MADV_HUGEPAGE
  madvise(p, n, MADV_HUGEPAGE);
#else
  (void)p; (void)n;
#endif
}

/* n zeroed bytes at a multiple of `alignment`, behind which the kernel may put huge pages; NULL when there are none. Both are multiples of
   the page size. */
static inline void *ck_map_huge_pages(size_t n, size_t alignment) {
  void *p = mmap(NULL, n + alignment, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (p == MAP_FAILED) return NULL;
  uintptr_t start = ((uintptr_t)p + alignment - 1) & ~(uintptr_t)(alignment - 1), end = start + n;
  if (start > (uintptr_t)p) munmap(p, start - (uintptr_t)p);
  if (end < (uintptr_t)p + n + alignment) munmap((void *)end, (uintptr_t)p + n + alignment - end);
  ck_advise_huge_pages((void *)start, n);
  return (void *)start;
}

/* Gives the whole pages within [p, p + n) back to the kernel; they read as zeros afterwards. */
static inline void ck_drop_pages(void *p, size_t n) {
  uintptr_t start = ((uintptr_t)p + 4095) & ~(uintptr_t)4095, end = ((uintptr_t)p + n) & ~(uintptr_t)4095;
  if (start < end) madvise((void *)start, end - start, MADV_DONTNEED);
}
