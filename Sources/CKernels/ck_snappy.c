/* Snappy's block format. Source: google/snappy, format_description.txt. */
#include "ckernels.h"
#if defined(__x86_64__)
#include <immintrin.h>
#endif

/* By way of a register: source and target may overlap. */
static inline void copy16(uint8_t *to, const uint8_t *from) {
  uint64_t words[2];
  memcpy(words, from, 16);
  memcpy(to, words, 16);
}
/* Copies at most 64 bytes, whole words at a time: 16 or 64. */
static inline void copy_short(uint8_t *to, const uint8_t *from, size_t length) {
  copy16(to, from);
  if (length > 16) {
    copy16(to + 16, from + 16);
    copy16(to + 32, from + 32);
    copy16(to + 48, from + 48);
  }
}
#if !defined(__x86_64__)
static inline void copy8(uint8_t *to, const uint8_t *from) {
  uint64_t word;
  memcpy(&word, from, 8);
  memcpy(to, &word, 8);
}
#endif

/* Reads the varint at the start; returns how many bytes it takes, or 0. */
static size_t read_size(const uint8_t *src, size_t n, uint64_t *size) {
  uint64_t value = 0;
  for (size_t i = 0; i < n && i < 5; i++) {
    value |= (uint64_t)(src[i] & 0x7F) << (7 * i);
    if (!(src[i] & 0x80)) {
      if (value > 0xFFFFFFFFu) return 0;
      *size = value;
      return i + 1;
    }
  }
  return 0;
}

int64_t ck_snappy_size(const void *src, size_t n) {
  uint64_t size;
  return read_size((const uint8_t *)src, n, &size) ? (int64_t)size : -1;
}

/* The length of the literal whose tag is at ip, and in *at where its bytes begin; 0 where the tag is cut off. */
static size_t literal_length(const uint8_t *ip, size_t left, size_t *at) {
  size_t length = (*ip >> 2) + 1, extra = 0;
  if (length > 60) {
    extra = length - 60;
    if (left < 1 + extra) return 0;
    length = 0;
    for (size_t i = 0; i < extra; i++) length |= (size_t)ip[1 + i] << (8 * i);
    length += 1;
  }
  *at = 1 + extra;
  return length;
}

size_t ck_snappy_literal(const void *source, size_t n, size_t size) {
  const uint8_t *const src = (const uint8_t *)source;
  uint64_t stated;
  size_t head = read_size(src, n, &stated), at;
  if (!head || head == n || stated != size || (src[head] & 3) != 0) return 0;
  size_t length = literal_length(src + head, n - head, &at);
  return length == size && n - head - at == size ? head + at : 0;
}

#if defined(__x86_64__)
/* Row o: byte i comes from i mod o; row 16 is the identity. */
#define ROW(o) {0 % o, 1 % o, 2 % o, 3 % o, 4 % o, 5 % o, 6 % o, 7 % o, 8 % o, 9 % o, 10 % o, 11 % o, 12 % o, 13 % o, 14 % o, 15 % o}
static const union {
  uint8_t bytes[17][16];
  __m128i rows[17];
} patterns = {{{0}, ROW(1), ROW(2), ROW(3), ROW(4), ROW(5), ROW(6), ROW(7), ROW(8), ROW(9), ROW(10), ROW(11), ROW(12),
               ROW(13), ROW(14), ROW(15), ROW(16)}};
#undef ROW
#endif

/* Of a copy's tag: the length in the low byte, and above it what the tag holds of the offset, in its place. */
#define TAG(t) (((t) & 3) == 1 ? ((((t) >> 2 & 7) + 4) | (t) >> 5 << 8) : ((t) >> 2) + 1)
#define TAGS4(t) TAG(t), TAG(t + 1), TAG(t + 2), TAG(t + 3)
#define TAGS16(t) TAGS4(t), TAGS4(t + 4), TAGS4(t + 8), TAGS4(t + 12)
#define TAGS64(t) TAGS16(t), TAGS16(t + 16), TAGS16(t + 32), TAGS16(t + 48)
static const uint16_t tags[256] = {TAGS64(0), TAGS64(64), TAGS64(128), TAGS64(192)};
#undef TAG
#undef TAGS4
#undef TAGS16
#undef TAGS64

/* The length and the offset of the copy whose tag is at ip; the offset of other elements is 0. Reads 3 bytes. */
static inline __attribute__((always_inline)) void read_copy(const uint8_t *ip, size_t *length, size_t *offset) {
  static const uint16_t masks[4] = {0, 0xFF, 0xFFFF, 0};
  uint16_t low;
  memcpy(&low, ip + 1, 2);
  const uint16_t tag = tags[*ip];
  *length = tag & 0xFF;
  *offset = (tag & 0x700) | (low & masks[*ip & 3]);
}

