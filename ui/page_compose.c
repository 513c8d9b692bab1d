// Putting objects of the world on a background, and watching what the model makes of each change.
#include "ui/page_compose_state.h"
#include "ui/screen_state.h"
#include "ui/words.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { STEP = 8, FINE = 1, GROW = 4, TURN = 4 };

static void status(struct page *page, char *out, size_t size)
{
    const struct compose_page *state = page->state;
    if (state->world)
        snprintf(out, size, ngettext_(state->now.count, "%d object on %s ", "%d objects on %s "), state->now.count,
                 compose_background_name(state->now.background));
}

static int images(struct page *page, struct page_image out[PAGE_IMAGES])
{
    struct compose_page *state = page->state;
    return state->world ? easel_images(&state->easel, out) : 0;
}

static bool open(struct page *page, const void *argument, struct error *err)
{
    struct compose_page *state = page->state;
    const struct view *view = &page->screen->view;
    struct backend_job job = {.kind = JOB_WORLD};
    (void)argument;
    if (!view->has_trace)
        return error_set(err, ERROR_USAGE, "%s", _("The first run is still being computed; try again in a moment."));
    if (view->trace.picture_count != 1)
        return error_set(err, ERROR_USAGE, "%s", _("This run compares two pictures, and a scene is one: start with one picture to compose."));
    if (!easel_begin(&state->easel, page))
        return error_no_memory(err, "the scene");
    state->chosen = -1;
    state->world_job = page_start_job(page, &job);
    if (state->world_job)
        return true;
    easel_end(&state->easel);
    return error_set(err, ERROR_USAGE, "%s", _("A saved run cannot do that: there is no model behind it."));
}

static void close_page(struct page *page)
{
    struct compose_page *state = page->state;
    easel_end(&state->easel);
    world_free(state->world);
}

// The scene that the picture of the run was made from, where its description lies beside it, with the question of the run;
// or one to begin with.
static void begin(struct page *page)
{
    struct compose_page *state = page->state;
    const char *path = page->screen->view.trace.pictures[0].path;
    char description[PICTURE_FILE_PATH], question[EASEL_QUESTION];
    bool described = path && picture_file_description(path, description, NULL) && picture_file_exists(description);
    snprintf(question, sizeof question, "%s", state->easel.question);
    state->at = -1;
    if (!described || !compose_page_load(page, path)) {
        compose_page_begin(page);
        return;
    }
    easel_ask(&state->easel, question);
}

static void take_job(struct page *page, struct backend_job_news *news)
{
    struct compose_page *state = page->state;
    if (easel_take_job(&state->easel, news)) {
        if (!state->easel.job && state->world && state->truth_stale) // now that the person sees what they did
            compose_page_find_truth(state);
        return;
    }
    if (news->state == JOB_FAILED)
        page_say(page, true, "%s", news->error);
    if (news->kind != JOB_WORLD || news->state != JOB_DONE || state->world)
        return;
    state->world = news->world;
    news->world = NULL;
    begin(page);
}

static void step(struct page *page, int by)
{
    easel_step(&((struct compose_page *)page->state)->easel, by);
}

static void start_asking(struct page *page, int unused)
{
    (void)unused;
    page_prompt(page, COMPOSE_PROMPT_ASK, _("ask: "), "");
}

static void toggle_plain(struct page *page, int unused)
{
    struct compose_page *state = page->state;
    (void)unused;
    state->easel.plain = !state->easel.plain;
    page_changed(page);
}

static void move_left(struct page *page, int by) { compose_page_move(page, -by, 0); }
static void move_right(struct page *page, int by) { compose_page_move(page, by, 0); }
static void move_up(struct page *page, int by) { compose_page_move(page, 0, -by); }
static void move_down(struct page *page, int by) { compose_page_move(page, 0, by); }

