#include "include/ck_text.h"

#include <string.h>
#if defined(__x86_64__)
#include <immintrin.h>
#define CK_X86 1
#define CK_AVX2 __attribute__((target("avx2,pclmul,bmi,bmi2,popcnt,lzcnt")))
#endif
#define CK_INLINE static inline __attribute__((always_inline))

/* MARK: 64-byte masks */

CK_INLINE uint64_t load64(const uint8_t *p) {
  uint64_t x;
  memcpy(&x, p, 8);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
  x = __builtin_bswap64(x);
#endif
  return x;
}

/* Top bit of each byte of x to one bit each. */
CK_INLINE uint64_t gather_high(uint64_t x) { return ((x >> 7) & 0x0101010101010101u) * 0x0102040810204080u >> 56; }

CK_INLINE uint64_t equal8(uint64_t x, uint64_t pattern) {
  uint64_t y = x ^ pattern;
  uint64_t t = ((y & 0x7f7f7f7f7f7f7f7fu) + 0x7f7f7f7f7f7f7f7fu) | y;
  return gather_high(~t);
}

CK_INLINE uint64_t repeat(uint8_t b) { return b * 0x0101010101010101u; }

typedef struct { uint64_t quote, separator, lf, cr, escape, high; } text_masks;

CK_INLINE text_masks text_masks_portable(const uint8_t *p, const ck_text_dialect *d, int quotes, int escapes) {
  text_masks m = {0, 0, 0, 0, 0, 0};
  for (int k = 0; k < 8; k++) {
    uint64_t x = load64(p + 8 * k);
    int s = 8 * k;
    if (quotes) m.quote |= equal8(x, repeat(d->quote)) << s;
    if (escapes) m.escape |= equal8(x, repeat(d->escape)) << s;
    m.separator |= equal8(x, repeat(d->separator)) << s;
    m.lf |= equal8(x, repeat('\n')) << s;
    m.cr |= equal8(x, repeat('\r')) << s;
    m.high |= x & 0x8080808080808080u;
  }
  return m;
}

CK_INLINE uint64_t prefix_xor_portable(uint64_t x) {
  x ^= x << 1; x ^= x << 2; x ^= x << 4; x ^= x << 8; x ^= x << 16; x ^= x << 32;
  return x;
}

typedef struct { uint64_t quote, operators, lf, backslash, high; } json_masks;

CK_INLINE json_masks json_masks_portable(const uint8_t *p) {
  json_masks m = {0, 0, 0, 0, 0};
  for (int k = 0; k < 8; k++) {
    uint64_t x = load64(p + 8 * k);
    int s = 8 * k;
    uint64_t folded = x | repeat(0x20);
    m.quote |= equal8(x, repeat('"')) << s;
    m.backslash |= equal8(x, repeat('\\')) << s;
    m.lf |= equal8(x, repeat('\n')) << s;
    m.operators |= (equal8(x, repeat(',')) | equal8(folded, repeat('{')) | equal8(folded, repeat('}'))) << s;
    m.high |= x & 0x8080808080808080u;
  }
  return m;
}

#ifdef CK_X86
CK_INLINE CK_AVX2 uint64_t equal64(__m256i a, __m256i b, uint8_t c) {
  __m256i v = _mm256_set1_epi8((char)c);
  return (uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(a, v)) |
         (uint64_t)(uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(b, v)) << 32;
}

CK_INLINE CK_AVX2 text_masks text_masks_avx2(const uint8_t *p, const ck_text_dialect *d, int quotes, int escapes) {
  text_masks m = {0, 0, 0, 0, 0, 0};
  __m256i a = _mm256_loadu_si256((const __m256i *)p), b = _mm256_loadu_si256((const __m256i *)(p + 32));
  if (quotes) m.quote = equal64(a, b, d->quote);
  if (escapes) m.escape = equal64(a, b, d->escape);
  m.separator = equal64(a, b, d->separator);
  m.lf = equal64(a, b, '\n');
  m.cr = equal64(a, b, '\r');
  m.high = (uint32_t)_mm256_movemask_epi8(_mm256_or_si256(a, b));
  return m;
}

CK_INLINE CK_AVX2 uint64_t prefix_xor_avx2(uint64_t x) {
  return (uint64_t)_mm_cvtsi128_si64(
      _mm_clmulepi64_si128(_mm_set_epi64x(0, (long long)x), _mm_set1_epi8((char)0xff), 0));
}

