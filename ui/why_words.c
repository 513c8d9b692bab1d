#include "ui/why_words.h"

#include "ui/view.h"
#include "ui/words.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

const char *why_stage_name(const struct trace *trace, int stage, char out[WHY_STAGE])
{
    if (stage < 0 || stage >= trace->stage_count)
        return strcpy(out, "?");
    view_name_stage(trace, &trace->stages[stage], out, WHY_STAGE);
    return out;
}

// A piece that goes on where the one before it ends.
static bool is_ending(const struct trace *trace, int token)
{
    const struct trace_token *this = &trace->tokens[token], *before = this - 1;
    return token > 0 && before->from < before->to && this->from < this->to && this->from <= before->to;
}

static void name_token(const struct trace *trace, int stream, int token, char *out, size_t size)
{
    char word[TRACE_TEXT];
    if (stream == TRACE_TEXT_STREAM) {
        if (token < 0 || token >= trace->token_count)
            snprintf(out, size, "?");
        else if (is_ending(trace, token))
            snprintf(out, size, _("the ending '%s'"), trace_token_text(trace, token, word, sizeof word));
        else
            snprintf(out, size, _("the word '%s'"), trace_token_text(trace, token, word, sizeof word));
        return;
    }
    int columns = stream < trace->picture_count ? trace->pictures[stream].grid_columns : 0;
    if (token < 1 || columns < 1)
        snprintf(out, size, "CLS");
    else if (trace->picture_count > 1)
        snprintf(out, size, _("the patch in row %d, column %d of picture %d"), (token - 1) / columns + 1,
                 (token - 1) % columns + 1, stream + 1);
    else
        snprintf(out, size, _("the patch in row %d, column %d"), (token - 1) / columns + 1, (token - 1) % columns + 1);
}

static void name_head(const struct trace *trace, int stage, int stream, enum attention_module module, int head,
                      char *out, size_t size)
{
    char name[WHY_STAGE];
    why_stage_name(trace, stage, name);
    bool cross = module != MODULE_MSA;
    if (stream == TRACE_TEXT_STREAM)
        snprintf(out, size,
                 cross ? _("head %d of the words' cross-attention in %s") : _("head %d of the words' self-attention in %s"),
                 head + 1, name);
    else if (trace->picture_count > 1)
        snprintf(out, size,
                 cross ? _("head %d of the cross-attention of picture %d in %s")
                       : _("head %d of the self-attention of picture %d in %s"),
                 head + 1, stream + 1, name);
    else
        snprintf(out, size,
                 cross ? _("head %d of the patches' cross-attention in %s")
                       : _("head %d of the patches' self-attention in %s"),
                 head + 1, name);
}

void why_name_place(const struct trace *trace, const struct explain_place *p, char *out, size_t size)
{
    if (p->is_head)
        name_head(trace, p->stage, p->stream, p->module, p->head, out, size);
    else
        name_token(trace, p->stream, p->token, out, size);
}

void why_name_change(const struct trace *trace, const struct intervention *change, char *out, size_t size)
{
    switch (change->kind) {
    case INTERVENE_REOPEN: snprintf(out, size, "%s", _("everything")); break;
    case INTERVENE_HEAD_ON:
    case INTERVENE_HEAD_OFF:
        name_head(trace, change->stage, change->stream, change->module, change->head, out, size);
        break;
    default: name_token(trace, change->stream, change->token, out, size);
    }
}

// Two whole sentences for each kind of change: the answer stays, or becomes another one.
#define TELL(same, other)                                                                                    \
    (e->flips ? snprintf(out, size, other, e->before.text, before, e->after.text, after, flops)              \
              : snprintf(out, size, same, e->before.text, before, after, flops))

bool why_falls_later(const struct explain_verdict *v)
{
    return !v->place.is_head && v->kept && v->stage >= 0 && v->died > v->stage;
}

static void tell_stay_later(const char *stage, const struct explain_effect *e, char *out, size_t size)
{
    double flops = 2e-6 * (e->spent_after - e->spent_before);
    double before = 100 * (double)e->before.p, after = 100 * (double)e->after.p;
    if (e->flips)
        snprintf(out, size, _("If it had stayed in %s: '%s' %.1f %% → '%s' %.1f %%; %+.2f MFLOP."), stage, e->before.text,
                 before, e->after.text, after, flops);
    else
        snprintf(out, size, _("If it had stayed in %s: still '%s', %.1f %% → %.1f %%; %+.2f MFLOP."), stage, e->before.text,
                 before, after, flops);
}

