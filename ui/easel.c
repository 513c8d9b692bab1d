#include "ui/easel.h"

#include "ui/panels.h"
#include "ui/screen_state.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const double patience = 0.015; // seconds

bool easel_begin(struct easel *easel, struct page *page)
{
    const struct trace *shown = &page->screen->view.trace;
    *easel = (struct easel){.page = page};
    if (!trace_copy(&easel->view.trace, shown))
        return false;
    trace_truncate(&easel->view.trace, 0);
    easel->view.has_trace = true;
    easel->view.abilities = page->screen->view.abilities;
    snprintf(easel->question, sizeof easel->question, "%s", shown->question ? shown->question : "");
    return true;
}

void easel_end(struct easel *easel)
{
    view_free(&easel->view);
    portrait_free(&easel->portrait);
    image_free(&easel->image);
    *easel = (struct easel){0};
}

const struct trace_answer *easel_answer(const struct easel *easel)
{
    return !easel->job && easel->view.trace.answer.text[0] && easel->view.trace.stage_count ? &easel->view.trace.answer
                                                                                             : NULL;
}

static void look(struct easel *easel)
{
    const struct trace_answer *answer = easel_answer(easel);
    struct backend_job job = {.kind = JOB_LOOK, .look = {easel->view.pictures[0], easel->question}};
    if (answer)
        easel->answer_before = *answer;
    page_cancel_job(easel->page, easel->job);
    easel->job = page_start_job(easel->page, &job);
    // Picture and survivors change in one frame, where the model is as fast as that.
    if (easel->view.trace.stage_count > 0 && easel->view.trace.ms * 1e-3 < patience)
        page_wait_for(easel->page, easel->job, patience);
    page_changed(easel->page);
}

bool easel_show(struct easel *easel, const unsigned char *rgb, int side)
{
    size_t bytes = (size_t)side * (size_t)side * 3;
    unsigned char *copy = malloc(bytes);
    if (!copy)
        return false;
    memcpy(copy, rgb, bytes);
    free(easel->view.pictures[0].rgb);
    easel->view.pictures[0] = (struct backend_picture){.width = side, .height = side, .rgb = copy};
    easel->view.picture_serial++;
    look(easel);
    return true;
}

void easel_ask(struct easel *easel, const char *question)
{
    snprintf(easel->question, sizeof easel->question, "%s", question);
    if (easel->view.pictures[0].rgb)
        look(easel);
    easel->answer_before.text[0] = 0; // it was about something else
}

static void show_stage(struct easel *easel)
{
    int last = easel->view.trace.stage_count - 1;
    easel->view.stage = last - easel->back > 0 ? last - easel->back : 0;
}

bool easel_take_job(struct easel *easel, struct backend_job_news *news)
{
    if (!easel->job || news->id != easel->job)
        return false;
    if (news->state == JOB_DONE) {
        trace_free(&easel->view.trace);
        easel->view.trace = news->run;
        news->run = (struct trace){0};
        trace_init(&news->run);
        view_clamp(&easel->view);
        show_stage(easel);
    } else if (news->state == JOB_FAILED) {
        page_say(easel->page, true, "%s", news->error);
    }
    if (news->state != JOB_WORKING && news->state != JOB_PART)
        easel->job = 0;
    return true;
}

bool easel_step(struct easel *easel, int by)
{
    int back = easel->back - by;
    if (back < 0 || back >= easel->view.trace.stage_count)
        return false;
    easel->back = back;
    show_stage(easel);
    page_changed(easel->page);
    return true;
}

// ---- what is seen
// ---------------------------------------------------------------------------------------------

static struct rect picture_rect(const struct easel *easel)
{
    const struct screen *screen = easel->page->screen;
    struct rect body = easel->page->body;
    int cell_width, cell_height;
    image_cell_pixels(&screen->terminal, screen->graphics, &cell_width, &cell_height);
    double wide = image_pixel_aspect(&screen->terminal, screen->graphics) * cell_width / cell_height; // of a cell
    int rows = body.rows - 1, columns = (int)(rows / wide + 0.999), most = body.columns - EASEL_PANEL_LEAST - 2;
    columns = columns > most ? most : columns;
    int tall = (int)(columns * wide + 0.999);
    return (struct rect){body.row, body.column, tall < rows ? tall : rows, columns};
}

