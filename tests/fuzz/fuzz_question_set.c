// Any bytes as a question set: a sentence that names the line, or questions that are whole.
#include "engine/io/question_set.h"
#include "tests/support/memory_file.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool holds)
{
    if (!holds)
        abort();
}

static void check_boxes(const struct question_box *boxes, int count)
{
    for (int i = 0; i < count; i++)
        check(boxes[i].x0 < boxes[i].x1 && boxes[i].y0 < boxes[i].y1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    for (int answered = 0; answered < 2; answered++) {
        struct question_set set;
        struct error err = {0};
        if (!(answered ? question_set_read : question_set_read_unanswered)(&set, memory_file(data, size), 0, &err)) {
            check(err.code == ERROR_INPUT && err.text[0] && !set.questions && !set.count && !set.path);
            continue;
        }
        check(set.count > 0);
        for (int i = 0; i < set.count; i++) {
            const struct question *q = &set.questions[i];
            check(q->pictures[0] && *q->pictures[0] && q->text && q->answer && q->type && strlen(q->text) <= size);
            check(q->line > (i ? set.questions[i - 1].line : 0));
            check_boxes(q->needed, q->needed_count);
            check_boxes(q->others, q->other_count);
        }
        question_set_free(&set);
    }
    return 0;
}
