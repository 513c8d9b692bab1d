// trimscope [PICTURE [PICTURE] [QUESTION]]: the screen on a live model.
#include "app/assets.h"
#include "app/commands.h"
#include "app/preferences.h"
#include "app/prepare.h"
#include "app/scenes.h"
#include "app/screen_options.h"
#include "app/session.h"
#include "engine/base/thread.h"

#include <math.h>
#include <stdio.h>

struct settings {
    const char *model;
    struct screen_settings screen;
    enum policy policy;
    double budget;
    bool exact;
    struct writing_settings writing;
    const char *stage;
    long threads;
    struct option_list changes;
};

struct wish {
    const struct settings *settings;
    const char *const *arguments;
    int count;
};

static bool show(const struct settings *settings, const char *const arguments[], int count, struct error *err)
{
    struct screen_options options;
    struct scene_choice choice;
    char bundled[ASSETS_PATH];
    if (!screen_settings_apply(&settings->screen, &options, err) ||
        !scenes_choose(&choice, arguments, count, err))
        return false;
    if (settings->stage && settings->screen.plain)
        return error_set(err, ERROR_USAGE, "--stage is where the screen starts; with --plain type go and its number");
    options.stage = settings->stage;
    if (!settings->model && !assets_model(bundled, err))
        return false;
    struct session_options session_options = {
        .model = settings->model ? settings->model : bundled,
        .pictures = {choice.picture, choice.second[0] ? choice.second : NULL},
        .question = choice.question,
        .policy = settings->policy,
        .budget = settings->budget,
        .exact = settings->exact,
        .writing = &settings->writing,
        .unasked = choice.unasked,
        .threads = (int)settings->threads,
        .bundled = !settings->model,
        .changes = &settings->changes,
    };
    struct session *session = session_new(&session_options, err);
    if (!session)
        return false;
    struct backend backend = session_backend(session);
    bool ok = screen_settings_show(&settings->screen, &backend, &options, err);
    session_free(session);
    return ok;
}

static int show_screen(void *context)
{
    const struct wish *wish = context;
    struct error err = {0};
    if (show(wish->settings, wish->arguments, wish->count, &err))
        return ERROR_NONE;
    fprintf(stderr, "trimscope: %s\n", err.text);
    return (int)err.code;
}

int cmd_screen(int argc, char **argv)
{
    static struct settings settings; // the list of changes is large
    settings = (struct settings){.policy = POLICY_LEARNED, .budget = (double)NAN, .threads = thread_processors()};
    settings.policy = preferences_policy();
    settings.budget = preferences_budget();
#define OPTION_CHANGES &settings.changes
    const struct option_row rows[] = {
        OPTION_ROW_MODEL(&settings.model),
        OPTION_ROW_POLICY(&settings.policy),
        OPTION_ROW_BUDGET(&settings.budget),
        OPTION_ROW_EXACT(&settings.exact),
        OPTION_ROWS_SCREEN(settings.screen),
        {"stage", OPTION_TEXT, &settings.stage, "STAGE",
         N_("start there: its number from 1 on, or its name, such as 'fusion 3' or answer"), 0, 0},
        OPTION_ROW_THREADS(&settings.threads),
        OPTION_ROWS_CHANGES OPTION_ROWS_WRITING(settings.writing), OPTION_ROW_END};
#undef OPTION_CHANGES
    const struct option_command command = {
        "", N_("[PICTURE [PICTURE] [QUESTION]] [options]"),
        N_("Steps through a pruned run, layer by layer: which patches, words and heads the question keeps, what that "
        "costs, and what the model would answer now. A model that compares pictures (NLVR2) takes two. What is left out comes "
        "bundled; ? explains the keys. The commands are at the end of this text; `trimscope help` lists them alone."),
        rows, 0, 3};
    const char *arguments[3];
    int count, status;
    if (!options_parse(&command, argc, argv, arguments, &count, &status))
        return status;
    struct wish wish = {&settings, arguments, count};
    return screen_settings_run(&settings.screen, count > 1 ? arguments[count - 1] : "trimscope", show_screen, &wish);
}
