// Any bytes as a lesson: a sentence with a line, or a lesson whose texts can be filled in.
#include "ui/lesson.h"
#include "ui/lesson_values.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool holds)
{
    if (!holds)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct lesson lesson;
    struct error err = {0};
    struct view view = {0};
    struct lesson_memory memory = {0};
    char out[64];
    if (!lesson_parse(&lesson, (const char *)data, size, &err)) {
        check(err.code == ERROR_INPUT && err.text[0] && !lesson.bytes && !lesson.title);
        return 0;
    }
    check(lesson.title && lesson.text && lesson.choice_count <= LESSON_CHOICES);
    lesson_fill(lesson.text, &view, &memory, out, sizeof out);
    check(strlen(out) < sizeof out);
    for (int i = 0; i < lesson.choice_count; i++)
        lesson_fill(lesson.choices[i].why, &view, &memory, out, sizeof out);
    lesson_free(&lesson);
    return 0;
}
