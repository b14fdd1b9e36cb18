#include <stdio.h>
#include <histedit.h>
#include <editline/readline.h>

/* The completion hook is a global variable, which Swift may not touch. */
static inline void cedit_set_completion(char *(*complete)(const char *, int)) {
  rl_completion_entry_function = complete;
}
