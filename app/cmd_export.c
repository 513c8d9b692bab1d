// trimscope export: a run as a file that others can look at.
#include "app/assets.h"
#include "app/commands.h"
#include "app/screen_replay.h"
#include "app/side_options.h"
#include "app/weights.h"
#include "app/writing_options.h"
#include "engine/base/file.h"
#include "engine/base/text.h"
#include "engine/base/thread.h"
#include "ui/export.h"
#include "ui/export_csv.h"
#include "ui/offscreen.h"
#include "ui/words.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct settings {
    const char *to, *what_name, *stage, *size, *graphics, *theme, *show, *model;
    struct side_options sides;
    struct writing_settings writing;
    bool article;
    long threads, columns, width;
    bool table; // of results, not of a run
    // From the texts above.
    enum export_what what;
    enum export_format format;
    struct offscreen_options frame;
};

// What is to be exported, wherever it comes from.
struct material {
    struct model *model;
    struct thread_pool *pool;
    struct sides sides;
    struct sides_questions room;
    struct replay replays[FIGURE_ROWS];
    int replay_count;
    struct figure figure;
};

static void free_material(struct material *material)
{
    sides_free(&material->sides);
    model_free(material->model);
    thread_pool_free(material->pool);
    for (int i = 0; i < material->replay_count; i++)
        replay_close(&material->replays[i]);
}

// ---- options ----------------------------------------------------------------------------------------------------

static bool read_size(struct settings *settings, struct error *err)
{
    int columns, rows;
    char end;
    settings->frame.columns = 160;
    settings->frame.rows = 48;
    if (!settings->size)
        return true;
    if (sscanf(settings->size, "%dx%d%c", &columns, &rows, &end) != 2)
        return error_set(err, ERROR_USAGE, "--size is columns x rows, as in 160x48, not \"%s\"", settings->size);
    if (!offscreen_fits(columns, rows))
        return error_set(err, ERROR_USAGE, "--size must be between %dx%d and %dx%d, not %s", LAYOUT_LEAST_COLUMNS,
                         LAYOUT_LEAST_ROWS, OFFSCREEN_MOST_COLUMNS, OFFSCREEN_MOST_ROWS, settings->size);
    settings->frame.columns = columns;
    settings->frame.rows = rows;
    return true;
}

static bool read_what(struct settings *settings, struct error *err)
{
    if (!settings->to)
        return error_set(err, ERROR_USAGE, "--to FILE is missing: where to, and by its ending (.html, .png, .svg, .ansi, "
                                           ".csv, .json) as what");
    if (!export_parse_ending(settings->to, &settings->format))
        return error_set(err, ERROR_USAGE, "the ending of %s says nothing: .html, .png, .svg, .ansi, .csv and .json do",
                         settings->to);
    bool rows = settings->article || settings->sides.more.count;
    settings->what = settings->table                                      ? EXPORT_TABLE
                     : rows && export_can(EXPORT_FIGURE, settings->format) ? EXPORT_FIGURE
                                                                           : export_usual(settings->format);
    if (settings->what_name && !export_parse_what(settings->what_name, &settings->what))
        return error_set(err, ERROR_USAGE, "--what is frame, run, figure, scores, heads or table, not \"%s\"",
                         settings->what_name);
    if (rows && settings->what != EXPORT_FIGURE && settings->format != EXPORT_HTML)
        return error_set(err, ERROR_USAGE, "--with-... and --article make further runs: those go into a figure, or side by side "
                                           "into a page (.html)");
    if ((settings->what == EXPORT_TABLE) != settings->table)
        return error_set(err, ERROR_USAGE, "a table is made of results (RESULTS.jsonl of `trimscope eval --results`), and of "
                                           "results only a table");
    return export_can(settings->what, settings->format) ||
           error_set(err, ERROR_USAGE, "%s cannot be written as %s; see `trimscope export --help`",
                     export_what_name(settings->what), export_format_name(settings->format));
}

static bool read_show(struct settings *settings, struct error *err)
{
    static const char *const names[] = {"survivors", "self", "cross", "total"}; // enum show
    for (int i = 0; settings->show && i < 4; i++)
        if (!strcmp(settings->show, names[i])) {
            settings->frame.show = (enum show)i;
            return true;
        }
    return !settings->show || error_set(err, ERROR_USAGE, "--show is survivors, self, cross or total, not \"%s\"",
                                        settings->show);
}

static bool read_settings(struct settings *settings, struct error *err)
{
    const char *theme = settings->theme;
    settings->frame.graphics = GRAPHICS_SIXEL;
    if (settings->graphics && (!graphics_parse(settings->graphics, &settings->frame.graphics) ||
                               settings->frame.graphics == GRAPHICS_AUTO))
        return error_set(err, ERROR_USAGE, "--graphics is sixel, blocks or ascii, not \"%s\"", settings->graphics);
    if (theme && strcmp(theme, "dark") != 0 && strcmp(theme, "light") != 0)
        return error_set(err, ERROR_USAGE, "--theme is dark or light, not \"%s\"", theme);
    settings->frame.dark = !theme || !strcmp(theme, "dark");
    return read_what(settings, err) && read_size(settings, err) && read_show(settings, err);
}

