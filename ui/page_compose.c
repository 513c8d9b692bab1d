#define _GNU_SOURCE // strcasestr
// Putting objects of the world on a background, and watching what the model makes of each change.
#include "ui/easel.h"
#include "ui/screen_state.h"

#include "engine/world/picture_file.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { UNDO = 200, STEP = 8, FINE = 1, GROW = 4, TURN = 4, NEW_SIZE = 48, FOUND = 12 };
enum { PROMPT_ADD, PROMPT_ASK, PROMPT_SAVE, PROMPT_OPEN };

struct compose_page {
    struct easel easel;
    struct world *world; // NULL: still being opened
    int world_job;
    struct compose now;
    struct compose history[UNDO]; // history[at] is `now`; beyond it what can be redone
    int at, last;
    int chosen; // object, -1: none
    struct world_scene scene;
    unsigned char ground[sizeof((struct world_scene *)0)->pixels];
    struct compose ground_of; // what the ground was drawn for
    bool has_ground;
    // Objects whose name fits what is typed.
    int found[FOUND], found_colors[FOUND], found_count;
    bool adding;
    int question_seed;
    char truth[WORLD_ANSWER], truth_of[EASEL_QUESTION]; // the true answer of a question of the world
    int saved;    // place in the history, -1: none of it
    bool leaving; // the person wants to leave what has not been saved
    char path[PICTURE_FILE_PATH], overwrite[PICTURE_FILE_PATH];
};

// ---- the scene
// ------------------------------------------------------------------------------------------------

static bool same_ground(const struct compose *a, const struct compose *b)
{
    return a->background == b->background && a->seed == b->seed && a->clutter == b->clutter;
}

static void redraw(struct page *page)
{
    struct compose_page *state = page->state;
    struct easel *easel = &state->easel;
    if (!state->has_ground || !same_ground(&state->now, &state->ground_of)) {
        compose_draw_ground(&state->now, state->ground);
        state->ground_of = state->now;
        state->has_ground = true;
        easel->colors++;
    }
    compose_draw_objects(state->world, &state->now, state->ground, &state->scene);
    state->chosen = state->chosen < state->now.count ? state->chosen : state->now.count - 1;
    easel->frame = (struct area){0};
    if (state->chosen >= 0) {
        struct world_box box = state->scene.objects[state->chosen].box;
        if (box.x0 < box.x1)
            easel->frame = (struct area){box.x0, box.y0, box.x1 - box.x0, box.y1 - box.y0};
    }
    if (!easel_show(easel, state->scene.pixels, WORLD_SIDE))
        page_say(page, true, _("There is no memory to draw the picture."));
}

// Notes the scene as it is now for undo, and shows it.
static void changed(struct page *page)
{
    struct compose_page *state = page->state;
    if (state->at == UNDO - 1)
        memmove(state->history, state->history + 1, (UNDO - 1) * sizeof *state->history);
    else
        state->at++;
    if (state->saved >= state->at || state->at == UNDO - 1)
        state->saved = -1;
    state->history[state->at] = state->now;
    state->last = state->at;
    state->truth[0] = 0; // what was true may no longer be
    redraw(page);
}

static void go_in_history(struct page *page, int by)
{
    struct compose_page *state = page->state;
    int at = state->at + by;
    if (at < 0 || at > state->last) {
        page_say(page, false, by < 0 ? _("There is nothing to undo.") : _("There is nothing to redo."));
        return;
    }
    if (state->history[at].count != state->now.count)
        state->easel.colors++;
    state->at = at;
    state->now = state->history[at];
    state->truth[0] = 0;
    redraw(page);
}

static int kind_named(const struct world *world, const char *name)
{
    for (int i = 0; i < world_kind_count(world); i++)
        if (!strcmp(world_kind_name(world, i), name))
            return i;
    return 0;
}

// What the page starts with: three objects that the first question is about.
static void begin_scene(struct page *page)
{
    struct compose_page *state = page->state;
    static const struct {
        const char *kind;
        int x, y, size;
    } things[] = {{"heart", 60, 122, 46}, {"airplane", 60, 58, 58}, {"boat", 142, 128, 50}};
    int colors[WORLD_TEXT];
    state->now = (struct compose){.background = 1, .seed = 3};
    for (size_t i = 0; i < sizeof things / sizeof *things; i++) {
        int kind = kind_named(state->world, things[i].kind), count = compose_colors(state->world, kind, colors);
        struct compose_object object = {kind, count ? colors[0] : -1, things[i].x, things[i].y, things[i].size, 0};
        compose_add(&state->now, &object);
    }
    snprintf(state->easel.question, sizeof state->easel.question, "what is over the heart?");
    state->chosen = 0;
    state->at = -1;
    changed(page);
    state->saved = state->at; // nothing of one's own would be lost
}

