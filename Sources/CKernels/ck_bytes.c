#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "ckernels.h"
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <unistd.h>
#if defined(__x86_64__)
#include <immintrin.h>
#endif

/* ---- Mappings that survive truncation ---- */

enum { SLOT_COUNT = 16384 };

static struct {
  _Atomic uintptr_t start; /* 0: free */
  _Atomic uintptr_t end;
  _Atomic int damaged;
} slots[SLOT_COUNT];
static _Atomic int slot_limit;             /* slots at and above were never used */
static int free_slots[SLOT_COUNT], free_count;
static pthread_mutex_t slot_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_once_t handler_once = PTHREAD_ONCE_INIT;
static struct sigaction previous_action;
static long page_size;

static void on_sigbus(int signal, siginfo_t *info, void *context) {
  uintptr_t address = (uintptr_t)info->si_addr;
  int limit = atomic_load_explicit(&slot_limit, memory_order_acquire);
  for (int i = 0; i < limit; i++) {
    uintptr_t start = atomic_load_explicit(&slots[i].start, memory_order_acquire);
    if (start == 0 || address < start) continue;
    uintptr_t end = atomic_load_explicit(&slots[i].end, memory_order_acquire);
    if (address >= end) continue;
    atomic_store_explicit(&slots[i].damaged, 1, memory_order_release);
    uintptr_t page = address & ~(uintptr_t)(page_size - 1);
    /* The lost pages reach to the end of the mapping. */
    void *zeros = mmap((void *)page, end - page, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
    if (zeros != MAP_FAILED) return;
    break;
  }
  /* Not ours: what would have happened without this handler. */
  if (previous_action.sa_flags & SA_SIGINFO) {
    if (previous_action.sa_sigaction) { previous_action.sa_sigaction(signal, info, context); return; }
  } else if (previous_action.sa_handler != SIG_DFL && previous_action.sa_handler != SIG_IGN) {
    previous_action.sa_handler(signal);
    return;
  }
  struct sigaction plain = {.sa_handler = SIG_DFL};
  sigaction(SIGBUS, &plain, NULL);
}

static void install_handler(void) {
  page_size = sysconf(_SC_PAGESIZE);
  struct sigaction action;
  memset(&action, 0, sizeof action);
  action.sa_sigaction = on_sigbus;
  action.sa_flags = SA_SIGINFO | SA_RESTART;
  sigemptyset(&action.sa_mask);
  sigaction(SIGBUS, &action, &previous_action);
}

int ck_guard_mapping(void *p, size_t n) {
  pthread_once(&handler_once, install_handler);
  pthread_mutex_lock(&slot_lock);
  int slot = -1;
  if (free_count > 0) {
    slot = free_slots[--free_count];
  } else {
    int limit = atomic_load_explicit(&slot_limit, memory_order_relaxed);
    if (limit < SLOT_COUNT) {
      slot = limit;
      atomic_store_explicit(&slot_limit, limit + 1, memory_order_release);
    }
  }
  pthread_mutex_unlock(&slot_lock);
  if (slot < 0) return -1;
  atomic_store_explicit(&slots[slot].damaged, 0, memory_order_relaxed);
  atomic_store_explicit(&slots[slot].end, (uintptr_t)p + n, memory_order_release);
  atomic_store_explicit(&slots[slot].start, (uintptr_t)p, memory_order_release);
  return slot;
}

void ck_unguard_mapping(int slot) {
  if (slot < 0 || slot >= SLOT_COUNT) return;
  atomic_store_explicit(&slots[slot].start, 0, memory_order_release);
  pthread_mutex_lock(&slot_lock);
  free_slots[free_count++] = slot;
  pthread_mutex_unlock(&slot_lock);
}

int ck_mapping_is_damaged(int slot) {
  return slot >= 0 && slot < SLOT_COUNT && atomic_load_explicit(&slots[slot].damaged, memory_order_acquire);
}

/* ---- Snappy ---- */

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
  static const uint16_t masks[4] = {0, 0xFF, 0xFFFF, 0};
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
        const size_t turns = decompress_equal_turns(&ip, ip_limit, &op, op_limit, dst);
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
    uint16_t low;
    memcpy(&low, ip + 1, 2);
    size_t length = tags[tag] & 0xFF, offset = (tags[tag] & 0x700) | (low & masks[form]);
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

/* ---- CRC-32C ---- */

#if defined(__x86_64__)
__attribute__((target("sse4.2"))) static uint32_t crc32c_sse(const uint8_t *p, size_t n) {
  uint64_t crc = 0xFFFFFFFFu;
  while (n >= 8) {
    uint64_t word;
    memcpy(&word, p, 8);
    crc = __builtin_ia32_crc32di(crc, word);
    p += 8;
    n -= 8;
  }
  while (n--) crc = __builtin_ia32_crc32qi((uint32_t)crc, *p++);
  return (uint32_t)~crc;
}
#endif

static uint32_t crc32c_table(const uint8_t *p, size_t n) {
  uint32_t crc = 0xFFFFFFFFu;
  while (n--) {
    crc ^= *p++;
    for (int k = 0; k < 8; k++) crc = (crc >> 1) ^ (0x82F63B78u & -(crc & 1));
  }
  return ~crc;
}

uint32_t ck_crc32c(const void *src, size_t n) {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("sse4.2")) return crc32c_sse((const uint8_t *)src, n);
#endif
  return crc32c_table((const uint8_t *)src, n);
}
