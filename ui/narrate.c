#include "ui/narrate.h"

#include "engine/base/text.h"
#include "ui/draw.h"
#include "ui/words.h"

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

// A new sentence.
static void begin(struct text *text)
{
    if (text->used > 0)
        say(text, "\n");
}

// Between two clauses of a sentence.
static void join(struct text *text)
{
    say(text, "%s", in_("between clauses", "; "));
}

// "Fusion 3" from "fusion 3".
static void name_first(const struct view *view, int stage, char *out, size_t size)
{
    view_stage_name(view, &view->trace.stages[stage], out, size);
    if (out[0] >= 'a' && out[0] <= 'z')
        out[0] = (char)(out[0] - 'a' + 'A');
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

static bool is_dropped_word(const struct view *view, int stage, int token)
{
    return view_dropped_now(view, stage, TRACE_TEXT_STREAM, token);
}

static bool is_unknown_word(const struct view *view, int stage, int token)
{
    (void)stage;
    return view->trace.tokens[token].unknown;
}

// "'is', 'the' and 2 more": at most three by name. Returns how many words these are.
static int name_words(const struct view *view, int stage, bool (*is_one)(const struct view *, int, int), char *out,
                      size_t size)
{
    enum { NAMED = 3 };
    char names[NAMED][TRACE_TEXT] = {"", "", ""};
    int count = 0;
    for (int i = 0; i < view->trace.token_count; i++)
        if (is_one(view, stage, i) && count++ < NAMED)
            view_token_name(view, TRACE_TEXT_STREAM, i, names[count - 1], TRACE_TEXT);
    if (count > NAMED)
        snprintf(out, size, _("'%s', '%s', '%s' and %d more"), names[0], names[1], names[2], count - NAMED);
    else if (count == NAMED)
        snprintf(out, size, _("'%s', '%s' and '%s'"), names[0], names[1], names[2]);
    else if (count == 2)
        snprintf(out, size, _("'%s' and '%s'"), names[0], names[1]);
    else
        snprintf(out, size, _("'%s'"), names[0]);
    return count;
}

// What one picture lost, "Fusion 3 dropped 12 of 144 patches, 132 stay".
static void say_dropped_patches(struct text *text, const struct view *view, int stage, const char *name)
{
    int dropped = view_dropped_now_count(view, stage, 0), after = view_alive_count(view, stage, 0, NULL);
    int before = after + dropped;
    if (dropped > 0)
        say(text,
            ngettext_(after, "%s dropped %d of %d patches, %d stays", "%s dropped %d of %d patches, %d stay"),
            name, dropped, before, after);
    else
        say(text, ngettext_(after, "%s kept %d patch, all there was", "%s kept all %d patches"), name, after);
}

// The same where there are two, and which of them the stage touches must be said.
static void say_dropped_of_pictures(struct text *text, const struct view *view, int stage, const char *name)
{
    for (int p = 0; p < view->trace.picture_count; p++) {
        int dropped = view_dropped_now_count(view, stage, p), after = view_alive_count(view, stage, p, NULL);
        if (view->trace.stages[stage].tokens[p].count == 0)
            continue;
        if (text->used > 0)
            join(text);
        if (text->used == 0 && dropped > 0)
            say(text, _("%s dropped %d of %d patches of picture %d"), name, dropped, after + dropped, p + 1);
        else if (text->used == 0)
            say(text, _("%s kept all %d patches of picture %d"), name, after, p + 1);
        else if (dropped > 0)
            say(text, _("dropped %d of %d patches of picture %d"), dropped, after + dropped, p + 1);
        else
            say(text, _("kept all %d patches of picture %d"), after, p + 1);
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
    if (off == 0)
        return;
    join(text);
    say(text, _("%d of %d heads dropped"), off, all);
}

// What of a stage is the person's doing: the one change by its name, several by their number.
static void say_by_hand(struct text *text, const struct view *view, int stage)
{
    const struct trace *trace = &view->trace;
    const struct intervention *only = NULL;
    char name[TRACE_TEXT];
    int count = 0;
    for (int i = 0; i < trace->intervention_count; i++)
        if (trace->interventions[i].stage == stage) {
            only = &trace->interventions[i];
            count++;
        }
    if (count == 0)
        return;
    join(text);
    bool word = only->stream == TRACE_TEXT_STREAM, keep = only->kind == INTERVENE_TOKEN_KEEP;
    if (count > 1) {
        say(text, ngettext_(count, "%d change by hand", "%d changes by hand"), count);
    } else if (keep || only->kind == INTERVENE_TOKEN_DROP) {
        view_token_name(view, only->stream, only->token, name, sizeof name);
        say(text,
            keep ? (word ? _("'%s' kept by hand") : _("the patch in %s kept by hand"))
                 : (word ? _("'%s' dropped by hand") : _("the patch in %s dropped by hand")),
            name);
    } else if (only->kind == INTERVENE_REOPEN) {
        say(text, "%s", _("everything reopened by hand"));
    } else {
        say(text, only->kind == INTERVENE_HEAD_ON ? _("head %d switched on by hand") : _("head %d switched off by hand"),
            only->head + 1);
    }
}

static void say_top_word(struct text *text, const struct view *view, int stage)
{
    int top = top_word(view, stage), before = previous_fusion(view, stage);
    if (top < 0)
        return;
    int old = before >= 0 ? top_word(view, before) : -1;
    double score = (double)view_score(view, stage, TRACE_TEXT_STREAM, top).total;
    char name[TRACE_TEXT], old_name[TRACE_TEXT];
    view_token_name(view, TRACE_TEXT_STREAM, top, name, sizeof name);
    view_token_name(view, TRACE_TEXT_STREAM, old, old_name, sizeof old_name);
    begin(text);
    if (old >= 0 && old != top)
        say(text, _("The word '%s' now outweighs '%s' (score %+.1f)."), name, old_name, score);
    else
        say(text, _("'%s' weighs most among the words (score %+.1f)."), name, score);
}

static void say_cost(struct text *text, const struct stage *stage)
{
    char spent[24];
    draw_flops(spent, sizeof spent, stage->macs.spent);
    if (stage->macs.dense <= 0)
        return;
    begin(text);
    say(text, _("It cost %sFLOP, %.0f %% of the unpruned layer."), spent,
        100 * stage->macs.spent / stage->macs.dense);
}

static void say_reading(struct text *text, const struct view *view, int stage)
{
    const struct stage *now = &view->trace.stages[stage];
    if (now->answer_count == 0)
        return;
    int before = previous_fusion(view, stage);
    const struct stage *old = before >= 0 ? &view->trace.stages[before] : NULL;
    const char *answer = now->answers[0].text;
    double p = 100 * (double)now->answers[0].p;
    begin(text);
    if (old && old->answer_count > 0 && strcmp(old->answers[0].text, answer) != 0)
        say(text, _("Read here, the answer turns from '%s' to '%s' (%.0f %%)."), old->answers[0].text, answer,
            p);
    else if (old)
        say(text, _("Read here, the answer stays '%s' (%.0f %%)."), answer, p);
    else
        say(text, _("Read here, the answer would be '%s' (%.0f %%)."), answer, p);
}

static void narrate_words(struct text *text, const struct view *view)
{
    int words = 0;
    for (int i = 0; i < view->trace.token_count; i++)
        words += view->trace.tokens[i].from < view->trace.tokens[i].to;
    if (view->trace.token_count - words < 2) // the beginning of a caption has no end
        say(text, ngettext_(words, "The text begins with a marker and %d word token.",
                            "The text begins with a marker and %d word tokens."), words);
    else
        say(text,
            ngettext_(words, "The question becomes %d word token between two markers.",
                      "The question becomes %d word tokens between two markers."),
            words);
    begin(text);
    say(text, "%s", _("Each is now a vector of numbers."));
    char names[4 * TRACE_TEXT];
    int unknown = name_words(view, 0, is_unknown_word, names, sizeof names);
    if (unknown > 0) {
        begin(text);
        say(text, ngettext_(unknown, "The model does not know the word %s.", "The model does not know the words %s."), names);
    }
}

static void narrate_embed(struct text *text, const struct view *view, const struct stage *stage)
{
    if (stage->stream == TRACE_TEXT_STREAM || stage->stream < 0) {
        narrate_words(text, view);
        return;
    }
    const struct trace_picture *picture = &view->trace.pictures[stage->stream];
    say(text,
        _("The picture is cut into %d × %d = %d patches and a CLS token that will stand for all of it."),
        picture->grid_rows, picture->grid_columns, picture->grid_rows * picture->grid_columns);
    bool sides;
    double cut_off = trace_cut_off_told(picture, &sides);
    if (cut_off > 0) {
        begin(text);
        say(text,
            sides ? _("%.0f %% of the picture, left and right, is never seen.")
                  : _("%.0f %% of the picture, top and bottom, is never seen."),
            cut_off);
    }
    begin(text);
    say(text, "%s", _("All are alive."));
}

static void narrate_answer(struct text *text, const struct view *view, const struct stage *stage)
{
    const struct trace *trace = &view->trace;
    if (stage->answer_count > 0)
        say(text, _("The answer is '%s' with %.0f %%."), stage->answers[0].text,
            100 * (double)stage->answers[0].p);
    const struct trace_macs *macs = &stage->macs;
    int total, alive = view_alive_patches(view, trace->stage_count - 1, &total);
    char spent[24], dense[24];
    draw_flops(spent, sizeof spent, macs->cumulative_spent);
    draw_flops(dense, sizeof dense, macs->cumulative_dense);
    if (macs->cumulative_dense > 0) {
        begin(text);
        if (macs->cumulative_spent < 0.995 * macs->cumulative_dense)
            say(text, _("The whole run took %sFLOP instead of %sFLOP: %.0f %%, %.1f times less."), spent, dense,
                100 * macs->cumulative_spent / macs->cumulative_dense,
                macs->cumulative_dense / macs->cumulative_spent);
        else
            say(text, _("The whole run took %sFLOP, as much as the unpruned model's."), spent);
    }
    if (trace->picture_count > 0 && total > 0) {
        begin(text);
        say(text, ngettext_(alive, "%d of %d patches was still looked at in the end.",
                            "%d of %d patches were still looked at in the end."), alive, total);
    }
}

static void narrate_layer(struct text *text, const struct view *view, int index)
{
    const struct stage *stage = &view->trace.stages[index];
    bool pictures = false;
    for (int p = 0; p < view->trace.picture_count; p++)
        pictures |= stage->tokens[p].count > 0;
    char name[TRACE_TEXT], gone[4 * TRACE_TEXT];
    name_first(view, index, name, sizeof name);
    int words_gone = name_words(view, index, is_dropped_word, gone, sizeof gone);
    if (pictures && view->trace.picture_count > 1)
        say_dropped_of_pictures(text, view, index, name);
    else if (pictures)
        say_dropped_patches(text, view, index, name);
    if (pictures)
        say_by_hand(text, view, index);
    if (pictures && words_gone > 0) {
        join(text);
        say(text, _("gone: %s"), gone);
    } else if (words_gone > 0) {
        say(text, _("%s let go of %s"), name, gone);
    } else if (!pictures) {
        int alive = view_alive_count(view, index, TRACE_TEXT_STREAM, NULL);
        say(text, ngettext_(alive, "%s kept %d token, all there was", "%s kept all %d tokens"), name, alive);
    }
    if (!pictures)
        say_by_hand(text, view, index);
    say_heads(text, stage);
    say(text, "%s", in_("end of a sentence", "."));
}

// The question's states that BLIP's decoder reads, in each of its layers, for every word that it writes.
static void narrate_memory(struct text *text, const struct view *view, int index)
{
    int alive = view_alive_count(view, index, TRACE_TEXT_STREAM, NULL);
    char gone[4 * TRACE_TEXT];
    say(text, ngettext_(alive, "The decoder will read %d token of the question for each word that it writes",
                        "The decoder will read %d tokens of the question for each word that it writes"), alive);
    if (name_words(view, index, is_dropped_word, gone, sizeof gone) > 0) {
        join(text);
        say(text, _("gone: %s"), gone);
    }
    say_by_hand(text, view, index);
    say(text, "%s", in_("end of a sentence", "."));
    say_reading(text, view, index);
    say_cost(text, &view->trace.stages[index]);
}

// Where a word that is written has looked most: a patch, or a word of the question.
static void say_looked(struct text *text, const struct view *view, int index)
{
    for (int stream = 0; stream < TRACE_STREAMS; stream++) {
        const struct trace_tokens *tokens = &view->trace.stages[index].tokens[stream];
        int best = -1;
        for (int t = 1; t < tokens->count; t++)
            if (!isnan(tokens->cross_score[t]) && (best < 0 || tokens->cross_score[t] > tokens->cross_score[best]))
                best = t;
        if (best < 0)
            continue;
        char name[TRACE_TEXT];
        view_token_name(view, stream, best, name, sizeof name);
        begin(text);
        say(text, stream == TRACE_TEXT_STREAM ? _("It looked most at the word '%s' (%.1f %%).") : _("It looked most at %s (%.1f %%)."),
            name, 100 * (double)tokens->cross_score[best]);
    }
}

// A word of an answer or a caption.
static void narrate_word(struct text *text, const struct view *view, int index)
{
    const struct stage *stage = &view->trace.stages[index];
    char name[TRACE_TEXT], short_text[48]; // the whole stands in the panel of the answer
    name_first(view, index, name, sizeof name);
    if (stage->answer_count > 0)
        say(text, _("%s: '%s' is ahead"), name, text_fit(short_text, sizeof short_text, stage->answers[0].text));
    else
        say(text, "%s", name);
    for (int stream = 0; stream < TRACE_STREAMS; stream++) {
        int dropped = view_dropped_now_count(view, index, stream);
        if (dropped > 0) {
            join(text);
            say(text, ngettext_(dropped, "%d token dropped", "%d tokens dropped"), dropped);
        }
    }
    say_by_hand(text, view, index);
    say(text, "%s", in_("end of a sentence", "."));
    say_looked(text, view, index);
    say_cost(text, stage);
}

void narrate_stage(const struct view *view, int index, char *out, size_t size)
{
    struct text text = {out, size, 0};
    const struct stage *stage = &view->trace.stages[index];
    out[0] = 0;
    if (stage->kind == STAGE_EMBED) {
        narrate_embed(&text, view, stage);
    } else if (stage->kind == STAGE_ANSWER) {
        narrate_answer(&text, view, stage);
    } else if (stage->kind == STAGE_MEMORY) {
        narrate_memory(&text, view, index);
    } else if (stage->kind == STAGE_DECODE) {
        narrate_word(&text, view, index);
    } else {
        narrate_layer(&text, view, index);
        say_reading(&text, view, index);
        if (stage->kind == STAGE_FUSION)
            say_top_word(&text, view, index);
        say_cost(&text, stage);
    }
}