CK_INLINE CK_AVX2 json_masks json_masks_avx2(const uint8_t *p) {
  json_masks m;
  __m256i a = _mm256_loadu_si256((const __m256i *)p), b = _mm256_loadu_si256((const __m256i *)(p + 32));
  __m256i bit = _mm256_set1_epi8(0x20), open = _mm256_set1_epi8('{'), close = _mm256_set1_epi8('}'),
          comma = _mm256_set1_epi8(',');
  __m256i fa = _mm256_or_si256(a, bit), fb = _mm256_or_si256(b, bit);
  __m256i oa = _mm256_or_si256(_mm256_or_si256(_mm256_cmpeq_epi8(fa, open), _mm256_cmpeq_epi8(fa, close)),
                               _mm256_cmpeq_epi8(a, comma));
  __m256i ob = _mm256_or_si256(_mm256_or_si256(_mm256_cmpeq_epi8(fb, open), _mm256_cmpeq_epi8(fb, close)),
                               _mm256_cmpeq_epi8(b, comma));
  m.operators = (uint32_t)_mm256_movemask_epi8(oa) | (uint64_t)(uint32_t)_mm256_movemask_epi8(ob) << 32;
  m.quote = equal64(a, b, '"');
  m.backslash = equal64(a, b, '\\');
  m.lf = equal64(a, b, '\n');
  m.high = (uint32_t)_mm256_movemask_epi8(_mm256_or_si256(a, b));
  return m;
}
#endif

/* MARK: Emitting positions */

/* Writes from + bit for every bit; eight at a time. */
CK_INLINE void emit(uint32_t *out, uint64_t bits, uint32_t from) {
  int n = __builtin_popcountll(bits);
  for (int k = 0; k < 8; k++) {
    out[k] = from + (uint32_t)(bits ? __builtin_ctzll(bits) : 0);
    bits &= bits - 1;
  }
  if (__builtin_expect(n > 8, 0)) {
    for (int k = 8; k < 16; k++) {
      out[k] = from + (uint32_t)(bits ? __builtin_ctzll(bits) : 0);
      bits &= bits - 1;
    }
    if (__builtin_expect(n > 16, 0)) {
      out += 16;
      while (bits) {
        *out++ = from + (uint32_t)__builtin_ctzll(bits);
        bits &= bits - 1;
      }
    }
  }
}

#ifdef CK_X86
CK_INLINE CK_AVX2 void emit_avx2(uint32_t *out, uint64_t bits, uint32_t from) {
  int n = __builtin_popcountll(bits);
  for (int k = 0; k < 8; k++) {
    out[k] = from + (uint32_t)_tzcnt_u64(bits);
    bits = _blsr_u64(bits);
  }
  if (__builtin_expect(n > 8, 0)) {
    for (int k = 8; k < 16; k++) {
      out[k] = from + (uint32_t)_tzcnt_u64(bits);
      bits = _blsr_u64(bits);
    }
    if (__builtin_expect(n > 16, 0)) {
      out += 16;
      while (bits) {
        *out++ = from + (uint32_t)_tzcnt_u64(bits);
        bits = _blsr_u64(bits);
      }
    }
  }
}
#endif

/* MARK: Delimited text */

