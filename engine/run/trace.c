#include "engine/run/trace.h"

#include "engine/base/text.h"
#include "engine/prune/policy.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define UNKNOWN ((double)NAN)

void trace_init(struct trace *trace)
{
    *trace = (struct trace){
        .parameters = UNKNOWN,
        .budget = UNKNOWN,
        .answer.p = NAN,
        .dense_macs = UNKNOWN,
        .spent_macs = UNKNOWN,
        .ms = UNKNOWN,
    };
}

// One block holds all arrays of a stream; it begins with self_score, which needs the strictest alignment.
static void tokens_free(struct trace_tokens *tokens)
{
    free(tokens->self_score);
    *tokens = (struct trace_tokens){0};
}

static bool tokens_carve(struct trace_tokens *tokens, int count)
{
    *tokens = (struct trace_tokens){0};
    if (count <= 0)
        return true;
    size_t n = (size_t)count;
    float *block = malloc(n * (4 * sizeof(float) + sizeof(int16_t) + sizeof(uint8_t)));
    if (!block)
        return false;
    int16_t *dropped_at = (int16_t *)(block + 4 * n);
    *tokens = (struct trace_tokens){
        .count = count,
        .alive = (uint8_t *)(dropped_at + n),
        .self_score = block,
        .cross_score = block + n,
        .score = block + 2 * n,
        .keep = block + 3 * n,
        .dropped_at = dropped_at,
    };
    return true;
}

bool trace_tokens_alloc(struct trace_tokens *tokens, int count)
{
    tokens_free(tokens);
    if (!tokens_carve(tokens, count))
        return false;
    for (int i = 0; i < tokens->count; i++) {
        tokens->alive[i] = 1;
        tokens->self_score[i] = tokens->cross_score[i] = tokens->score[i] = tokens->keep[i] = NAN;
        tokens->dropped_at[i] = -1;
    }
    return true;
}

static bool tokens_copy(struct trace_tokens *to, const struct trace_tokens *from)
{
    if (!tokens_carve(to, from->count))
        return false;
    if (to->count == 0)
        return true;
    size_t n = (size_t)from->count;
    memcpy(to->alive, from->alive, n);
    memcpy(to->self_score, from->self_score, n * sizeof *to->self_score);
    memcpy(to->cross_score, from->cross_score, n * sizeof *to->cross_score);
    memcpy(to->score, from->score, n * sizeof *to->score);
    memcpy(to->keep, from->keep, n * sizeof *to->keep);
    memcpy(to->dropped_at, from->dropped_at, n * sizeof *to->dropped_at);
    return true;
}

static void stage_free(struct stage *stage)
{
    for (int i = 0; i < TRACE_STREAMS; i++)
        tokens_free(&stage->tokens[i]);
}

void trace_truncate(struct trace *trace, int count)
{
    while (trace->stage_count > count && trace->stage_count > 0)
        stage_free(&trace->stages[--trace->stage_count]);
}

void trace_free(struct trace *trace)
{
    trace_truncate(trace, 0);
    for (int i = 0; i < TRACE_PICTURES; i++)
        free(trace->pictures[i].path);
    free(trace->question);
    free(trace->writing.answers);
    free(trace->tokens);
    free(trace->interventions);
    free(trace->stages);
    trace_init(trace);
}

struct stage *trace_add_stage(struct trace *trace)
{
    if (trace->stage_count == trace->stage_capacity) {
        int capacity = trace->stage_capacity ? 2 * trace->stage_capacity : 16;
        struct stage *stages = realloc(trace->stages, (size_t)capacity * sizeof *stages);
        if (!stages)
            return NULL;
        trace->stages = stages;
        trace->stage_capacity = capacity;
    }
    struct stage *stage = &trace->stages[trace->stage_count++];
    *stage = (struct stage){
        .layer = -1,
        .stream = -1,
        .macs = {.dense = UNKNOWN, .spent = UNKNOWN, .cumulative_dense = UNKNOWN, .cumulative_spent = UNKNOWN},
        .ms = UNKNOWN,
        .redundancy_image = NAN,
        .redundancy_text = NAN,
        .redundancy_heads = NAN,
        .redundancy_heads_of = {NAN, NAN},
        .rank = NAN,
        .similarity = NAN,
    };
    for (int i = 0; i < MAC_KINDS; i++)
        stage->macs.by[i] = UNKNOWN;
    return stage;
}

