// The chooser of exports: what and as what, then a file's name. It opens above any page; the frame and the runs it
// exports are those of the page below.
#include "ui/export_job.h"
#include "ui/page.h"
#include "ui/screen_state.h"

#include "engine/base/text.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

enum { ASK_NAME, ASK_OVERWRITE };
enum { ROWS_MOST = EXPORT_WHAT_COUNT * EXPORT_FORMAT_COUNT, PATH_BYTES = EXPORT_JOB_PATH };

struct row {
    enum export_what what;
    enum export_format format;
};

struct chooser {
    struct row rows[ROWS_MOST];
    int count, selected, first;
    int top;               // the row of the screen where they start
    char path[PATH_BYTES]; // typed, while asking about overwriting
    char label[160];       // of the prompt that is open
};

static struct chooser *chooser_of(const struct page *page)
{
    return page->state;
}

// What each format is good for; NULL: nothing to add.
static const char *format_note(enum export_format format)
{
    switch (format) {
    case EXPORT_PNG:
        return _("pixels");
    case EXPORT_SVG:
        return _("sharp at any size, text stays text");
    case EXPORT_ANSI:
        return _("coloured text for cat and less -R");
    case EXPORT_HTML:
        return _("opens in any browser, without a network");
    case EXPORT_JSON:
        return _("for trimscope replay and for scripts");
    case EXPORT_CSV:
        return _("for spreadsheets and scripts");
    case EXPORT_FORMAT_COUNT:
        break;
    }
    return "";
}

// Of the page that the chooser was opened above (the stepper at least).
static struct page *page_below(const struct page *page)
{
    return page->screen->pages[page->screen->page_count - 2];
}

// Only what is on show: not the run that waits behind a table.
static unsigned offered(struct page *below)
{
    unsigned all = 0;
    for (int w = 0; w < EXPORT_WHAT_COUNT; w++)
        all |= w != EXPORT_TABLE || below->kind->table ? 1U << w : 0;
    return below->kind->exports ? below->kind->exports(below) : all;
}

static bool open_chooser(struct page *page, const void *argument, struct error *err)
{
    (void)argument;
    struct chooser *chooser = chooser_of(page);
    unsigned what = offered(page_top(page->screen)); // it is not on the stack yet
    if (!page->screen->view.has_trace && !(what & 1U << EXPORT_TABLE))
        return error_set(err, ERROR_USAGE, "%s", _("There is no run to export yet."));
    for (int w = 0; w < EXPORT_WHAT_COUNT; w++)
        for (int f = 0; f < EXPORT_FORMAT_COUNT; f++)
            if (what & 1U << w && export_can((enum export_what)w, (enum export_format)f))
                chooser->rows[chooser->count++] = (struct row){(enum export_what)w, (enum export_format)f};
    return true;
}

static void draw_choice(const struct chooser *chooser, const struct pane *pane, int index, struct rect rect)
{
    const struct row *one = &chooser->rows[index];
    bool selected = index == chooser->selected, again = index > chooser->first && one[-1].what == one->what;
    enum style style = selected ? STYLE_SELECTED : STYLE_TEXT;
    const char *mark = selected ? (pane->theme->glyphs->unicode ? "▸ " : "> ") : "  ";
    int row = rect.row, column = rect.column, end = rect.column + rect.columns;
    char about[256];
    theme_set(pane->theme, style);
    for (int c = column; c < end; c++)
        mvaddch(row, c, ' ');
    column += draw_text(pane, style, row, column, 2, mark);
    draw_text(pane, selected ? style : STYLE_KEY, row, column, 9, again && !selected ? "" : export_what_name(one->what));
    draw_text(pane, style, row, column + 9, 6, export_format_name(one->format));
    if (again && !selected)
        snprintf(about, sizeof about, "%s", format_note(one->format));
    else
        snprintf(about, sizeof about, _("%s: %s"), export_what_help(one->what), format_note(one->format));
    if (draw_width(about) > end - column - 15) // the format's name says the rest
        snprintf(about, sizeof about, "%s", export_what_help(one->what));
    draw_text(pane, selected ? style : STYLE_DIM, row, column + 15, end - column - 15, about);
}

