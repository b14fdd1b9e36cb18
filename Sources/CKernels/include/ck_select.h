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

/* The low halves of a's and b's four numbers. */
static inline __m256i cks_low_halves(__m256i a, __m256i b) {
  const __m256 mixed = _mm256_shuffle_ps(_mm256_castsi256_ps(a), _mm256_castsi256_ps(b), 0x88);
  return _mm256_permute4x64_epi64(_mm256_castps_si256(mixed), 0xd8);
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

static inline size_t ck_select_members_portable(
    const int64_t *values, size_t first, size_t n, int64_t low, uint64_t span, const uint64_t *bits, int32_t *out, size_t found) {
  for (size_t i = first; i < n; i++) {
    const uint64_t at = (uint64_t)values[i] - (uint64_t)low, is_inside = at < span, index = is_inside ? at : 0;
    out[found] = (int32_t)i;
    found += (bits[index >> 6] >> (index & 63)) & is_inside;
  }
  return found;
}

/* Writes the numbers i of [0, n) where bit values[i] - low is set in `bits`, which has `span` bits (at most 2^31); returns how many.
   The words are loaded one by one: hardware that gathers fast is rare. */
static inline size_t ck_select_members(
    const int64_t *values, size_t n, int64_t low, uint64_t span, const uint64_t *bits, int32_t *out) {
  size_t i = 0, found = 0;
#ifdef CK_SELECT_AVX2
  const uint32_t *words = (const uint32_t *)bits;
  const __m256i lows = _mm256_set1_epi64x(low), sign = _mm256_set1_epi64x((long long)(1ull << 63));
  const __m256i spans = _mm256_set1_epi64x((long long)(span ^ 1ull << 63)), low_bits = _mm256_set1_epi32(31);
  for (; i + 8 <= n; i += 8) {
    __m256i a = _mm256_sub_epi64(_mm256_loadu_si256((const __m256i *)(values + i)), lows);
    __m256i b = _mm256_sub_epi64(_mm256_loadu_si256((const __m256i *)(values + i + 4)), lows);
    /* Those out of range read bit 0 and are masked out. */
    const __m256i is_a = _mm256_cmpgt_epi64(spans, _mm256_xor_si256(a, sign));
    const __m256i is_b = _mm256_cmpgt_epi64(spans, _mm256_xor_si256(b, sign));
    a = _mm256_and_si256(a, is_a);
    b = _mm256_and_si256(b, is_b);
    const __m256i at = cks_low_halves(a, b), is_inside = cks_low_halves(is_a, is_b);
    uint32_t w[8] __attribute__((aligned(32)));
    _mm256_store_si256((__m256i *)w, _mm256_srli_epi32(at, 5));
    const __m256i found_words = _mm256_setr_epi32(
        (int)words[w[0]], (int)words[w[1]], (int)words[w[2]], (int)words[w[3]], (int)words[w[4]], (int)words[w[5]],
        (int)words[w[6]], (int)words[w[7]]);
    /* The bit asked for goes to the top. */
    const __m256i top = _mm256_sllv_epi32(found_words, _mm256_andnot_si256(at, low_bits));
    const int mask = _mm256_movemask_ps(_mm256_castsi256_ps(_mm256_and_si256(top, is_inside)));
    found = cks_write8(_pdep_u64((uint64_t)mask, 0x0101010101010101ull), i, out, found);
  }
#endif
  return ck_select_members_portable(values, i, n, low, span, bits, out, found);
}
