#include "ui/lesson_values.h"

#include "ui/words.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static const struct {
    const char *name;
    int digits;
    bool word, with_sign;
} values[LESSON_VALUE_COUNT] = {
#define VALUE_ROW(id, name, digits)                                                                          \
    {name, (digits) % LESSON_SIGNED, (digits) == LESSON_WORD, (digits) >= LESSON_SIGNED},
    LESSON_VALUES(VALUE_ROW)
#undef VALUE_ROW
};

int lesson_value_find(const char *name, size_t length)
{
    for (int i = 0; i < LESSON_VALUE_COUNT; i++)
        if (strlen(values[i].name) == length && !strncmp(values[i].name, name, length))
            return i;
    return -1;
}

const char *lesson_value_name(enum lesson_value value)
{
    return values[value].name;
}

static double share_of(const struct trace *trace)
{
    return trace->dense_macs > 0 ? 100 * trace->spent_macs / trace->dense_macs : (double)NAN;
}

static double share_of_kind(const struct trace *trace, enum mac_kind kind)
{
    double sum = 0;
    for (int s = 0; s < trace->stage_count; s++)
        sum += trace->stages[s].macs.by[kind];
    return trace->spent_macs > 0 ? 100 * sum / trace->spent_macs : (double)NAN;
}

static double likeness(const struct trace *trace, bool last)
{
    double found = (double)NAN;
    for (int s = 0; s < trace->stage_count; s++) {
        double here = (double)trace->stages[s].redundancy_image;
        if (!isnan(here) && (last || isnan(found)))
            found = here;
    }
    return found;
}

static void count_heads(const struct trace *trace, int *off, int *all)
{
    *off = *all = 0;
    for (int s = 0; s < trace->stage_count; s++)
        for (int stream = 0; stream < TRACE_STREAMS; stream++)
            for (int m = 0; m < MODULES; m++) {
                const struct trace_heads *heads = &trace->stages[s].heads[stream][m];
                for (int h = 0; h < heads->count; h++)
                    *off += !heads->on[h], ++*all;
            }
}

// The token with the cursor, its stream in *stream; -1: the cursor is on none.
static int cursor_token(const struct view *view, int *stream)
{
    *stream = view->focus == FOCUS_WORDS ? TRACE_TEXT_STREAM : view->picture;
    return view->focus == FOCUS_WORDS ? view->word : view->focus == FOCUS_PATCHES ? view->patch + 1 : -1;
}

static double cursor_score(const struct view *view, enum lesson_value value)
{
    int stream, token = cursor_token(view, &stream);
    if (token < 0)
        return (double)NAN;
    struct view_score score = view_score(view, view_stage(view), stream, token);
    if (value == VALUE_THRESHOLD)
        return score.stage >= 0 ? (double)view_threshold(view, score.stage, stream) : (double)NAN;
    return (double)(value == VALUE_SELF ? score.self : value == VALUE_CROSS ? score.cross : score.total);
}

// The word with the best score in the last stage that gave any.
static int best_word(const struct view *view, float *score)
{
    int last = view->trace.stage_count - 1, best = -1, newest = -1;
    *score = -INFINITY;
    for (int i = 0; i < view->trace.token_count; i++) {
        struct view_score given = view_score(view, last, TRACE_TEXT_STREAM, i);
        const struct trace_token *token = &view->trace.tokens[i];
        if (token->from >= token->to || given.stage < 0 || isnan(given.total) || given.stage < newest)
            continue;
        if (given.stage > newest || given.total > *score) {
            newest = given.stage;
            *score = given.total;
            best = i;
        }
    }
    return best;
}

static double count_number(enum lesson_value value, const struct view *view)
{
    const struct trace *trace = &view->trace;
    int total, off, all, end = trace->stage_count - 1, stage = view_stage(view);
    count_heads(trace, &off, &all);
    switch (value) {
    case VALUE_STAGES:
        return trace->stage_total;
    case VALUE_PATCHES:
        return view_patches(view, 0);
    case VALUE_PATCH_ROWS:
        return trace->pictures[0].grid_rows;
    case VALUE_PATCH_COLUMNS:
        return trace->pictures[0].grid_columns;
    case VALUE_PATCHES_ALIVE:
        return view_alive_count(view, stage, 0, &total);
    case VALUE_PATCHES_END:
        return view_alive_count(view, end, 0, &total);
    case VALUE_TOKENS:
        return trace->token_count;
    case VALUE_TOKENS_ALIVE:
        return view_alive_count(view, stage, TRACE_TEXT_STREAM, &total);
    case VALUE_TOKENS_END:
        return view_alive_count(view, end, TRACE_TEXT_STREAM, &total);
    case VALUE_HEADS:
        return all;
    case VALUE_HEADS_OFF:
        return off;
    default:
        return (double)NAN;
    }
}

// What only a whole run tells.
static bool is_of_the_end(enum lesson_value value)
{
    return value == VALUE_ANSWER || value == VALUE_ANSWER_P || value == VALUE_SHARE || value == VALUE_SHARE_QKV ||
           value == VALUE_SHARE_ATTENTION || value == VALUE_SHARE_FFN || value == VALUE_SHARE_TRIMMER ||
           value == VALUE_PATCHES_END || value == VALUE_TOKENS_END;
}

