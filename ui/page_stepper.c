// The stepper: one run, stage by stage. The lowest page; what it shows lives in struct screen, for all pages.
#include "ui/page.h"
#include "ui/panels.h"
#include "ui/screen_state.h"

#include "engine/base/thread.h"

#include <stdio.h>

int screen_last_stage(const struct view *view)
{
    int count = view->trace.stage_count, total = view->trace.stage_total;
    return view->has_trace ? (total > count ? total : count) - 1 : 0;
}

void screen_want_run(struct screen *screen)
{
    screen->cancelled = false;
    screen->backend->want_stage(screen->backend->context, screen_last_stage(&screen->view));
}

static void go_to(struct screen *screen, int stage)
{
    struct view *view = &screen->view;
    if (!view->has_trace) { // the first run is still on its way
        view->stage = stage < 0 ? 0 : stage;
        return;
    }
    int last = screen_last_stage(view), before = view_stage(view);
    view->stage = stage < 0 ? 0 : stage > last ? last : stage;
    if (view->stage >= view->trace.stage_count)
        screen_want_run(screen);
    if (view_stage(view) != before) {
        view_clamp(view);
        if (view->show == SHOW_ATTENTION)
            screen_want_attention(screen);
    }
}

void screen_step(struct screen *screen, int stages)
{
    go_to(screen, screen->view.stage + stages);
}

// ---- cursor
// ---------------------------------------------------------------------------------------------------

static void set_focus(struct screen *screen, enum focus focus)
{
    struct view *view = &screen->view;
    view->focus = focus;
    if (focus == FOCUS_PATCHES)
        view_find_patch(view);
    if (focus == FOCUS_WORDS)
        view_find_word(view);
    if (focus == FOCUS_HEADS && !view_first_head(view, view_stage(view), &view->head))
        view->focus = FOCUS_STAGES;
}

static void cycle_focus(struct screen *screen, int by)
{
    struct view *view = &screen->view;
    enum focus next = (enum focus)(((int)view->focus + by + FOCUS_COUNT) % FOCUS_COUNT);
    if (next == FOCUS_HEADS && !view_first_head(view, view_stage(view), &view->head))
        next = (enum focus)(((int)next + by + FOCUS_COUNT) % FOCUS_COUNT);
    set_focus(screen, next);
}

void screen_move_patch(struct view *view, int rows, int columns)
{
    view->patch_chosen = true;
    const struct trace_picture *picture = &view->trace.pictures[view->picture];
    if (picture->grid_columns <= 0)
        return;
    int row = view->patch / picture->grid_columns + rows,
        column = view->patch % picture->grid_columns + columns;
    if (column >= picture->grid_columns && view->picture + 1 < view->trace.picture_count) {
        view->picture++; // over the edge into the picture beside
        view->patch = row * view->trace.pictures[view->picture].grid_columns;
    } else if (column < 0 && view->picture > 0) {
        view->picture--;
        view->patch = (row + 1) * view->trace.pictures[view->picture].grid_columns - 1;
    } else if (row >= 0 && row < picture->grid_rows && column >= 0 && column < picture->grid_columns) {
        view->patch = row * picture->grid_columns + column;
    }
    view_clamp(view);
}

enum { GO_LEFT, GO_RIGHT, GO_UP, GO_DOWN };

static void direction(struct screen *screen, int way)
{
    struct view *view = &screen->view;
    static const int steps[4][2] = {
        [GO_LEFT] = {0, -1}, [GO_RIGHT] = {0, 1}, [GO_UP] = {-1, 0}, [GO_DOWN] = {1, 0}};
    int rows = steps[way][0], columns = steps[way][1];
    if (view->focus == FOCUS_STAGES) {
        view->playing = false;
        screen_step(screen, rows + columns);
    } else if (view->focus == FOCUS_PATCHES) {
        screen_move_patch(view, rows, columns);
    } else if (view->focus == FOCUS_WORDS) {
        view->word += rows + columns;
        view->word_chosen = true;
        view_clamp(view);
    } else {
        panel_heads_move(view, &view->head, rows, columns);
    }
    if (view->show == SHOW_ATTENTION && view->focus == screen->attention_of)
        screen_want_attention(screen);
}

