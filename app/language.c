#include "app/language.h"

#include "app/assets.h"
#include "app/preferences.h"
#include "ui/terminal.h"

#include <string.h>

bool language_use(const char *name, struct error *err)
{
    enum words_language language = words_environment();
    char folder[ASSETS_PATH];
    if (name && strcmp(name, "auto") && !words_parse(name, &language))
        return error_set(err, ERROR_USAGE, "--lang is en, zh_CN or auto, not \"%s\"", name);
    if (language == words_now())
        return true;
    if (!terminal_locale()) {
        words_use("", WORDS_EN);
        return !name ||
               error_set(err, ERROR_USAGE,
                         "this terminal's locale is not UTF-8 and cannot show %s; LC_ALL=C.UTF-8 would",
                         words_name(language));
    }
    if (language == WORDS_EN)
        return words_use("", language);
    if (assets_locale(folder) && words_use(folder, language))
        return true;
    return !name || error_set(err, ERROR_MACHINE,
                              "the words of %s are not beside the program: build or install it again",
                              words_name(language));
}

bool language_begin(int *argc, char **argv, struct error *err)
{
    static const char option[] = "--lang";
    const size_t length = sizeof option - 1;
    const char *name = NULL;
    int kept = 1, i = 1;
    for (; i < *argc && strcmp(argv[i], "--"); i++) {
        bool ours = !strncmp(argv[i], option, length);
        if (ours && argv[i][length] == '=')
            name = argv[i] + length + 1;
        else if (ours && !argv[i][length] && i + 1 < *argc)
            name = argv[++i];
        else if (ours && !argv[i][length])
            return error_set(err, ERROR_USAGE, "there is no value after --lang: it is en, zh_CN or auto");
        else
            argv[kept++] = argv[i];
    }
    for (; i < *argc; i++)
        argv[kept++] = argv[i];
    argv[kept] = NULL;
    *argc = kept;
    if (name)
        return language_use(name, err);
    // What only the configuration asks for is no reason to stop where it cannot be had.
    const char *wanted = config_value(preferences(), CONFIG_LANGUAGE);
    if (strcmp(wanted, "auto") && language_use(wanted, NULL))
        return true;
    return language_use(NULL, err);
}