// ---- changes
// --------------------------------------------------------------------------------------------------

static struct compose_object *chosen_object(struct page *page)
{
    struct compose_page *state = page->state;
    if (state->chosen >= 0)
        return &state->now.objects[state->chosen];
    page_say(page, false, _("No object is chosen: add one with n."));
    return NULL;
}

static void move_by(struct page *page, int dx, int dy)
{
    struct compose_object *object = chosen_object(page);
    if (!object)
        return;
    object->x += dx;
    object->y += dy;
    compose_hold(object);
    changed(page);
}

static void grow_by(struct page *page, int by)
{
    struct compose_object *object = chosen_object(page);
    if (!object)
        return;
    object->size += by;
    compose_hold(object);
    changed(page);
}

static void turn_by(struct page *page, int by)
{
    struct compose_object *object = chosen_object(page);
    if (!object)
        return;
    object->turn += by;
    compose_hold(object);
    changed(page);
}

static void choose(struct page *page, int by)
{
    struct compose_page *state = page->state;
    if (state->now.count == 0)
        return;
    state->chosen = (state->chosen + by + state->now.count) % state->now.count;
    struct world_box box = state->scene.objects[state->chosen].box;
    state->easel.frame = box.x0 < box.x1 ? (struct area){box.x0, box.y0, box.x1 - box.x0, box.y1 - box.y0}
                                         : (struct area){0};
    page_changed(page);
}

static void raise_chosen(struct page *page, int unused)
{
    struct compose_page *state = page->state;
    (void)unused;
    if (!chosen_object(page) || !compose_raise(&state->now, state->chosen))
        return;
    state->chosen = state->now.count - 1;
    changed(page);
}

static void remove_chosen(struct page *page, int unused)
{
    struct compose_page *state = page->state;
    (void)unused;
    if (chosen_object(page) && compose_remove(&state->now, state->chosen))
        changed(page);
}

static void next_color(struct page *page, int by)
{
    struct compose_page *state = page->state;
    struct compose_object *object = chosen_object(page);
    int colors[WORLD_TEXT], at = 0;
    if (!object)
        return;
    int count = compose_colors(state->world, object->kind, colors);
    if (count < 2) {
        page_say(page, false, _("There is only one %s to choose from."), world_kind_name(state->world, object->kind));
        return;
    }
    while (colors[at] != object->color)
        at++;
    object->color = colors[(at + by + count) % count];
    state->easel.colors++;
    changed(page);
}

static void next_background(struct page *page, int by)
{
    struct compose_page *state = page->state;
    (void)by;
    state->now.background++;
    if (!compose_background_name(state->now.background))
        state->now.background = 0;
    changed(page);
}

static void vary_background(struct page *page, int by)
{
    struct compose_page *state = page->state;
    state->now.seed = (state->now.seed + by) % COMPOSE_SEEDS;
    changed(page);
}

static void strew(struct page *page, int unused)
{
    struct compose_page *state = page->state;
    (void)unused;
    state->now.clutter = !state->now.clutter;
    changed(page);
}

// ---- adding an object by its name
// ------------------------------------------------------------------------------

// Kinds whose name begins with this, then those that have it inside; in the colour whose name begins with the first
// characters of `typed`.
static void search_for(struct compose_page *state, const char *name, const char *typed, size_t color_length)
{
    size_t length = strlen(name);
    int colors[WORLD_TEXT];
    state->found_count = 0;
    for (int pass = 0; pass < 2; pass++)
        for (int k = 0; k < world_kind_count(state->world) && state->found_count < FOUND; k++) {
            const char *kind = world_kind_name(state->world, k);
            bool begins = strncasecmp(kind, name, length) == 0;
            if (pass == 0 ? !begins : begins || !strcasestr(kind, name))
                continue;
            int count = compose_colors(state->world, k, colors), color = count ? colors[0] : -1;
            bool fits = color_length == 0;
            for (int c = 0; c < count && !fits; c++)
                if (strncasecmp(world_color_name(state->world, colors[c]), typed, color_length) == 0) {
                    color = colors[c];
                    fits = true;
                }
            if (!fits)
                continue;
            state->found[state->found_count] = k;
            state->found_colors[state->found_count++] = color;
        }
}