static struct portrait_request request_of(const struct easel *easel)
{
    const struct screen *screen = easel->page->screen;
    return (struct portrait_request){.view = &easel->view,
                                     .stage = easel->plain ? -1 : view_stage(&easel->view),
                                     .rect = picture_rect(easel),
                                     .theme = &screen->theme,
                                     .terminal = &screen->terminal,
                                     .graphics = screen->graphics,
                                     .soft = true,
                                     .cursor = -1};
}

// Around what is chosen: orange between black lines, outside of it.
static void paint_frame(struct easel *easel)
{
    const struct screen *screen = easel->page->screen;
    struct area to = easel->portrait.areas[0], f = easel->frame;
    int side = easel->view.pictures[0].width;
    unsigned char colors[PAINT_FIXED][3];
    if (f.width <= 0 || side <= 0)
        return;
    paint_fixed_colors(&screen->theme, colors);
    bool fine = screen->graphics == GRAPHICS_SIXEL;
    int thick = !fine ? 1 : to.width >= 300 ? 2 : 1, room = fine ? thick + 1 : 0;
    int x0 = to.x + f.x * to.width / side - room, x1 = to.x + (f.x + f.width) * to.width / side + room;
    int y0 = to.y + f.y * to.height / side - room, y1 = to.y + (f.y + f.height) * to.height / side + room;
    x0 = x0 < 0 ? 0 : x0, y0 = y0 < 0 ? 0 : y0;
    x1 = x1 > to.x + to.width ? to.x + to.width : x1, y1 = y1 > to.y + to.height ? to.y + to.height : y1;
    struct area area = {x0, y0, x1 - x0, y1 - y0};
    if (fine)
        canvas_frame(&easel->image.canvas, area, thick + 2, colors[3]);
    struct area inner = {x0 + fine, y0 + fine, x1 - x0 - 2 * fine, y1 - y0 - 2 * fine};
    canvas_frame(&easel->image.canvas, inner, thick, colors[4]);
}

int easel_images(struct easel *easel, struct page_image out[PAGE_IMAGES])
{
    struct portrait_request request = request_of(easel);
    if (!easel->view.pictures[0].rgb)
        return 0;
    if (!portrait_paint(&easel->portrait, &easel->image, &request))
        return -1;
    paint_frame(easel);
    const struct screen *screen = easel->page->screen;
    if (screen->graphics == GRAPHICS_SIXEL &&
        !portrait_colors_update(&easel->palette, &easel->view, easel->colors, &screen->theme, screen->theme_serial))
        return -1;
    out[0] = (struct page_image){&easel->image, &easel->palette.palette, easel->palette.serial};
    return 1;
}

static void draw_legend(const struct easel *easel, const struct pane *pane, struct rect picture)
{
    const struct stage *stage = view_stage_at(&easel->view);
    char name[TRACE_TEXT], text[TRACE_TEXT + 96], brief[sizeof text];
    int row = picture.row + picture.rows, total, alive;
    if (easel->plain || !stage) {
        draw_text(pane, STYLE_DIM, row, picture.column, picture.columns, easel->plain ? _("the picture alone") : "");
        return;
    }
    view_stage_name(&easel->view, stage, name, sizeof name);
    alive = view_alive_count(&easel->view, view_stage(&easel->view), 0, &total);
    bool end = stage->kind == STAGE_ANSWER;
    snprintf(text, sizeof text, end ? _("%d of %d patches alive at the end  , .: stages  s: picture alone")
                                    : _("%d of %d patches alive after %s  , .: stages"), alive, total, name);
    snprintf(brief, sizeof brief, end ? _("%d of %d patches alive at the end") : _("%d of %d patches alive after %s"), alive,
             total, name);
    draw_fitting(pane, STYLE_DIM, row, picture.column, picture.columns, text, brief);
}