static void draw_chooser(struct page *page, const struct pane *pane)
{
    struct chooser *chooser = chooser_of(page);
    struct rect body = page->body;
    if (pane->layout->roomy)
        body.row++, body.rows--;
    chooser->top = body.row + 2;
    struct rect title = {body.row, body.column, 1, body.columns};
    draw_title(pane, title, _("EXPORT"), _("Enter asks for a name, Esc leaves"), true);
    int room = body.rows - 4, row = chooser->top;
    if (chooser->selected < chooser->first)
        chooser->first = chooser->selected;
    if (chooser->selected >= chooser->first + room)
        chooser->first = chooser->selected - room + 1;
    for (int i = chooser->first; i < chooser->count && i < chooser->first + room; i++, row++)
        draw_choice(chooser, pane, i, (struct rect){row, body.column, 1, body.columns});
    struct rect below = {row + 1, body.column, body.row + body.rows - row - 1, body.columns < 100 ? body.columns : 100};
    if (below.rows > 0)
        draw_wrapped(pane, STYLE_DIM, below,
                     _("A frame shows the page that was open before; the ending of the name decides about the format. "
                       "The same from the command line: trimscope export --help."));
}

// ---- names ------------------------------------------------------------------------------------------------------

// Letters, digits and what is harmless in a file's name; anything else becomes '-'.
static void add_name(char *out, size_t size, const char *from)
{
    size_t used = strlen(out);
    for (; *from && used + 1 < size; from++) {
        unsigned char c = (unsigned char)*from;
        bool plain = c >= 0x80 || isalnum(c) || strchr("._", c);
        if (!plain && (used == 0 || out[used - 1] == '-'))
            continue;
        out[used++] = plain ? (char)c : '-';
    }
    out[used] = 0;
}

// "airplane-fusion-3.png", "airplane-compare.png", "airplane.html", "airplane-scores.csv".
static void suggest_name(const struct page *page, const struct row *row, char *out, size_t size)
{
    const struct screen *screen = page->screen;
    const struct view *view = &screen->view;
    enum page_id below = page_below(page)->kind->id;
    const char *path = view->trace.picture_count > 0 ? view->trace.pictures[0].path : NULL;
    const char *slash = path ? strrchr(path, '/') : NULL, *name = slash ? slash + 1 : path ? path : "run";
    char base[64];
    snprintf(base, sizeof base, "%.*s", (int)strcspn(name, "."), name);
    text_clean(base);
    out[0] = 0;
    if (page_below(page)->kind->exports) // it is about no run
        snprintf(base, sizeof base, "%s", page_name(below));
    add_name(out, size, base[0] ? base : "run");
    const struct stage *stage = view_stage_at(view);
    if (row->what == EXPORT_FRAME && page_below(page)->kind->exports) {
        add_name(out, size, "/screen");
    } else if (row->what == EXPORT_FRAME) {
        add_name(out, size, "/"); // becomes '-'
        add_name(out, size, below != PAGE_STEPPER || !stage ? page_name(below) : stage->name);
    } else if (row->what != EXPORT_RUN) {
        add_name(out, size, "/");
        add_name(out, size, export_what_name(row->what));
    }
    add_name(out, size, export_format_ending(row->format));
}

// ---- writing ----------------------------------------------------------------------------------------------------

// The run of the page: the one that its keys change.
static const struct view *find_view(struct page *page)
{
    return page->kind->target ? page->kind->target(page).view : &page->screen->view;
}

// What is drawn or written: for the figure and the page in HTML all runs that are shown, else the one.
static void find_runs(struct page *page, const struct row *row, struct figure *figure)
{
    const struct view *view = find_view(page);
    *figure = (struct figure){.count = 0};
    bool all = row->what == EXPORT_FIGURE || row->format == EXPORT_HTML;
    if (all && page->kind->figure && page->kind->figure(page, figure))
        return;
    *figure = (struct figure){.count = view->has_trace, .rows = {{&view->trace, view->pictures}}};
}

// The chooser goes away first: the frame is the page's below. Its state is gone then.
static void write_file(struct page *page, const char *typed)
{
    struct screen *screen = page->screen;
    struct row row = chooser_of(page)->rows[chooser_of(page)->selected];
    struct frame frame = {0};
    struct figure figure;
    struct error err = {0};
    char path[PATH_BYTES];
    enum export_format format;
    snprintf(path, sizeof path, "%s", typed);
    bool named = export_parse_ending(path, &format), fits = !named || export_can(row.what, format);
    if (fits && named)
        row.format = format;
    page_pop(screen);
    if (!fits) { // a file that is not what its name says would be found out late
        view_say(&screen->view, true, _("%s cannot be written as %s; choose another line of the list."),
                 export_what_name(row.what), export_format_name(format));
        return;
    }
    find_runs(page_top(screen), &row, &figure);
    struct bytes table = {0};
    if (row.what == EXPORT_TABLE && page_top(screen)->kind->table)
        page_top(screen)->kind->table(page_top(screen), &table);
    export_finish(screen); // one at a time
    if (row.what == EXPORT_FRAME || row.what == EXPORT_TABLE)
        figure.count = 0; // no run has to be copied
    if (row.what == EXPORT_FRAME && !screen_take_frame(screen, row.format != EXPORT_ANSI, &frame))
        error_no_memory(&err, "the frame");
    else
        screen->exporting = export_job_start(&figure, &frame, &table, screen->assets ? screen->assets : "assets", row.what,
                                             row.format, path, &err);
    if (screen->exporting)
        view_say(&screen->view, false, _("Writing %s…"), path);
    else
        view_say(&screen->view, true, "%s", err.text);
}

