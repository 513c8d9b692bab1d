#define _GNU_SOURCE // strcasestr
// Adding an object of the world by its name.
#include "ui/page_compose_state.h"
#include "ui/screen_state.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

// Kinds whose name begins with this, then those that have it inside; in the colour whose name begins with the first
// characters of `typed`.
static void search_for(struct compose_page *state, const char *name, const char *typed, size_t color_length)
{
    size_t length = strlen(name);
    int colors[WORLD_TEXT];
    state->found_count = 0;
    for (int pass = 0; pass < 2; pass++)
        for (int k = 0; k < world_kind_count(state->world) && state->found_count < COMPOSE_FOUND; k++) {
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
void compose_page_search(struct compose_page *state, const char *typed)
{
    const char *space = strrchr(typed, ' ');
    search_for(state, space ? space + 1 : typed, typed, space ? (size_t)(space - typed) : 0);
    if (state->found_count == 0 && !space)
        search_for(state, "", typed, strlen(typed));
}

void compose_page_add(struct page *page, const char *typed)
{
    struct compose_page *state = page->state;
    compose_page_search(state, typed);
    if (state->found_count == 0) {
        page_say(page, true, _("The world has no \"%s\"."), typed);
        return;
    }
    struct compose_object object = {state->found[0], state->found_colors[0], WORLD_SIDE / 2, WORLD_SIDE / 2, COMPOSE_NEW_SIZE, 0};
    if (!compose_add(&state->now, &object)) {
        page_say(page, false, _("A scene holds at most %d objects."), WORLD_OBJECTS);
        return;
    }
    state->chosen = state->now.count - 1;
    state->easel.colors++;
    compose_page_changed(page);
}

void compose_page_start_adding(struct page *page, int unused)
{
    struct compose_page *state = page->state;
    (void)unused;
    state->adding = true;
    compose_page_search(state, "");
    page_prompt(page, COMPOSE_PROMPT_ADD, _("object: "), "");
}