/* The exact machine, byte by byte; what the masks have to agree with. */
static void text_scan_bytes(const uint8_t *base, size_t from, size_t to, size_t limit, const ck_text_dialect *d,
                            ck_text_state *st, uint32_t *fields, uint32_t *rows) {
  uint32_t s = st->state;
  size_t n = st->field_count, r = st->row_count, lines = 0;
  for (size_t i = from; i < to; i++) {
    uint8_t c = base[i];
    int is_line_end = c == '\n' || (c == '\r' && !(i + 1 < limit && base[i + 1] == '\n'));
    if (s == CK_TEXT_ESCAPE_IN_QUOTES) {
      s = CK_TEXT_QUOTED;
      if (c == d->quote || c == d->escape) continue;
    }
    if (s == CK_TEXT_QUOTED) {
      if (d->has_escape && c == d->escape) s = CK_TEXT_ESCAPE_IN_QUOTES;
      else if (c == d->quote) s = CK_TEXT_QUOTE;
      continue;
    }
    if (s == CK_TEXT_QUOTE && c == d->quote) {
      s = CK_TEXT_QUOTED;
      continue;
    }
    if ((s == CK_TEXT_QUOTE || s == CK_TEXT_BEHIND_QUOTE) && !is_line_end && c != d->separator && c != '\r') {
      if (c == ' ' || c == '\t') {
        s = CK_TEXT_BEHIND_QUOTE;
        continue;
      }
      if (st->stray_count++ == 0) st->stray_place = i;
    }
    if (s == CK_TEXT_ESCAPE && !is_line_end && c != '\r') {
      s = CK_TEXT_UNQUOTED;
      continue;
    }
    if (is_line_end || c == d->separator) {
      if (is_line_end) {
        if (fields) rows[r++] = (uint32_t)n;
        lines++;
      }
      if (fields) fields[n++] = (uint32_t)i;
      s = CK_TEXT_FIELD_START;
    } else if (s == CK_TEXT_FIELD_START && d->has_quote && c == d->quote) {
      s = CK_TEXT_QUOTED;
    } else if (d->has_escape == 2 && c == d->escape) {
      s = CK_TEXT_ESCAPE;
    } else {
      s = CK_TEXT_UNQUOTED;
    }
  }
  st->state = s;
  st->field_count = n;
  st->row_count = r;
  st->line_count += lines;
}

#define CK_TEXT_LOOP(TARGET, NAME, MASKS, PREFIX_XOR, EMIT)                                                            \
  CK_INLINE TARGET void NAME(const uint8_t *base, size_t from, size_t to, size_t limit, const ck_text_dialect *d,      \
                             ck_text_state *st, uint32_t *fields, uint32_t *rows, int quotes, int escapes,             \
                             int writes) {                                                                             \
    uint64_t in_quotes = 0, start_ok = 0, after_close = 0, high = 0;                                                   \
    size_t n = st->field_count, r = st->row_count, lines = 0, i = from;                                                \
    uint32_t pending = st->state;                                                                                      \
    int is_pending = 1;                                                                                                \
    while (i < to) {                                                                                                   \
      if (is_pending) {                                                                                                \
        in_quotes = pending == CK_TEXT_QUOTED ? ~(uint64_t)0 : 0;                                                      \
        after_close = pending == CK_TEXT_QUOTE;                                                                        \
        start_ok = pending == CK_TEXT_FIELD_START || pending == CK_TEXT_QUOTE;                                         \
        is_pending = 0;                                                                                                \
      }                                                                                                                \
      size_t end = i + 64 <= to ? i + 64 : to;                                                                         \
      text_masks m = MASKS(base + i, d, quotes, escapes);                                                              \
      uint64_t valid = ~(uint64_t)0;                                                                                   \
      uint64_t next_lf = end < limit ? (uint64_t)(base[end] == '\n') : 0;                                              \
      if (__builtin_expect(end - i < 64, 0)) {                                                                         \
        valid = ((uint64_t)1 << (end - i)) - 1;                                                                        \
        m.quote &= valid, m.separator &= valid, m.lf &= valid, m.cr &= valid, m.escape &= valid;                       \
        for (size_t k = i; k < end; k++) high |= base[k] & 0x80;                                                       \
      } else {                                                                                                         \
        high |= m.high;                                                                                                \
      }                                                                                                                \
      uint64_t nl = m.lf | (m.cr & ~((m.lf >> 1) | next_lf << (end - i - 1)));                                         \
      uint64_t s = m.separator & ~nl;                                                                                  \
      int slow = (escapes && (m.escape != 0 || pending >= CK_TEXT_ESCAPE_IN_QUOTES)) ||                                \
                 (quotes && pending == CK_TEXT_BEHIND_QUOTE);                                                          \
      uint64_t mask = 0, closes = 0;                                                                                   \
      if (quotes && (m.quote | in_quotes | after_close) != 0) {                                                        \
        mask = PREFIX_XOR(m.quote) ^ in_quotes;                                                                        \
        uint64_t opens = m.quote & mask;                                                                               \
        closes = m.quote & ~mask;                                                                                      \
        uint64_t ends = m.separator | m.lf | m.cr;                                                                     \
        uint64_t bad_open = opens & ~(((s | nl | closes) << 1) | start_ok);                                            \
        uint64_t bad_close = ((closes << 1) | after_close) & ~(ends | opens) & valid;                                  \
        slow |= (bad_open | bad_close) != 0;                                                                           \
      }                                                                                                                \
      if (__builtin_expect(slow, 0)) {                                                                                 \
        st->state = in_quotes    ? CK_TEXT_QUOTED                                                                      \
                    : after_close ? CK_TEXT_QUOTE                                                                      \
                    : start_ok    ? CK_TEXT_FIELD_START                                                                \
                                  : CK_TEXT_UNQUOTED;                                                                  \
        if (pending >= CK_TEXT_ESCAPE_IN_QUOTES) st->state = pending;                                                  \
        st->field_count = n, st->row_count = r;                                                                        \
        text_scan_bytes(base, i, end, limit, d, st, fields, rows);                                                     \
        n = st->field_count, r = st->row_count, pending = st->state, is_pending = 1;                                   \
        i = end;                                                                                                       \
        continue;                                                                                                      \
      }                                                                                                                \
      pending = 0;                                                                                                     \
      if (quotes) {                                                                                                    \
        nl &= ~mask, s &= ~mask;                                                                                       \
        uint64_t last = (uint64_t)1 << (end - i - 1);                                                                  \
        in_quotes = (mask & last) ? ~(uint64_t)0 : 0;                                                                  \
        after_close = (closes & last) != 0;                                                                            \
        start_ok = ((s | nl | closes) & last) != 0;                                                                    \
      } else {                                                                                                         \
        start_ok = ((s | nl) >> (end - i - 1)) & 1;                                                                    \
      }                                                                                                                \
      if (writes) {                                                                                                    \
        uint64_t k = s | nl;                                                                                           \
        EMIT(fields + n, k, (uint32_t)i);                                                                              \
        uint64_t rest = nl;                                                                                            \
        while (rest) {                                                                                                 \
          rows[r++] = (uint32_t)(n + (size_t)__builtin_popcountll(k & ((rest & -rest) - 1)));                          \
          rest &= rest - 1;                                                                                            \
        }                                                                                                              \
        n += (size_t)__builtin_popcountll(k);                                                                          \
      }                                                                                                                \
      lines += (size_t)__builtin_popcountll(nl);                                                                       \
      i = end;                                                                                                         \
    }                                                                                                                  \
    if (!is_pending)                                                                                                   \
      st->state = in_quotes     ? CK_TEXT_QUOTED                                                                       \
                  : after_close ? CK_TEXT_QUOTE                                                                        \
                  : start_ok    ? CK_TEXT_FIELD_START                                                                  \
                                : CK_TEXT_UNQUOTED;                                                                    \
    st->field_count = n, st->row_count = r;                                                                            \
    st->line_count += lines;                                                                                           \
    st->non_ascii |= high;                                                                                             \
  }

