#include "ui/export_html.h"

#include "engine/base/file.h"
#include "engine/base/memory.h"
#include "engine/base/text.h"
#include "engine/base/version.h"
#include "engine/io/picture.h"
#include "ui/base64.h"
#include "ui/compare_words.h"
#include "ui/narrate.h"
#include "ui/view.h"
#include "ui/words.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TEMPLATE_BYTES = 1 << 20, JPEG_QUALITY = 88 };

struct page {
    const struct figure *runs;
    struct bytes *out;
};

// What the page says, in the person's language. {braces} are filled in by the page.
#define PAGE_WORDS(X)                                                                                        \
    X("words", N_("Question"))                                                                               \
    X("heads", N_("Attention heads"))                                                                        \
    X("cost", N_("Cost in FLOPs (2 × multiply-adds)"))                                                       \
    X("answer", N_("Answer"))                                                                                \
    X("answer_so_far", N_("Answer so far"))                                                                  \
    X("lens", N_("A lens: the answer head read after this layer, which it was not trained for."))            \
    X("no_answer", N_("The answer can be read from the first fusion layer on."))                             \
    X("no_heads", N_("none in this stage"))                                                                  \
    X("alive", N_("{alive} of {all}"))                                                                       \
    X("patches", N_("{alive} of {all} patches alive"))                                                       \
    X("head", N_("head {head}, score {score}"))                                                              \
    X("image_msa", N_("picture, self (MSA)"))                                                                \
    X("image_mca", N_("picture, cross (MCA)"))                                                               \
    X("image_mca2", N_("picture, cross 2 (MCA)"))                                                            \
    X("text_msa", N_("words, self (MSA)"))                                                                   \
    X("text_mca", N_("words, cross (MCA)"))                                                                  \
    X("text_mca2", N_("words, cross 2 (MCA)"))                                                               \
    X("this_stage", N_("this stage"))                                                                        \
    X("so_far", N_("so far"))                                                                                \
    X("whole_run", N_("whole run"))                                                                          \
    X("of", N_("{spent} of {dense}"))                                                                        \
    X("ms", N_("{ms} ms in this stage"))                                                                     \
    X("survivors", N_("Survivors"))                                                                          \
    X("self", N_("Self score"))                                                                              \
    X("cross", N_("Cross score"))                                                                            \
    X("total", N_("Total score"))                                                                            \
    X("unscored", N_("no score has been given yet"))                                                         \
    X("scores", N_("self {self}, cross {cross}, total {score}"))                                             \
    X("patch", N_("row {row}, column {column}:"))                                                            \
    X("died", N_("dropped in {stage}"))                                                                      \
    X("point", N_("Point at a patch to read its scores."))                                                   \
    X("picture_label", N_("The picture; patches dropped so far are dimmed."))                                \
    X("where", N_("stage {stage} of {all}"))                                                                 \
    X("slider", N_("stage"))                                                                                 \
    X("beside", N_("Runs side by side. A full diamond: only this run keeps it; a hollow one: dropped here, kept in another."))  \
    X("theme", N_("Dark / light"))                                                                           \
    X("back", N_("previous stage"))                                                                          \
    X("next", N_("next stage"))                                                                              \
    X("play", N_("play or pause"))                                                                           \
    X("keys", N_("← → step, Home and End jump, space plays, 1 to 4 choose what the picture shows; below each stage: "  \
                 "patches (or words) alive, and the share of the unpruned FLOPs"))

static void put(struct bytes *out, const char *text)
{
    bytes_add(out, text, strlen(text));
}

// Inside <script>: JSON without any '<', so that no string in it can end the element.
static void put_json(struct bytes *out, const char *json)
{
    for (; *json; json++)
        if (*json == '<')
            put(out, "\\u003c");
        else
            bytes_add(out, json, 1);
}

