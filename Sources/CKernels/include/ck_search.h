#pragma once
/* Substring search: the first and last byte of the needle are looked for 32 places at a time.
   Source: Mula, "SIMD-friendly algorithms for substring searching", 2018. */
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#if defined(__x86_64__)
#include <immintrin.h>
#endif

/* The place of needle[0, m) in p[0, n), or -1. Reads nothing outside. Portable. */
static inline int64_t ck_find_portable(const uint8_t *p, size_t n, const uint8_t *needle, size_t m) {
  if (m == 0) return 0;
  if (m > n) return -1;
  uint8_t first = needle[0], last = needle[m - 1];
  size_t end = n - m + 1;
  for (size_t i = 0; i < end; i++)
    if (p[i] == first && p[i + m - 1] == last && memcmp(p + i, needle, m) == 0) return (int64_t)i;
  return -1;
}

#if defined(__x86_64__)
__attribute__((target("avx2,bmi")))
static inline int64_t ck_find(const uint8_t *p, size_t n, const uint8_t *needle, size_t m) {
  if (m == 0) return 0;
  if (m > n) return -1;
  if (m == 1) {
    const void *hit = memchr(p, needle[0], n);
    return hit ? (int64_t)((const uint8_t *)hit - p) : -1;
  }
  size_t end = n - m + 1, i = 0;
  __m256i first = _mm256_set1_epi8((char)needle[0]), last = _mm256_set1_epi8((char)needle[m - 1]);
  if (end >= 32) {
    for (;;) {
      __m256i a = _mm256_cmpeq_epi8(first, _mm256_loadu_si256((const __m256i *)(p + i)));
      __m256i b = _mm256_cmpeq_epi8(last, _mm256_loadu_si256((const __m256i *)(p + i + m - 1)));
      uint32_t mask = (uint32_t)_mm256_movemask_epi8(_mm256_and_si256(a, b));
      while (mask) {
        size_t at = i + (size_t)__builtin_ctz(mask);
        if (memcmp(p + at + 1, needle + 1, m - 2) == 0) return (int64_t)at;
        mask &= mask - 1;
      }
      if (i + 32 >= end) return -1;
      /* The last block overlaps the one before it. */
      i = i + 64 <= end ? i + 32 : end - 32;
    }
  }
  if (end >= 16) {
    __m128i first16 = _mm256_castsi256_si128(first), last16 = _mm256_castsi256_si128(last);
    for (;;) {
      __m128i a = _mm_cmpeq_epi8(first16, _mm_loadu_si128((const __m128i *)(p + i)));
      __m128i b = _mm_cmpeq_epi8(last16, _mm_loadu_si128((const __m128i *)(p + i + m - 1)));
      uint32_t mask = (uint32_t)_mm_movemask_epi8(_mm_and_si128(a, b));
      while (mask) {
        size_t at = i + (size_t)__builtin_ctz(mask);
        if (memcmp(p + at + 1, needle + 1, m - 2) == 0) return (int64_t)at;
        mask &= mask - 1;
      }
      if (i + 16 >= end) return -1;
      i = end - 16;
    }
  }
  for (; i < end; i++)
    if (p[i] == needle[0] && p[i + m - 1] == needle[m - 1] && memcmp(p + i, needle, m) == 0) return (int64_t)i;
  return -1;
}
#else
static inline int64_t ck_find(const uint8_t *p, size_t n, const uint8_t *needle, size_t m) {
  return ck_find_portable(p, n, needle, m);
}
#endif