void export_finish(struct screen *screen)
{
    char path[EXPORT_JOB_PATH];
    enum export_what what;
    struct error err;
    size_t size;
    if (screen->exporting)
        export_job_end(screen->exporting, path, &what, &size, &err);
    screen->exporting = NULL;
}

void export_watch(struct screen *screen)
{
    char path[EXPORT_JOB_PATH], size_text[32];
    enum export_what what;
    struct error err;
    size_t size;
    if (!screen->exporting || !export_job_done(screen->exporting))
        return;
    bool written = export_job_end(screen->exporting, path, &what, &size, &err);
    screen->exporting = NULL;
    screen->dirty = true;
    export_size_text(size, size_text);
    if (written)
        view_say(&screen->view, false, _("Written to %s (%s, %s)."), path, export_what_help(what), size_text);
    else
        view_say(&screen->view, true, "%s", err.text);
}

static void ask_overwrite(struct page *page)
{
    struct chooser *chooser = chooser_of(page);
    char name[80];
    const char *slash = strrchr(chooser->path, '/');
    snprintf(chooser->label, sizeof chooser->label, _("%s exists. Type yes to write over it: "),
             text_fit(name, sizeof name, slash ? slash + 1 : chooser->path));
    page_prompt(page, ASK_OVERWRITE, chooser->label, "");
}

static void typed_name(struct page *page, const char *text)
{
    struct chooser *chooser = chooser_of(page);
    enum export_format named;
    struct stat status;
    if (!*text)
        return;
    popup_expand_home(text, chooser->path, sizeof chooser->path);
    size_t used = strlen(chooser->path);
    if (!export_parse_ending(text, &named)) // a file is called what it is
        snprintf(chooser->path + used, sizeof chooser->path - used, "%s",
                 export_format_ending(chooser->rows[chooser->selected].format));
    if (stat(chooser->path, &status) == 0 && S_ISREG(status.st_mode))
        ask_overwrite(page);
    else
        write_file(page, chooser->path);
}

static void on_typed(struct page *page, int which, const char *text)
{
    if (which == ASK_NAME)
        typed_name(page, text);
    else if (!strcasecmp(text, "yes") || !strcasecmp(text, "y"))
        write_file(page, chooser_of(page)->path);
    else
        page_say(page, false, _("Nothing was written."));
}

static void ask_name(struct page *page)
{
    struct chooser *chooser = chooser_of(page);
    const struct row *row = &chooser->rows[chooser->selected];
    char name[128];
    suggest_name(page, row, name, sizeof name);
    snprintf(chooser->label, sizeof chooser->label, _("Write to (no ending: %s): "),
             export_format_ending(row->format));
    page_prompt(page, ASK_NAME, chooser->label, name);
}

static void select_row(struct page *page, int row)
{
    struct chooser *chooser = chooser_of(page);
    chooser->selected = row < 0 ? 0 : row >= chooser->count ? chooser->count - 1 : row;
    page_changed(page);
}

static bool act(struct page *page, enum action action)
{
    int selected = chooser_of(page)->selected;
    switch ((int)action) {
    case ACTION_EXPORT_UP:
        select_row(page, selected - 1);
        return true;
    case ACTION_EXPORT_DOWN:
        select_row(page, selected + 1);
        return true;
    case ACTION_EXPORT_WRITE:
        ask_name(page);
        return true;
    case ACTION_EXPORT:
        return true; // it is open
    }
    return false;
}

static void click(struct page *page, const struct page_mouse *mouse)
{
    struct chooser *chooser = chooser_of(page);
    if (mouse->wheel) {
        select_row(page, chooser->selected + mouse->wheel);
        return;
    }
    int row = chooser->first + mouse->row - chooser->top;
    if (!mouse->pressed || row < 0 || row >= chooser->count)
        return;
    if (row == chooser->selected)
        ask_name(page);
    select_row(page, row);
}

static enum key_hint hints(struct page *page)
{
    (void)page;
    return HINT_STAGES;
}

const struct page_kind page_export = {
    .id = PAGE_EXPORT,
    .size = sizeof(struct chooser),
    .about = N_("Writes what you see to a file that others can look at: a picture of the screen, the whole run as a page "
                "that opens offline in any browser, the article's figure for papers and slides, or tables of scores."),
    .open = open_chooser,
    .draw = draw_chooser,
    .act = act,
    .mouse = click,
    .typed = on_typed,
    .hints = hints,
};
