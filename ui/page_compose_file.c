// Questions about a composed scene, and its files.
#include "ui/page_compose_state.h"
#include "ui/screen_state.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// One that the world itself would ask about this scene, and its true answer.
void compose_page_ask_world(struct page *page, int unused)
{
    struct compose_page *state = page->state;
    struct world_question question;
    (void)unused;
    if (compose_ask(state->world, &state->scene, ++state->question_seed, &question, 1) < 1) {
        page_say(page, false, _("Questions of the world need two objects that can be seen."));
        return;
    }
    easel_ask(&state->easel, question.text);
    snprintf(state->truth, sizeof state->truth, "%s", question.answer);
    state->truth_stale = false;
}

void compose_page_find_truth(struct compose_page *state)
{
    struct world_question question;
    state->truth_stale = false;
    state->truth[0] = 0;
    if (compose_find_question(state->world, &state->scene, state->easel.question, &question))
        snprintf(state->truth, sizeof state->truth, "%s", question.answer);
}

void compose_page_start_saving(struct page *page, int unused)
{
    struct compose_page *state = page->state;
    (void)unused;
    page_prompt(page, COMPOSE_PROMPT_SAVE, _("save as: "), state->path[0] ? state->path : "scene.jpg");
}

void compose_page_start_opening(struct page *page, int unused)
{
    (void)unused;
    page_prompt(page, COMPOSE_PROMPT_OPEN, _("open scene: "), "");
}

// A file that is there already is written over when its name is entered a second time.
void compose_page_save(struct page *page, const char *path)
{
    struct compose_page *state = page->state;
    struct compose_file *file = calloc(1, sizeof *file);
    struct error err = {0};
    bool again = !strcmp(state->overwrite, path) || !strcmp(state->path, path);
    state->overwrite[0] = 0;
    if (file && !again && picture_file_exists(path)) {
        snprintf(state->overwrite, sizeof state->overwrite, "%s", path);
        page_say(page, true, _("%s is there already: press w and Enter again to write over it."), path);
        page_prompt(page, COMPOSE_PROMPT_SAVE, _("save as: "), path);
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

bool compose_page_load(struct page *page, const char *path)
{
    struct compose_page *state = page->state;
    struct compose_file *file = calloc(1, sizeof *file);
    struct error err = {0};
    char description[PICTURE_FILE_PATH];
    bool ok = file ? picture_file_load_scene(state->world, path, file, &err) : error_no_memory(&err, "the scene");
    if (ok) {
        state->now = file->scene;
        state->chosen = state->now.count - 1;
        state->easel.colors++;
        if (file->question_count)
            snprintf(state->easel.question, sizeof state->easel.question, "%s", file->questions[0]);
        if (picture_file_description(path, description, NULL)) // the picture was named: it can be stepped through
            snprintf(state->path, sizeof state->path, "%s", path);
        compose_page_changed(page);
        state->saved = state->at;
    } else {
        page_say(page, true, "%s", err.text);
    }
    free(file);
    return ok;
}

// The scene goes into the stepper: as the picture that was saved last.
void compose_page_step_through(struct page *page, int unused)
{
    struct compose_page *state = page->state;
    struct screen *screen = page->screen;
    (void)unused;
    if (!state->path[0]) {
        page_say(page, false, _("Save the scene first (w): the stepper opens its file."));
        return;
    }
    screen->backend->open_picture(screen->backend->context, 0, state->path, true);
    screen->backend->ask(screen->backend->context, state->easel.question);
    screen_want_run(screen);
    page_pop(screen);
}
