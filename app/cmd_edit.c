// trimscope edit: a changed copy of a picture, and what the change does to an answer.
#include "app/ask_pixels.h"
#include "app/assets.h"
#include "app/commands.h"
#include "app/options.h"
#include "app/weights.h"
#include "engine/world/picture_file.h"
#include "engine/base/thread.h"
#include "ui/measure.h"
#include "ui/words.h"

#include <stdio.h>
#include <string.h>

struct settings {
    const char *model;
    struct run_options options;
    struct option_list edits, ask;
};

static bool parse_edits(const struct option_list *list, struct edit *edits, struct error *err)
{
    for (int i = 0; i < list->count; i++) {
        enum edit_kind kind = (enum edit_kind)list->ids[i];
        if (!edit_parse(list->values[i], kind, &edits[i], err))
            return error_prefix(err, "--%s", edit_name(kind));
    }
    return list->count > 0 ||
           error_set(err, ERROR_USAGE,
                     "no change was given: --blank, --mean, --blur X,Y,W,H or --move X,Y,W,H:DX,DY");
}

static void print_answer(const char *which, const struct ask_pixels_answer *answer)
{
    printf(_("  %s%*s  %s (%.0f %%), %.0f %% of the unpruned FLOPs\n"), which, measure_pad(which, 8), "", answer->answer.text,
           100 * (double)answer->answer.p, 100 * answer->share);
}

// Before and after, from the files.
static bool compare_answers(const struct settings *settings, const char *const files[2], struct error *err)
{
    char bundled[ASSETS_PATH];
    struct picture pictures[2] = {{0}};
    struct ask_pixels_answer answers[2];
    struct model *model = NULL;
    bool ok = (model = weights_open_model(settings->model, NULL, err)) != NULL;
    for (int i = 0; ok && i < 2; i++)
        ok = picture_load(&pictures[i], assets_picture(files[i], bundled), run_reading(model, false, 0), NULL, err);
    for (int q = 0; ok && q < settings->ask.count; q++) {
        for (int i = 0; ok && i < 2; i++)
            ok = ask_pixels(model, &pictures[i], settings->ask.values[q], &settings->options, &answers[i],
                            err);
        if (!ok)
            break;
        printf("%s\n", settings->ask.values[q]);
        print_answer(_("original"), &answers[0]);
        print_answer(_("changed"), &answers[1]);
    }
    picture_free(&pictures[0]);
    picture_free(&pictures[1]);
    model_free(model);
    return ok;
}

int cmd_edit(int argc, char **argv)
{
    struct settings settings = {.options = run_options_default()};
    struct edit edits[OPTION_LIST_MOST];
    const char *arguments[2];
    int count, status;
    const struct option_row rows[] = {
        {"blank", OPTION_LIST, &settings.edits, "X,Y,W,H", N_("fill this rectangle with grey"), EDIT_BLANK, 0},
        {"mean", OPTION_LIST, &settings.edits, "X,Y,W,H", N_("fill it with the mean color of the rest"), EDIT_MEAN, 0},
        {"blur", OPTION_LIST, &settings.edits, "X,Y,W,H", N_("smear it until no shape is left"), EDIT_BLUR, 0},
        {"move", OPTION_LIST, &settings.edits, "X,Y,W,H:DX,DY",
         N_("move it to the right and down, and fill where it was with the mean of what surrounds it"), EDIT_MOVE, 0},
        {"ask", OPTION_LIST, &settings.ask, "QUESTION", N_("answer this for the original and the copy"), 0, 0},
        OPTION_ROW_MODEL(&settings.model),
        OPTION_ROW_POLICY(&settings.options.policy),
        OPTION_ROW_BUDGET(&settings.options.budget),
        OPTION_ROW_SEED(&settings.options.seed),
        OPTION_ROW_END};
    const struct option_command command = {
        "edit",
        N_("edit PICTURE OUT.png CHANGE.. [options]"),
        N_("Writes a changed copy of a picture (PNG or JPEG, by its name; only PNG keeps the pixels exactly, a JPEG's "
        "loss can move an answer), to see what an answer and the pruning depend on. "
        "Changes are made in the order given, in pixels of the picture; each may be given several times. The "
        "original "
        "is never written over. Key e on the screen does the same with the cursor."),
        rows,
        2,
        2};
    if (!options_parse(&command, argc, argv, arguments, &count, &status))
        return status;
    char bundled[ASSETS_PATH];
    struct error err = {0};
    bool ok = parse_edits(&settings.edits, edits, &err) &&
              picture_file_edit(assets_picture(arguments[0], bundled), edits, settings.edits.count, arguments[1], &err);
    if (ok)
        fprintf(stderr, _("wrote %s\n"), arguments[1]);
    struct thread_pool *pool = settings.options.pool = thread_pool_new(thread_processors());
    ok = ok && (settings.ask.count == 0 || compare_answers(&settings, arguments, &err));
    thread_pool_free(pool);
    if (!ok)
        fprintf(stderr, "trimscope edit: %s\n", err.text);
    return ok ? ERROR_NONE : (int)err.code;
}