void why_tell_effect(const struct trace *trace, const struct explain_verdict *v, const struct explain_effect *e,
                     enum intervention_kind kind, char *out, size_t size)
{
    if (kind == INTERVENE_TOKEN_KEEP && why_falls_later(v)) {
        char stage[WHY_STAGE];
        tell_stay_later(why_stage_name(trace, v->acts, stage), e, out, size);
        return;
    }
    double flops = 2e-6 * (e->spent_after - e->spent_before);
    double before = 100 * (double)e->before.p, after = 100 * (double)e->after.p;
    switch (kind) {
    case INTERVENE_TOKEN_KEEP:
        TELL(_("If it had stayed: still '%s', %.1f %% → %.1f %%; %+.2f MFLOP."),
             _("If it had stayed: '%s' %.1f %% → '%s' %.1f %%; %+.2f MFLOP."));
        break;
    case INTERVENE_TOKEN_DROP:
        TELL(_("If it had gone: still '%s', %.1f %% → %.1f %%; %+.2f MFLOP."),
             _("If it had gone: '%s' %.1f %% → '%s' %.1f %%; %+.2f MFLOP."));
        break;
    case INTERVENE_HEAD_ON:
        TELL(_("With it: still '%s', %.1f %% → %.1f %%; %+.2f MFLOP."),
             _("With it: '%s' %.1f %% → '%s' %.1f %%; %+.2f MFLOP."));
        break;
    case INTERVENE_HEAD_OFF:
        TELL(_("Without it: still '%s', %.1f %% → %.1f %%; %+.2f MFLOP."),
             _("Without it: '%s' %.1f %% → '%s' %.1f %%; %+.2f MFLOP."));
        break;
    default:
        TELL(_("With everything: still '%s', %.1f %% → %.1f %%; %+.2f MFLOP."),
             _("With everything: '%s' %.1f %% → '%s' %.1f %%; %+.2f MFLOP."));
    }
}

// One member has a sentence of its own: nothing can be left out of it anyway.
static void tell_one(const struct explain_set *s, char *out, size_t size)
{
    double flops = 2e-6 * (s->spent_after - s->spent_before), p = 100 * (double)s->after.p;
    if (s->search == EXPLAIN_RESTORE)
        snprintf(out, size, _("With this one back the answer is the unpruned model's: '%s' (%.1f %%, %+.2f MFLOP)"),
                 s->after.text, p, flops);
    else
        snprintf(out, size, _("Without this one the answer is '%s' (%.1f %%, %+.2f MFLOP)"), s->after.text, p, flops);
}

static void tell_several(const struct explain_set *s, char *out, size_t size)
{
    double flops = 2e-6 * (s->spent_after - s->spent_before), p = 100 * (double)s->after.p;
    bool restore = s->search == EXPLAIN_RESTORE;
    snprintf(out, size,
             restore && s->minimal ? _("With these %d back the answer is the unpruned model's: '%s' (%.1f %%, %+.2f MFLOP); "
                                       "none of them can be left out")
             : restore             ? _("Stopped early: with these %d back the answer is the unpruned model's, '%s' (%.1f %%, "
                                       "%+.2f MFLOP), but some may not be needed")
             : s->minimal          ? _("Without these %d the answer is '%s' (%.1f %%, %+.2f MFLOP); with any of them it is not")
                                   : _("Stopped early: without these %d the answer is '%s' (%.1f %%, %+.2f MFLOP), but fewer "
                                       "may do"),
             s->count, s->after.text, p, flops);
}

void why_tell_set(const struct explain_set *s, char *out, size_t size)
{
    if (s->outcome == EXPLAIN_FOUND)
        s->count == 1 ? tell_one(s, out, size) : tell_several(s, out, size);
    else if (s->outcome == EXPLAIN_SAME)
        snprintf(out, size, _("The answer is the unpruned model's already ('%s', %.1f %% pruned, %.1f %% unpruned)."),
                 s->before.text, 100 * (double)s->before.p, 100 * (double)s->unpruned.p);
    else if (s->search == EXPLAIN_RESTORE)
        snprintf(out, size, _("Not even all of these together give the unpruned answer '%s'."), s->unpruned.text);
    else
        snprintf(out, size, _("The answer stays '%s' without any of these."), s->before.text);
}

// Seconds until a phase of known length is over, from the time that its runs took so far; negative: cannot be told.
static double time_left(const struct explain_progress *p, struct why_pace *pace, double now)
{
    if (pace->started <= 0 || pace->phase != p->phase || pace->total != p->total)
        *pace = (struct why_pace){p->phase, p->total, now};
    bool known = p->phase != EXPLAIN_GROWING && p->done > 0 && p->total > p->done;
    return known ? (now - pace->started) / p->done * (p->total - p->done) : -1;
}

void why_tell_progress(const struct explain_progress *p, struct why_pace *pace, double now, char *out, size_t size)
{
    double left = time_left(p, pace, now);
    switch (p->phase) {
    case EXPLAIN_PULLING: snprintf(out, size, _("leaving out one by one: %d of %d"), p->done, p->total); break;
    case EXPLAIN_TRYING: snprintf(out, size, _("trying each alone: %d of %d"), p->done, p->total); break;
    case EXPLAIN_GROWING:
        snprintf(out, size, ngettext_(p->members, "%d is not enough, adding to it (%d runs so far)",
                                      "%d are not enough, adding to them (%d runs so far)"),
                 p->members, p->runs);
        break;
    default:
        snprintf(out, size, ngettext_(p->members, "%d is enough, leaving out what is not needed (%d runs so far)",
                                      "%d are enough, leaving out what is not needed (%d runs so far)"),
                 p->members, p->runs);
    }
    size_t used = strlen(out);
    if (left >= 90)
        snprintf(out + used, size - used, _(", about %.0f min left"), left / 60);
    else if (left >= 2)
        snprintf(out + used, size - used, _(", about %.0f s left"), left);
}