// "heart", "red heart", "hea"; or "red" alone, where no kind is called so.
static void search(struct compose_page *state, const char *typed)
{
    const char *space = strrchr(typed, ' ');
    search_for(state, space ? space + 1 : typed, typed, space ? (size_t)(space - typed) : 0);
    if (state->found_count == 0 && !space)
        search_for(state, "", typed, strlen(typed));
}

static void add_found(struct page *page, const char *typed)
{
    struct compose_page *state = page->state;
    search(state, typed);
    if (state->found_count == 0) {
        page_say(page, true, _("The world has no \"%s\"."), typed);
        return;
    }
    struct compose_object object = {state->found[0], state->found_colors[0], WORLD_SIDE / 2, WORLD_SIDE / 2, NEW_SIZE, 0};
    if (!compose_add(&state->now, &object)) {
        page_say(page, false, _("A scene holds at most %d objects."), WORLD_OBJECTS);
        return;
    }
    state->chosen = state->now.count - 1;
    state->easel.colors++;
    changed(page);
}

static void start_adding(struct page *page, int unused)
{
    struct compose_page *state = page->state;
    (void)unused;
    state->adding = true;
    search(state, "");
    page_prompt(page, PROMPT_ADD, _("object: "), "");
}

// ---- questions
// ------------------------------------------------------------------------------------------------

// One that the world itself would ask about this scene, and its true answer.
static void ask_of_world(struct page *page, int unused)
{
    struct compose_page *state = page->state;
    struct world_question question;
    (void)unused;
    if (compose_ask(state->world, &state->scene, ++state->question_seed, &question, 1) < 1) {
        page_say(page, false, _("Questions of the world need two objects that can be seen."));
        return;
    }
    snprintf(state->truth, sizeof state->truth, "%s", question.answer);
    snprintf(state->truth_of, sizeof state->truth_of, "%s", question.text);
    easel_ask(&state->easel, question.text);
}

static void start_asking(struct page *page, int unused)
{
    (void)unused;
    page_prompt(page, PROMPT_ASK, _("ask: "), "");
}

// ---- files
// ----------------------------------------------------------------------------------------------------

static void start_saving(struct page *page, int unused)
{
    struct compose_page *state = page->state;
    (void)unused;
    page_prompt(page, PROMPT_SAVE, _("save as: "), state->path[0] ? state->path : "scene.jpg");
}

static void start_opening(struct page *page, int unused)
{
    (void)unused;
    page_prompt(page, PROMPT_OPEN, _("open scene: "), "");
}

// A file that is there already is written over when its name is entered a second time.
static void save(struct page *page, const char *path)
{
    struct compose_page *state = page->state;
    struct compose_file *file = calloc(1, sizeof *file);
    struct error err = {0};
    bool again = !strcmp(state->overwrite, path) || !strcmp(state->path, path);
    state->overwrite[0] = 0;
    if (file && !again && picture_file_exists(path)) {
        snprintf(state->overwrite, sizeof state->overwrite, "%s", path);
        page_say(page, true, _("%s is there already: press w and Enter again to write over it."), path);
        page_prompt(page, PROMPT_SAVE, _("save as: "), path);
        free(file);
        return;
    }
    bool ok = file || error_no_memory(&err, "the scene");
    if (ok) {
        file->scene = state->now;
        snprintf(file->questions[0], sizeof file->questions[0], "%s", state->easel.question);
        file->question_count = state->easel.question[0] != 0;
        ok = picture_file_save_scene(state->world, file, path, &err);
    }
    if (ok)
        state->saved = state->at;
    if (ok)
        snprintf(state->path, sizeof state->path, "%s", path);
    page_say(page, !ok, ok ? _("Saved %s and its description beside it.") : "%s", ok ? path : err.text);
    free(file);
}

static void load(struct page *page, const char *path)
{
    struct compose_page *state = page->state;
    struct compose_file *file = calloc(1, sizeof *file);
    struct error err = {0};
    bool ok = file ? picture_file_load_scene(state->world, path, file, &err) : error_no_memory(&err, "the scene");
    if (ok) {
        state->now = file->scene;
        state->chosen = state->now.count - 1;
        state->easel.colors++;
        if (file->question_count)
            snprintf(state->easel.question, sizeof state->easel.question, "%s", file->questions[0]);
        changed(page);
        state->saved = state->at;
    } else {
        page_say(page, true, "%s", err.text);
    }
    free(file);
}