// ---- mouse
// ----------------------------------------------------------------------------------------------------

static void click(struct screen *screen, int row, int column)
{
    struct view *view = &screen->view;
    struct pane pane = screen_pane(screen);
    struct scene_context context = screen_scene_context(screen);
    struct head_place head;
    int picture, patch, word, stage = panel_strip_hit(&pane, row, column);
    if (stage >= 0) {
        view->playing = false;
        go_to(screen, stage);
    } else if (scene_hit(&screen->scene, &context, row, column, &picture, &patch)) {
        view->picture = picture;
        view->patch = patch;
        view->patch_chosen = true;
        set_focus(screen, FOCUS_PATCHES);
    } else if ((word = panel_words_hit(&pane, row, column)) >= 0) {
        view->word = word;
        view->word_chosen = true;
        set_focus(screen, FOCUS_WORDS);
    } else if (panel_heads_hit(&pane, row, column, &head)) {
        view->head = head;
        set_focus(screen, FOCUS_HEADS);
    }
    if (view->show == SHOW_ATTENTION && view->focus == screen->attention_of)
        screen_want_attention(screen);
}

static void mouse(struct page *page, const struct page_mouse *event)
{
    if (event->wheel)
        screen_step(page->screen, event->wheel);
    else if (event->pressed)
        click(page->screen, event->row, event->column);
}

// ---- actions
// --------------------------------------------------------------------------------------------------

static void show(struct screen *screen, int what)
{
    if (what == SHOW_ATTENTION)
        screen_show_attention(screen);
    else
        screen->view.show = (enum show)what;
}

static void show_next(struct screen *screen, int by)
{
    int next = ((int)screen->view.show + by) % SHOW_COUNT;
    if (next == SHOW_ATTENTION && !(screen->view.abilities & BACKEND_ATTENTION))
        next = SHOW_SURVIVORS;
    show(screen, next);
}

static void toggle_play(struct screen *screen, int unused)
{
    (void)unused;
    struct view *view = &screen->view;
    view->playing = !view->playing && view->has_trace;
    if (view->playing && view->stage >= screen_last_stage(view))
        go_to(screen, 0);
    screen->play_next = clock_seconds() + 0.4;
}

// Takes one thing after the other back.
static void escape(struct screen *screen, int unused)
{
    (void)unused;
    struct view *view = &screen->view;
    if (view->focus != FOCUS_STAGES)
        view->focus = FOCUS_STAGES;
    else if (view->show != SHOW_SURVIVORS)
        view->show = SHOW_SURVIVORS;
    else if (view->playing)
        view->playing = false;
    else
        page_pop(screen); // opened above another page
}

static void go_to_last(struct screen *screen, int unused)
{
    (void)unused;
    const struct view *view = &screen->view;
    go_to(screen, view->has_trace ? screen_last_stage(view) : TRACE_STAGES); // clamped once it is known how many there are
}

// What each action runs, with a value; what is not here is the screen's (screen_keys.c).
static const struct {
    void (*run)(struct screen *screen, int value);
    int value;
} actions[ACTIONS] = {
    [ACTION_LEFT] = {direction, GO_LEFT},
    [ACTION_RIGHT] = {direction, GO_RIGHT},
    [ACTION_UP] = {direction, GO_UP},
    [ACTION_DOWN] = {direction, GO_DOWN},
    [ACTION_PREVIOUS] = {screen_step, -1},
    [ACTION_NEXT] = {screen_step, 1},
    [ACTION_FIRST] = {go_to, 0},
    [ACTION_LAST] = {go_to_last, 0},
    [ACTION_PLAY] = {toggle_play, 0},
    [ACTION_FOCUS_NEXT] = {cycle_focus, 1},
    [ACTION_FOCUS_PREVIOUS] = {cycle_focus, -1},
    [ACTION_SHOW_NEXT] = {show_next, 1},
    [ACTION_SHOW_SURVIVORS] = {show, SHOW_SURVIVORS},
    [ACTION_SHOW_SELF] = {show, SHOW_SELF},
    [ACTION_SHOW_CROSS] = {show, SHOW_CROSS},
    [ACTION_SHOW_TOTAL] = {show, SHOW_TOTAL},
    [ACTION_SHOW_ATTENTION] = {show, SHOW_ATTENTION},
    [ACTION_CHOOSE] = {show, SHOW_ATTENTION},
    [ACTION_ESCAPE] = {escape, 0},
};