void trace_set_answer(struct trace_answer *answer, const char *text)
{
    size_t length = strnlen(text, sizeof answer->text - 1);
    while (text[length] && length > 0 && ((unsigned char)text[length] & 0xC0) == 0x80)
        length--;
    memcpy(answer->text, text, length);
    answer->text[length] = '\0';
}

// Copies `count` items; *ok turns false when there is no memory.
static void *copy_items(const void *from, size_t count, size_t size, bool *ok)
{
    if (!from || count == 0 || !*ok)
        return NULL;
    void *to = malloc(count * size);
    *ok = to != NULL;
    if (to)
        memcpy(to, from, count * size);
    return to;
}

static char *copy_string(const char *from, bool *ok)
{
    return from ? copy_items(from, strlen(from) + 1, 1, ok) : NULL;
}

static bool copy_stages(struct trace *to, const struct trace *from)
{
    to->stages = calloc(from->stage_count > 0 ? (size_t)from->stage_count : 1, sizeof *to->stages);
    if (!to->stages)
        return false;
    to->stage_capacity = from->stage_count > 0 ? from->stage_count : 1;
    for (int i = 0; i < from->stage_count; i++) {
        struct stage *stage = &to->stages[to->stage_count++];
        *stage = from->stages[i];
        memset(stage->tokens, 0, sizeof stage->tokens);
        for (int s = 0; s < TRACE_STREAMS; s++)
            if (!tokens_copy(&stage->tokens[s], &from->stages[i].tokens[s]))
                return false;
    }
    return true;
}

bool trace_copy(struct trace *to, const struct trace *from)
{
    bool ok = true;
    *to = *from;
    to->stages = NULL;
    to->stage_count = to->stage_capacity = 0;
    for (int i = 0; i < TRACE_PICTURES; i++)
        to->pictures[i].path = copy_string(from->pictures[i].path, &ok);
    to->question = copy_string(from->question, &ok);
    to->writing.answers = copy_string(from->writing.answers, &ok);
    to->tokens = copy_items(from->tokens, (size_t)from->token_count, sizeof *to->tokens, &ok);
    to->interventions =
        copy_items(from->interventions, (size_t)from->intervention_count, sizeof *to->interventions, &ok);
    if (ok && copy_stages(to, from))
        return true;
    trace_free(to);
    return false;
}

int trace_unread(const struct trace *trace)
{
    const char *question = trace->question ? trace->question : "";
    int length = (int)strlen(question), at = 0;
    for (int i = 0; i < trace->token_count; i++)
        if (trace->tokens[i].from < trace->tokens[i].to && trace->tokens[i].to > at)
            at = trace->tokens[i].to;
    for (int i = at; i < length; i++)
        if ((unsigned char)question[i] >= 0x80 || isalnum((unsigned char)question[i]))
            return at;
    return -1;
}

double trace_cut_off(const struct trace_picture *picture, bool *sides)
{
    *sides = false;
    if (picture->squashed || picture->height < 1 || picture->grid_rows < 1)
        return 0;
    double shape = (double)picture->grid_columns / picture->grid_rows, own = (double)picture->width / picture->height;
    *sides = own > shape;
    return *sides ? 1 - shape / own : 1 - own / shape;
}

double trace_cut_off_told(const struct trace_picture *picture, bool *sides)
{
    return fmin(round(100 * trace_cut_off(picture, sides)), 99);
}

// Whether an earlier token covers the same bytes: the token is a part of a word that no letters of it stand for.
static bool shares_word(const struct trace *trace, int token)
{
    const struct trace_token *this = &trace->tokens[token], *before = token > 0 ? this - 1 : NULL;
    return before && before->from == this->from && before->to == this->to;
}

