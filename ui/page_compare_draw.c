// Where the runs of the comparison stand, their pictures, and what is said below them about all.
#include "ui/page_compare.h"

#include "ui/compare_words.h"
#include "ui/panels.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum {
    RUN_COLUMNS = 36,  // the least for a run
    TEXT_COLUMNS = 19, // the least for numbers beside a picture
    TEXT_ROWS = 7,     // for numbers below it
    ROOMY_ROWS = 34,
    LABEL = 7, // of a row of the strip
};

// ---- places
// -------------------------------------------------------------------------------------------------------

static int question_rows(const struct page *page, int columns)
{
    int rows = 1;
    for (int r = 0; r < compare_of(page)->count; r++) {
        const struct view *view = compare_view(page, r);
        int own = view->has_trace ? (draw_width(view->trace.question) + 4 + columns - 1) / columns : 1;
        rows = own > rows ? own : rows;
    }
    return rows;
}

// Below the runs: what differs, the legend, and the stages (with the patches of each run where there is room).
static int place_bottom(struct compare *c, struct rect body)
{
    bool roomy = body.rows >= ROOMY_ROWS;
    int end = body.row + body.rows, strip = roomy ? 2 + c->count : 1;
    c->layout.sentence = (struct rect){end - 2, body.column, 2, body.columns};
    c->layout.strip = (struct rect){end - 2 - roomy - strip, body.column, strip, body.columns};
    c->layout.legend = (struct rect){c->layout.strip.row - 1 - roomy, body.column, 1, body.columns};
    return c->layout.legend.row - roomy;
}

// A row for each stream and a title. Where there is little room only while the cursor is on heads.
static int heads_rows(const struct page *page, int rows)
{
    const struct view *view = compare_view(page, 0);
    bool wanted = page->body.rows >= ROOMY_ROWS || view->focus == FOCUS_HEADS;
    return wanted && view->has_trace && rows > 10 ? 2 + view->trace.picture_count : 0;
}

// The largest picture: numbers go beside it or below it, whatever leaves more.
static int picture_rows(struct compare *c, const struct screen *screen, const struct view *view, int columns, int rows)
{
    double cell = (double)screen->terminal.cell_width / screen->terminal.cell_height; // rows of one column
    double aspect = portrait_aspect(view);
    int below = (int)fmin(rows - TEXT_ROWS, floor(columns * cell / aspect));
    int beside = (int)fmin(rows, floor((columns - TEXT_COLUMNS - 1) * cell / aspect));
    c->layout.beside = beside >= below;
    int most = beside >= below ? beside : below;
    return most > 1 ? most : 1;
}

void compare_place(struct page *page)
{
    struct compare *c = compare_of(page);
    const struct screen *screen = page->screen;
    const struct view *view = compare_view(page, 0);
    struct compare_layout *layout = &c->layout;
    struct rect body = page->body;
    int fit = (body.columns + 2) / (RUN_COLUMNS + 2), slots = c->count + c->menu;
    fit = fit < 2 ? 2 : fit;
    slots = slots < 2 ? 2 : slots < fit ? slots : fit;
    layout->shown = c->menu ? slots - 1 : slots < c->count ? slots : c->count;
    layout->first = c->focus >= layout->shown ? c->focus - layout->shown + 1 : 0;
    int columns = (body.columns + 2) / slots - 2, end = place_bottom(c, body);
    int words = question_rows(page, columns), most = body.rows >= ROOMY_ROWS ? 4 : 2;
    words = 1 + (words < most ? words : most);
    int heads = heads_rows(page, end - body.row - words);
    int top = body.row + words, rows = end - top - heads;
    int tall = picture_rows(c, screen, view, columns, rows);
    int wide = (int)ceil(tall * portrait_aspect(view) * screen->terminal.cell_height / screen->terminal.cell_width);
    wide = wide < columns ? wide : columns;
    for (int i = 0; i < layout->shown; i++) {
        int column = body.column + i * (columns + 2);
        layout->words[i] = (struct rect){body.row, column, words, columns};
        layout->heads[i] = (struct rect){top + rows, column, heads, columns};
        layout->picture[i] = (struct rect){top, column, tall, wide};
        layout->text[i] = layout->beside
                              ? (struct rect){top, column + wide + 1, rows, columns - wide - 1}
                              : (struct rect){top + tall, column, rows - tall, columns};
    }
    layout->menu = (struct rect){body.row, body.column + layout->shown * (columns + 2), end - body.row, columns};
}

