// The person's configuration (ui/config.h), read once.
#ifndef TRIMSCOPE_APP_PREFERENCES_H
#define TRIMSCOPE_APP_PREFERENCES_H

#include "engine/prune/policy.h"
#include "ui/config.h"

// Read at the first call; one for the whole program.
struct config *preferences(void);

// What the screen starts with where the command line says nothing.
enum policy preferences_policy(void);
double preferences_budget(void); // NaN: as trained

// "/users/ada/.config/trimscope/config:3: There is no option 'thme'; 'theme' is probably meant. 2 more lines have faults."
// for the first fault; "" where there is none.
void preferences_fault(char *out, size_t size);

#endif