#define CK_TEXT_CHOICES(LOOP)                                                                                          \
  if (fields) {                                                                                                        \
    if (d->has_escape) LOOP(base, from, to, limit, d, st, fields, rows, d->has_quote, 1, 1);                           \
    else if (d->has_quote) LOOP(base, from, to, limit, d, st, fields, rows, 1, 0, 1);                                  \
    else LOOP(base, from, to, limit, d, st, fields, rows, 0, 0, 1);                                                    \
  } else {                                                                                                             \
    if (d->has_escape) LOOP(base, from, to, limit, d, st, fields, rows, d->has_quote, 1, 0);                           \
    else if (d->has_quote) LOOP(base, from, to, limit, d, st, fields, rows, 1, 0, 0);                                  \
    else LOOP(base, from, to, limit, d, st, fields, rows, 0, 0, 0);                                                    \
  }

CK_TEXT_LOOP(, text_loop_portable, text_masks_portable, prefix_xor_portable, emit)

void ck_text_scan_portable(const uint8_t *base, size_t from, size_t to, size_t limit, const ck_text_dialect *d,
                           ck_text_state *st, uint32_t *fields, uint32_t *rows) {
  CK_TEXT_CHOICES(text_loop_portable)
}

#ifdef CK_X86
CK_TEXT_LOOP(CK_AVX2, text_loop_avx2, text_masks_avx2, prefix_xor_avx2, emit_avx2)

static CK_AVX2 void text_scan_avx2(const uint8_t *base, size_t from, size_t to, size_t limit, const ck_text_dialect *d,
                                   ck_text_state *st, uint32_t *fields, uint32_t *rows) {
  CK_TEXT_CHOICES(text_loop_avx2)
}

