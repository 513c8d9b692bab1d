#include "engine/base/error.h"

#include "engine/base/text.h"

#include <libintl.h>
#include <stdio.h>
#include <stdlib.h>

// The person's language is libc's to know: without a catalogue of this name, texts stay as they are.
static const char *translated(const char *text) __attribute__((format_arg(1)));
static const char *translated(const char *text)
{
    return *text ? dgettext("trimscope", text) : text;
}

// File names, arguments and the contents of files are in messages, and messages reach terminals.
static void put(struct error *err, const char *format, va_list args) __attribute__((format(printf, 2, 0)));
static void put(struct error *err, const char *format, va_list args)
{
    char brief[sizeof err->text], *whole = NULL;
    va_list again;
    va_copy(again, args);
    int length = vsnprintf(brief, sizeof brief, format, args);
    if (length >= (int)sizeof brief && (whole = malloc((size_t)length + 1)))
        vsnprintf(whole, (size_t)length + 1, format, again);
    va_end(again);
    text_fit(err->text, sizeof err->text, whole ? whole : brief); // without memory, its beginning
    free(whole);
}

bool error_set_list(struct error *err, enum error_code code, const char *format, va_list arguments)
{
    if (!err)
        return false;
    err->code = code;
    put(err, translated(format), arguments);
    return false;
}

bool error_set(struct error *err, enum error_code code, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    error_set_list(err, code, format, args);
    va_end(args);
    return false;
}

bool error_prefix(struct error *err, const char *format, ...)
{
    if (!err)
        return false;
    struct error prefix;
    va_list args;
    va_start(args, format);
    put(&prefix, translated(format), args);
    va_end(args);
    return error_set(err, err->code, "%s: %s", prefix.text, err->text);
}

bool error_no_memory(struct error *err, const char *what)
{
    return error_set(err, ERROR_MACHINE, "not enough memory for %s", translated(what));
}
