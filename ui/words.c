#include "ui/words.h"

#include <locale.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    const char *name, *own;
} languages[WORDS_LANGUAGE_COUNT] = {
#define LANGUAGE_ROW(id, name, own) {name, own},
    WORDS_LANGUAGES(LANGUAGE_ROW)
#undef LANGUAGE_ROW
};

static enum words_language spoken = WORDS_EN;

const char *words_name(enum words_language language)
{
    return languages[language].name;
}

const char *words_own_name(enum words_language language)
{
    return languages[language].own;
}

enum words_language words_now(void)
{
    return spoken;
}

// "zh_CN.UTF-8@x": the language, the country, the rest. Chinese of no country, of Singapore and by its script
// is ours; who asks for Hong Kong's or Taiwan's reads other characters.
static bool parse(const char *name, size_t length, enum words_language *language)
{
    static const char *const simplified[] = {"zh",         "zh_CN", "zh_SG",  "zh_Hans",
                                             "zh_Hans_CN", "zh-CN", "zh-Hans"};
    length = length < strcspn(name, ".@") ? length : strcspn(name, ".@");
    if (length >= 2 && !strncmp(name, "en", 2) && (length == 2 || name[2] == '_' || name[2] == '-')) {
        *language = WORDS_EN;
        return true;
    }
    for (size_t i = 0; i < sizeof simplified / sizeof *simplified; i++)
        if (strlen(simplified[i]) == length && !strncmp(simplified[i], name, length)) {
            *language = WORDS_ZH_CN;
            return true;
        }
    return false;
}

bool words_parse(const char *name, enum words_language *language)
{
    return parse(name, strlen(name), language);
}

// The value of the first of the variables that says something.
static const char *locale_asked(void)
{
    static const char *const variables[] = {"LC_ALL", "LC_MESSAGES", "LANG"};
    for (size_t i = 0; i < sizeof variables / sizeof *variables; i++) {
        const char *value = getenv(variables[i]);
        if (value && *value)
            return value;
    }
    return "";
}

enum words_language words_environment(void)
{
    const char *asked = locale_asked(), *list = getenv("LANGUAGE");
    enum words_language language;
    // As gettext has it: the list of languages counts unless the locale is "C".
    for (bool plain = !strcmp(asked, "C") || !strcmp(asked, "POSIX"); !plain && list && *list;) {
        size_t length = strcspn(list, ":");
        if (parse(list, length, &language))
            return language;
        list += length + (list[length] == ':');
    }
    return words_parse(asked, &language) ? language : WORDS_EN;
}

// The header of a catalogue is the translation of nothing.
static bool catalogue_is_read(const char *name)
{
    static const char nothing[] = "";
    const char *header = dgettext(WORDS_DOMAIN, nothing),
               *line = header ? strstr(header, "Language: ") : NULL;
    return line && !strncmp(line + strlen("Language: "), name, strlen(name));
}

bool words_use(const char *folder, enum words_language language)
{
    spoken = WORDS_EN;
    setlocale(LC_MESSAGES, "C");
    if (language == WORDS_EN)
        return true;
    // libc looks for catalogues in any locale but C, and a small system has no other than C.UTF-8; which
    // catalogue it takes is then said by LANGUAGE. The language's own locale makes the system's messages fit,
    // where it exists.
    const char *const locales[] = {"zh_CN.UTF-8", "C.UTF-8", "en_US.UTF-8", ""};
    bool found = false;
    for (size_t i = 0; i < sizeof locales / sizeof *locales && !found; i++)
        found = setlocale(LC_MESSAGES, locales[i]) && strcmp(setlocale(LC_MESSAGES, NULL), "C");
    if (!found || setenv("LANGUAGE", words_name(language), 1) || !bindtextdomain(WORDS_DOMAIN, folder) ||
        !bind_textdomain_codeset(WORDS_DOMAIN, "UTF-8") || !catalogue_is_read(words_name(language))) {
        setlocale(LC_MESSAGES, "C");
        return false;
    }
    spoken = language;
    return true;
}

const char *words_in(const char *both, const char *text)
{
    const char *found = dgettext(WORDS_DOMAIN, both);
    return found == both ? text : found;
}
