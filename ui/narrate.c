#include "ui/narrate.h"

#include "ui/draw.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

struct text {
    char *out;
    size_t size, used;
};

static void say(struct text *text, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void say(struct text *text, const char *format, ...)
{
    if (text->used + 1 >= text->size)
        return;
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(text->out + text->used, text->size - text->used, format, arguments);
    va_end(arguments);
    if (length > 0)
        text->used += (size_t)length;
    if (text->used >= text->size)
        text->used = text->size - 1;
}

static const char *plural(int count)
{
    return count == 1 ? "" : "s";
}

// "Fusion 3" from "fusion 3".
static void say_name(struct text *text, const char *name)
{
    bool lower = name[0] >= 'a' && name[0] <= 'z';
    if (name[0])
        say(text, "%c%s", lower ? name[0] - 'a' + 'A' : name[0], name + 1);
}

// The real word (no special token) with the greatest total score given in this very stage; -1: none.
static int top_word(const struct view *view, int stage)
{
    int best = -1;
    float best_score = -INFINITY;
    for (int i = 0; stage >= 0 && i < view->trace.token_count; i++) {
        struct view_score score = view_score(view, stage, TRACE_TEXT_STREAM, i);
        const struct trace_token *token = &view->trace.tokens[i];
        bool real = token->from < token->to && view_alive(view, stage, TRACE_TEXT_STREAM, i);
        if (real && score.stage == stage && score.total > best_score) {
            best_score = score.total;
            best = i;
        }
    }
    return best;
}

static int previous_fusion(const struct view *view, int stage)
{
    for (int s = stage - 1; s >= 0; s--)
        if (view->trace.stages[s].kind == STAGE_FUSION)
            return s;
    return -1;
}

// "dropped the words 'is' and 'the'": at most three by name.
static void say_dropped_words(struct text *text, const struct view *view, int stage)
{
    int dropped = view_dropped_now_count(view, stage, TRACE_TEXT_STREAM), told = 0;
    for (int i = 0; i < view->trace.token_count && told < 3; i++)
        if (view_dropped_now(view, stage, TRACE_TEXT_STREAM, i)) {
            char name[TRACE_TEXT];
            view_token_name(view, TRACE_TEXT_STREAM, i, name, sizeof name);
            told++;
            say(text, "%s'%s'", told == 1 ? "" : told == dropped ? " and " : ", ", name);
        }
    if (told < dropped)
        say(text, " and %d more", dropped - told);
}

static void say_dropped_patches(struct text *text, const struct view *view, int stage)
{
    for (int p = 0; p < view->trace.picture_count; p++) {
        int dropped = view_dropped_now_count(view, stage, p), total;
        int after = view_alive_count(view, stage, p, &total);
        if (view->trace.stages[stage].tokens[p].count == 0)
            continue;
        say(text, p > 0 ? "; " : " ");
        if (dropped > 0)
            say(text, "dropped %d of %d patches", dropped, after + dropped);
        else
            say(text, "kept all %d patches", after);
        if (view->trace.picture_count > 1)
            say(text, " of picture %d", p + 1);
        else if (dropped > 0)
            say(text, ", %d stay", after);
    }
}

static void count_heads(const struct stage *stage, int *off, int *all)
{
    *off = *all = 0;
    for (int stream = 0; stream < TRACE_STREAMS; stream++)
        for (int module = 0; module < MODULES; module++)
            for (int h = 0; h < stage->heads[stream][module].count; h++) {
                *off += !stage->heads[stream][module].on[h];
                (*all)++;
            }
}

static void say_heads(struct text *text, const struct stage *stage)
{
    int off, all;
    count_heads(stage, &off, &all);
    if (off > 0)
        say(text, "; %d of %d heads dropped", off, all);
}

static void say_top_word(struct text *text, const struct view *view, int stage)
{
    int top = top_word(view, stage), before = previous_fusion(view, stage);
    if (top < 0)
        return;
    int old = before >= 0 ? top_word(view, before) : -1;
    char name[TRACE_TEXT], old_name[TRACE_TEXT];
    view_token_name(view, TRACE_TEXT_STREAM, top, name, sizeof name);
    view_token_name(view, TRACE_TEXT_STREAM, old, old_name, sizeof old_name);
    if (old >= 0 && old != top)
        say(text, "\nThe word '%s' now outweighs '%s' (%+.1f).", name, old_name,
            (double)view_score(view, stage, TRACE_TEXT_STREAM, top).total);
    else
        say(text, "\n'%s' weighs most among the words (%+.1f).", name,
            (double)view_score(view, stage, TRACE_TEXT_STREAM, top).total);
}

static void say_cost(struct text *text, const struct stage *stage)
{
    char spent[24], dense[24];
    draw_flops(spent, sizeof spent, stage->macs.spent);
    draw_flops(dense, sizeof dense, stage->macs.dense);
    if (stage->macs.dense > 0)
        say(text, "\nIt cost %sFLOP, %.0f %% of the unpruned layer.", spent,
            100 * stage->macs.spent / stage->macs.dense);
}

static void say_reading(struct text *text, const struct view *view, int stage)
{
    const struct stage *now = &view->trace.stages[stage];
    if (now->answer_count == 0)
        return;
    int before = previous_fusion(view, stage);
    const struct stage *old = before >= 0 ? &view->trace.stages[before] : NULL;
    double p = 100 * (double)now->answers[0].p;
    if (old && old->answer_count > 0 && strcmp(old->answers[0].text, now->answers[0].text) != 0)
        say(text, "\nRead here, the answer turns from '%s' to '%s' (%.0f %%).", old->answers[0].text,
            now->answers[0].text, p);
    else
        say(text, "\nRead here, the answer %s '%s' (%.0f %%).", old ? "stays" : "would be",
            now->answers[0].text, p);
}

static void narrate_embed(struct text *text, const struct view *view, const struct stage *stage)
{
    if (stage->stream == TRACE_TEXT_STREAM || stage->stream < 0) {
        int words = 0;
        for (int i = 0; i < view->trace.token_count; i++)
            words += view->trace.tokens[i].from < view->trace.tokens[i].to;
        say(text,
            "The question becomes %d word token%s between two markers.\nEach is now a vector of numbers.",
            words, plural(words));
        for (int i = 0; i < view->trace.token_count; i++)
            if (view->trace.tokens[i].unknown) {
                char name[TRACE_TEXT];
                view_token_name(view, TRACE_TEXT_STREAM, i, name, sizeof name);
                say(text, "\nThe model does not know the word '%s'.", name);
                break;
            }
        return;
    }
    const struct trace_picture *picture = &view->trace.pictures[stage->stream];
    say(text, "The picture is cut into %d × %d = %d patches and a CLS token that will stand for all of it.",
        picture->grid_rows, picture->grid_columns, picture->grid_rows * picture->grid_columns);
    say(text, "\nAll are alive.");
}

static void narrate_answer(struct text *text, const struct view *view, const struct stage *stage)
{
    const struct trace *trace = &view->trace;
    if (stage->answer_count > 0)
        say(text, "The answer is '%s' with %.0f %%.", stage->answers[0].text,
            100 * (double)stage->answers[0].p);
    const struct trace_macs *macs = &stage->macs;
    char spent[24], dense[24];
    draw_flops(spent, sizeof spent, macs->cumulative_spent);
    draw_flops(dense, sizeof dense, macs->cumulative_dense);
    if (macs->cumulative_dense > 0)
        say(text, "\nThe whole run took %sFLOP instead of %sFLOP: %.0f %%, %.1f times less", spent, dense,
            100 * macs->cumulative_spent / macs->cumulative_dense,
            macs->cumulative_dense / macs->cumulative_spent);
    int total, alive = view_alive_count(view, trace->stage_count - 1, 0, &total);
    if (trace->picture_count > 0 && total > 0)
        say(text, "; %d of %d patches were still looked at in the end", alive, total);
    say(text, ".");
}

void narrate_stage(const struct view *view, int index, char *out, size_t size)
{
    struct text text = {out, size, 0};
    const struct stage *stage = &view->trace.stages[index];
    out[0] = 0;
    switch (stage->kind) {
    case STAGE_EMBED:
        narrate_embed(&text, view, stage);
        return;
    case STAGE_ANSWER:
        narrate_answer(&text, view, stage);
        return;
    default:
        break;
    }
    say_name(&text, stage->name);
    int words_gone = view_dropped_now_count(view, index, TRACE_TEXT_STREAM);
    say_dropped_patches(&text, view, index);
    bool has_patches = text.used > strlen(stage->name);
    if (words_gone > 0) {
        say(&text, has_patches ? "; gone: " : " let go of ");
        say_dropped_words(&text, view, index);
    } else if (!has_patches) {
        int alive = view_alive_count(view, index, TRACE_TEXT_STREAM, NULL);
        say(&text, " kept all %d tokens", alive);
    }
    say_heads(&text, stage);
    say(&text, ".");
    say_reading(&text, view, index);
    if (stage->kind == STAGE_FUSION)
        say_top_word(&text, view, index);
    say_cost(&text, stage);
}