static bool is_known(enum lesson_value value, const struct view *view)
{
    return view->has_trace && (view_is_whole(view) || !is_of_the_end(value));
}

double lesson_value_number(enum lesson_value value, const struct view *view,
                           const struct lesson_memory *memory)
{
    const struct trace *trace = &view->trace;
    float score;
    if (!is_known(value, view) || values[value].word)
        return (double)NAN;
    switch (value) {
    case VALUE_ANSWER_P:
        return 100 * (double)trace->answer.p;
    case VALUE_BEFORE_P:
        return 100 * (double)memory->before.p;
    case VALUE_SHARE:
        return share_of(trace);
    case VALUE_SHARE_BEFORE:
        return memory->share_before;
    case VALUE_SHARE_QKV:
        return share_of_kind(trace, MAC_QKV);
    case VALUE_SHARE_ATTENTION:
        return share_of_kind(trace, MAC_ATTENTION);
    case VALUE_SHARE_FFN:
        return share_of_kind(trace, MAC_FFN);
    case VALUE_SHARE_TRIMMER:
        return share_of_kind(trace, MAC_TRIMMER);
    case VALUE_LIKENESS_FIRST:
        return likeness(trace, false);
    case VALUE_LIKENESS_LAST:
        return likeness(trace, true);
    case VALUE_WORD_SCORE:
        return best_word(view, &score) >= 0 ? (double)score : (double)NAN;
    case VALUE_SELF:
    case VALUE_CROSS:
    case VALUE_TOTAL:
    case VALUE_THRESHOLD:
        return cursor_score(view, value);
    default:
        return count_number(value, view);
    }
}

static void cursor_name(const struct view *view, char *out, size_t size)
{
    int stream, token = cursor_token(view, &stream);
    if (token >= 0)
        view_token_name(view, stream, token, out, size);
    else if (view->focus == FOCUS_HEADS)
        snprintf(out, size, _("head %d"), view->head.head + 1);
}

static void budget_text(double budget, char *out, size_t size)
{
    if (isnan(budget))
        snprintf(out, size, "%s", _("as trained"));
    else
        snprintf(out, size, "%.0f %%", 100 * budget);
}

static void word_text(enum lesson_value value, const struct view *view, const struct lesson_memory *memory,
                      char *out, size_t size)
{
    const struct trace *trace = &view->trace;
    const struct stage *stage = view_stage_at(view);
    float score;
    int word;
    switch (value) {
    case VALUE_QUESTION:
        snprintf(out, size, "%s", trace->question ? trace->question : "");
        break;
    case VALUE_POLICY:
        snprintf(out, size, "%s", trace->policy);
        break;
    case VALUE_BUDGET:
        budget_text(trace->budget, out, size);
        break;
    case VALUE_BUDGET_BEFORE:
        budget_text(memory->budget_before, out, size);
        break;
    case VALUE_STAGE:
        if (stage)
            view_stage_name(view, stage, out, size);
        break;
    case VALUE_ANSWER:
        snprintf(out, size, "%s", trace->answer.text);
        break;
    case VALUE_BEFORE:
        snprintf(out, size, "%s", memory->before.text);
        break;
    case VALUE_READING:
        snprintf(out, size, "%s", stage && stage->answer_count > 0 ? stage->answers[0].text : "?");
        break;
    case VALUE_UNPRUNED:
        snprintf(out, size, "%s", memory->unpruned);
        break;
    case VALUE_WORD:
        if ((word = best_word(view, &score)) >= 0)
            view_token_name(view, TRACE_TEXT_STREAM, word, out, size);
        break;
    case VALUE_CHANGE:
        snprintf(out, size, "%s", memory->change);
        break;
    case VALUE_CURSOR_NAME:
        cursor_name(view, out, size);
        break;
    default:
        break;
    }
}

static void value_text(enum lesson_value value, const struct view *view, const struct lesson_memory *memory,
                       char *out, size_t size)
{
    double number = lesson_value_number(value, view, memory);
    snprintf(out, size, "?");
    if (values[value].word && is_known(value, view))
        word_text(value, view, memory, out, size);
    if (values[value].word || isnan(number))
        return;
    number += 0.0; // no minus zero
    snprintf(out, size, values[value].with_sign ? "%+.*f" : "%.*f", values[value].digits, number);
}

void lesson_fill(const char *text, const struct view *view, const struct lesson_memory *memory, char *out,
                 size_t size)
{
    size_t used = 0;
    while (*text && used + 1 < size) {
        const char *end = *text == '{' ? strchr(text, '}') : NULL;
        if (text[0] == '{' && text[1] == '{') {
            out[used++] = '{';
            text += 2;
            continue;
        }
        int value = end ? lesson_value_find(text + 1, (size_t)(end - text - 1)) : -1;
        if (value < 0) {
            out[used++] = *text++;
            continue;
        }
        char shown[512];
        value_text((enum lesson_value)value, view, memory, shown, sizeof shown);
        int length = snprintf(out + used, size - used, "%s", shown);
        used += length > 0 ? (size_t)length : 0;
        used = used < size ? used : size - 1;
        text = end + 1;
    }
    out[used] = 0;
}
