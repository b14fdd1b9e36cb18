#pragma once
/* Structural scanning of delimited text and of JSON: 64 bytes at a time, AVX2 and carry-less multiplication where the
   machine has them, with a portable twin of the same results. */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* memcmp by a name that belongs to this module alone: inlinable code may not depend on which module a C header counts for. */
static inline int ck_compare_bytes(const void *a, const void *b, size_t count) { return memcmp(a, b, count); }

/* How delimited text is punctuated. */
typedef struct {
  uint8_t separator;
  uint8_t quote;
  uint8_t escape;
  /* 0: quote is an ordinary byte. */
  uint8_t has_quote;
  /* 0: none; 1: inside quotes, before quote or escape only; 2: everywhere, before any byte but line ends. */
  uint8_t has_escape;
} ck_text_dialect;

/* Where a scan of delimited text stands between two bytes. */
enum {
  CK_TEXT_FIELD_START = 0,
  CK_TEXT_UNQUOTED = 1,
  CK_TEXT_QUOTED = 2,
  /* After a quote inside a quoted field: its end, or the first of a doubled quote. */
  CK_TEXT_QUOTE = 3,
  CK_TEXT_ESCAPE_IN_QUOTES = 4,
  CK_TEXT_ESCAPE = 5,
  /* After blanks behind a quoted field's end. */
  CK_TEXT_BEHIND_QUOTE = 6,
};

typedef struct {
  /* One of CK_TEXT_…. */
  uint32_t state;
  /* Entries written to fields and rows so far; the caller sets them back. */
  size_t field_count;
  size_t row_count;
  /* Line ends seen so far. */
  size_t line_count;
  /* Not 0 once a byte above 127 was seen. */
  uint64_t non_ascii;
  /* Fields that have other text than blanks behind their closing quote, and the place of the first such text; the caller
     sets them back. */
  size_t stray_count;
  size_t stray_place;
} ck_text_state;

/* Scans base[from, to): writes the place of every separator and line end outside quotes to fields, and for each line end
   its index among them to rows. A field is quoted when its first byte is a quote; quotes elsewhere are ordinary. Line ends
   are LF, CR LF (at its LF) and CR. limit: where the data end, at or after to; the caller keeps to from falling between a
   CR and an LF not yet read. Reads up to 64 bytes past limit. fields needs room for to - from + 64 more entries, rows for
   to - from more. fields NULL: only counts and state. */
void ck_text_scan(const uint8_t *base, size_t from, size_t to, size_t limit, const ck_text_dialect *dialect,
                  ck_text_state *state, uint32_t *fields, uint32_t *rows);

/* The same with portable code, for machines without AVX2 and for tests. */
void ck_text_scan_portable(const uint8_t *base, size_t from, size_t to, size_t limit, const ck_text_dialect *dialect,
                           ck_text_state *state, uint32_t *fields, uint32_t *rows);

typedef struct {
  uint32_t in_string;
  /* Whether the next byte is escaped by a backslash. */
  uint32_t is_escaped;
  size_t token_count;
  size_t row_count;
  size_t line_count;
  uint64_t non_ascii;
  /* Not 0 once a backslash was seen. */
  uint64_t backslashes;
} ck_json_state;

/* Scans base[from, to) of JSON: writes the places of unescaped quotes and, outside strings, of { } [ ] and commas to tokens.
   lines not 0: line feeds are written too, with their indices among the tokens to rows, and end any open string.
   Room needed as for ck_text_scan. tokens NULL: only counts and state. */
void ck_json_scan(const uint8_t *base, size_t from, size_t to, int lines, ck_json_state *state, uint32_t *tokens,
                  uint32_t *rows);
void ck_json_scan_portable(const uint8_t *base, size_t from, size_t to, int lines, ck_json_state *state,
                           uint32_t *tokens, uint32_t *rows);

/* 128-bit truncated powers of five, high and low word for each exponent from -342 to 308.
   Source: Lemire, "Number parsing at a gigabyte per second", 2021. */
const uint64_t *ck_powers_of_five(void);

/* 10^0 to 10^19. */
static inline const uint64_t *ck_powers_of_ten(void) {
  static const uint64_t powers[20] = {
      1u, 10u, 100u, 1000u, 10000u, 100000u, 1000000u, 10000000u, 100000000u, 1000000000u, 10000000000ull,
      100000000000ull, 1000000000000ull, 10000000000000ull, 100000000000000ull, 1000000000000000ull,
      10000000000000000ull, 100000000000000000ull, 1000000000000000000ull, 10000000000000000000ull};
  return powers;
}

/* 10^0 to 10^22, which doubles hold exactly. */
static inline const double *ck_exact_powers_of_ten(void) {
  static const double powers[23] = {
      1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19,
      1e20, 1e21, 1e22};
  return powers;
}

/* The offset of the first ill-formed sequence in UTF-8 text, or n. */
size_t ck_utf8_valid_prefix(const uint8_t *p, size_t n);
