// trimscope lessons [N]: the screen, opened on the lessons.
#include "app/commands.h"
#include "app/options.h"
#include "app/page_screen.h"
#include "engine/base/thread.h"
#include "ui/page.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

struct settings {
    const char *model;
    struct screen_settings screen;
    long threads;
    int lesson; // from 1; 0: the list
};

static bool show(const struct settings *settings, struct error *err)
{
    if (!screen_settings_possible())
        return error_set(err, ERROR_USAGE,
                         "lessons need a terminal; without one, `trimscope --plain` tells a run line by line");
    const struct page_screen screen = {.model = settings->model,
                                       .policy = POLICY_LEARNED,
                                       .budget = (double)NAN,
                                       .threads = (int)settings->threads,
                                       .screen = &settings->screen,
                                       .page = &page_lesson,
                                       .page_request = settings->lesson > 0 ? &settings->lesson : NULL};
    return page_screen_run(&screen, err);
}

static int show_lessons(void *context)
{
    struct error err = {0};
    if (show(context, &err))
        return ERROR_NONE;
    fprintf(stderr, "trimscope lessons: %s\n", err.text);
    return (int)err.code;
}

int cmd_lessons(int argc, char **argv)
{
    struct settings settings = {.threads = thread_processors()};
    const struct option_row rows[] = {OPTION_ROW_MODEL(&settings.model), OPTION_ROWS_DRAWN(settings.screen),
                                      OPTION_ROW_THREADS(&settings.threads), OPTION_ROW_END};
    const struct option_command command = {
        "lessons",
        N_("lessons [NUMBER] [options]"),
        N_("Opens the guided tour, or the lesson of that number: ten pages beside a live run, each with "
           "something to try, "
           "which is noticed, and a question to check oneself. L opens it from the screen."),
        rows,
        0,
        1};
    const char *argument = NULL;
    int count, status;
    if (!options_parse(&command, argc, argv, &argument, &count, &status))
        return status;
    char *end = NULL;
    long number = count > 0 ? strtol(argument, &end, 10) : 0;
    if (count > 0 && (*end || number < 1 || number > 99)) {
        struct error err;
        error_set(&err, ERROR_USAGE, "a lesson is a number from 1 on, not \"%s\"", argument);
        fprintf(stderr, "trimscope lessons: %s\n", err.text);
        return ERROR_USAGE;
    }
    settings.lesson = (int)number;
    return screen_settings_run(&settings.screen, "trimscope lessons", show_lessons, &settings);
}
