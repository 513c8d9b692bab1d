#include "tests/support/sample_trace.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

// ---- the picture
// ----------------------------------------------------------------------------------------------

struct shape {
    float x, y, radius;
    unsigned char color[3];
    float worth; // how much the question needs it
};

static const struct shape shapes[] = {
    {52, 62, 27, {205, 38, 38}, 2.6F},    // apple
    {140, 70, 24, {244, 208, 63}, 1.9F},  // lemon
    {96, 146, 25, {240, 240, 236}, 0.5F}, // ball
    {160, 158, 18, {46, 134, 87}, 0.3F},  // leaf
    {30, 150, 16, {130, 70, 160}, 0.2F},  // plum
};
enum { SHAPES = sizeof shapes / sizeof *shapes };

void sample_picture(unsigned char *rgb)
{
    for (int y = 0; y < SAMPLE_SIDE; y++)
        for (int x = 0; x < SAMPLE_SIDE; x++, rgb += 3) {
            float t = (float)(x + y) / (2 * SAMPLE_SIDE);
            float color[3] = {62 + 120 * t, 98 + 24 * t, 160 - 30 * t};
            for (int s = 0; s < SHAPES; s++) {
                float dx = ((float)x - shapes[s].x) / shapes[s].radius,
                      dy = ((float)y - shapes[s].y) / shapes[s].radius;
                float distance = sqrtf(dx * dx + dy * dy * 1.2F), light = 1.15F - 0.35F * (dx + dy + 0.6F);
                float cover = (1 - distance) * shapes[s].radius;
                cover = cover < 0 ? 0 : cover > 1 ? 1 : cover;
                for (int i = 0; i < 3; i++)
                    color[i] += (fminf(255, (float)shapes[s].color[i] * light) - color[i]) * cover;
            }
            for (int i = 0; i < 3; i++)
                rgb[i] = (unsigned char)fmaxf(0, fminf(255, color[i]));
        }
}

// ---- the trace
// ------------------------------------------------------------------------------------------------

// The same noise on every machine.
static float noise(int a, int b)
{
    uint32_t h = (uint32_t)a * 2654435761U ^ (uint32_t)b * 2246822519U;
    h ^= h >> 15, h *= 2246822519U, h ^= h >> 13;
    return (float)(h >> 8) / (float)(1 << 24) - 0.5F;
}

static float patch_worth(int patch)
{
    float x = ((float)(patch % SAMPLE_GRID) + 0.5F) * SAMPLE_SIDE / SAMPLE_GRID;
    float y = ((float)(patch / SAMPLE_GRID) + 0.5F) * SAMPLE_SIDE / SAMPLE_GRID, best = -1;
    for (int s = 0; s < SHAPES; s++) {
        float dx = x - shapes[s].x, dy = y - shapes[s].y;
        float inside = 1.25F - sqrtf(dx * dx + dy * dy) / shapes[s].radius;
        best = fmaxf(best, inside > 0 ? shapes[s].worth : -1 + inside * 0.1F);
    }
    return best;
}

static float word_worth(const char *text)
{
    static const char *const strong[] = {"apple", "lemon", "color", "left", "ball"};
    if (text[0] == '<')
        return text[1] == 's' ? 9 : 0.6F;
    for (size_t i = 0; i < sizeof strong / sizeof *strong; i++)
        if (!strcmp(text, strong[i]))
            return 2.4F - 0.3F * (float)i;
    return 0.4F;
}

