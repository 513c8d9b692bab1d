// Training on the screen: losses and accuracies as curves, what each layer keeps against what it may, how long it will
// take, and a validation picture as the present weights prune it.
#include "ui/page.h"
#include "ui/panels.h"
#include "ui/portrait.h"
#include "ui/screen_state.h"
#include "ui/sparkline.h"
#include "ui/titles.h"
#include "ui/train_feed.h"
#include "ui/words.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { POINTS = 2048, NAME = 17, LAYER = 10, NUMBER = 8, WIDE = 110, LEAST_PICTURE = 10 };
static const double look_for_news = 0.2; // seconds

struct train_page {
    const struct train_feed *feed;
    struct train_point *points; // the newest last; every second one is forgotten when there are too many
    int count;
    bool ended;
    char words[480], truth[64];
    bool is_error;
    struct view view; // of the validation picture
    struct portrait portrait;
    struct image image;
    struct portrait_colors colors;
};

static bool open(struct page *page, const void *argument, struct error *err)
{
    struct train_page *train = page->state;
    train->feed = argument;
    train->points = calloc(POINTS, sizeof *train->points);
    return train->points || error_no_memory(err, "the page");
}

static void close(struct page *page)
{
    struct train_page *train = page->state;
    portrait_free(&train->portrait);
    image_free(&train->image);
    view_free(&train->view);
    free(train->points);
}

static void add_point(struct train_page *train, const struct train_point *point)
{
    if (train->count == POINTS) {
        for (int i = 0; i < POINTS / 2; i++)
            train->points[i] = train->points[2 * i + 1];
        train->count = POINTS / 2;
    }
    train->points[train->count++] = *point;
}

static void take_look(struct train_page *train, struct train_news *news)
{
    struct view *view = &train->view;
    trace_free(&view->trace);
    free(view->pictures[0].rgb);
    view->trace = news->look;
    view->pictures[0] = news->picture;
    view->has_trace = true;
    view->serial++;
    view->picture_serial++;
    view->stage = view->trace.stage_count - 1;
    snprintf(train->truth, sizeof train->truth, "%s", news->truth);
}

static double tick(struct page *page, double now)
{
    struct train_page *train = page->state;
    struct train_news news = {0};
    bool changed = false;
    while (train->feed->poll(train->feed->context, &news)) {
        if (news.has_point)
            add_point(train, &news.point);
        if (news.has_look)
            take_look(train, &news);
        if (news.has_words) {
            snprintf(train->words, sizeof train->words, "%s", news.words);
            train->is_error = news.is_error;
        }
        train->ended = train->ended || news.ended;
        page->screen->quit |= news.leave;
        changed = true;
        news = (struct train_news){0};
    }
    if (changed)
        page_changed(page);
    return now + look_for_news;
}

// Leaving the page is leaving training: the stepper below is of no use to it.
static bool act(struct page *page, enum action action)
{
    struct train_page *train = page->state;
    switch (action) {
    case ACTION_BACK:
    case ACTION_ESCAPE:
    case ACTION_CANCEL:
        page->screen->quit = true;
        return true;
    case ACTION_LOOK_NEXT:
        train->feed->next_look(train->feed->context);
        page_say(page, false, "%s", _("Another validation picture is on its way."));
        return true;
    default:
        return false;
    }
}

static void status(struct page *page, char *out, size_t size)
{
    const struct train_page *train = page->state;
    const struct train_point *p = train->count ? &train->points[train->count - 1] : NULL;
    if (train->ended)
        snprintf(out, size, "%s ", train->is_error ? _("stopped") : _("complete"));
    else if (p)
        snprintf(out, size, _("step %ld of %ld "), p->step, p->steps);
}

// ---- curves -----------------------------------------------------------------------------------------------------

struct series {
    const struct train_page *train;
    size_t offset; // of the double in struct train_point
};

static double value_of(const void *context, int i)
{
    const struct series *series = context;
    double value;
    memcpy(&value, (const char *)&series->train->points[i] + series->offset, sizeof value);
    return value;
}

static double newest(const struct series *series)
{
    for (int i = series->train->count - 1; i >= 0; i--)
        if (!isnan(value_of(series, i)))
            return value_of(series, i);
    return (double)NAN;
}

static double highest(const struct series *series)
{
    double high = 0;
    for (int i = 0; i < series->train->count; i++)
        high = fmax(high, value_of(series, i)); // fmax() passes NaN over
    return high;
}

static double lowest(const struct series *series)
{
    double low = 1;
    for (int i = 0; i < series->train->count; i++)
        low = fmin(low, value_of(series, i));
    return low;
}

