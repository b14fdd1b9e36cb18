#pragma once
/* Files as Swift's Glibc does not have them: without a name, and with holes. */
#include <stdint.h>

/* A file for reading and writing in a folder, without a name: gone with its last descriptor. -1 and errno when it cannot be made. */
int ck_open_unnamed(const char *folder);

/* Gives the space of [offset, offset + count) back; the file reads as zeros there. */
void ck_punch_hole(int descriptor, int64_t offset, int64_t count);