static bool act(struct page *page, enum action action)
{
    if (actions[action].run)
        actions[action].run(page->screen, actions[action].value);
    return actions[action].run;
}

static double tick(struct page *page, double now)
{
    struct screen *screen = page->screen;
    struct view *view = &screen->view;
    if (view_awaits(view))
        return now + 0.5;
    if (view->awaited.awaited) { // it never came
        view_await(view, NULL);
        page_changed(page);
    }
    if (!view->playing)
        return 0;
    if (now < screen->play_next)
        return screen->play_next;
    if (view->stage >= screen_last_stage(view))
        view->playing = false;
    else
        screen_step(screen, 1);
    screen->play_next = now + screen->play_seconds;
    page_changed(page);
    return view->playing ? screen->play_next : 0;
}

// ---- what is seen
// ---------------------------------------------------------------------------------------------

static void status(struct page *page, char *out, size_t size)
{
    const struct view *view = &page->screen->view;
    const struct stage *stage = view_stage_at(view);
    char name[TRACE_TEXT];
    if (!stage || view_awaits(view))
        return;
    view_stage_name(view, stage, name, sizeof name);
    snprintf(out, size, view->playing ? _("playing  %s  stage %d of %d ") : _(" %s  stage %d of %d "), name,
             view_stage(view) + 1, screen_last_stage(view) + 1);
}

static void draw(struct page *page, const struct pane *pane)
{
    if (view_awaits(pane->view)) { // what there is is of another run
        draw_format(pane, STYLE_TEXT, page->body.row + 1, page->body.column, page->body.columns, _("asking: %s"),
                    pane->view->awaited.wish.question);
        return;
    }
    panel_legend(pane, page->screen->graphics);
    panel_words(pane);
    panel_heads(pane);
    panel_cost(pane);
    panel_answer(pane);
    panel_inspect(pane);
    panel_story(pane);
    panel_strip(pane);
}

static int images(struct page *page, struct page_image out[PAGE_IMAGES])
{
    struct scene *scene = &page->screen->scene;
    struct scene_context context = screen_scene_context(page->screen);
    if (view_awaits(context.view))
        return 0;
    if (!scene_update(scene, &context))
        return -1;
    if (view_stage(context.view) < 0 || context.view->trace.picture_count == 0)
        return 0;
    out[0] = (struct page_image){&scene->main, &scene->colors.palette, scene->colors.serial};
    out[1] = (struct page_image){&scene->strip, &scene->colors.palette, scene->colors.serial};
    return 2;
}

static void news(struct page *page)
{
    if (page->screen->view.show == SHOW_ATTENTION)
        screen_want_attention(page->screen);
}

static enum key_hint hints(struct page *page)
{
    return page->screen->view.focus == FOCUS_STAGES ? HINT_STAGES : HINT_CURSOR;
}

static struct rect popup(struct page *page)
{
    return popup_rect(&page->screen->layout);
}

static const char about[] = N_(
    "The model reads the question, then looks at the picture patch by patch. "
    "Layer by layer it lets go of patches, words "
    "and heads that do not matter for this question: dimmed patches, struck "
    "words and hollow cells are no longer "
    "computed. Scores say why: self is what matters within its own modality, "
    "cross what matters to the other; a token "
    "stays while their sum reaches the threshold. The answer before the last stage "
    "is a lens: the answer head was not "
    "trained to read there. The colours of a score, and the bars below the words, go from the least to the greatest "
    "among what is alive in the stage shown, so that two stages cannot be compared by them; the cursor tells the numbers. "
    "Where there is little room fusion 3 is fus3 or f3, and what is read in before the first layer txt0 and img0. "
    "Milliseconds are measured as a stage is computed: on a busy machine they jump, FLOPs do not.");

const struct page_kind page_stepper = {
    .id = PAGE_STEPPER,
    .about = about,
    .status = status,
    .draw = draw,
    .images = images,
    .act = act,
    .mouse = mouse,
    .tick = tick,
    .news = news,
    .hints = hints,
    .popup = popup,
};