static void put_string(struct bytes *out, const char *text)
{
    put(out, "\"");
    for (const char *p = text; *p; p++) {
        if (*p == '"' || *p == '\\')
            bytes_format(out, "\\%c", *p);
        else if (*p == '<' || (unsigned char)*p < 0x20 || *p == 0x7f)
            bytes_format(out, "\\u%04x", (unsigned)*p);
        else
            bytes_add(out, p, 1);
    }
    put(out, "\"");
}

// As the text of an element or a quoted attribute.
static void put_markup(struct bytes *out, const char *text)
{
    char clean[512];
    for (const char *p = text_fit(clean, sizeof clean, text); *p; p++)
        if (strchr("&<>\"'", *p))
            bytes_format(out, "&#%d;", *p);
        else
            bytes_add(out, p, 1);
}

// ---- what the markers of the template stand for -----------------------------------------------------------------

static bool put_title(const struct page *page, struct error *err)
{
    (void)err;
    const char *question = page->runs->rows[0].trace->question;
    put_markup(page->out, question ? question : "");
    put_markup(page->out, " – trimscope");
    return true;
}

static bool put_language(const struct page *page, struct error *err)
{
    (void)err;
    put_markup(page->out, words_now() == WORDS_ZH_CN ? "zh-CN" : "en");
    return true;
}

static bool put_generator(const struct page *page, struct error *err)
{
    (void)err;
    put_markup(page->out, "trimscope ");
    put_markup(page->out, version_text());
    return true;
}

static bool put_noscript(const struct page *page, struct error *err)
{
    (void)err;
    put_markup(page->out, _("This page needs JavaScript to step through the run; it fetches nothing."));
    return true;
}

static bool put_trace(struct bytes *out, const struct trace *trace, struct error *err)
{
    char *json = trace_to_json(trace);
    if (!json)
        return error_no_memory(err, "the trace as JSON");
    put_json(out, json);
    free(json);
    return true;
}

static bool put_pictures(struct bytes *out, const struct figure_row *run, struct error *err)
{
    put(out, "[");
    for (int p = 0; p < run->trace->picture_count; p++) {
        const struct backend_picture *from = &run->pictures[p];
        struct picture picture = {from->width, from->height, 3, from->rgb};
        unsigned char *jpeg = NULL;
        size_t size;
        put(out, p > 0 ? "," : "");
        if (!from->rgb) {
            put(out, "null");
            continue;
        }
        if (!picture_encode_jpeg(&picture, JPEG_QUALITY, &jpeg, &size, err))
            return false;
        put(out, "\"data:image/jpeg;base64,");
        base64_add(out, jpeg, size);
        put(out, "\"");
        free(jpeg);
    }
    put(out, "]");
    return true;
}

// "trimscope-world · policy learned · budget 50 % · airplane.jpg"
static void about(const struct trace *trace, char *out, size_t size)
{
    const char *path = trace->picture_count > 0 && trace->pictures[0].path ? trace->pictures[0].path : "";
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
    char model[TRACE_TEXT];
    text_fit(model, sizeof model, trace->model_name);
    if (isnan(trace->budget))
        snprintf(out, size, _("%s, policy %s, budget as trained, %s"), model, trace->policy, name);
    else
        snprintf(out, size, _("%s, policy %s, budget %.0f %%, %s"), model, trace->policy, 100 * trace->budget, name);
}

// How the stages of a run are called, and what is said of them.
static void put_stages(struct bytes *out, const struct trace *trace)
{
    struct view view = {.has_trace = true, .trace = *trace};
    char text[1600], clean[1024];
    put(out, "\"names\":[");
    for (int i = 0; i < trace->stage_count; i++) {
        view_stage_name(&view, &trace->stages[i], text, sizeof text);
        put(out, i > 0 ? "," : "");
        put_string(out, text_fit(clean, sizeof clean, text));
    }
    put(out, "],\n\"stories\":[");
    for (int i = 0; i < trace->stage_count; i++) {
        narrate_stage(&view, i, text, sizeof text);
        text_clean(text); // one sentence a line becomes one paragraph
        put(out, i > 0 ? ",\n" : "");
        put_string(out, text);
    }
    about(trace, text, sizeof text);
    put(out, "],\n\"about\":");
    put_string(out, text_fit(clean, sizeof clean, text));
}

