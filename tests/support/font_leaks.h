// Include it once in a test program that draws text: what fontconfig keeps for itself until the end is no leak of ours.
#ifndef TRIMSCOPE_TESTS_SUPPORT_FONT_LEAKS_H
#define TRIMSCOPE_TESTS_SUPPORT_FONT_LEAKS_H

const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
    return "leak:libfontconfig\n";
}

#endif