static const struct {
    void (*run)(struct page *page, int value);
    int value;
} actions[ACTIONS] = {
    [ACTION_EASEL_LEFT] = {move_left, STEP},
    [ACTION_EASEL_RIGHT] = {move_right, STEP},
    [ACTION_EASEL_UP] = {move_up, STEP},
    [ACTION_EASEL_DOWN] = {move_down, STEP},
    [ACTION_EASEL_FINE_LEFT] = {move_left, FINE},
    [ACTION_EASEL_FINE_RIGHT] = {move_right, FINE},
    [ACTION_EASEL_FINE_UP] = {move_up, FINE},
    [ACTION_EASEL_FINE_DOWN] = {move_down, FINE},
    [ACTION_EASEL_UNDO] = {compose_page_history, -1},
    [ACTION_EASEL_REDO] = {compose_page_history, 1},
    [ACTION_EASEL_ASK] = {start_asking, 0},
    [ACTION_EASEL_SAVE] = {compose_page_start_saving, 0},
    [ACTION_EASEL_PLAIN] = {toggle_plain, 0},
    [ACTION_EASEL_BACK] = {step, -1},
    [ACTION_EASEL_FORTH] = {step, 1},
    [ACTION_EASEL_STEPPER] = {compose_page_step_through, 0},
    [ACTION_SCENE_ADD] = {compose_page_start_adding, 0},
    [ACTION_SCENE_NEXT] = {compose_page_choose, 1},
    [ACTION_SCENE_PREVIOUS] = {compose_page_choose, -1},
    [ACTION_SCENE_SMALLER] = {compose_page_grow, -GROW},
    [ACTION_SCENE_LARGER] = {compose_page_grow, GROW},
    [ACTION_SCENE_TURN_LEFT] = {compose_page_turn, -TURN},
    [ACTION_SCENE_TURN_RIGHT] = {compose_page_turn, TURN},
    [ACTION_SCENE_COLOR] = {compose_page_color, 1},
    [ACTION_SCENE_FRONT] = {compose_page_raise, 0},
    [ACTION_SCENE_REMOVE] = {compose_page_remove, 0},
    [ACTION_SCENE_GROUND] = {compose_page_ground, 1},
    [ACTION_SCENE_VARY] = {compose_page_vary, 1},
    [ACTION_SCENE_CLUTTER] = {compose_page_clutter, 0},
    [ACTION_SCENE_QUESTION] = {compose_page_ask_world, 0},
    [ACTION_SCENE_OPEN] = {compose_page_start_opening, 0},
};

static bool act(struct page *page, enum action action)
{
    struct compose_page *state = page->state;
    bool back = action == ACTION_ESCAPE || action == ACTION_BACK;
    if (back && state->world && state->saved != state->at && !state->leaving) {
        state->leaving = true;
        page_say(page, false, _("This scene is not saved: w saves it, once more leaves it."));
        return true;
    }
    state->leaving = false;
    if (!actions[action].run)
        return false;
    if (state->world)
        actions[action].run(page, actions[action].value);
    return true;
}

static void ask(struct compose_page *state, const char *question)
{
    easel_ask(&state->easel, question);
    state->truth_stale = true;
}

static void typed(struct page *page, int which, const char *text)
{
    struct compose_page *state = page->state;
    state->adding = false;
    if (!text[0])
        return;
    if (which == COMPOSE_PROMPT_ADD)
        compose_page_add(page, text);
    else if (which == COMPOSE_PROMPT_ASK)
        ask(state, text);
    else if (which == COMPOSE_PROMPT_SAVE)
        compose_page_save(page, text);
    else
        compose_page_load(page, text);
}

static void typing(struct page *page, int which, const char *text)
{
    if (which == COMPOSE_PROMPT_ADD)
        compose_page_search(page->state, text);
}

static void put_chosen(struct page *page, int x, int y)
{
    struct compose_page *state = page->state;
    struct compose_object *object = &state->now.objects[state->chosen];
    object->x = x;
    object->y = y;
    compose_hold(object);
    compose_page_changed(page);
}

// A click chooses the object there; where there is none, what is chosen goes there. What is held while the button is down
// goes along.
static void mouse(struct page *page, const struct page_mouse *event)
{
    struct compose_page *state = page->state;
    int x, y;
    if (!state->world)
        return;
    if (event->wheel) {
        compose_page_grow(page, event->wheel < 0 ? GROW : -GROW);
        return;
    }
    bool hit = easel_hit(&state->easel, event->row, event->column, &x, &y);
    bool dragged = event->released && state->held && (event->row != state->held_row || event->column != state->held_column);
    if (dragged && hit && state->chosen >= 0)
        put_chosen(page, state->now.objects[state->chosen].x + x - state->held_x,
                   state->now.objects[state->chosen].y + y - state->held_y);
    state->held = false;
    if (!event->pressed || !hit)
        return;
    int there = compose_at(&state->scene, x, y);
    if (there < 0 && state->chosen >= 0)
        put_chosen(page, x, y);
    if (there < 0)
        return;
    if (there != state->chosen) {
        state->chosen = there;
        compose_page_choose(page, 0);
    }
    state->held = true;
    state->held_row = event->row;
    state->held_column = event->column;
    state->held_x = x;
    state->held_y = y;
}

const struct page_kind page_compose = {
    .id = PAGE_COMPOSE,
    .size = sizeof(struct compose_page),
    .about = N_("Put a scene together from the world that the model was trained on, and ask about it: after each change the "
                "model looks again. Dimmed patches were let go of. Move one object and see which patches the question still "
                "needs; a question of the world comes with its true answer."),
    .open = open,
    .close = close_page,
    .status = status,
    .draw = compose_page_draw,
    .images = images,
    .act = act,
    .mouse = mouse,
    .drags = true,
    .typed = typed,
    .typing = typing,
    .job = take_job,
    .exports = page_exports_frame,
};