// "name ▇▆▅▄▃▂ 0.214", or of shares "name ▂▃▅▆▆▇ 83.1 %". Losses rise to the highest value so far.
static void draw_series(const struct pane *pane, struct rect rect, int row, const char *name, bool is_share,
                        struct series series)
{
    char number[32];
    double now = newest(&series);
    int columns = rect.columns - NAME - NUMBER - 1;
    if (row >= rect.rows)
        return;
    draw_text(pane, STYLE_TEXT, rect.row + row, rect.column, NAME - 1, name);
    if (is_share)
        snprintf(number, sizeof number, "%.1f %%", 100 * now);
    else
        snprintf(number, sizeof number, "%.3f", now);
    draw_right(pane, STYLE_NUMBER, rect.row + row, rect.column, rect.columns, isnan(now) ? "" : number);
    double least = is_share ? lowest(&series) : 0;
    if (columns > 0)
        sparkline_draw(pane, STYLE_ALIVE, rect.row + row, rect.column + NAME, columns, value_of, &series,
                       series.train->count, least < 1 ? least : 0, is_share ? 1 : highest(&series)); // always right: full
}

static int draw_losses(const struct pane *pane, const struct train_page *train, struct rect rect)
{
    const struct train_feed *feed = train->feed;
    int row = 1;
    draw_title(pane, rect, _("Loss by term"), _("from 0 to its highest"), false);
    for (int k = 0; k < feed->terms; k++) {
        struct series series = {train, offsetof(struct train_point, loss) + (size_t)k * sizeof(double)};
        if (highest(&series) > 0)
            draw_series(pane, rect, row++, title_loss_term(feed->term_names[k]), false, series);
    }
    return row;
}

static int draw_accuracies(const struct pane *pane, const struct train_page *train, struct rect rect)
{
    const struct train_feed *feed = train->feed;
    int row = 1;
    draw_title(pane, rect, _("Accuracy by type"), _("from its lowest to 100 %"), false);
    draw_series(pane, rect, row++, _("all"), true, (struct series){train, offsetof(struct train_point, accuracy)});
    for (int k = 0; k < feed->types; k++)
        draw_series(pane, rect, row++, title_question_type(feed->type_names[k]), true,
                    (struct series){train, offsetof(struct train_point, type_accuracy) + (size_t)k * sizeof(double)});
    return row;
}

// ---- what is kept -----------------------------------------------------------------------------------------------

// A bar, and where the curriculum wants it.
static void draw_kept(const struct pane *pane, struct rect rect, int row, const char *name, double kept, double target)
{
    char text[40];
    int columns = rect.columns - LAYER - 13;
    if (row >= rect.rows)
        return;
    draw_text(pane, STYLE_TEXT, rect.row + row, rect.column, LAYER - 1, name);
    if (columns >= 3) {
        int at = (int)(target * columns + 0.5);
        draw_bar(pane, STYLE_SPENT, rect.row + row, rect.column + LAYER, columns, kept);
        draw_text(pane, STYLE_WARN, rect.row + row, rect.column + LAYER + (at < columns ? at : columns - 1), 1, "|");
    }
    snprintf(text, sizeof text, "%.2f | %.2f", kept, target);
    draw_right(pane, STYLE_NUMBER, rect.row + row, rect.column, rect.columns, text);
}

static int draw_shares(const struct pane *pane, const struct train_page *train, struct rect rect)
{
    const struct train_point *p = &train->points[train->count - 1];
    int row = 1;
    draw_title(pane, rect, _("Kept | asked for"), rect.columns > 50 ? _("FLOPs, and patches by layer") : "", false);
    draw_kept(pane, rect, row++, _("FLOPs"), p->share, p->target);
    for (int l = 0; l < train->feed->layers; l++) {
        char name[64];
        snprintf(name, sizeof name, _("fusion %d"), l + 1);
        draw_kept(pane, rect, row++, name, p->alive[l], p->budget[l]);
    }
    return row;
}

// ---- the picture ------------------------------------------------------------------------------------------------

static void split(const struct page *page, struct rect *curves, struct rect *side)
{
    struct rect body = page->body;
    int left = body.columns >= WIDE ? body.columns * 11 / 20 : body.columns * 3 / 5;
    *curves = (struct rect){body.row + 3, body.column + 1, body.rows - 4, left - 2};
    *side = (struct rect){body.row + 3, body.column + left + 1, body.rows - 4, body.columns - left - 2};
}

// Where the picture may be: below the bars, above its two lines of text.
static struct rect picture_place(const struct page *page)
{
    const struct train_page *train = page->state;
    struct rect curves, side;
    split(page, &curves, &side);
    int used = train->feed->trim ? train->feed->layers + 3 : 0;
    side.row += used;
    side.rows -= used + 2;
    return side;
}