char *trace_token_text(const struct trace *trace, int token, char *out, size_t size)
{
    const struct trace_token *this = &trace->tokens[token];
    char text[TRACE_TEXT + 2];
    int length = trace->question ? (int)strlen(trace->question) : 0, covered = this->to - this->from;
    if (covered <= 0 || this->from < 0 || this->to > length)
        return text_fit(out, size, this->text);
    if (shares_word(trace, token)) {
        snprintf(text, sizeof text, "+%s", this->text + 2 * !strncmp(this->text, "##", 2));
        return text_fit(out, size, text);
    }
    char *bytes = strndup(trace->question + this->from, (size_t)covered);
    text_fit(out, size, bytes ? bytes : this->text);
    free(bytes);
    return out;
}

const struct trace_tokens *trace_tokens_at(const struct trace *trace, int stage, int stream)
{
    for (int s = stage < trace->stage_count ? stage : trace->stage_count - 1; s >= 0; s--)
        if (trace->stages[s].tokens[stream].count > 0)
            return &trace->stages[s].tokens[stream];
    return NULL;
}

float trace_threshold(const struct trace *trace, int stage, int stream)
{
    const struct trace_tokens *tokens = &trace->stages[stage].tokens[stream];
    enum policy policy;
    if (policy_find(trace->policy, &policy) && policy_kind(policy)->learned && !policy_kind(policy)->counts &&
        !isnan(trace->shift))
        return (float)(0 - trace->shift);
    float kept = INFINITY, dropped = -INFINITY;
    for (int i = 1; i < tokens->count; i++) {
        if (isnan(tokens->score[i]))
            continue;
        if (tokens->alive[i])
            kept = fminf(kept, tokens->score[i]);
        else if (tokens->dropped_at[i] == stage)
            dropped = fmaxf(dropped, tokens->score[i]);
    }
    return isinf(kept) || isinf(dropped) ? NAN : (kept + dropped) / 2;
}

int trace_token_by_hand(const struct trace *trace, int stage, int stream, int token)
{
    int decided = 0;
    for (int i = 0; i < trace->intervention_count; i++) {
        const struct intervention *v = &trace->interventions[i];
        bool about = v->stream == stream && v->token == token;
        if (v->stage > stage)
            continue;
        if (v->kind == INTERVENE_REOPEN || (about && v->kind == INTERVENE_TOKEN_KEEP))
            decided = 1;
        else if (about && v->kind == INTERVENE_TOKEN_DROP)
            decided = -1;
    }
    return decided;
}

int trace_head_by_hand(const struct trace *trace, int stage, int stream, int module, int head)
{
    int decided = 0;
    for (int i = 0; i < trace->intervention_count; i++) {
        const struct intervention *v = &trace->interventions[i];
        bool about = v->stage == stage && v->stream == stream && (int)v->module == module && v->head == head;
        if ((v->kind == INTERVENE_REOPEN && v->stage <= stage) || (about && v->kind == INTERVENE_HEAD_ON))
            decided = 1;
        else if (about && v->kind == INTERVENE_HEAD_OFF)
            decided = -1;
    }
    return decided;
}

const char *stage_kind_name(enum stage_kind kind)
{
    static const char *const names[STAGE_KINDS] = {"embed", "image", "text", "fusion", "memory", "decode", "answer"};
    return (unsigned)kind < STAGE_KINDS ? names[kind] : NULL;
}

const char *mac_kind_name(enum mac_kind kind)
{
    static const char *const names[MAC_KINDS] = {"qkv", "attention", "projection", "ffn", "trimmer", "other"};
    return (unsigned)kind < MAC_KINDS ? names[kind] : NULL;
}

const char *attention_module_name(enum attention_module module)
{
    static const char *const names[MODULES] = {"msa", "mca", "mca2"};
    return (unsigned)module < MODULES ? names[module] : NULL;
}

const char *intervention_kind_name(enum intervention_kind kind)
{
    static const char *const names[] = {"token-keep", "token-drop", "head-on", "head-off", "reopen"};
    return (unsigned)kind < sizeof names / sizeof *names ? names[kind] : NULL;
}

const char *trace_stream_name(int stream)
{
    static const char *const names[TRACE_STREAMS] = {"image", "image2", "text"};
    return (unsigned)stream < TRACE_STREAMS ? names[stream] : NULL;
}
