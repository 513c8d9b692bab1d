// trimscope why: why a patch, word or head was kept or dropped, what would have been otherwise, what must come back.
#include "app/commands.h"
#include "app/prepare.h"
#include "engine/base/text.h"
#include "engine/run/command_text.h"
#include "engine/run/explain.h"
#include "ui/measure.h"
#include "engine/base/thread.h"
#include "ui/why_words.h"
#include "ui/words.h"

#include <errno.h>
#include <jansson.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { BAR = 24 };

struct settings {
    struct prepare_settings run;
    const char *patch, *word, *head, *stage, *over;
    bool restore, lose, json;
};

// Everything that was asked for.
struct findings {
    bool has_place, has_effect;
    struct explain_verdict verdict;
    struct explain_pulls pulls[2]; // by enum explain_side
    struct intervention change;
    struct explain_effect effect;
    bool has_set[2];
    struct explain_set sets[2]; // by enum explain_search
    char *command;
};

static volatile sig_atomic_t stopped;

static void stop(int number)
{
    (void)number;
    stopped = 1;
}

static bool show_progress(void *context, const struct explain_progress *progress)
{
    static struct why_pace pace; // of the one search that this program makes
    char text[WHY_TEXT];
    if (*(bool *)context) {
        why_tell_progress(progress, &pace, clock_seconds(), text, sizeof text);
        fprintf(stderr, "\r%s\033[K", text);
    }
    return !stopped;
}

// ---- what is asked about

static bool read_over(const char *text, unsigned *over, struct error *err)
{
    static const char *const names[] = {"patches", "words", "heads"};
    *over = text ? 0 : EXPLAIN_ALL;
    while (text && *text) {
        size_t length = strcspn(text, ",");
        unsigned bit = 0;
        for (int i = 0; i < 3; i++)
            if (strlen(names[i]) == length && !strncmp(text, names[i], length))
                bit = 1u << i;
        if (!bit)
            return error_set(err, ERROR_USAGE, "--over takes patches, words and heads, with commas between them, not %s",
                             text);
        *over |= bit;
        text += length + (text[length] == ',');
    }
    return *over || error_set(err, ERROR_USAGE, "--over names nothing; expected patches, words or heads");
}

static bool read_token(const struct settings *s, const struct run *run, struct explain_place *place, struct error *err)
{
    const char *text = s->patch ? s->patch : s->word, *colon = s->patch ? strchr(s->patch, ':') : NULL;
    char stream[16] = "image";
    if (colon) {
        snprintf(stream, sizeof stream, "%.*s", (int)(colon - text), text);
        text = colon + 1;
    }
    place->stream = TRACE_TEXT_STREAM;
    if (s->patch && (!intervention_find_stream(run, stream, &place->stream) || place->stream == TRACE_TEXT_STREAM))
        return error_set(err, ERROR_USAGE, "there is no picture \"%s\"; expected --patch ROW,COLUMN", stream);
    place->stage = run_trace(run)->stage_total - 1;
    if (s->stage) {
        place->stage = intervention_find_stage(run, s->stage, place->stream);
        if (place->stage < 0)
            place->stage = intervention_find_stage(run, s->stage, -1);
        if (place->stage < 0)
            return error_set(err, ERROR_USAGE, "--stage %s: there is no such stage; `trimscope run` lists them, written "
                                               "without spaces", s->stage);
    }
    return intervention_find_token(run, place->stream, text, &place->token, err);
}

static bool read_place(const struct settings *s, const struct run *run, struct findings *f, struct explain_place *place,
                       struct error *err)
{
    struct intervention head;
    *place = (struct explain_place){0};
    f->has_place = s->patch || s->word || s->head;
    if (!!s->patch + !!s->word + !!s->head > 1)
        return error_set(err, ERROR_USAGE, "--patch, --word and --head exclude one another");
    if (!f->has_place)
        return s->restore || s->lose ||
               error_set(err, ERROR_USAGE, "nothing was asked about; expected --patch ROW,COLUMN, --word WORD, --head "
                                           "STAGE:STREAM:MODULE:HEAD, --restore or --break");
    if (!s->head)
        return read_token(s, run, place, err);
    if (!intervention_parse(run, INTERVENE_HEAD_ON, s->head, &head, err))
        return error_prefix(err, "--head %s", s->head);
    *place = (struct explain_place){.is_head = true, .stage = head.stage, .stream = head.stream, .module = head.module,
                                    .head = head.head};
    return true;
}

