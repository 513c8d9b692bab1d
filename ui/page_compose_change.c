// Changes to a composed scene, each with its undo.
#include "ui/page_compose_state.h"
#include "ui/screen_state.h"

#include <stdio.h>
#include <string.h>

static bool same_ground(const struct compose *a, const struct compose *b)
{
    return a->background == b->background && a->seed == b->seed && a->clutter == b->clutter;
}

void compose_page_redraw(struct page *page)
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
void compose_page_changed(struct page *page)
{
    struct compose_page *state = page->state;
    if (state->at == COMPOSE_UNDO - 1)
        memmove(state->history, state->history + 1, (COMPOSE_UNDO - 1) * sizeof *state->history);
    else
        state->at++;
    if (state->saved >= state->at || state->at == COMPOSE_UNDO - 1)
        state->saved = -1;
    state->history[state->at] = state->now;
    state->last = state->at;
    state->truth_stale = true; // what was true may no longer be
    compose_page_redraw(page);
}

void compose_page_history(struct page *page, int by)
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
    state->truth_stale = true;
    compose_page_redraw(page);
}

static int kind_named(const struct world *world, const char *name)
{
    for (int i = 0; i < world_kind_count(world); i++)
        if (!strcmp(world_kind_name(world, i), name))
            return i;
    return 0;
}

// What the page starts with: three objects that the first question is about.
void compose_page_begin(struct page *page)
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
    compose_page_changed(page);
    state->saved = state->at; // nothing of one's own would be lost
}

static struct compose_object *chosen_object(struct page *page)
{
    struct compose_page *state = page->state;
    if (state->chosen >= 0)
        return &state->now.objects[state->chosen];
    page_say(page, false, _("No object is chosen: add one with n."));
    return NULL;
}

void compose_page_move(struct page *page, int dx, int dy)
{
    struct compose_object *object = chosen_object(page);
    if (!object)
        return;
    object->x += dx;
    object->y += dy;
    compose_hold(object);
    compose_page_changed(page);
}

void compose_page_grow(struct page *page, int by)
{
    struct compose_object *object = chosen_object(page);
    if (!object)
        return;
    object->size += by;
    compose_hold(object);
    compose_page_changed(page);
}

void compose_page_turn(struct page *page, int by)
{
    struct compose_object *object = chosen_object(page);
    if (!object)
        return;
    object->turn += by;
    compose_hold(object);
    compose_page_changed(page);
}

void compose_page_choose(struct page *page, int by)
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

void compose_page_raise(struct page *page, int unused)
{
    struct compose_page *state = page->state;
    (void)unused;
    if (!chosen_object(page) || !compose_raise(&state->now, state->chosen))
        return;
    state->chosen = state->now.count - 1;
    compose_page_changed(page);
}

void compose_page_remove(struct page *page, int unused)
{
    struct compose_page *state = page->state;
    (void)unused;
    if (chosen_object(page) && compose_remove(&state->now, state->chosen))
        compose_page_changed(page);
}

void compose_page_color(struct page *page, int by)
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
    compose_page_changed(page);
}

void compose_page_ground(struct page *page, int by)
{
    struct compose_page *state = page->state;
    (void)by;
    state->now.background++;
    if (!compose_background_name(state->now.background))
        state->now.background = 0;
    compose_page_changed(page);
}

void compose_page_vary(struct page *page, int by)
{
    struct compose_page *state = page->state;
    state->now.seed = (state->now.seed + by) % COMPOSE_SEEDS;
    compose_page_changed(page);
}

void compose_page_clutter(struct page *page, int unused)
{
    struct compose_page *state = page->state;
    (void)unused;
    state->now.clutter = !state->now.clutter;
    compose_page_changed(page);
}