/* Writes a copy whose source and target overlap, or lie close; up to 64 bytes behind its end may be overwritten. */
#if defined(__x86_64__)
__attribute__((target("ssse3")))
#endif
static inline void copy_overlapping(uint8_t *op, size_t offset, size_t length) {
  const uint8_t *from = op - offset;
  if (offset >= 16) {
    copy_short(op, from, length);
    return;
  }
  uint8_t *to = op, *const end = op + length;
#if defined(__x86_64__)
  /* One shuffle repeats the pattern; the largest multiple of the offset within 16 bytes is where it starts anew. */
  __m128i words = _mm_shuffle_epi8(_mm_loadu_si128((const __m128i *)from), patterns.rows[offset]);
  size_t step = 16 - 16 % offset;
  for (; to < end; to += step) _mm_storeu_si128((__m128i *)to, words);
#else
  if (offset < 8) {
    /* Repeat the pattern until source and target lie at least 8 bytes apart: 8 bytes first, then by its multiple. */
    static const uint8_t steps[8] = {0, 8, 8, 9, 8, 10, 12, 14};
    size_t step = steps[offset];
    for (size_t i = 0; i < step; i++) to[i] = from[i];
    from = to;
    to += step;
  }
  for (; to < end; to += 8, from += 8) copy8(to, from);
#endif
}

/* Decompresses turns of a literal and a copy while each has the lengths of the first: numbers of a fixed width, of which some bytes are
   those of an earlier one. Where all turns have the same lengths, the next one's place is known before this one's bytes have been
   looked at, so that the processor works on several at once. Returns how many turns. */
__attribute__((noinline))
static size_t decompress_equal_turns(const uint8_t **source, const uint8_t *source_limit, uint8_t **target,
                                     const uint8_t *target_limit, const uint8_t *dst) {
  const uint8_t *ip = *source;
  uint8_t *op = *target;
  const size_t tag = *ip, length = (tag >> 2) + 1, form = ip[1 + length] & 0x1F, copied = (form >> 2) + 4;
  if ((tag & 3) != 0 || length > 16 || (form & 3) != 1) return 0;
  size_t turns = 0;
  uint64_t words[2];
  for (; ip < source_limit && op < target_limit; turns++) {
    const size_t next = ip[1 + length], offset = (next >> 5) << 8 | ip[2 + length];
    if (*ip != tag || (next & 0x1F) != form) break;
    if (offset < length + copied || offset > (size_t)(op - dst) + length) break;
    /* The bytes of the number before are at hand; to read what was only just written takes long. */
    if (offset != length + copied || turns == 0) memcpy(words, op + length - offset, 16);
    copy16(op, ip + 1);
    memcpy(op + length, words, 16);
    ip += length + 3;
    op += length + copied;
  }
  *source = ip;
  *target = op;
  return turns;
}

/* Places of the source at which turns are looked for in one go. */
enum { WINDOW = 256 };

/* For each place of a window, were it the start of a turn (a literal of at most 4 bytes and the copy behind it, or a copy alone): how far
   from there the copy's tag is, and the next turn. For other places any numbers from 0 to 9. */
struct turns {
  uint8_t copies[WINDOW], nexts[WINDOW];
};

/* Reads up to 5 bytes behind the window. */
static inline __attribute__((always_inline)) void find_turns_inline(const uint8_t *ip, struct turns *turns) {
  typedef uint8_t bytes __attribute__((vector_size(32), aligned(1), may_alias));
#define AT(p) (*(const bytes *)(p))
  for (size_t i = 0; i < WINDOW; i += sizeof(bytes)) {
    const bytes tag = AT(ip + i);
    const bytes one = tag == 0 << 2, two = tag == 1 << 2, three = tag == 2 << 2, four = tag == 3 << 2;
    const bytes copies = (one & 2) | (two & 3) | (three & 4) | (four & 5);
    const bytes copy = (one & AT(ip + i + 2)) | (two & AT(ip + i + 3)) | (three & AT(ip + i + 4)) | (four & AT(ip + i + 5)) |
                       (tag & (copies == 0));
    *(bytes *)(turns->copies + i) = copies;
    *(bytes *)(turns->nexts + i) = copies + (copy & 3) + 1;
  }
#undef AT
}
#if defined(__x86_64__)
__attribute__((target("avx2"), noinline))
static void find_turns_avx2(const uint8_t *ip, struct turns *turns) { find_turns_inline(ip, turns); }
#endif
__attribute__((noinline))
static void find_turns_portable(const uint8_t *ip, struct turns *turns) { find_turns_inline(ip, turns); }

static inline void find_turns(const uint8_t *ip, struct turns *turns) {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx2")) return find_turns_avx2(ip, turns);
#endif
  find_turns_portable(ip, turns);
}

/* Decompresses turns of a literal of at most 4 bytes and a copy of at most 16: numbers of a fixed width that share bytes with earlier ones
   here and there. From one turn to the next leads a single addition, so that the processor works on several at once; only where most
   copy what was just written must each wait for the one before, and the rest is left to others. Returns how many turns. */