// The scene goes into the stepper: as the picture that was saved last.
static void step_through(struct page *page, int unused)
{
    struct compose_page *state = page->state;
    struct screen *screen = page->screen;
    (void)unused;
    if (!state->path[0]) {
        page_say(page, false, _("Save the scene first (w): the stepper opens its file."));
        return;
    }
    screen->backend->open_picture(screen->backend->context, 0, state->path);
    screen->backend->ask(screen->backend->context, state->easel.question);
    screen_want_run(screen);
    page_pop(screen);
}

// ---- what is seen
// ---------------------------------------------------------------------------------------------

static void status(struct page *page, char *out, size_t size)
{
    const struct compose_page *state = page->state;
    if (state->world)
        snprintf(out, size, ngettext_(state->now.count, "%d object on %s ", "%d objects on %s "), state->now.count,
                 compose_background_name(state->now.background));
}

static void object_name(const struct compose_page *state, int kind, int color, char *out, size_t size)
{
    snprintf(out, size, "%s%s%s", color >= 0 ? world_color_name(state->world, color) : "", color >= 0 ? " " : "",
             world_kind_name(state->world, kind));
}

static void draw_found(const struct compose_page *state, const struct pane *pane, struct rect rect)
{
    draw_title(pane, rect, _("ADD"), state->found_count ? _("Enter takes the first") : NULL, true);
    if (state->found_count == 0)
        draw_text(pane, STYLE_DIM, rect.row + 1, rect.column, rect.columns, _("the world has nothing of this name"));
    for (int i = 0; i < state->found_count && i + 1 < rect.rows; i++) {
        char name[64];
        object_name(state, state->found[i], state->found_colors[i], name, sizeof name);
        draw_text(pane, i == 0 ? STYLE_SELECTED : STYLE_TEXT, rect.row + 1 + i, rect.column, rect.columns, name);
    }
}

static void draw_objects(const struct compose_page *state, const struct pane *pane, struct rect rect)
{
    int rows = rect.rows - 1, first = state->chosen >= rows && rows > 0 ? state->chosen - rows + 1 : 0;
    draw_title(pane, rect, _("OBJECTS"), rect.columns >= 50 ? _("back to front") : NULL, false);
    for (int i = first; i < state->now.count && i - first < rows; i++) {
        const struct compose_object *o = &state->now.objects[i];
        char name[64];
        bool seen = state->scene.objects[i].box.x0 < state->scene.objects[i].box.x1;
        object_name(state, o->kind, o->color, name, sizeof name);
        draw_format(pane, i == state->chosen ? STYLE_CURSOR : seen ? STYLE_TEXT : STYLE_DEAD, rect.row + 1 + i - first,
                    rect.column, rect.columns, seen ? _("%-18s %3d, %3d  size %2d") : _("%-18s %3d, %3d  hidden"), name, o->x,
                    o->y, o->size);
    }
}

static void draw_truth(const struct compose_page *state, const struct pane *pane, struct rect rect)
{
    const struct trace_answer *answer = easel_answer(&state->easel);
    if (!state->truth[0] || !answer || strcmp(state->truth_of, state->easel.question) != 0)
        return;
    bool right = !strcmp(answer->text, state->truth);
    draw_format(pane, right ? STYLE_ALIVE : STYLE_WARN, rect.row, rect.column, rect.columns,
                right ? _("true answer: '%s', the model is right") : _("true answer: '%s', the model is wrong"), state->truth);
}

static void draw(struct page *page, const struct pane *pane)
{
    struct compose_page *state = page->state;
    if (!state->world) {
        draw_text(pane, STYLE_DIM, page->body.row, page->body.column, page->body.columns, _("opening the world …"));
        return;
    }
    struct rect rest = easel_draw(&state->easel, pane);
    draw_truth(state, pane, rest);
    rest.row++;
    rest.rows--;
    if (state->adding && page->screen->prompt.kind == PROMPT_PAGE)
        draw_found(state, pane, rest);
    else
        draw_objects(state, pane, rest);
}

static int images(struct page *page, struct page_image out[PAGE_IMAGES])
{
    struct compose_page *state = page->state;
    return state->world ? easel_images(&state->easel, out) : 0;
}

// ---- life and keys
// --------------------------------------------------------------------------------------------

