#pragma once

/// Allocations of this process since its start, on all threads; 0 where they cannot be counted.
unsigned long allocation_count(void);