// ---- pictures
// -----------------------------------------------------------------------------------------------------

struct marks {
    struct comparison comparison;
    int stage, run;
};

static void mark_patches(const void *context, int picture, struct patch_look *looks, int count)
{
    const struct marks *marks = context;
    for (int i = 0; i < count; i++) {
        unsigned alive = compare_alive(&marks->comparison, marks->stage, picture, i + 1);
        enum compare_mark mark = compare_mark(alive, marks->run);
        looks[i].mark = mark == COMPARE_ONLY        ? PATCH_ONLY_HERE
                        : mark == COMPARE_ELSEWHERE ? PATCH_ELSEWHERE
                                                    : PATCH_UNMARKED;
    }
}

static bool paint_run(struct page *page, int place)
{
    struct compare *c = compare_of(page);
    const struct screen *screen = page->screen;
    int index = c->layout.first + place;
    struct compare_run *run = &c->runs[index];
    const struct view *view = compare_view(page, index);
    struct marks marks = {.stage = view_stage(view), .run = index};
    compare_take(page, &marks.comparison);
    struct compare_key key;
    memset(&key, 0, sizeof key);
    for (int r = 0; r < c->count; r++)
        key.serials[r] = compare_view(page, r)->serial + 1;
    key.theme_serial = screen->theme_serial;
    key.count = c->count;
    key.stage = marks.stage;
    key.show = (int)view->show;
    key.cursor = view->focus == FOCUS_PATCHES ? view->patch : -1;
    key.picture = view->picture;
    key.cell_width = screen->terminal.cell_width;
    key.cell_height = screen->terminal.cell_height;
    key.graphics = (int)screen->graphics;
    key.marked = compare_marked(c);
    key.rect = c->layout.picture[place];
    if (!memcmp(&key, &run->key, sizeof key))
        return true;
    struct portrait_request request = {.view = view,
                                       .stage = marks.stage,
                                       .rect = key.rect,
                                       .theme = &screen->theme,
                                       .terminal = &screen->terminal,
                                       .graphics = screen->graphics,
                                       .picture = view->picture,
                                       .cursor = key.cursor,
                                       .change_looks = compare_marked(c) ? mark_patches : NULL,
                                       .context = &marks};
    if (!portrait_paint(&run->portrait, &run->image, &request))
        return false;
    run->key = key;
    return true;
}

static bool same_pixels(const struct view *a, const struct view *b)
{
    for (int p = 0; p < TRACE_PICTURES; p++) {
        const struct backend_picture *x = &a->pictures[p], *y = &b->pictures[p];
        if (!x->rgb != !y->rgb || x->width != y->width || x->height != y->height ||
            (x->rgb && memcmp(x->rgb, y->rgb, (size_t)x->width * (size_t)x->height * 3) != 0))
            return false;
    }
    return true;
}

// One palette for all pictures in sight: some terminals share the colours of all images.
static bool update_palette(struct page *page)
{
    struct compare *c = compare_of(page);
    const struct screen *screen = page->screen;
    unsigned serials[COMPARE_RUNS] = {0};
    const struct view *views[COMPARE_RUNS];
    int different = 0;
    for (int r = 0; r < c->count; r++)
        serials[r] = compare_view(page, r)->picture_serial;
    if (c->palette.count > 0 && c->palette_theme == screen->theme_serial && c->palette_count == c->count &&
        !memcmp(serials, c->palette_pictures, sizeof serials))
        return true;
    for (int r = 0; r < c->count; r++) {
        bool known = false;
        for (int i = 0; i < different; i++)
            known = known || same_pixels(views[i], compare_view(page, r));
        if (!known)
            views[different++] = compare_view(page, r);
    }
    memcpy(c->palette_pictures, serials, sizeof serials);
    c->palette_theme = screen->theme_serial;
    c->palette_count = c->count;
    c->palette_serial++;
    return portrait_palette(&c->palette, views, different, &screen->theme);
}

