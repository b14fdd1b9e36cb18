#pragma once
/* Numbers of rows that a test passes, without a branch a row. Each vector kernel has a portable twin (suffix _portable) that a test
   compares with it. `out` has room for n numbers and 16 more. */
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#if defined(__AVX2__) && defined(__BMI2__)
#include <immintrin.h>
#define CK_SELECT_AVX2 1
#endif

static inline size_t ck_select_portable(
    const uint8_t *flags, size_t first, size_t n, uint8_t unwanted, int32_t *out, size_t found) {
  for (size_t i = first; i < n; i++) {
    out[found] = (int32_t)i;
    found += flags[i] ^ unwanted;
  }
  return found;
}

#ifdef CK_SELECT_AVX2
/* Writes the numbers of 8 rows from `first` on whose byte in `flags` is 1: pext keeps the lanes of those. */
static inline size_t cks_write8(uint64_t flags, size_t first, int32_t *out, size_t found) {
  const __m128i lanes = _mm_cvtsi64_si128((long long)_pext_u64(0x0706050403020100ull, flags * 255));
  const __m256i rows = _mm256_add_epi32(_mm256_cvtepu8_epi32(lanes), _mm256_set1_epi32((int)first));
  _mm256_storeu_si256((__m256i *)(out + found), rows);
  return found + (size_t)__builtin_popcountll(flags);
}
#endif

/* Writes the numbers i of [0, n) where flags[i] (0 or 1) is not `unwanted`; returns how many. */
static inline size_t ck_select(const uint8_t *flags, size_t n, uint8_t unwanted, int32_t *out) {
  size_t i = 0, found = 0;
#ifdef CK_SELECT_AVX2
  for (; i + 8 <= n; i += 8) {
    uint64_t word;
    memcpy(&word, flags + i, 8);
    found = cks_write8(word ^ (0x0101010101010101ull * unwanted), i, out, found);
  }
#endif
  return ck_select_portable(flags, i, n, unwanted, out, found);
}

static inline size_t ck_select_coded_portable(
    const uint8_t *table, const int32_t *codes, size_t first, size_t n, int32_t *out, size_t found) {
  for (size_t i = first; i < n; i++) {
    out[found] = (int32_t)i;
    found += table[codes[i]];
  }
  return found;
}

/* Writes the numbers i of [0, n) where table[codes[i]] (0 or 1) is 1; returns how many. */
static inline size_t ck_select_coded(const uint8_t *table, const int32_t *codes, size_t n, int32_t *out) {
  size_t i = 0, found = 0;
#ifdef CK_SELECT_AVX2
  for (; i + 8 <= n; i += 8) {
    const int32_t *c = codes + i;
    uint64_t a = table[c[0]] | (uint64_t)table[c[1]] << 8 | (uint64_t)table[c[2]] << 16 | (uint64_t)table[c[3]] << 24;
    uint64_t b = table[c[4]] | (uint64_t)table[c[5]] << 8 | (uint64_t)table[c[6]] << 16 | (uint64_t)table[c[7]] << 24;
    found = cks_write8(a | b << 32, i, out, found);
  }
#endif
  return ck_select_coded_portable(table, codes, i, n, out, found);
}
