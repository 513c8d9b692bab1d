// The words of the program in the person's language: GNU gettext as libc has it. Sentences stand in the
// source in English and are looked up where they are used, so that the language can change at any time.
//
//     _("One whole sentence with %d in it.")             looked up here
//     ngettext_(count, "%d patch", "%d patches")         by number; the format still takes the count
//     in_("head", "on")                                  a word that needs its context to be translated
//     N_("in a table")                                   marked only; _(row->help) where it is used
//     Nin_("head", "on")                                 the same for words_in()
//
// Translations are in po/; a format may take its arguments in another order there (%2$s). Fragments are not
// put together: other languages put them together otherwise. Text in a fixed place is measured by
// draw_width(), not in bytes: a Chinese character takes two columns and three bytes.
#ifndef TRIMSCOPE_UI_WORDS_H
#define TRIMSCOPE_UI_WORDS_H

#include <libintl.h>
#include <stdbool.h>

#define WORDS_DOMAIN "trimscope"

#define _(text)                     dgettext(WORDS_DOMAIN, text)
#define ngettext_(count, one, many) dngettext(WORDS_DOMAIN, one, many, (unsigned long)(count))
#define in_(context, text)          words_in(context "\004" text, text)
#define N_(text)                    text
#define Nin_(context, text)         context "\004" text

// id, name of the catalogue, the language's own name for itself
#define WORDS_LANGUAGES(X)                                                                                   \
    X(EN, "en", "English")                                                                                   \
    X(ZH_CN, "zh_CN", "简体中文")
#define WORDS_ENUM(id, name, own) WORDS_##id,
enum words_language { WORDS_LANGUAGES(WORDS_ENUM) WORDS_LANGUAGE_COUNT };
#undef WORDS_ENUM

const char *words_name(enum words_language language);     // "zh_CN"
const char *words_own_name(enum words_language language); // "简体中文"

// Reads a language as the person writes it: "en", "zh_CN", "zh", "zh_CN.UTF-8". False: we do not have it.
bool words_parse(const char *name, enum words_language *language);

// What the environment asks for (LANGUAGE, LC_ALL, LC_MESSAGES, LANG, as gettext reads them). English where
// it asks for nothing, or for what we do not have.
enum words_language words_environment(void);

// Speaks this language from now on; `folder` holds LANGUAGE/LC_MESSAGES/trimscope.mo. False: there is no such
// catalogue there, and the program goes on in English. Not while other threads run.
bool words_use(const char *folder, enum words_language language);
enum words_language words_now(void);

// in_(): `both` is the context, \004 and the text.
const char *words_in(const char *both, const char *text) __attribute__((format_arg(2)));

#endif
