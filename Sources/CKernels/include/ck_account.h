#pragma once
/* Which account a thread's memory is charged to, and what it has not told the account yet. */
#include <stdint.h>

typedef struct {
  /* The account, or NULL for the engine's own. */
  void *account;
  /* Bytes taken, less those given back, since the account was told last. */
  int64_t pending;
  /* Bytes after which the account is told. */
  int64_t threshold;
  /* Bytes taken, less those given back, by this thread ever. */
  int64_t total;
  /* Whether memory was refused: what was written since then is lost. */
  int32_t is_refused;
} ck_thread_account;

extern _Thread_local ck_thread_account ck_thread_account_state;

static inline void *ck_account_current(void) { return ck_thread_account_state.account; }
static inline void ck_account_bind(void *account, int64_t threshold) {
  ck_thread_account_state.account = account;
  ck_thread_account_state.threshold = threshold;
}
/* Notes bytes taken or given back; 1 when the account has to be told. */
static inline int ck_account_note(int64_t bytes) {
  ck_thread_account_state.total += bytes;
  int64_t pending = ck_thread_account_state.pending += bytes, threshold = ck_thread_account_state.threshold;
  return pending > threshold || pending < -threshold;
}
static inline int64_t ck_account_total(void) { return ck_thread_account_state.total; }
static inline int64_t ck_account_pending(void) { return ck_thread_account_state.pending; }
static inline int64_t ck_account_take_pending(void) {
  int64_t pending = ck_thread_account_state.pending;
  ck_thread_account_state.pending = 0;
  return pending;
}
static inline int ck_account_is_refused(void) { return ck_thread_account_state.is_refused; }
static inline void ck_account_set_refused(int is_refused) { ck_thread_account_state.is_refused = is_refused; }

/* Anonymous memory of this process that is resident, in bytes; 0 where the system does not tell. */
int64_t ck_anonymous_bytes(void);

/* n readable and writable bytes that together take no more than 2 MB: what is written there is lost. NULL when there are none. */
void *ck_map_sink(uint64_t n);
