#pragma once
/* Bytes of files: mappings that survive truncation, and the Snappy block format. */
#include <stddef.h>
#include <stdint.h>

/* Registers [p, p + n) with the SIGBUS handler, which it installs once per process.
   When the file behind the mapping shrinks, reads of lost pages see zeros and the mapping counts as damaged.
   Returns a slot, or -1 when all slots are taken. */
int ck_guard_mapping(void *p, size_t n);

/* Gives a slot back, before the mapping is removed. */
void ck_unguard_mapping(int slot);

/* Whether pages of the mapping were lost. */
int ck_mapping_is_damaged(int slot);

/* Decompresses one Snappy block; returns its decompressed size, or -1 - (offset of the damage in the source).
   Reads only [src, src + n), writes only [dst, dst + capacity).
   Source: google/snappy, format_description.txt. */
int64_t ck_snappy_decompress(const void *src, size_t n, void *dst, size_t capacity);

/* Where the bytes begin in a Snappy block that is one literal of `size` bytes and nothing else; 0 for other blocks. */
size_t ck_snappy_literal(const void *src, size_t n, size_t size);

/* The decompressed size that a Snappy block states, or -1. */
int64_t ck_snappy_size(const void *src, size_t n);

/* CRC-32C (Castagnoli) of n bytes. */
uint32_t ck_crc32c(const void *src, size_t n);