__attribute__((noinline))
static size_t decompress_short_turns(const uint8_t **source, const uint8_t *source_limit, uint8_t **target,
                                     const uint8_t *target_limit, const uint8_t *dst) {
  enum { NEAR = 16 };
  struct turns turns;
  const uint8_t *window = *source;
  uint8_t *op = *target;
  size_t i = 0, done = 0;
  while (source_limit - window >= WINDOW) {
    find_turns(window, &turns);
    size_t distance = 0;
    const size_t before = done;
    for (; i < WINDOW; done++) {
      const size_t at = turns.copies[i], literal = at - (at > 0);
      const uint8_t *const ip = window + i;
      size_t length, offset;
      read_copy(ip + at, &length, &offset);
      if ((length > 16) | (offset < length) | (offset > (size_t)(op - dst) + literal) | (op >= target_limit)) goto end;
      distance += offset;
      i += turns.nexts[i];
      uint32_t word;
      memcpy(&word, ip + 1, 4);
      memcpy(op, &word, 4);
      op += literal;
      copy16(op, op - offset);
      op += length;
    }
    window += WINDOW;
    i -= WINDOW;
    if (distance <= NEAR * (done - before)) break;
  }
end:
  *source = window + i;
  *target = op;
  return done;
}

/* Decompresses elements while both ends are far enough to load and store whole words. Stops before an element of a rare form and
   before a damaged one. */
#if defined(__x86_64__)
__attribute__((target("ssse3")))
#endif
__attribute__((noinline))
static void decompress_far_from_ends(const uint8_t **source, const uint8_t *source_end, uint8_t **target, uint8_t *target_end,
                                     const uint8_t *dst) {
  /* A turn of the loop takes a literal of at most 61 bytes and a copy of 3, gives at most 60 and 64, and writes 64 at once. */
  enum { MARGIN = 192 };
  const uint8_t *ip = *source;
  uint8_t *op = *target;
  if (source_end - ip < MARGIN || target_end - op < MARGIN) return;
  const uint8_t *const ip_limit = source_end - MARGIN;
  uint8_t *const op_limit = target_end - MARGIN;
  size_t wait = 1, patience = 1;
  do {
    size_t tag = *ip;
    if ((tag & 3) == 0) {
      if (__builtin_expect(--wait == 0, 0)) {
        size_t turns = decompress_equal_turns(&ip, ip_limit, &op, op_limit, dst);
        if (turns < 8 && patience > 1) turns += decompress_short_turns(&ip, ip_limit, &op, op_limit, dst);
        patience = turns >= 8 ? 1 : patience < 256 ? patience * 2 : patience;
        wait = patience;
        if (turns > 0) continue;
      }
      if (__builtin_expect(tag >= 60 << 2, 0)) break;
      size_t length = (tag >> 2) + 1;
      copy_short(op, ip + 1, length);
      ip += 1 + length;
      op += length;
      /* What follows a literal is a copy, as a rule. */
      tag = *ip;
      if ((tag & 3) == 0) continue;
    }
    size_t form = tag & 3;
    if (__builtin_expect(form == 3, 0)) break;
    size_t length, offset;
    read_copy(ip, &length, &offset);
    if (__builtin_expect(offset > (size_t)(op - dst), 0)) break;
    if (__builtin_expect(offset >= length, 1)) {
      copy_short(op, op - offset, length);
    } else {
      if (offset == 0) break;
      copy_overlapping(op, offset, length);
    }
    ip += form + 1;
    op += length;
  } while (ip < ip_limit && op < op_limit);
  *source = ip;
  *target = op;
}

int64_t ck_snappy_decompress(const void *source, size_t n, void *target, size_t capacity) {
  const uint8_t *const src = (const uint8_t *)source;
  uint8_t *const dst = (uint8_t *)target;
  uint64_t size;
  size_t head = read_size(src, n, &size);
  if (!head || size > capacity) return -1;
  const uint8_t *ip = src + head, *const ip_end = src + n;
  uint8_t *op = dst, *const op_end = dst + size;
#define DAMAGED (-1 - (int64_t)(ip - src))
  for (;;) {
    decompress_far_from_ends(&ip, ip_end, &op, op_end, dst);
    if (ip == ip_end) break;
    /* One element with all checks. */
    size_t left = (size_t)(ip_end - ip), tag = *ip, form = tag & 3;
    size_t length = (tag >> 2) + 1;
    if (form == 0) {
      size_t at;
      length = literal_length(ip, left, &at);
      if (length == 0 || left - at < length || (size_t)(op_end - op) < length) return DAMAGED;
      memcpy(op, ip + at, length);
      ip += at + length;
      op += length;
      continue;
    }
    static const uint8_t sizes[4] = {0, 2, 3, 5};
    if (left < sizes[form]) return DAMAGED;
    size_t offset = 0;
    for (size_t i = 1; i < sizes[form]; i++) offset |= (size_t)ip[i] << (8 * (i - 1));
    if (form == 1) {
      length = tags[tag] & 0xFF;
      offset |= tags[tag] & 0x700;
    }
    /* offset 0 wraps to the largest value. */
    if (offset - 1 >= (size_t)(op - dst) || (size_t)(op_end - op) < length) return DAMAGED;
    const uint8_t *from = op - offset;
    for (size_t i = 0; i < length; i++) op[i] = from[i];
    ip += sizes[form];
    op += length;
  }
  if (op != op_end) return DAMAGED;
  return (int64_t)size;
#undef DAMAGED
}