int compare_images(struct page *page, struct page_image out[PAGE_IMAGES])
{
    struct compare *c = compare_of(page);
    int first = c->layout.first, shown = c->layout.shown;
    compare_place(page);
    if (view_stage(&page->screen->view) < 0 || page->screen->view.trace.picture_count == 0)
        return 0;
    if (page->screen->graphics == GRAPHICS_SIXEL && !update_palette(page))
        return -1;
    bool turned = first != c->layout.first || shown != c->layout.shown;
    for (int i = 0; i < c->layout.shown; i++) {
        struct compare_run *run = &c->runs[c->layout.first + i];
        if (!paint_run(page, i))
            return -1;
        if (turned)
            image_forget(&run->image); // another run stood in its place
        out[i] = (struct page_image){&run->image, &c->palette, c->palette_serial};
    }
    return c->layout.shown;
}

// ---- below the runs
// -----------------------------------------------------------------------------------------------

static void draw_legend(const struct page *page, const struct pane *pane)
{
    static const char *const names[SHOW_ATTENTION] = {N_("SURVIVORS"), N_("SELF SCORE"), N_("CROSS SCORE"),
                                                      N_("TOTAL SCORE")};
    const struct compare *c = compare_of(page);
    struct rect rect = c->layout.legend;
    int column = rect.column, end = rect.column + rect.columns;
    bool unicode = pane->theme->glyphs->unicode;
    enum show show = page->screen->view.show;
    if (show != SHOW_SURVIVORS || rect.columns >= 90) // the legend itself comes first
        column += draw_text(pane, STYLE_TITLE, rect.row, column, end - column, _(names[show])) + 2;
    if (show != SHOW_SURVIVORS && !compare_marked(c)) {
        draw_text(pane, STYLE_DIM, rect.row, column, end - column,
                  _("the brighter, the higher; each run has its own range"));
        return;
    }
    if (!compare_marked(c)) {
        draw_text(pane, STYLE_DIM, rect.row, column, end - column, _("dropped patches are dim; d marks the differences"));
        return;
    }
    column += draw_text(pane, STYLE_NEW_DEAD, rect.row, column, end - column, unicode ? "◆" : "X") + 1;
    column += draw_text(pane, STYLE_TEXT, rect.row, column, end - column,
                        c->count == 2 ? _("only in this run") : _("in this run alone")) +
              2;
    column += draw_text(pane, STYLE_ALIVE, rect.row, column, end - column, unicode ? "◇" : "o") + 1;
    column += draw_text(pane, STYLE_TEXT, rect.row, column, end - column,
                        c->count == 2 ? _("only in the other") : _("dropped here, not everywhere")) +
              2;
    const char *others = c->count == 2 ? _("clear: in both; dim: in neither") : _("clear: in several; dim: in none");
    if (draw_width(others) > end - column)
        return;
    column += draw_text(pane, STYLE_DIM, rect.row, column, end - column, others) + 2;
    if (end - column < 24 || page->screen->graphics != GRAPHICS_SIXEL)
        return;
    column += draw_text(pane, STYLE_NEW_DEAD, rect.row, column, end - column, "×") + 1;
    draw_text(pane, STYLE_DIM, rect.row, column, end - column, _("dropped just now"));
}

static void draw_labels(const struct compare *c, const struct pane *pane, struct rect rect)
{
    draw_text(pane, STYLE_DIM, rect.row, rect.column, LABEL - 1, _("alive"));
    for (int r = 0; r < c->count; r++)
        draw_format(pane, r == c->focus ? STYLE_STRONG : STYLE_TEXT, rect.row + 1 + r, rect.column, LABEL - 1, "%c",
                    'A' + r);
    if (c->count > 1)
        draw_text(pane, STYLE_DIM, rect.row + 1 + c->count, rect.column, LABEL - 1,
                  c->count == 2 ? _("both") : in_("runs", "all"));
}

// What stands below a stage for a run, or (run == count) for all of them: patches alive, or words while only the question
// is read.
static int count_alive(const struct page *page, const struct comparison *comparison, int stage, int run)
{
    struct compare_sets patches;
    if (view_is_of_words(&comparison->runs[0]->stages[stage]))
        return run < comparison->count ? view_alive_count(compare_view(page, run), stage, TRACE_TEXT_STREAM, NULL)
                                       : compare_words_in_all(comparison, stage);
    compare_patches(comparison, stage, &patches);
    return run < comparison->count ? patches.alive[run] : patches.all;
}

