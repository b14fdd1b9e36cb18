#pragma once
/* Parquet's primitives: bit-unpacking, byte arrays to string views, XXH64.
   Each vector kernel has a portable twin (suffix _portable) that a test compares with it.
   Reads may pass the given bytes by up to 32; callers' buffers have that slack. */
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#if defined(__AVX2__) && defined(__BMI2__)
#include <immintrin.h>
#define CK_PARQUET_AVX2 1
#endif

static inline uint32_t ckp_load32(const uint8_t *p) { uint32_t v; memcpy(&v, p, 4); return v; }
static inline uint64_t ckp_load64(const uint8_t *p) { uint64_t v; memcpy(&v, p, 8); return v; }

/* n values of bw bits (0 to 32), starting `bit` bits into `in`. */
static inline void ck_unpack32_portable(const uint8_t *in, size_t bit, unsigned bw, uint32_t *out, size_t n) {
  const uint64_t mask = bw >= 32 ? 0xffffffffu : ((1u << bw) - 1u);
  for (size_t i = 0; i < n; i++) {
    out[i] = (uint32_t)((ckp_load64(in + (bit >> 3)) >> (bit & 7)) & mask);
    bit += bw;
  }
}

/* n values of bw bits (0 to 64), starting `bit` bits into `in`. */
static inline void ck_unpack64(const uint8_t *in, size_t bit, unsigned bw, uint64_t *out, size_t n) {
  const uint64_t mask = bw >= 64 ? ~0ull : ((1ull << bw) - 1ull);
  for (size_t i = 0; i < n; i++) {
    const unsigned shift = (unsigned)(bit & 7);
    uint64_t v = ckp_load64(in + (bit >> 3)) >> shift;
    if (shift + bw > 64) v |= (uint64_t)in[(bit >> 3) + 8] << (64 - shift);
    out[i] = v & mask;
    bit += bw;
  }
}

#ifdef CK_PARQUET_AVX2
#define CKP_B(bw, i, k) (uint8_t)((((i) * (bw)) >> 3) - ((i) < 4 ? 0 : ((4 * (bw)) >> 3)) + (k))
#define CKP_V(bw, i) CKP_B(bw, i, 0), CKP_B(bw, i, 1), CKP_B(bw, i, 2), CKP_B(bw, i, 3)
#define CKP_ROW(bw)                                                                                                  \
  {                                                                                                                  \
    {CKP_V(bw, 0), CKP_V(bw, 1), CKP_V(bw, 2), CKP_V(bw, 3), CKP_V(bw, 4), CKP_V(bw, 5), CKP_V(bw, 6), CKP_V(bw, 7)}, \
    {0, (bw) & 7, (2 * (bw)) & 7, (3 * (bw)) & 7, (4 * (bw)) & 7, (5 * (bw)) & 7, (6 * (bw)) & 7, (7 * (bw)) & 7}    \
  }
typedef struct { uint8_t shuffle[32]; uint32_t shift[8]; } ckp_unpack_row;
#endif

/* n values of bw bits (0 to 32) that start on a byte.
   Eight values a step: pshufb moves each value's four bytes into its lane, srlv shifts its first bit to the bottom. */
static inline void ck_unpack32(const uint8_t *in, unsigned bw, uint32_t *out, size_t n) {
  size_t i = 0;
#ifdef CK_PARQUET_AVX2
  static const ckp_unpack_row rows[26] = {
      CKP_ROW(0),  CKP_ROW(1),  CKP_ROW(2),  CKP_ROW(3),  CKP_ROW(4),  CKP_ROW(5),  CKP_ROW(6),  CKP_ROW(7),  CKP_ROW(8),
      CKP_ROW(9),  CKP_ROW(10), CKP_ROW(11), CKP_ROW(12), CKP_ROW(13), CKP_ROW(14), CKP_ROW(15), CKP_ROW(16), CKP_ROW(17),
      CKP_ROW(18), CKP_ROW(19), CKP_ROW(20), CKP_ROW(21), CKP_ROW(22), CKP_ROW(23), CKP_ROW(24), CKP_ROW(25)};
  if (bw <= 25) {
    const __m256i shuffle = _mm256_loadu_si256((const __m256i *)rows[bw].shuffle);
    const __m256i shift = _mm256_loadu_si256((const __m256i *)rows[bw].shift);
    const __m256i mask = _mm256_set1_epi32((int)((1u << bw) - 1u));
    const size_t high = (4 * bw) >> 3;
    const uint8_t *p = in;
    for (; i + 8 <= n; i += 8) {
      __m256i x = _mm256_inserti128_si256(
          _mm256_castsi128_si256(_mm_loadu_si128((const __m128i *)p)), _mm_loadu_si128((const __m128i *)(p + high)), 1);
      x = _mm256_and_si256(_mm256_srlv_epi32(_mm256_shuffle_epi8(x, shuffle), shift), mask);
      _mm256_storeu_si256((__m256i *)(out + i), x);
      p += bw;
    }
  }
#endif
  if (i < n) ck_unpack32_portable(in, i * bw, bw, out + i, n - i);
}

/* n values of bw bits (0 to 8) as bytes, starting `bit` bits into `in`. */
static inline void ck_unpack8_portable(const uint8_t *in, size_t bit, unsigned bw, uint8_t *out, size_t n) {
  const unsigned mask = (1u << bw) - 1u;
  for (size_t i = 0; i < n; i++) {
    out[i] = (uint8_t)(((unsigned)in[bit >> 3] | ((unsigned)in[(bit >> 3) + 1] << 8)) >> (bit & 7)) & mask;
    bit += bw;
  }
}