// The answer before the last change.
static void draw_before(const struct easel *easel, const struct pane *pane, int row, int column, int columns)
{
    const struct trace_answer *now = easel_answer(easel), *before = &easel->answer_before;
    if (!now) {
        draw_text(pane, STYLE_DIM, row, column, columns, easel->job ? _("asking …") : "");
        return;
    }
    if (!before->text[0])
        return;
    bool same = !strcmp(before->text, now->text);
    char text[sizeof before->text + 96], brief[sizeof text];
    snprintf(text, sizeof text, same ? _("before the last change: '%s' %.0f %%, the same answer")
                                       : _("before the last change: '%s' %.0f %%, another answer"),
             before->text, 100 * (double)before->p);
    snprintf(brief, sizeof brief, _("before the last change: '%s' %.0f %%"), before->text, 100 * (double)before->p);
    draw_fitting(pane, same ? STYLE_DIM : STYLE_WARN, row, column, columns, text, brief);
}

struct rect easel_draw(struct easel *easel, const struct pane *pane)
{
    struct rect body = easel->page->body, picture = picture_rect(easel);
    struct layout layout = *pane->layout;
    struct pane own = {pane->theme, &layout, &easel->view, easel->page, NULL};
    int column = picture.column + picture.columns + 2, columns = body.column + body.columns - column, row = body.row;
    bool roomy = body.rows >= 30;
    layout.roomy = false;
    draw_legend(easel, pane, picture);
    layout.words = (struct rect){row, column, roomy ? 5 : 3, columns};
    layout.answer = (struct rect){row + layout.words.rows, column, roomy ? 6 : 4, columns};
    layout.cost = (struct rect){layout.answer.row + layout.answer.rows + 1, column, 2, columns};
    panel_words(&own);
    panel_answer(&own);
    draw_before(easel, pane, layout.answer.row + layout.answer.rows, column, columns);
    panel_cost_of_run(&own);
    row = layout.cost.row + layout.cost.rows + roomy;
    return (struct rect){row, column, body.row + body.rows - row, columns};
}

static int overlap(int low, int high, int from, int to)
{
    int a = low > from ? low : from, b = high < to ? high : to;
    return b > a ? b - a : 0;
}

bool easel_count(const struct easel *easel, struct area area, int *alive, int *all)
{
    const struct view *view = &easel->view;
    const struct trace_picture *picture = &view->trace.pictures[0];
    int side = view->pictures[0].width, stage = view_stage(view);
    *alive = *all = 0;
    if (easel->job || stage < 0 || side <= 0)
        return false;
    for (int p = 0; p < picture->grid_rows * picture->grid_columns; p++) {
        int row = p / picture->grid_columns, column = p % picture->grid_columns;
        int x0 = column * side / picture->grid_columns, x1 = (column + 1) * side / picture->grid_columns;
        int y0 = row * side / picture->grid_rows, y1 = (row + 1) * side / picture->grid_rows;
        int covered = overlap(x0, x1, area.x, area.x + area.width) * overlap(y0, y1, area.y, area.y + area.height);
        if (4 * covered <= (x1 - x0) * (y1 - y0))
            continue;
        ++*all;
        *alive += view_alive(view, stage, 0, p + 1);
    }
    return true;
}

bool easel_hit(const struct easel *easel, int row, int column, int *x, int *y)
{
    const struct screen *screen = easel->page->screen;
    struct area area = easel->portrait.areas[0];
    int cell_width, cell_height, side = easel->view.pictures[0].width;
    if (!rect_holds(easel->image.cells, row, column) || area.width < 1 || area.height < 1)
        return false;
    image_cell_pixels(&screen->terminal, screen->graphics, &cell_width, &cell_height);
    *x = ((column - easel->image.cells.column) * cell_width + cell_width / 2 - area.x) * side / area.width;
    *y = ((row - easel->image.cells.row) * cell_height + cell_height / 2 - area.y) * side / area.height;
    return *x >= 0 && *y >= 0 && *x < side && *y < side;
}
