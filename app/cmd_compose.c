// trimscope compose: a scene of the world from its description.
#include "app/ask_pixels.h"
#include "app/assets.h"
#include "app/commands.h"
#include "app/options.h"
#include "app/weights.h"
#include "engine/world/picture_file.h"
#include "engine/base/text.h"
#include "engine/base/thread.h"

#include <stdio.h>
#include <stdlib.h>

struct settings {
    const char *model;
    struct run_options options;
    struct option_list ask;
    bool list;
};

static void print_list(const struct world *world)
{
    int colors[WORLD_TEXT];
    puts(_("backgrounds:"));
    for (int i = 0; compose_background_name(i); i++)
        printf("  %s\n", compose_background_name(i));
    for (int category = 0; category < world_category_count(world); category++) {
        printf("%s:\n", world_category_name(world, category));
        for (int kind = 0; kind < world_kind_count(world); kind++) {
            if (world_kind_category(world, kind) != category)
                continue;
            int count = compose_colors(world, kind, colors);
            printf("  %s", world_kind_name(world, kind));
            for (int i = 0; i < count; i++)
                printf("%s %s", i == 0 ? ":" : ",", world_color_name(world, colors[i]));
            putchar('\n');
        }
    }
}

// What was asked for on the command line is kept in the description too.
static bool add_questions(struct compose_file *file, const struct option_list *ask, struct error *err)
{
    for (int i = 0; i < ask->count; i++) {
        if (file->question_count == COMPOSE_QUESTIONS)
            return error_set(err, ERROR_USAGE, "a scene holds at most %d questions", COMPOSE_QUESTIONS);
        int length = snprintf(file->questions[file->question_count], COMPOSE_TEXT, "%s", ask->values[i]);
        if (length >= COMPOSE_TEXT)
            return error_set(err, ERROR_USAGE, "a question of %d bytes; the limit is %d", length,
                             COMPOSE_TEXT - 1);
        file->question_count++;
    }
    return true;
}

static bool answer_questions(const struct settings *settings, const struct world *world,
                             const struct compose_file *file, struct error *err)
{
    char shown[COMPOSE_TEXT];
    struct world_scene *scene = malloc(sizeof *scene);
    struct model *model = NULL;
    bool ok = scene || error_no_memory(err, "the scene");
    ok = ok && (model = weights_open_model(settings->model, NULL, err)) != NULL;
    if (ok)
        compose_draw(world, &file->scene, scene);
    for (int i = 0; ok && i < file->question_count; i++) {
        struct picture picture = {WORLD_SIDE, WORLD_SIDE, 3, scene->pixels};
        struct ask_pixels_answer answer;
        ok = ask_pixels(model, &picture, file->questions[i], &settings->options, &answer, err);
        if (ok)
            printf(_("%s  %s (%.0f %%), %.0f %% of the unpruned FLOPs\n"),
                   text_fit(shown, sizeof shown, file->questions[i]), answer.answer.text,
                   100 * (double)answer.answer.p, 100 * answer.share);
    }
    model_free(model);
    free(scene);
    return ok;
}

static bool work(struct settings *settings, const char *const arguments[], int count, struct error *err)
{
    char assets[ASSETS_PATH];
    struct compose_file *file = malloc(sizeof *file);
    struct world *world = NULL;
    bool ok = file || error_no_memory(err, "the scene");
    ok = ok && assets_find(assets, err) && (world = world_open(assets, &WORLD_DEFAULT, err)) != NULL;
    if (ok && settings->list) {
        print_list(world);
    } else if (ok && count < 2) {
        ok = error_set(err, ERROR_USAGE, "give a description and a picture to be written, or --list");
    } else if (ok) {
        struct thread_pool *pool = settings->options.pool = thread_pool_new(thread_processors());
        ok = picture_file_load_scene(world, arguments[0], file, err) &&
             add_questions(file, &settings->ask, err) &&
             picture_file_save_scene(world, file, arguments[1], err);
        if (ok)
            fprintf(stderr, _("wrote %s\n"), arguments[1]);
        ok = ok && answer_questions(settings, world, file, err);
        thread_pool_free(pool);
    }
    world_free(world);
    free(file);
    return ok;
}

int cmd_compose(int argc, char **argv)
{
    struct settings settings = {.options = run_options_default()};
    const char *arguments[2] = {NULL, NULL};
    int count, status;
    const struct option_row rows[] = {{"ask", OPTION_LIST, &settings.ask, "QUESTION",
                                       N_("one more question, may be given several times"), 0, 0},
                                      {"list", OPTION_FLAG, &settings.list, NULL,
                                       N_("print the objects, their colors and the backgrounds"), 0, 0},
                                      OPTION_ROW_MODEL(&settings.model),
                                      OPTION_ROW_POLICY(&settings.options.policy),
                                      OPTION_ROW_BUDGET(&settings.options.budget),
                                      OPTION_ROW_SEED(&settings.options.seed),
                                      OPTION_ROW_END};
    const struct option_command command = {
        "compose",
        N_("compose SCENE.json OUT.jpg [options]"),
        N_("Draws a scene of the world (192 x 192 pixels) from its description, {\"trimscope_scene\": 1, "
        "\"background\": "
        "{\"kind\": \"meadow\", \"seed\": 3}, \"objects\": [{\"kind\": \"heart\", \"color\": \"red\", \"x\": "
        "60, \"y\": 80, "
        "\"size\": 48, \"turn\": 0} ..], \"questions\": [..]}, writes it and, as OUT.json, the description "
        "with the boxes "
        "of what can be seen, and answers its questions. x and y are the middle, size the longest side; "
        "later objects "
        "lie in front. Key c on the screen composes the same with the cursor."),
        rows,
        0,
        2};
    if (!options_parse(&command, argc, argv, arguments, &count, &status))
        return status;
    struct error err = {0};
    if (work(&settings, arguments, count, &err))
        return ERROR_NONE;
    fprintf(stderr, "trimscope compose: %s\n", err.text);
    return (int)err.code;
}