// ---- runs -------------------------------------------------------------------------------------------------------

static bool has_ending(const char *path, const char *ending)
{
    size_t length = strlen(path), own = strlen(ending);
    return length > own && !strcmp(path + length - own, ending);
}

static bool is_trace(const char *path) { return has_ending(path, ".json"); }

static bool compute(struct material *material, struct settings *settings, const char *const arguments[], int count,
                    struct error *err)
{
    static struct side list[FIGURE_ROWS]; // their lists of changes are large
    int sides = 0;
    for (int p = 0; p + 1 < count && p < TRACE_PICTURES; p++)
        settings->sides.first.pictures[p] = arguments[p];
    settings->sides.first.question = arguments[count - 1];
    settings->sides.first.writing = &settings->writing;
    if (count < 2)
        return error_set(err, ERROR_USAGE, "give a picture and a question, or a saved run (TRACE.json)");
    material->pool = thread_pool_new((int)settings->threads);
    struct model_options opening = writing_settings_model(&settings->writing);
    opening.pictures = count - 1;
    material->model = weights_open_model(settings->model, &opening, err);
    if (!material->model)
        return false;
    if (material->model->config.pictures != count - 1)
        return error_set(err, ERROR_USAGE, "the task %s takes %d picture(s) and a question",
                         model_task_name(material->model->config.task), material->model->config.pictures);
    if (settings->article)
        sides = sides_make_figure(list, &settings->sides.first, settings->sides.more.values, settings->sides.more.count,
                                  material->model, &material->room);
    else if (!side_options_make(&settings->sides, list, &sides, err))
        return false;
    if (settings->article)
        sides_note_general(list, sides);
    if (!sides_run(&material->sides, list, sides, material->model, material->pool, err))
        return false;
    sides_show_figure(&material->sides, &material->figure);
    return true;
}

static bool open_traces(struct material *material, const struct settings *settings, const char *const arguments[],
                        int count, struct error *err)
{
    if (settings->article || settings->sides.more.count || settings->sides.first.changes.count)
        return error_set(err, ERROR_USAGE, "a saved run cannot be asked anything else; give several of them instead");
    if (count > 1 && settings->what != EXPORT_FIGURE && settings->format != EXPORT_HTML)
        return error_set(err, ERROR_USAGE, "several saved runs only make a figure (--what figure), or stand side by side in a "
                                           "page (.html)");
    for (int i = 0; i < count; i++) {
        if (!is_trace(arguments[i]))
            return error_set(err, ERROR_USAGE, "%s is no saved run (TRACE.json), but %s is", arguments[i], arguments[0]);
        struct replay *replay = &material->replays[i];
        if (!replay_open(replay, arguments[i], err))
            return false;
        material->replay_count++;
        material->figure.rows[i] = (struct figure_row){&replay->trace, replay->pictures};
        material->figure.count++;
    }
    return true;
}

// ---- writing ----------------------------------------------------------------------------------------------------

// By its name, or by its number as the screen counts.
static bool find_stage(const struct trace *trace, const char *wanted, int *stage, struct error *err)
{
    *stage = wanted ? view_find_stage(trace, wanted) : trace->stage_count - 1;
    return *stage >= 0 ||
           error_set(err, ERROR_USAGE, "there is no stage \"%s\"; this run has 1 (%s) to %d (%s)", wanted,
                     trace->stages[0].name, trace->stage_count, trace->stages[trace->stage_count - 1].name);
}

static bool say_written(const struct settings *settings, size_t size)
{
    char where[256], size_text[32];
    export_size_text(size, size_text);
    printf(_("%s: %s, %s\n"), text_fit(where, sizeof where, settings->to),
           settings->table ? _("the table of all questions") : export_what_help(settings->what), size_text);
    return true;
}

static bool write_it(const struct material *material, struct settings *settings, struct error *err)
{
    const struct figure_row *run = &material->figure.rows[0];
    struct frame frame = {0};
    char assets[ASSETS_PATH];
    size_t size;
    bool needs_frame = settings->what == EXPORT_FRAME;
    if (!assets_find(assets, err) || !find_stage(run->trace, settings->stage, &settings->frame.stage, err))
        return false;
    if (needs_frame && !offscreen_frame(&frame, run->trace, run->pictures, &settings->frame, err))
        return false;
    struct export_source source = {.figure = &material->figure,
                                   .frame = needs_frame ? &frame : NULL,
                                   .assets = assets,
                                   .figure_options = {.columns = (int)settings->columns,
                                                      .dark = settings->theme && settings->frame.dark,
                                                      .points = (double)settings->width * 72 / 25.4}};
    bool ok = export_write(&source, settings->what, settings->format, settings->to, &size, err);
    frame_free(&frame);
    return ok && say_written(settings, size);
}

