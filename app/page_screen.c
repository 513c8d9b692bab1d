#include "app/page_screen.h"

#include "app/assets.h"
#include "app/scenes.h"
#include "app/session.h"

bool page_screen_run(const struct page_screen *settings, struct error *err)
{
    struct screen_options options;
    struct scene_choice choice;
    char bundled[ASSETS_PATH];
    if (!screen_settings_apply(settings->screen, &options, err) || !scenes_choose(&choice, NULL, 0, err))
        return false;
    if (!settings->model && !assets_model(bundled, err))
        return false;
    options.page = settings->page;
    options.page_argument = settings->page_request;
    options.outlives_signals = settings->outlives_signals;
    const struct session_options session_options = {.model = settings->model ? settings->model : bundled,
                                                    .pictures = {choice.picture},
                                                    .question = choice.question,
                                                    .policy = settings->policy,
                                                    .budget = settings->budget,
                                                    .exact = settings->exact,
                                                    .threads = settings->threads,
                                                    .writing = settings->writing,
                                                    .bundled = !settings->model};
    struct session *session = session_new(&session_options, err);
    if (!session)
        return false;
    struct backend backend = session_backend(session);
    bool ok = screen_run(&backend, &options, err);
    session_free(session);
    return ok;
}
