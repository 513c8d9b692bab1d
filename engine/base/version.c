#include "engine/base/version.h"

// The only file that is compiled with the version: every commit changes it, and compiles nothing else again.
const char *version_text(void)
{
    return TRIMSCOPE_VERSION;
}
