/* Umbrella header: one header per concern, all functions static inline so that Swift inlines them.
   Each kernel has a portable twin, chosen at run time where it needs more than the x86-64-v3 baseline. */
#pragma once
#include "ck_memory.h"
#include "ck_account.h"
#include "ck_arrow.h"
#include "ck_file.h"
#include "ck_process.h"
#include "ck_bytes.h"
#include "ck_text.h"
#include "ck_parquet.h"
#include "ck_search.h"
#include "ck_select.h"