static bool open(struct page *page, const void *argument, struct error *err)
{
    struct compose_page *state = page->state;
    const struct view *view = &page->screen->view;
    struct backend_job job = {.kind = JOB_WORLD};
    (void)argument;
    if (!view->has_trace)
        return error_set(err, ERROR_USAGE, "%s", _("The first run is still being computed; try again in a moment."));
    if (view->trace.picture_count != 1)
        return error_set(err, ERROR_USAGE, "%s", _("This model compares two pictures; composing needs one that looks at one."));
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

static void take_job(struct page *page, struct backend_job_news *news)
{
    struct compose_page *state = page->state;
    if (easel_take_job(&state->easel, news))
        return;
    if (news->state == JOB_FAILED)
        page_say(page, true, "%s", news->error);
    if (news->kind != JOB_WORLD || news->state != JOB_DONE || state->world)
        return;
    state->world = news->world;
    news->world = NULL;
    begin_scene(page);
}

static void step(struct page *page, int by)
{
    easel_step(&((struct compose_page *)page->state)->easel, by);
}

static void toggle_plain(struct page *page, int unused)
{
    struct compose_page *state = page->state;
    (void)unused;
    state->easel.plain = !state->easel.plain;
    page_changed(page);
}

static void move_left(struct page *page, int by) { move_by(page, -by, 0); }
static void move_right(struct page *page, int by) { move_by(page, by, 0); }
static void move_up(struct page *page, int by) { move_by(page, 0, -by); }
static void move_down(struct page *page, int by) { move_by(page, 0, by); }

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
    [ACTION_EASEL_UNDO] = {go_in_history, -1},
    [ACTION_EASEL_REDO] = {go_in_history, 1},
    [ACTION_EASEL_ASK] = {start_asking, 0},
    [ACTION_EASEL_SAVE] = {start_saving, 0},
    [ACTION_EASEL_PLAIN] = {toggle_plain, 0},
    [ACTION_EASEL_BACK] = {step, -1},
    [ACTION_EASEL_FORTH] = {step, 1},
    [ACTION_EASEL_STEPPER] = {step_through, 0},
    [ACTION_SCENE_ADD] = {start_adding, 0},
    [ACTION_SCENE_NEXT] = {choose, 1},
    [ACTION_SCENE_PREVIOUS] = {choose, -1},
    [ACTION_SCENE_SMALLER] = {grow_by, -GROW},
    [ACTION_SCENE_LARGER] = {grow_by, GROW},
    [ACTION_SCENE_TURN_LEFT] = {turn_by, -TURN},
    [ACTION_SCENE_TURN_RIGHT] = {turn_by, TURN},
    [ACTION_SCENE_COLOR] = {next_color, 1},
    [ACTION_SCENE_FRONT] = {raise_chosen, 0},
    [ACTION_SCENE_REMOVE] = {remove_chosen, 0},
    [ACTION_SCENE_GROUND] = {next_background, 1},
    [ACTION_SCENE_VARY] = {vary_background, 1},
    [ACTION_SCENE_CLUTTER] = {strew, 0},
    [ACTION_SCENE_QUESTION] = {ask_of_world, 0},
    [ACTION_SCENE_OPEN] = {start_opening, 0},
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

static void typed(struct page *page, int which, const char *text)
{
    struct compose_page *state = page->state;
    state->adding = false;
    if (!text[0])
        return;
    if (which == PROMPT_ADD)
        add_found(page, text);
    else if (which == PROMPT_ASK)
        easel_ask(&state->easel, text);
    else if (which == PROMPT_SAVE)
        save(page, text);
    else
        load(page, text);
}

static void typing(struct page *page, int which, const char *text)
{
    if (which == PROMPT_ADD)
        search(page->state, text);
}

// A click chooses the object there; where there is none, what is chosen goes there.
static void mouse(struct page *page, const struct page_mouse *event)
{
    struct compose_page *state = page->state;
    int x, y;
    if (!state->world)
        return;
    if (event->wheel) {
        grow_by(page, event->wheel < 0 ? GROW : -GROW);
        return;
    }
    if (!event->pressed || !easel_hit(&state->easel, event->row, event->column, &x, &y))
        return;
    int there = compose_at(&state->scene, x, y);
    if (there >= 0 && there != state->chosen) {
        state->chosen = there;
        choose(page, 0);
    } else if (state->chosen >= 0) {
        struct compose_object *object = &state->now.objects[state->chosen];
        object->x = x;
        object->y = y;
        changed(page);
    }
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
    .draw = draw,
    .images = images,
    .act = act,
    .mouse = mouse,
    .typed = typed,
    .typing = typing,
    .job = take_job,
    .exports = page_exports_frame,
};
