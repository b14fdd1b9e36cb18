#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "ckernels.h"
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <unistd.h>

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