static bool find_out(const struct settings *s, struct run *run, struct findings *f, struct error *err)
{
    struct explain_place place;
    unsigned over;
    bool terminal = isatty(STDERR_FILENO);
    struct explain_watch watch = {show_progress, &terminal};
    if (!read_over(s->over, &over, err) || !read_place(s, run, f, &place, err))
        return false;
    struct explainer *e = explain_new(run, err);
    bool ok = e != NULL;
    if (ok && f->has_place) {
        ok = explain_verdict(e, &place, &f->verdict, err) &&
             explain_pulls(e, &f->verdict, EXPLAIN_OTHER, &watch, &f->pulls[EXPLAIN_OTHER], err) &&
             explain_pulls(e, &f->verdict, EXPLAIN_OWN, &watch, &f->pulls[EXPLAIN_OWN], err);
        f->has_effect = ok && explain_opposite(&f->verdict, &f->change);
        ok = ok && (!f->has_effect || explain_what_if(e, &f->change, 1, &f->effect, err));
    }
    for (int kind = 0; ok && kind < 2; kind++) {
        f->has_set[kind] = kind == EXPLAIN_RESTORE ? s->restore : s->lose;
        if (f->has_set[kind])
            ok = explain_find_set(e, (enum explain_search)kind, over, &watch, &f->sets[kind], err);
    }
    if (terminal)
        fprintf(stderr, "\r\033[K");
    explain_free(e);
    return ok && ((f->command = command_of_run(run_trace(run), NULL, 0, s->run.model)) ||
                  error_no_memory(err, "the command line"));
}

// ---- as text

static const char *number(float value, char out[16])
{
    snprintf(out, 16, isnan(value) ? in_("number", "none") : "%+.3f", (double)value);
    return out;
}

static void print_scores(const struct trace *trace, const struct explain_verdict *v)
{
    char a[16], b[16], c[16], stage[WHY_STAGE];
    if (v->stage < 0) {
        puts(_("  No score was given to it: nothing decides about it."));
        return;
    }
    if (isnan(v->score)) {
        puts(_("  No score was given to it: this policy does not decide about it."));
        return;
    }
    if (isnan(v->self))
        printf(_("  score in %s: %s\n"), why_stage_name(trace, v->stage, stage), number(v->score, a));
    else
        printf(_("  score in %s: %s (self %s, cross %s)\n"), why_stage_name(trace, v->stage, stage), number(v->score, a),
               number(v->self, b), number(v->cross, c));
    printf(_("  threshold: %s, margin %s"), number(v->threshold, a), number(v->score - v->threshold, b));
    if (isnan(v->keep))
        putchar('\n');
    else
        printf(_(", keep probability %.0f %%\n"), 100 * (double)v->keep);
    printf(_("  rank: %d of %d scored there; %d of them kept\n"), v->rank, v->of, v->survivors);
    if (why_falls_later(v))
        printf(_("  kept there; it falls in %s\n"), why_stage_name(trace, v->died, stage));
}

static void print_verdict(const struct trace *trace, const struct explain_verdict *v)
{
    char name[WHY_TEXT], stage[WHY_STAGE];
    why_name_place(trace, &v->place, name, sizeof name);
    if (v->place.is_head)
        printf(v->kept ? _("%s: computed\n") : _("%s: left out\n"), name);
    else if (v->died >= 0)
        printf(_("%s: dropped in %s\n"), name, why_stage_name(trace, v->died, stage));
    else
        printf(_("%s: alive at the end\n"), name);
    if (v->forced)
        puts(v->forced > 0 ? _("  forced to stay by hand") : _("  forced to go by hand"));
    print_scores(trace, v);
    if (v->nearest > 0) {
        struct explain_place near = {.stream = v->place.stream, .token = v->nearest};
        why_name_place(trace, &near, name, sizeof name);
        printf(_("  most like it among the survivors: %s (cosine %.2f; mean over the survivors %.2f)\n"), name,
               (double)v->likeness, (double)v->likeness_mean);
    }
}

