#include "engine/run/intervention_text.h"

#include "engine/run/run_private.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { PARTS = 4, PART = 96 };

// ---- names of stages

// "fusion 2" as fusion2; "image 1, picture 2" as image1: the stream tells the picture.
static void write_stage(const char *name, char out[TRACE_NAME])
{
    int used = 0;
    for (; *name && *name != ',' && used < TRACE_NAME - 1; name++)
        if (*name != ' ')
            out[used++] = *name;
    out[used] = 0;
    if (!strncmp(out, "embed", 5))
        out[5] = 0;
}

int intervention_find_stage(const struct run *run, const char *name, int stream)
{
    char asked[TRACE_NAME], own[TRACE_NAME];
    write_stage(name, asked);
    for (int i = 0; i < run->stage_count; i++) {
        write_stage(run->plan[i].name, own);
        if (!strcasecmp(own, asked) && (stream < 0 || run->plan[i].touches[stream]))
            return i;
    }
    return -1;
}

bool intervention_find_stream(const struct run *run, const char *name, int *stream)
{
    for (int s = 0; s < TRACE_STREAMS; s++)
        if (!strcmp(name, trace_stream_name(s)) && (s == TRACE_TEXT_STREAM || s < run->model->config.pictures)) {
            *stream = s;
            return true;
        }
    return false;
}

// ---- reading

static bool read_number(const char *text, int *number)
{
    char *end;
    long value = strtol(text, &end, 10);
    *number = (int)value;
    return end != text && !*end && value >= 0 && value <= 1000000 && isdigit((unsigned char)text[0]);
}

static bool find_word(const struct trace *trace, const char *text, int *token)
{
    size_t length = strlen(text);
    for (int t = 1; t < trace->token_count; t++) {
        const struct trace_token *w = &trace->tokens[t];
        bool covers = w->to > w->from && (size_t)(w->to - w->from) == length &&
                      !strncasecmp(trace->question + w->from, text, length);
        if (covers || !strcasecmp(w->text, text)) {
            *token = t;
            return true;
        }
    }
    return false;
}

bool intervention_find_token(const struct run *run, int stream, const char *text, int *token, struct error *err)
{
    int count = run_stream_count(run, stream), grid = model_grid(&run->model->config), row, column, used = 0;
    bool words = run_stream_is_text(stream);
    if (!words && sscanf(text, "%4d,%4d%n", &row, &column, &used) == 2 && !text[used]) {
        *token = 1 + (row - 1) * grid + column - 1;
        return (row >= 1 && row <= grid && column >= 1 && column <= grid) ||
               error_set(err, ERROR_USAGE, "there is no patch in row %d, column %d; the picture has %d rows of %d patches",
                         row, column, grid, grid);
    }
    if (read_number(text, token) && *token >= 1 && *token < count)
        return true;
    if (words && find_word(&run->trace, text, token))
        return true;
    return words ? error_set(err, ERROR_USAGE,
                             "the question has no word \"%s\"; expected one of its words, or its number from 1 to %d", text,
                             count - 1)
                 : error_set(err, ERROR_USAGE, "there is no patch \"%s\"; expected ROW,COLUMN, each from 1 to %d, or a "
                                               "number from 1 to %d", text, grid, count - 1);
}

// Splits "a:b:c" in at most PARTS; the last part keeps further colons. Returns how many; 0: a part is too long.
static int split(const char *text, char parts[PARTS][PART])
{
    int count = 0;
    for (;;) {
        size_t length = count == PARTS - 1 ? strlen(text) : strcspn(text, ":");
        if (length >= PART)
            return 0;
        memcpy(parts[count], text, length);
        parts[count++][length] = 0;
        if (!text[length])
            return count;
        text += length + 1;
    }
}

static const char *option_of(enum intervention_kind kind, const char **argument)
{
#define OPTION_NAME(id, name, argument, help) [id] = {name, argument},
    static const struct {
        const char *name, *argument;
    } rows[] = {INTERVENTION_OPTIONS(OPTION_NAME)};
#undef OPTION_NAME
    if (argument)
        *argument = rows[kind].argument;
    return rows[kind].name;
}

