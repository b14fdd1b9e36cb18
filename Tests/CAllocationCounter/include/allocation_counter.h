#pragma once

/// Allocations of the calling thread since its start; 0 where they cannot be counted.
unsigned long allocation_count(void);