static int images(struct page *page, struct page_image out[PAGE_IMAGES])
{
    struct train_page *train = page->state;
    const struct screen *screen = page->screen;
    struct rect rect = picture_place(page);
    if (!train->view.has_trace || rect.rows < LEAST_PICTURE / 2)
        return 0;
    if (screen->graphics == GRAPHICS_SIXEL &&
        !portrait_colors_update(&train->colors, &train->view, train->view.picture_serial, &screen->theme,
                                screen->theme_serial))
        return -1;
    struct portrait_request request = {.view = &train->view,
                                       .stage = train->view.stage,
                                       .rect = rect,
                                       .theme = &screen->theme,
                                       .terminal = &screen->terminal,
                                       .graphics = screen->graphics,
                                       .cursor = -1};
    if (!portrait_paint(&train->portrait, &train->image, &request))
        return -1;
    out[0] = (struct page_image){&train->image, &train->colors.palette, train->colors.serial};
    return 1;
}

static void draw_look(const struct page *page, const struct pane *pane)
{
    const struct train_page *train = page->state;
    const struct trace *trace = &train->view.trace;
    struct rect rect = picture_place(page);
    int row = rect.row + rect.rows, total, alive;
    if (!train->view.has_trace) {
        draw_text(pane, STYLE_DIM, rect.row, rect.column, rect.columns, _("The first picture is on its way."));
        return;
    }
    alive = view_alive_count(&train->view, train->view.stage, 0, &total);
    bool right = !strcmp(trace->answer.text, train->truth);
    draw_text(pane, STYLE_STRONG, row, rect.column, rect.columns, trace->question);
    draw_format(pane, right ? STYLE_ANSWER : STYLE_WARN, row + 1, rect.column, rect.columns,
                right ? _("%s, right, %.0f %%; %d of %d patches") : _("%s, wrong, %.0f %%; %d of %d patches"),
                trace->answer.text, 100 * (double)trace->answer.p, alive, total);
}

// ---- the page ---------------------------------------------------------------------------------------------------

static void draw_progress(const struct page *page, const struct pane *pane)
{
    const struct train_page *train = page->state;
    struct rect body = page->body;
    const struct train_point *p = &train->points[train->count - 1];
    char left[64], right[160];
    title_time_left(left, sizeof left, p->seconds_left);
    snprintf(right, sizeof right, _("%ld questions, %.0f a second, %s"), p->questions, p->questions_per_second,
             train->ended ? _("at its end") : left);
    int width = draw_width(right) + 1;
    draw_bar(pane, STYLE_SPENT, body.row, body.column + 1, body.columns - 2 - width,
             (double)p->step / (double)(p->steps > 0 ? p->steps : 1));
    draw_right(pane, STYLE_NUMBER, body.row, body.column + 1, body.columns - 2, right);
}

static void draw(struct page *page, const struct pane *pane)
{
    const struct train_page *train = page->state;
    struct rect body = page->body, curves, side;
    draw_text(pane, train->is_error ? STYLE_WARN : STYLE_DIM, body.row + 1, body.column + 1, body.columns - 2, train->words);
    if (!train->count) {
        if (!train->ended)
            draw_text(pane, STYLE_DIM, body.row + 3, body.column + 1, body.columns - 2, _("The first steps are on their way."));
        return;
    }
    split(page, &curves, &side);
    draw_progress(page, pane);
    int used = draw_losses(pane, train, curves) + (curves.rows > 24);
    draw_accuracies(pane, train, (struct rect){curves.row + used, curves.column, curves.rows - used, curves.columns});
    if (train->feed->trim)
        draw_shares(pane, train, side);
    draw_look(page, pane);
}

static char *command(struct page *page)
{
    const struct train_page *train = page->state;
    return train->feed->command ? strdup(train->feed->command) : NULL;
}

static const char *explain(enum action action)
{
    switch (action) {
    case ACTION_BACK: return _("stop: the state is kept, and the same command goes on from it");
    case ACTION_CANCEL: return _("the same as q");
    default: return NULL;
    }
}

static const char about[] = N_(
    "Training while it goes on. Each curve begins at the left with the first step; the number at its right is the newest "
    "value, over the last steps. Kept | asked for: the share of the FLOPs, and of the patches alive in each layer, beside "
    "what the curriculum asks for at this step (|). The picture was never trained on; it is pruned by the present weights, "
    "again and again. q stops: the state is kept, and the same command goes on from it.");

const struct page_kind page_train = {
    .id = PAGE_TRAIN,
    .size = sizeof(struct train_page),
    .about = about,
    .open = open,
    .close = close,
    .status = status,
    .draw = draw,
    .images = images,
    .act = act,
    .tick = tick,
    .explain = explain,
    .command = command,
};