static bool no_stage(const struct run *run, const char *name, const char *stream, struct error *err)
{
    char list[256] = "", own[TRACE_NAME];
    size_t used = 0;
    for (int i = 0; i < run->stage_count && used < sizeof list; i++) {
        write_stage(run->plan[i].name, own);
        if (intervention_find_stage(run, own, -1) == i) // two pictures' stages have one name here
            used += (size_t)snprintf(list + used, sizeof list - used, "%s%s", i ? ", " : "", own);
    }
    return error_set(err, ERROR_USAGE, "there is no stage \"%s\"%s%s; this model has %s", name, *stream ? " of the " : "",
                     stream, list);
}

static bool read_head(const struct run *run, char parts[PARTS][PART], struct intervention *out, struct error *err)
{
    int number;
    for (int m = MODULE_MSA; m <= MODULE_MCA; m++)
        if (!strcasecmp(parts[2], attention_module_name((enum attention_module)m))) {
            out->module = (enum attention_module)m;
            if (!read_number(parts[3], &number) || number < 1 || number > run->model->config.heads)
                return error_set(err, ERROR_USAGE, "there is no head \"%s\"; expected a number from 1 to %d", parts[3],
                                 run->model->config.heads);
            out->head = number - 1;
            const struct stage_plan *plan = &run->plan[out->stage];
            return run_has_module(run, out->stage, out->stream, m) ||
                   error_set(err, ERROR_USAGE, "the stage %s has no %s of the %s", plan->name, parts[2], parts[1]);
        }
    return error_set(err, ERROR_USAGE, "there is no attention module \"%s\"; expected msa (self) or mca (cross)", parts[2]);
}

const char *intervention_option(enum intervention_kind kind) { return option_of(kind, NULL); }

bool intervention_parse(const struct run *run, enum intervention_kind kind, const char *text, struct intervention *out,
                        struct error *err)
{
    char parts[PARTS][PART] = {""};
    const char *argument;
    option_of(kind, &argument);
    bool head = kind == INTERVENE_HEAD_ON || kind == INTERVENE_HEAD_OFF, reopen = kind == INTERVENE_REOPEN;
    int count = split(text, parts), stream = -1;
    *out = (struct intervention){.kind = kind};
    if (reopen ? count < 1 || count > 2 : count != (head ? 4 : 3))
        return error_set(err, ERROR_USAGE, "expected %s", argument);
    if (count > 1 && !intervention_find_stream(run, parts[1], &stream))
        return error_set(err, ERROR_USAGE, "there is no stream \"%s\" in this model; expected image%s or text", parts[1],
                         run->model->config.pictures > 1 ? ", image2" : "");
    out->stage = intervention_find_stage(run, parts[0], stream);
    if (out->stage < 0)
        return no_stage(run, parts[0], parts[1], err);
    if (reopen)
        return true;
    out->stream = stream;
    return head ? read_head(run, parts, out, err) : intervention_find_token(run, stream, parts[2], &out->token, err);
}

// ---- writing

bool intervention_write(const struct trace *trace, const struct intervention *v, char *out, size_t size)
{
    char stage[TRACE_NAME] = "embed"; // stage 0: from the very start
    const char *stream = trace_stream_name(v->stream);
    if (v->stage < 0 || v->stage >= trace->stage_count || !stream)
        return false;
    write_stage(trace->stages[v->stage].name, stage);
    int used;
    if (v->kind == INTERVENE_REOPEN) {
        int of = trace->stages[v->stage].stream;
        used = snprintf(out, size, "%s%s%s", stage, of == 1 ? ":" : "", of == 1 ? trace_stream_name(1) : "");
    } else if (v->kind == INTERVENE_HEAD_ON || v->kind == INTERVENE_HEAD_OFF) {
        used = snprintf(out, size, "%s:%s:%s:%d", stage, stream, attention_module_name(v->module), v->head + 1);
    } else {
        used = snprintf(out, size, "%s:%s:%d", stage, stream, v->token);
    }
    return used > 0 && (size_t)used < size;
}