// "----|    " or "    |++  ".
static void print_bar(float value, float most)
{
    int cells = most > 0 ? (int)lroundf(fabsf(value) / most * BAR / 2) : 0;
    for (int i = -BAR / 2; i < BAR / 2; i++) {
        if (i == 0)
            putchar('|');
        putchar(value < 0 && i < 0 && i >= -cells ? '-' : value > 0 && i >= 0 && i < cells ? '+' : ' ');
    }
}

static void print_pulls(const struct trace *trace, const struct explain_pulls *pulls, bool kept)
{
    float most = 0;
    for (int i = 0; i < pulls->count; i++)
        most = fmaxf(most, fabsf(pulls->list[i].score));
    if (pulls->count)
        puts(pulls->words ? _("  what the words do to the score (with it minus without it, one by one):")
                          : _("  what the parts of the picture do to the score (with it minus without it, one by one):"));
    for (int i = 0; i < pulls->count; i++) {
        const struct explain_pull *p = &pulls->list[i];
        char name[TRACE_TEXT + 32], value[16];
        if (p->token >= 0)
            trace_token_text(trace, p->token, name, sizeof name);
        else
            snprintf(name, sizeof name, _("rows %d-%d, columns %d-%d"), p->row + 1, p->row + p->rows, p->column + 1,
                     p->column + p->columns);
        printf("    %s%*s ", name, measure_pad(name, 26), "");
        print_bar(p->score, most);
        printf(" %s%s\n", number(p->score, value),
               !p->decides ? "" : kept ? _("  without it: dropped") : _("  without it: kept"));
    }
}

static void print_set(const struct trace *trace, const struct explain_set *set, const char *model)
{
    char text[2 * WHY_TEXT], place[96];
    why_tell_set(set, text, sizeof text);
    printf(set->count > 0 ? _("%s:\n") : "%s\n", text);
    for (int i = 0; i < set->count; i++) {
        why_name_change(trace, &set->members[i], text, sizeof text);
        if (intervention_write(trace, &set->members[i], place, sizeof place))
            printf("  %s%*s --%s %s\n", text, measure_pad(text, 52), "", intervention_option(set->members[i].kind), place);
    }
    if (set->outcome == EXPLAIN_SAME)
        puts(_("--break asks what it hangs on."));
    else
        printf(ngettext_(set->candidates, "%d candidate, %d runs\n", "%d candidates, %d runs\n"), set->candidates,
               set->runs);
    char *command = command_of_run(trace, set->members, set->count, model);
    if (set->count > 0 && command)
        printf(set->search == EXPLAIN_RESTORE ? _("with them: %s\n") : _("without them: %s\n"), command);
    free(command);
}

static void print_findings(const struct trace *trace, const struct findings *f, const char *model)
{
    char text[WHY_TEXT], clean[2 * WHY_TEXT];
    if (f->has_place) {
        print_verdict(trace, &f->verdict);
        for (int side = 0; side < 2; side++)
            print_pulls(trace, &f->pulls[side], f->verdict.kept);
    }
    if (f->has_effect) {
        why_tell_effect(trace, &f->verdict, &f->effect, f->change.kind, text, sizeof text);
        printf("  %s\n", text_fit(clean, sizeof clean, text));
    }
    for (int kind = 0; kind < 2; kind++)
        if (f->has_set[kind])
            print_set(trace, &f->sets[kind], model);
    printf(_("the run: %s\n"), f->command);
}

// ---- as JSON

// Words of the person's, or an answer that was cut within a character, may be no UTF-8.
static json_t *clean(const char *text)
{
    char *copy = strdup(text);
    if (copy)
        text_clean(copy);
    json_t *value = copy ? json_string(copy) : NULL;
    free(copy);
    return value;
}

static json_t *real(double value) { return isfinite(value) ? json_real(value) : json_null(); }

static json_t *json_of_change(const struct trace *trace, const struct intervention *v)
{
    char place[96] = "";
    intervention_write(trace, v, place, sizeof place);
    return json_pack("{s:s, s:s}", "kind", intervention_kind_name(v->kind), "place", place);
}

static json_t *json_of_answer(const struct trace_answer *a)
{
    return json_pack("{s:o, s:o}", "text", clean(a->text), "p", real((double)a->p));
}

