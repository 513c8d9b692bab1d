// Any bytes from a program into a recording: every line is JSON of an asciicast, times never run backwards, and what a
// player shows does not hang on where the bytes were cut.
#include "app/recorder.h"

#include <jansson.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool holds)
{
    if (!holds)
        abort();
}

struct shown {
    char *bytes; // malloc'ed
    size_t size;
};

// The output that the recording holds, as a player gets it.
static struct shown play(const char *recording)
{
    struct shown shown;
    FILE *out = open_memstream(&shown.bytes, &shown.size);
    double last = 0;
    int lines = 0;
    check(out);
    while (*recording) {
        size_t length = strcspn(recording, "\n");
        json_t *line = json_loadb(recording, length, JSON_ALLOW_NUL, NULL);
        check(line && recording[length] == '\n');
        if (lines++ == 0) {
            check(json_is_object(line) && json_integer_value(json_object_get(line, "version")) == 2);
        } else {
            double time = json_number_value(json_array_get(line, 0));
            const char *kind = json_string_value(json_array_get(line, 1));
            json_t *text = json_array_get(line, 2);
            check(json_array_size(line) == 3 && time >= last && kind && json_is_string(text));
            last = time;
            if (!strcmp(kind, "o"))
                fwrite(json_string_value(text), 1, json_string_length(text), out);
        }
        json_decref(line);
        recording += length + 1;
    }
    check(lines > 0 && fclose(out) == 0);
    return shown;
}

// Recorded in pieces of `piece` bytes, with a resize in the middle.
static struct shown record(const char *bytes, size_t size, size_t piece)
{
    char *text = NULL;
    size_t text_size;
    struct cast cast;
    FILE *out = open_memstream(&text, &text_size);
    check(out);
    cast_begin(&cast, out, 80, 24, "fuzz \"title\"");
    for (size_t at = 0; at < size; at += piece)
        cast_add(&cast, (double)(at % 7), bytes + at, size - at < piece ? size - at : piece);
    cast_resize(&cast, 3, 100, 30);
    cast_end(&cast, 1);
    check(fclose(out) == 0);
    struct shown shown = play(text);
    free(text);
    return shown;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size > 4096)
        return 0;
    struct shown whole = record((const char *)data, size, size ? size : 1);
    for (size_t piece = 1; piece <= 5; piece += 4) {
        struct shown pieces = record((const char *)data, size, piece);
        check(pieces.size == whole.size && !memcmp(pieces.bytes, whole.bytes, whole.size));
        free(pieces.bytes);
    }
    free(whole.bytes);
    return 0;
}