static int has_avx2(void) {
  return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("pclmul") && __builtin_cpu_supports("bmi2");
}
#endif

void ck_text_scan(const uint8_t *base, size_t from, size_t to, size_t limit, const ck_text_dialect *d,
                  ck_text_state *st, uint32_t *fields, uint32_t *rows) {
#ifdef CK_X86
  if (has_avx2()) {
    text_scan_avx2(base, from, to, limit, d, st, fields, rows);
    return;
  }
#endif
  ck_text_scan_portable(base, from, to, limit, d, st, fields, rows);
}

/* MARK: JSON */

static void json_scan_bytes(const uint8_t *base, size_t from, size_t to, int has_lines, ck_json_state *st,
                            uint32_t *tokens, uint32_t *rows) {
  size_t n = st->token_count, r = st->row_count, lines = 0;
  uint32_t in_string = st->in_string, is_escaped = st->is_escaped;
  for (size_t i = from; i < to; i++) {
    uint8_t c = base[i];
    if (c == '\n') {
      lines++;
      is_escaped = 0;
      if (!has_lines) continue;
      in_string = 0;
      if (tokens) {
        rows[r++] = (uint32_t)n;
        tokens[n++] = (uint32_t)i;
      }
      continue;
    }
    if (is_escaped) {
      is_escaped = 0;
      continue;
    }
    if (c == '\\') {
      is_escaped = 1;
    } else if (c == '"') {
      if (tokens) tokens[n++] = (uint32_t)i;
      in_string = !in_string;
    } else if (!in_string && (c == ',' || (c | 0x20) == '{' || (c | 0x20) == '}')) {
      if (tokens) tokens[n++] = (uint32_t)i;
    }
  }
  st->token_count = n, st->row_count = r, st->line_count += lines;
  st->in_string = in_string, st->is_escaped = is_escaped;
}

#define CK_JSON_LOOP(TARGET, NAME, MASKS, PREFIX_XOR, EMIT)                                                            \
  CK_INLINE TARGET void NAME(const uint8_t *base, size_t from, size_t to, ck_json_state *st, uint32_t *tokens,         \
                             uint32_t *rows, int has_lines, int writes) {                                              \
    const uint64_t odd = 0xaaaaaaaaaaaaaaaau;                                                                          \
    uint64_t in_string = st->in_string ? ~(uint64_t)0 : 0, carry = st->is_escaped, high = 0, slashes = 0;              \
    size_t n = st->token_count, r = st->row_count, lines = 0, i = from;                                                \
    for (; i + 64 <= to; i += 64) {                                                                                    \
      json_masks m = MASKS(base + i);                                                                                  \
      high |= m.high;                                                                                                  \
      slashes |= m.backslash;                                                                                          \
      uint64_t escaped = carry, next_carry = 0;                                                                        \
      if (m.backslash != 0) {                                                                                          \
        uint64_t potential = m.backslash & ~carry;                                                                     \
        uint64_t code = (((potential << 1) | odd) - potential) ^ odd;                                                  \
        escaped = code ^ (m.backslash | carry);                                                                        \
        next_carry = (code & m.backslash) >> 63;                                                                       \
      }                                                                                                                \
      uint64_t quote = m.quote & ~escaped;                                                                             \
      uint64_t mask = PREFIX_XOR(quote) ^ in_string;                                                                   \
      if (__builtin_expect((m.lf & (mask | escaped)) != 0, 0)) {                                                       \
        st->token_count = n, st->row_count = r;                                                                        \
        st->in_string = in_string != 0, st->is_escaped = (uint32_t)carry;                                              \
        json_scan_bytes(base, i, i + 64, has_lines, st, tokens, rows);                                                 \
        n = st->token_count, r = st->row_count;                                                                        \
        in_string = st->in_string ? ~(uint64_t)0 : 0, carry = st->is_escaped;                                          \
        continue;                                                                                                      \
      }                                                                                                                \
      carry = next_carry;                                                                                              \
      if (writes) {                                                                                                    \
        uint64_t k = quote | (m.operators & ~(mask | escaped)) | (has_lines ? m.lf : 0);                               \
        EMIT(tokens + n, k, (uint32_t)i);                                                                              \
        if (has_lines) {                                                                                               \
          uint64_t rest = m.lf;                                                                                        \
          while (rest) {                                                                                               \
            rows[r++] = (uint32_t)(n + (size_t)__builtin_popcountll(k & ((rest & -rest) - 1)));                        \
            rest &= rest - 1;                                                                                          \
          }                                                                                                            \
        }                                                                                                              \
        n += (size_t)__builtin_popcountll(k);                                                                          \
      }                                                                                                                \
      lines += (size_t)__builtin_popcountll(m.lf);                                                                     \
      in_string = (uint64_t)((int64_t)mask >> 63);                                                                     \
    }                                                                                                                  \
    st->token_count = n, st->row_count = r, st->line_count += lines;                                                   \
    st->in_string = in_string != 0, st->is_escaped = (uint32_t)carry;                                                  \
    if (i < to) {                                                                                                      \
      for (size_t k = i; k < to; k++) high |= base[k] & 0x80, slashes |= base[k] == '\\';                              \
      json_scan_bytes(base, i, to, has_lines, st, tokens, rows);                                                       \
    }                                                                                                                  \
    st->non_ascii |= high;                                                                                             \
    st->backslashes |= slashes;                                                                                        \
  }

