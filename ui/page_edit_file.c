// Questions about an edited copy, and its file.
#include "ui/page_edit_state.h"
#include "ui/screen_state.h"

#include "engine/base/file.h"
#include "engine/run/command_text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void edit_page_look_at_original(struct page *page)
{
    struct edit_page *state = page->state;
    struct backend_job job = {.kind = JOB_LOOK, .look = {state->original, state->easel.question}};
    page_cancel_job(page, state->original_job);
    state->original_answer.text[0] = 0;
    state->original_job = page_start_job(page, &job);
}

void edit_page_start_saving(struct page *page, int unused)
{
    struct edit_page *state = page->state;
    const struct view *view = &page->screen->view;
    // A bundled picture's copy goes into the current folder.
    const char *path = view->trace.pictures[0].path ? view_short_path(view, view->trace.pictures[0].path) : NULL;
    char name[PICTURE_FILE_PATH];
    (void)unused;
    if (state->count == 0) {
        page_say(page, false, _("Nothing has been changed yet."));
        return;
    }
    const char *dot = path ? strrchr(path, '.') : NULL, *slash = path ? strrchr(path, '/') : NULL;
    int length = !path ? 0 : dot && (!slash || dot > slash) ? (int)(dot - path) : (int)strlen(path);
    // PNG: a JPEG's loss could move the answer that stands on the page.
    snprintf(name, sizeof name, "%.*s-changed.png", length, path ? path : "");
    page_prompt(page, EDIT_PROMPT_SAVE, _("save the copy as: "), name);
}

// From pixels of the screen's square to those of the file, which may be larger and not square.
static void changes_of_file(const struct edit_page *state, const struct trace_picture *picture, struct edit *out)
{
    int least = picture->width < picture->height ? picture->width : picture->height;
    for (int i = 0; i < state->count; i++) {
        out[i] = edit_scale(&state->edits[i], (double)least / state->original.width);
        out[i].x += (picture->width - least) / 2;
        out[i].y += (picture->height - least) / 2;
    }
}

void edit_page_save(struct page *page, const char *path)
{
    struct edit_page *state = page->state;
    const struct trace_picture *picture = &page->screen->view.trace.pictures[0];
    struct edit edits[PICTURE_FILE_EDITS];
    struct error err = {0};
    bool again = !strcmp(state->overwrite, path);
    state->overwrite[0] = 0;
    if (!again && picture_file_exists(path) && !file_same(path, picture->path)) {
        snprintf(state->overwrite, sizeof state->overwrite, "%s", path);
        page_prompt(page, EDIT_PROMPT_SAVE, _("save the copy as: "), path);
        page_say(page, true, _("%s is there already: Enter once more writes over it."), path);
        return;
    }
    changes_of_file(state, picture, edits);
    bool ok = picture_file_edit(picture->path, edits, state->count, path, &err);
    if (ok) {
        state->saved = state->count;
        snprintf(state->path, sizeof state->path, "%s", path);
    }
    page_say(page, !ok, ok ? _("Saved the changed copy as %s; Enter steps through it.") : "%s", ok ? path : err.text);
}

void edit_page_step_through(struct page *page)
{
    struct edit_page *state = page->state;
    struct screen *screen = page->screen;
    if (!state->path[0] || state->saved != state->count) {
        page_say(page, false, _("Save the copy first (w): the stepper opens its file."));
        return;
    }
    screen->backend->open_picture(screen->backend->context, 0, state->path, true);
    screen->backend->ask(screen->backend->context, state->easel.question);
    screen_want_run(screen);
    page_pop(screen);
}

char *edit_page_command(struct page *page)
{
    const struct edit_page *state = page->state;
    const struct view *view = &page->screen->view;
    struct trace named = view_with_short_paths(view, &view->trace);
    struct edit edits[PICTURE_FILE_EDITS];
    if (state->count == 0 || !named.pictures[0].path)
        return NULL;
    changes_of_file(state, &view->trace.pictures[0], edits);
    return command_of_edit(&named, state->path[0] ? state->path : "copy.png", edits, state->count, state->easel.question,
                           view->model);
}