static inline void ck_unpack8(const uint8_t *in, size_t bit, unsigned bw, uint8_t *out, size_t n) {
  size_t i = 0;
#ifdef CK_PARQUET_AVX2
  const uint64_t lanes = 0x0101010101010101ull * ((1u << bw) - 1u);
  if (bw <= 7) {
    for (; i + 8 <= n; i += 8) {
      const uint64_t v = _pdep_u64(ckp_load64(in + (bit >> 3)) >> (bit & 7), lanes);
      memcpy(out + i, &v, 8);
      bit += 8 * bw;
    }
  }
#endif
  if (i < n) ck_unpack8_portable(in, bit, bw, out + i, n - i);
}

/* Plain byte arrays (4-byte length, bytes) as 16-byte views: a view of up to 12 bytes is the stored form, cut off.
   Returns the bytes passed over, or -1 when an array passes `end`. */
static inline int64_t ck_byte_array_views(const uint8_t *start, const uint8_t *end, size_t n, uint64_t *out) {
  const uint8_t *p = start;
  for (size_t i = 0; i < n; i++) {
    if (end - p < 4) return -1;
    const uint64_t low = ckp_load64(p);
    const uint64_t len = (uint32_t)low;
    if (len > (uint64_t)(end - p - 4)) return -1;
    if (len <= 12) {
      const uint64_t high = ckp_load64(p + 8);
      const uint64_t low_mask = len >= 4 ? ~0ull : ((1ull << (32 + 8 * len)) - 1);
      const uint64_t high_mask = len >= 12 ? ~0ull : len <= 4 ? 0 : ((1ull << (8 * (len - 4))) - 1);
      out[2 * i] = low & low_mask;
      out[2 * i + 1] = high & high_mask;
    } else {
      out[2 * i] = low;
      out[2 * i + 1] = (uint64_t)(uintptr_t)(p + 4);
    }
    p += 4 + len;
  }
  return p - start;
}

/* Passes over n plain byte arrays; the bytes passed over, or -1. */
static inline int64_t ck_byte_array_skip(const uint8_t *start, const uint8_t *end, size_t n) {
  const uint8_t *p = start;
  for (size_t i = 0; i < n; i++) {
    if (end - p < 4) return -1;
    const uint64_t len = ckp_load32(p);
    if (len > (uint64_t)(end - p - 4)) return -1;
    p += 4 + len;
  }
  return p - start;
}

/* Largest of n numbers; 0 for none. */
static inline uint32_t ck_max32(const uint32_t *p, size_t n) {
  uint32_t m = 0;
  for (size_t i = 0; i < n; i++) m = p[i] > m ? p[i] : m;
  return m;
}

/* An IEEE 754 half as a float. */
static inline float ck_half_to_float(uint16_t h) {
  const uint32_t sign = (uint32_t)(h & 0x8000u) << 16;
  uint32_t exponent = (h >> 10) & 0x1fu, mantissa = h & 0x3ffu, bits;
  if (exponent == 31) {
    bits = sign | 0x7f800000u | (mantissa << 13);
  } else if (exponent != 0) {
    bits = sign | ((exponent + 112) << 23) | (mantissa << 13);
  } else if (mantissa != 0) {
    exponent = 113;
    while (!(mantissa & 0x400u)) { mantissa <<= 1; exponent--; }
    bits = sign | (exponent << 23) | ((mantissa & 0x3ffu) << 13);
  } else {
    bits = sign;
  }
  float f;
  memcpy(&f, &bits, 4);
  return f;
}

/* XXH64 with seed 0. Source: xxHash specification, version 0.1.1. */
static inline uint64_t ckp_rotl(uint64_t x, int r) { return (x << r) | (x >> (64 - r)); }
static inline uint64_t ckp_round(uint64_t acc, uint64_t v) {
  return ckp_rotl(acc + v * 0xC2B2AE3D27D4EB4Full, 31) * 0x9E3779B185EBCA87ull;
}
static inline uint64_t ck_xxh64(const void *src, size_t n) {
  const uint64_t p1 = 0x9E3779B185EBCA87ull, p2 = 0xC2B2AE3D27D4EB4Full, p3 = 0x165667B19E3779F9ull,
                 p4 = 0x85EBCA77C2B2AE63ull, p5 = 0x27D4EB2F165667C5ull;
  const uint8_t *p = (const uint8_t *)src, *end = p + n;
  uint64_t h;
  if (n >= 32) {
    uint64_t a = p1 + p2, b = p2, c = 0, d = 0 - p1;
    do {
      a = ckp_round(a, ckp_load64(p));
      b = ckp_round(b, ckp_load64(p + 8));
      c = ckp_round(c, ckp_load64(p + 16));
      d = ckp_round(d, ckp_load64(p + 24));
      p += 32;
    } while (end - p >= 32);
    h = ckp_rotl(a, 1) + ckp_rotl(b, 7) + ckp_rotl(c, 12) + ckp_rotl(d, 18);
    h = (h ^ ckp_round(0, a)) * p1 + p4;
    h = (h ^ ckp_round(0, b)) * p1 + p4;
    h = (h ^ ckp_round(0, c)) * p1 + p4;
    h = (h ^ ckp_round(0, d)) * p1 + p4;
  } else {
    h = p5;
  }
  h += n;
  while (end - p >= 8) { h = ckp_rotl(h ^ ckp_round(0, ckp_load64(p)), 27) * p1 + p4; p += 8; }
  if (end - p >= 4) { h = ckp_rotl(h ^ (ckp_load32(p) * p1), 23) * p2 + p3; p += 4; }
  while (p < end) h = ckp_rotl(h ^ (*p++ * p5), 11) * p1;
  h = (h ^ (h >> 33)) * p2;
  h = (h ^ (h >> 29)) * p3;
  return h ^ (h >> 32);
}