static json_t *json_of_verdict(const struct trace *trace, const struct explain_verdict *v)
{
    json_t *root = json_object();
    json_object_set_new(root, "stream", json_string(trace_stream_name(v->place.stream)));
    if (v->place.is_head) {
        json_object_set_new(root, "module", json_string(attention_module_name(v->place.module)));
        json_object_set_new(root, "head", json_integer(v->place.head + 1));
    } else {
        json_object_set_new(root, "token", json_integer(v->place.token));
    }
    json_object_set_new(root, "scored_in", v->stage < 0 ? json_null() : json_string(trace->stages[v->stage].name));
    json_object_set_new(root, "dropped_in", v->died < 0 ? json_null() : json_string(trace->stages[v->died].name));
    json_object_set_new(root, "forced", json_integer(v->forced));
    json_object_set_new(root, "kept", json_boolean(v->kept));
    const float numbers[] = {v->self, v->cross, v->score, v->threshold, v->score - v->threshold, v->keep};
    static const char *const names[] = {"self", "cross", "score", "threshold", "margin", "keep"};
    for (int i = 0; i < 6; i++)
        json_object_set_new(root, names[i], real((double)numbers[i]));
    json_object_set_new(root, "rank", json_integer(v->rank));
    json_object_set_new(root, "of", json_integer(v->of));
    json_object_set_new(root, "survivors", json_integer(v->survivors));
    json_object_set_new(root, "nearest", v->nearest < 0 ? json_null() : json_integer(v->nearest));
    json_object_set_new(root, "likeness", real((double)v->likeness));
    json_object_set_new(root, "likeness_mean", real((double)v->likeness_mean));
    return root;
}

static json_t *json_of_pulls(const struct trace *trace, const struct explain_pulls *pulls)
{
    json_t *list = json_array();
    for (int i = 0; i < pulls->count; i++) {
        const struct explain_pull *p = &pulls->list[i];
        char text[TRACE_TEXT + 4];
        json_t *item = json_object();
        if (p->token >= 0) {
            json_object_set_new(item, "token", json_integer(p->token));
            json_object_set_new(item, "text", clean(trace_token_text(trace, p->token, text, sizeof text)));
        } else {
            json_object_set_new(item, "stream", json_string(trace_stream_name(p->stream)));
            json_object_set_new(item, "rows", json_pack("[i, i]", p->row + 1, p->row + p->rows));
            json_object_set_new(item, "columns", json_pack("[i, i]", p->column + 1, p->column + p->columns));
        }
        json_object_set_new(item, "self", real((double)p->self));
        json_object_set_new(item, "cross", real((double)p->cross));
        json_object_set_new(item, "score", real((double)p->score));
        json_object_set_new(item, "decides", json_boolean(p->decides));
        json_array_append_new(list, item);
    }
    return list;
}

static json_t *json_of_set(const struct trace *trace, const struct explain_set *set)
{
    static const char *const outcomes[] = {"found", "same", "nothing"};
    json_t *members = json_array();
    for (int i = 0; i < set->count; i++)
        json_array_append_new(members, json_of_change(trace, &set->members[i]));
    return json_pack("{s:s, s:o, s:b, s:o, s:o, s:o, s:o, s:o, s:i, s:i}", "outcome", outcomes[set->outcome], "members",
                     members, "minimal", set->minimal, "before", json_of_answer(&set->before), "after",
                     json_of_answer(&set->after), "unpruned", json_of_answer(&set->unpruned), "macs_before",
                     real(set->spent_before), "macs_after", real(set->spent_after), "candidates", set->candidates,
                     "runs", set->runs);
}

static bool print_json(const struct trace *trace, const struct findings *f, struct error *err)
{
    json_t *root = json_object();
    if (f->has_place) {
        json_object_set_new(root, "why", json_of_verdict(trace, &f->verdict));
        json_object_set_new(root, "pulls", json_of_pulls(trace, &f->pulls[EXPLAIN_OTHER]));
        json_object_set_new(root, "pulls_own", json_of_pulls(trace, &f->pulls[EXPLAIN_OWN]));
    }
    if (f->has_effect)
        json_object_set_new(root, "what_if",
                            json_pack("{s:o, s:o, s:o, s:o, s:o, s:b}", "change", json_of_change(trace, &f->change),
                                      "before", json_of_answer(&f->effect.before), "after",
                                      json_of_answer(&f->effect.after), "macs_before", real(f->effect.spent_before),
                                      "macs_after", real(f->effect.spent_after), "flips", f->effect.flips));
    for (int kind = 0; kind < 2; kind++)
        if (f->has_set[kind])
            json_object_set_new(root, kind == EXPLAIN_RESTORE ? "restore" : "break", json_of_set(trace, &f->sets[kind]));
    json_object_set_new(root, "command", clean(f->command));
    char *text = json_dumps(root, JSON_INDENT(2) | JSON_REAL_PRECISION(8));
    json_decref(root);
    if (!text)
        return error_no_memory(err, "the findings as JSON");
    puts(text);
    free(text);
    return true;
}

