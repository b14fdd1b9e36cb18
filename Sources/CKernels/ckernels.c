// The kernels are static inline functions in include/; this file gives the target something to compile.
#include "ckernels.h"