// The stages from left to right, and below each what is alive in each run and in all.
static void draw_strip(const struct page *page, const struct pane *pane)
{
    const struct compare *c = compare_of(page);
    const struct view *view = compare_view(page, 0);
    struct rect rect = c->layout.strip;
    struct comparison comparison;
    compare_take(page, &comparison);
    int stages = view->has_trace ? screen_last_stage(view) + 1 : 0, label = rect.rows > 1 ? LABEL : 0;
    int fit = (rect.columns - label) / 5, shown = stages < fit ? stages : fit, now = view_stage(view);
    int first = now - shown / 2 > stages - shown ? stages - shown : now - shown / 2;
    first = first < 0 ? 0 : first;
    int width = shown > 0 ? (rect.columns - label) / shown : 0;
    if (rect.rows > 1)
        draw_labels(c, pane, rect);
    for (int i = 0; i < shown; i++) {
        int stage = first + i, column = rect.column + label + i * width;
        char name[TRACE_TEXT] = "";
        if (stage >= view->trace.stage_count)
            continue;
        bool words = view_is_of_words(&view->trace.stages[stage]);
        view_fit_stage_name(&view->trace, &view->trace.stages[stage], width - 1, name, sizeof name);
        draw_right(pane, stage == now ? STYLE_CURSOR : STYLE_TEXT, rect.row, column, width - 1, name);
        for (int r = 0; rect.rows > 1 && r < c->count + (c->count > 1) && comparison.count == c->count; r++) {
            char number[16];
            snprintf(number, sizeof number, "%d", count_alive(page, &comparison, stage, r));
            draw_right(pane, stage == now ? STYLE_STRONG : words ? STYLE_DIM : STYLE_NUMBER, rect.row + 1 + r, column,
                       width - 1, number);
        }
    }
}

// With a cursor: which runs keep what it is on.
static void draw_sentence(const struct page *page, const struct pane *pane)
{
    const struct compare *c = compare_of(page);
    struct comparison comparison;
    struct explain_place place;
    char text[480] = "";
    compare_take(page, &comparison);
    if (comparison.count == c->count && c->count > 1 && compare_cursor(page, c->focus, &place))
        compare_tell_place(&comparison, c->focus, &place, text, sizeof text);
    else
        compare_tell(&comparison, view_stage(&page->screen->view), text, sizeof text);
    if (!text[0] && c->count == 1)
        snprintf(text, sizeof text, "%s", _("Choose what the run is to be compared with."));
    draw_wrapped(pane, STYLE_STRONG, c->layout.sentence, text);
}

static void draw_menu(const struct page *page, const struct pane *pane)
{
    const struct compare *c = compare_of(page);
    int entries[COMPARE_MENU_COUNT];
    int count = compare_menu_entries(c, entries);
    struct rect rect = c->layout.menu;
    draw_title(pane, rect, _("COMPARE A WITH"), NULL, true);
    if (c->typed[0]) {
        int used = draw_text(pane, STYLE_KEY, rect.row + 1, rect.column, rect.columns, c->typed);
        draw_text(pane, STYLE_CURSOR, rect.row + 1, rect.column + used, rect.columns - used, " ");
    }
    for (int i = 0; i < count && i + 2 < rect.rows; i++) {
        bool chosen = i == c->selected;
        draw_text(pane, chosen ? STYLE_KEY : STYLE_DIM, rect.row + 2 + i, rect.column, 2, chosen ? ">" : " ");
        draw_text(pane, chosen ? STYLE_SELECTED : STYLE_TEXT, rect.row + 2 + i, rect.column + 2, rect.columns - 2,
                  compare_menu_text(entries[i]));
    }
    if (count == 0)
        draw_text(pane, STYLE_DIM, rect.row + 2, rect.column, rect.columns, _("Nothing here is called like this."));
    struct rect below = {rect.row + COMPARE_MENU_COUNT + 3, rect.column, rect.rows - COMPARE_MENU_COUNT - 3, rect.columns};
    if (below.rows > 0)
        draw_wrapped(pane, STYLE_DIM, below,
                     _("Up and down choose, letters narrow the list, Enter adds the run, Esc closes the list. All runs use "
                       "the same weights."));
}

void compare_draw(struct page *page, const struct pane *pane)
{
    const struct compare *c = compare_of(page);
    for (int i = 0; i < c->layout.shown; i++)
        compare_draw_panel(page, pane, i);
    if (c->menu)
        draw_menu(page, pane);
    draw_legend(page, pane);
    draw_strip(page, pane);
    draw_sentence(page, pane);
}