#define CK_JSON_CHOICES(LOOP)                                                                                          \
  if (tokens) {                                                                                                        \
    if (lines) LOOP(base, from, to, st, tokens, rows, 1, 1);                                                           \
    else LOOP(base, from, to, st, tokens, rows, 0, 1);                                                                 \
  } else {                                                                                                             \
    if (lines) LOOP(base, from, to, st, tokens, rows, 1, 0);                                                           \
    else LOOP(base, from, to, st, tokens, rows, 0, 0);                                                                 \
  }

CK_JSON_LOOP(, json_loop_portable, json_masks_portable, prefix_xor_portable, emit)

void ck_json_scan_portable(const uint8_t *base, size_t from, size_t to, int lines, ck_json_state *st, uint32_t *tokens,
                           uint32_t *rows) {
  CK_JSON_CHOICES(json_loop_portable)
}

#ifdef CK_X86
CK_JSON_LOOP(CK_AVX2, json_loop_avx2, json_masks_avx2, prefix_xor_avx2, emit_avx2)

static CK_AVX2 void json_scan_avx2(const uint8_t *base, size_t from, size_t to, int lines, ck_json_state *st,
                                   uint32_t *tokens, uint32_t *rows) {
  CK_JSON_CHOICES(json_loop_avx2)
}
#endif

void ck_json_scan(const uint8_t *base, size_t from, size_t to, int lines, ck_json_state *st, uint32_t *tokens,
                  uint32_t *rows) {
#ifdef CK_X86
  if (has_avx2()) {
    json_scan_avx2(base, from, to, lines, st, tokens, rows);
    return;
  }
#endif
  ck_json_scan_portable(base, from, to, lines, st, tokens, rows);
}

/* MARK: UTF-8 */

size_t ck_utf8_valid_prefix(const uint8_t *p, size_t n) {
  size_t i = 0;
  while (i < n) {
    if (i + 8 <= n && (load64(p + i) & 0x8080808080808080u) == 0) {
      i += 8;
      continue;
    }
    uint8_t c = p[i];
    if (c < 0x80) {
      i++;
    } else if (c >= 0xc2 && c <= 0xdf) {
      if (n - i < 2 || (p[i + 1] & 0xc0) != 0x80) return i;
      i += 2;
    } else if ((c & 0xf0) == 0xe0) {
      if (n - i < 3 || (p[i + 1] & 0xc0) != 0x80 || (p[i + 2] & 0xc0) != 0x80) return i;
      if (c == 0xe0 && p[i + 1] < 0xa0) return i;
      if (c == 0xed && p[i + 1] > 0x9f) return i;
      i += 3;
    } else if (c >= 0xf0 && c <= 0xf4) {
      if (n - i < 4 || (p[i + 1] & 0xc0) != 0x80 || (p[i + 2] & 0xc0) != 0x80 || (p[i + 3] & 0xc0) != 0x80) return i;
      if (c == 0xf0 && p[i + 1] < 0x90) return i;
      if (c == 0xf4 && p[i + 1] > 0x8f) return i;
      i += 4;
    } else {
      return i;
    }
  }
  return n;
}