static bool answer(const struct settings *settings, const char *const arguments[], int count, struct error *err)
{
    static struct findings findings;
    struct prepared prepared = {0};
    findings = (struct findings){0};
    bool ok = prepare_run(&prepared, &settings->run, arguments, count, err) && prepare_finish(&prepared, err);
    struct sigaction action = {.sa_handler = stop, .sa_flags = (int)SA_RESETHAND}; // there is nothing to tell before
    stopped = 0;
    sigaction(SIGINT, &action, NULL);
    ok = ok && find_out(settings, prepared.run, &findings, err);
    signal(SIGINT, SIG_DFL);
    if (ok && settings->json)
        ok = print_json(run_trace(prepared.run), &findings, err);
    else if (ok)
        print_findings(run_trace(prepared.run), &findings, settings->run.model);
    ok = ok && (fflush(stdout) == 0 || error_set(err, ERROR_MACHINE, "cannot write the result: %s", strerror(errno)));
    for (int kind = 0; kind < 2; kind++)
        explain_set_free(&findings.sets[kind]);
    free(findings.command);
    prepare_close(&prepared);
    return ok;
}

int cmd_why(int argc, char **argv)
{
    static struct settings settings; // the list of changes is large
    settings = (struct settings){.run = prepare_settings_default()};
    const char *arguments[3];
    int count, status;
#define OPTION_CHANGES &settings.run.changes
    const struct option_row rows[] = {
        {"patch", OPTION_TEXT, &settings.patch, "ROW,COLUMN",
         N_("why this patch (from 1; image2:ROW,COLUMN in a second picture)"), 0, 0},
        {"word", OPTION_TEXT, &settings.word, "WORD", N_("why this word of the question"), 0, 0},
        {"head", OPTION_TEXT, &settings.head, "STAGE:STREAM:MODULE:HEAD",
         N_("why this attention head: fusion3:text:mca:1"), 0, 0},
        {"stage", OPTION_TEXT, &settings.stage, "NAME", N_("as it was in this stage: fusion2 (default: the last one)"), 0, 0},
        {"restore", OPTION_FLAG, &settings.restore, NULL,
         N_("search what must come back for the unpruned model's answer: nothing can be left out of it"), 0, 0},
        {"break", OPTION_FLAG, &settings.lose, NULL, N_("search what the answer hangs on: without it, it is another one"), 0,
         0},
        {"over", OPTION_TEXT, &settings.over, "KINDS", N_("of patches,words,heads the searches try these (default: all)"), 0,
         0},
        OPTION_ROW_JSON(&settings.json, N_("print JSON")),
        OPTION_ROWS_RUN(settings.run),
        OPTION_ROWS_CHANGES OPTION_ROW_END};
#undef OPTION_CHANGES
    const struct option_command command = {
        "why", N_("why PICTURE [PICTURE] QUESTION --patch|--word|--head|--restore|--break ... [options]"),
        N_("Says why a patch, word or head was kept or dropped: its score in parts, the threshold, its rank, what pulls at "
        "the score (the run without it, one by one), the survivor most like it, and what the answer would be otherwise. "
        "Searches what must come back for the unpruned answer, and what the answer hangs on; ^C stops a search."),
        rows, 2, 3};
    if (!options_parse(&command, argc, argv, arguments, &count, &status))
        return status;
    struct error err = {0};
    bool ok = answer(&settings, arguments, count, &err);
    if (!ok)
        fprintf(stderr, "trimscope why: %s\n", err.text);
    return ok ? ERROR_NONE : err.code == ERROR_CANCELLED ? ERROR_INPUT : (int)err.code;
}