static bool put_runs(const struct page *page, struct error *err)
{
    put(page->out, "[");
    for (int r = 0; r < page->runs->count; r++) {
        const struct figure_row *run = &page->runs->rows[r];
        put(page->out, r > 0 ? ",\n{\"trace\":" : "{\"trace\":");
        if (!put_trace(page->out, run->trace, err))
            return false;
        put(page->out, ",\"pictures\":");
        if (!put_pictures(page->out, run, err))
            return false;
        put(page->out, ",\n");
        put_stages(page->out, run->trace);
        put(page->out, "}");
    }
    put(page->out, "]");
    return true;
}

// What differs at each stage, where there are several runs.
static void put_told(const struct page *page)
{
    struct comparison comparison = {.count = 0};
    char text[480], clean[1024];
    for (int r = 0; r < page->runs->count && r < COMPARE_RUNS; r++)
        comparison.runs[comparison.count++] = page->runs->rows[r].trace;
    put(page->out, "\"told\":[");
    for (int i = 0; comparison.count > 1 && i < compare_stages(&comparison); i++) {
        compare_tell(&comparison, i, text, sizeof text);
        put(page->out, i > 0 ? ",\n" : "");
        put_string(page->out, text_fit(clean, sizeof clean, text));
    }
    put(page->out, "]");
}

static bool put_words(const struct page *page, struct error *err)
{
    (void)err;
    static const struct {
        const char *name, *text;
    } rows[] = {
#define PAGE_WORD(name, text) {name, text},
        PAGE_WORDS(PAGE_WORD)
#undef PAGE_WORD
    };
    put(page->out, "{");
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        put_string(page->out, rows[i].name);
        put(page->out, ":");
        put_string(page->out, _(rows[i].text));
        put(page->out, ",\n");
    }
    put_told(page);
    put(page->out, "}");
    return true;
}

static const struct marker {
    const char *name;
    bool (*put)(const struct page *page, struct error *err);
} markers[] = {
    {"@TITLE@", put_title}, {"@LANG@", put_language}, {"@GENERATOR@", put_generator},
    {"@RUNS@", put_runs},   {"@WORDS@", put_words},   {"@NOSCRIPT@", put_noscript},
};
enum { MARKERS = sizeof markers / sizeof *markers };

// The template with its markers filled in; what is filled in is not looked at again.
static bool fill(const struct page *page, const char *template, struct error *err)
{
    int filled = 0;
    while (*template) {
        size_t plain = strcspn(template, "@");
        bytes_add(page->out, template, plain);
        template += plain;
        int m = 0;
        while (m < MARKERS && strncmp(template, markers[m].name, strlen(markers[m].name)) != 0)
            m++;
        if (m < MARKERS) {
            if (!markers[m].put(page, err))
                return false;
            template += strlen(markers[m].name);
            filled++;
        } else if (*template) {
            bytes_add(page->out, template++, 1);
        }
    }
    return filled >= MARKERS || error_set(err, ERROR_MACHINE, "the page's template lacks one of its markers: install trimscope again");
}

bool export_html(const struct figure *runs, const char *assets, struct bytes *out, struct error *err)
{
    char path[4096];
    unsigned char *template;
    size_t size;
    for (int r = 0; r < runs->count; r++)
        if (runs->rows[r].trace->stage_count == 0)
            return error_set(err, ERROR_INPUT, "this run has no stage yet: nothing to show");
    snprintf(path, sizeof path, "%s/export/run.html", assets);
    if (!file_read(path, TEMPLATE_BYTES, &template, &size, err))
        return false;
    struct page page = {runs, out};
    bool ok = fill(&page, (const char *)template, err);
    memory_free(template);
    return ok && (!out->failed || error_no_memory(err, "the page"));
}