static void add_words(struct trace *trace, const char *question)
{
    trace->question = strdup(question);
    trace->tokens = calloc(66, sizeof *trace->tokens);
    struct trace_token *token = trace->tokens;
    strcpy(token++->text, "<s>");
    for (const char *p = question; *p && token < trace->tokens + 64;) {
        size_t length = strspn(p, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ'");
        if (length > 0) {
            token->from = (int)(p - question);
            token->to = token->from + (int)length;
            memcpy(token->text, p, length < TRACE_TEXT ? length : TRACE_TEXT - 1);
            token->unknown = !strncmp(p, "zz", 2);
            token++;
        }
        p += length > 0 ? length : 1;
    }
    strcpy(token->text, "</s>");
    token->from = token->to = (int)strlen(question);
    trace->token_count = (int)(token - trace->tokens) + 1;
}

static bool forced(const struct trace *trace, int stage, int stream, int token, bool keep)
{
    for (int i = 0; i < trace->intervention_count; i++) {
        const struct intervention *what = &trace->interventions[i];
        bool kind = what->kind == (keep ? INTERVENE_TOKEN_KEEP : INTERVENE_TOKEN_DROP);
        if ((kind && what->stream == stream && what->token == token && (keep || what->stage == stage)) ||
            (keep && what->kind == INTERVENE_REOPEN && stage >= what->stage))
            return true;
    }
    return false;
}

// Scores every living token and drops those below the limit, which rises with depth.
static void trim(struct trace *trace, int stage, int stream, float limit, bool cross)
{
    struct trace_tokens *now = &trace->stages[stage].tokens[stream];
    const struct trace_tokens *before = NULL;
    int count = stream == TRACE_TEXT_STREAM ? trace->token_count : SAMPLE_GRID * SAMPLE_GRID + 1;
    for (int s = stage - 1; s >= 0 && !before; s--)
        if (trace->stages[s].tokens[stream].count > 0)
            before = &trace->stages[s].tokens[stream];
    if (!trace_tokens_alloc(now, count))
        abort();
    for (int i = 0; i < count; i++) {
        if (before && !before->alive[i]) {
            now->alive[i] = 0;
            now->dropped_at[i] = before->dropped_at[i];
            continue;
        }
        if (isnan(limit) || i == 0)
            continue;
        float worth = stream == TRACE_TEXT_STREAM ? word_worth(trace->tokens[i].text) : patch_worth(i - 1);
        now->self_score[i] = 0.4F * worth + 0.9F * noise(i, stage) + 0.3F;
        now->cross_score[i] = cross ? 0.9F * worth + 0.5F * noise(stage, i) : NAN;
        float total = now->self_score[i] + (cross ? now->cross_score[i] : 0) - limit;
        now->score[i] = total;
        now->keep[i] = 1 / (1 + expf(-total));
        bool alive = total + (float)trace->shift >= 0;
        if ((alive && !forced(trace, stage, stream, i, false)) || forced(trace, stage, stream, i, true))
            continue;
        now->alive[i] = 0;
        now->dropped_at[i] = (int16_t)stage;
    }
}

static void add_heads(struct trace *trace, int stage, int stream, enum attention_module module)
{
    struct trace_heads *heads = &trace->stages[stage].heads[stream][module];
    heads->count = SAMPLE_HEADS;
    for (int h = 0; h < heads->count; h++) {
        heads->score[h] = 0.6F + 3 * noise(stage * 8 + h, stream * 4 + (int)module);
        heads->on[h] = heads->score[h] + (float)trace->shift >= 0 || !trace->trim_heads;
        for (int i = 0; i < trace->intervention_count; i++) {
            const struct intervention *what = &trace->interventions[i];
            if (what->stream == stream && what->module == module && what->head == h && what->stage == stage &&
                (what->kind == INTERVENE_HEAD_ON || what->kind == INTERVENE_HEAD_OFF))
                heads->on[h] = what->kind == INTERVENE_HEAD_ON;
        }
    }
}

static int alive_tokens(const struct trace *trace, int stage, int stream)
{
    int alive = 0;
    for (int s = stage; s >= 0; s--)
        if (trace->stages[s].tokens[stream].count > 0) {
            for (int i = 0; i < trace->stages[s].tokens[stream].count; i++)
                alive += trace->stages[s].tokens[stream].alive[i];
            break;
        }
    return alive;
}

static void add_cost(struct trace *trace, int index)
{
    struct stage *stage = &trace->stages[index];
    double patches = stage->stream == TRACE_TEXT_STREAM ? 0 : SAMPLE_GRID * SAMPLE_GRID + 1;
    double words = stage->stream == TRACE_TEXT_STREAM || stage->stream < 0 ? trace->token_count : 0;
    double left = patches > 0 ? alive_tokens(trace, index, 0) : 0,
           read = words > 0 ? alive_tokens(trace, index, TRACE_TEXT_STREAM) : 0;
    double unit = stage->kind == STAGE_FUSION   ? 16
                  : stage->kind == STAGE_EMBED  ? (patches > 0 ? 3 : 0) // words are looked up
                  : stage->kind == STAGE_ANSWER ? 0.1
                                                : 12;
    unit *= 96 * 96;
    stage->macs.dense = (patches + words) * unit;
    stage->macs.spent = (left + read) * unit;
    static const double parts[MAC_KINDS] = {0.26, 0.09, 0.12, 0.48, 0.03, 0.02};
    for (int kind = 0; kind < MAC_KINDS; kind++)
        stage->macs.by[kind] = stage->macs.spent * parts[kind];
    const struct trace_macs *before = index > 0 ? &trace->stages[index - 1].macs : NULL;
    stage->macs.cumulative_dense = stage->macs.dense + (before ? before->cumulative_dense : 0);
    stage->macs.cumulative_spent = stage->macs.spent + (before ? before->cumulative_spent : 0);
    stage->ms = 0.08 + stage->macs.spent / 2.4e7;
    trace->dense_macs = stage->macs.cumulative_dense;
    trace->spent_macs = stage->macs.cumulative_spent;
    trace->ms += stage->ms;
}

static void add_answers(struct trace *trace, int index, int depth)
{
    static const char *const names[TRACE_ANSWERS] = {"red", "yellow", "apple", "white", "2"};
    struct stage *stage = &trace->stages[index];
    float weights[TRACE_ANSWERS] = {(float)depth * 0.75F, 1.9F - 0.1F * (float)depth,
                                    1.2F - 0.3F * (float)depth, 0, -0.4F},
          sum = 0;
    weights[0] += (float)trace->intervention_count * 0.2F - (trace->budget < 0.4 ? 0.8F : 0);
    int order[TRACE_ANSWERS] = {0, 1, 2, 3, 4};
    for (int i = 0; i < TRACE_ANSWERS; i++)
        sum += expf(weights[i]);
    for (int i = 0; i < TRACE_ANSWERS; i++)
        for (int k = i + 1; k < TRACE_ANSWERS; k++)
            if (weights[order[k]] > weights[order[i]]) {
                int swap = order[i];
                order[i] = order[k];
                order[k] = swap;
            }
    for (int i = 0; i < TRACE_ANSWERS; i++) {
        strcpy(stage->answers[i].text, names[order[i]]);
        stage->answers[i].p = expf(weights[order[i]]) / sum * 0.98F;
    }
    stage->answer_count = TRACE_ANSWERS;
    if (stage->kind == STAGE_ANSWER)
        trace->answer = stage->answers[0];
}

struct plan {
    const char *name;
    enum stage_kind kind;
    int layer, stream;
    float image_limit, text_limit; // NAN: no trimmer
};

static const struct plan plans[SAMPLE_STAGES] = {
    {"words", STAGE_EMBED, -1, TRACE_TEXT_STREAM, NAN, NAN},
    {"text 1", STAGE_TEXT, 0, TRACE_TEXT_STREAM, NAN, NAN},
    {"text 2", STAGE_TEXT, 1, TRACE_TEXT_STREAM, NAN, 0.12F},
    {"patches", STAGE_EMBED, -1, 0, NAN, NAN},
    {"image 1", STAGE_IMAGE, 0, 0, NAN, NAN},
    {"image 2", STAGE_IMAGE, 1, 0, -1.05F, NAN},
    {"fusion 1", STAGE_FUSION, 0, -1, -0.35F, NAN},
    {"fusion 2", STAGE_FUSION, 1, -1, 0.7F, 0.65F},
    {"fusion 3", STAGE_FUSION, 2, -1, 1.1F, 0.9F},
    {"fusion 4", STAGE_FUSION, 3, -1, 2.4F, NAN},
    {"fusion 5", STAGE_FUSION, 4, -1, 2.7F, 1.2F},
    {"fusion 6", STAGE_FUSION, 5, -1, 3.1F, NAN},
    {"answer", STAGE_ANSWER, -1, -1, NAN, NAN},
};

static void add_stage(struct trace *trace, int index)
{
    const struct plan *plan = &plans[index];
    struct stage *stage = trace_add_stage(trace);
    if (!stage)
        abort();
    strcpy(stage->name, plan->name);
    stage->kind = plan->kind;
    stage->layer = plan->layer;
    stage->stream = plan->stream;
    bool picture = plan->stream != TRACE_TEXT_STREAM, text = plan->stream != 0,
         fusion = plan->kind == STAGE_FUSION;
    if (picture)
        trim(trace, index, 0, plan->image_limit, true);
    if (text)
        trim(trace, index, TRACE_TEXT_STREAM, plan->text_limit, fusion);
    if (plan->kind == STAGE_TEXT || fusion)
        add_heads(trace, index, TRACE_TEXT_STREAM, MODULE_MSA);
    if (plan->kind == STAGE_IMAGE || fusion)
        add_heads(trace, index, 0, MODULE_MSA);
    if (fusion) {
        add_heads(trace, index, 0, MODULE_MCA);
        add_heads(trace, index, TRACE_TEXT_STREAM, MODULE_MCA);
        stage->redundancy_image = 0.62F + 0.02F * (float)index;
        stage->redundancy_text = 0.41F;
        stage->redundancy_heads = 0.18F;
    }
    add_cost(trace, index);
    if (fusion || plan->kind == STAGE_ANSWER)
        add_answers(trace, index, fusion ? plan->layer + 1 : 6);
}

void sample_trace(struct trace *trace, const char *question, const char *policy, double budget,
                  const struct intervention *interventions, int intervention_count, int stages)
{
    trace_init(trace);
    strcpy(trace->model_name, "sample");
    strcpy(trace->architecture, "meter");
    strcpy(trace->task, "vqa");
    trace->parameters = 1.9e6;
    trace->picture_count = 1;
    trace->pictures[0] =
        (struct trace_picture){.path = strdup("sample.png"), .width = SAMPLE_SIDE, .height = SAMPLE_SIDE,
                               .grid_rows = SAMPLE_GRID, .grid_columns = SAMPLE_GRID};
    add_words(trace, question);
    strncpy(trace->policy, policy, sizeof trace->policy - 1);
    trace->budget = budget;
    trace->shift = isnan(budget) ? 0 : strcmp(policy, "none") ? (budget - 0.5) * 4 : 99;
    trace->trim_tokens = true;
    trace->trim_heads = strcmp(policy, "none") != 0;
    trace->stage_total = SAMPLE_STAGES;
    if (intervention_count > 0) {
        trace->interventions = calloc((size_t)intervention_count, sizeof *interventions);
        memcpy(trace->interventions, interventions, (size_t)intervention_count * sizeof *interventions);
        trace->intervention_count = intervention_count;
    }
    for (int i = 0; i < stages && i < SAMPLE_STAGES; i++)
        add_stage(trace, i);
}