static bool write_table(const struct settings *settings, const char *path, struct error *err)
{
    struct results results;
    struct bytes table = {0};
    size_t size;
    if (!results_read(&results, path, NULL, err))
        return false;
    export_csv_questions(&results, NULL, results.set.count, &table);
    struct export_source source = {.table = &table};
    bool ok = export_write(&source, settings->what, settings->format, settings->to, &size, err) &&
              say_written(settings, size);
    bytes_free(&table);
    results_free(&results);
    return ok;
}

static bool export_it(struct settings *settings, const char *const arguments[], int count, struct error *err)
{
    struct material *material = calloc(1, sizeof *material);
    if (!material)
        return error_no_memory(err, "the export");
    terminal_locale(); // widths of texts hang on it
    settings->table = has_ending(arguments[0], ".jsonl");
    bool ok = read_settings(settings, err);
    for (int i = 0; ok && i < count; i++)
        if (file_same(arguments[i], settings->to))
            ok = error_set(err, ERROR_USAGE, "%s would be written over by itself; give another name", settings->to);
    if (ok && settings->table && count > 1)
        ok = error_set(err, ERROR_USAGE, "one file of results makes a table; `trimscope merge` puts several together");
    else if (ok && settings->table)
        ok = write_table(settings, arguments[0], err);
    else if (ok && is_trace(arguments[0]))
        ok = open_traces(material, settings, arguments, count, err);
    else if (ok)
        ok = compute(material, settings, arguments, count, err);
    ok = ok && (settings->table || write_it(material, settings, err));
    free_material(material);
    free(material);
    return ok;
}

int cmd_export(int argc, char **argv)
{
    static struct settings settings; // its lists are large
    settings = (struct settings){.sides.first = {.policy = POLICY_LEARNED, .budget = (double)NAN},
                                 .threads = thread_processors()};
    const char *arguments[FIGURE_ROWS];
    int count, status;
#define OPTION_SIDES &settings.sides.more
#define OPTION_CHANGES &settings.sides.first.changes
    const struct option_row rows[] = {
        {"to", OPTION_TEXT, &settings.to, "FILE",
         N_("where to; its ending says as what: .html, .json, .png, .svg, .ansi (or .txt), .csv"), 0, 0},
        {"what", OPTION_TEXT, &settings.what_name, "NAME",
         N_("frame (what the screen shows: png, svg, ansi), run (html, json), figure (the article's: svg, png), scores or "
         "heads (csv), table (of RESULTS.jsonl: csv); default: what the ending is mostly used for"),
         0, 0},
        {"stage", OPTION_TEXT, &settings.stage, "NAME", N_("of the frame, as \"fusion 3\" or 9 (default: the last)"), 0, 0},
        {"show", OPTION_TEXT, &settings.show, "NAME",
         N_("what the frame's picture shows: survivors, self, cross or total (default survivors)"), 0, 0},
        {"size", OPTION_TEXT, &settings.size, "CxR", N_("columns and rows of the frame (default 160x48)"), 0, 0},
        {"graphics", OPTION_TEXT, &settings.graphics, "MODE", N_("of the frame: sixel, blocks or ascii (default sixel)"), 0,
         0},
        {"theme", OPTION_TEXT, &settings.theme, "NAME",
         N_("dark or light, no other theme (default: frames as a dark terminal, figures on white)"), 0, 0},
        OPTION_ROWS_SIDES
        {"article", OPTION_FLAG, &settings.article, NULL,
         N_("the article's own rows: three questions with guidance, and the first without"), 0, 0},
        {"columns", OPTION_NUMBER, &settings.columns, "N", N_("stages that the figure shows (default 10 at most)"), 0,
         FIGURE_COLUMNS},
        {"width", OPTION_NUMBER, &settings.width, "MM", N_("of the figure on paper (default 180)"), 0, 1000},
        OPTION_ROW_MODEL(&settings.model),
        OPTION_ROW_POLICY(&settings.sides.first.policy),
        OPTION_ROW_BUDGET(&settings.sides.first.budget),
        OPTION_ROW_EXACT(&settings.sides.first.exact),
        OPTION_ROWS_WRITING(settings.writing),
        OPTION_ROW_THREADS(&settings.threads),
        OPTION_ROWS_CHANGES OPTION_ROW_END};
#undef OPTION_SIDES
#undef OPTION_CHANGES
    const struct option_command command = {
        "export", N_("export PICTURE [PICTURE] QUESTION --to FILE [options]"),
        N_("Writes a run to a file that others can look at: a page that opens offline in any browser, a picture of the "
        "screen, the article's figure, or tables of scores. Instead of a picture and a question it takes a saved run "
        "(TRACE.json), for a figure or a page up to four, or results of a set (RESULTS.jsonl), of which the table is written."),
        rows, 1, FIGURE_ROWS};
    if (!options_parse(&command, argc, argv, arguments, &count, &status))
        return status;
    struct error err = {0};
    if (export_it(&settings, arguments, count, &err))
        return ERROR_NONE;
    fprintf(stderr, "trimscope export: %s\n", err.text);
    return (int)err.code;
}
