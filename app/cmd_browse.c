// trimscope browse: results on the screen: one file as a table and figures, several as the points of a sweep.
#include "app/commands.h"
#include "app/options.h"
#include "app/page_screen.h"
#include "engine/base/memory.h"
#include "engine/base/thread.h"
#include "engine/run/results.h"
#include "engine/run/sweep.h"
#include "ui/page.h"
#include "ui/page_set.h"
#include "ui/words.h"

#include <dirent.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

struct settings {
    const char *model;
    struct screen_settings screen;
    long threads;
};

struct files {
    char *paths[SWEEP_POINTS];
    int count;
};

static bool add_file(struct files *files, const char *folder, const char *name, struct error *err)
{
    size_t size = (folder ? strlen(folder) + 1 : 0) + strlen(name) + 1;
    if (files->count == SWEEP_POINTS)
        return error_set(err, ERROR_INPUT, "these are more than %d files", SWEEP_POINTS);
    char *path = malloc(size);
    if (!path)
        return error_no_memory(err, "the files");
    snprintf(path, size, "%s%s%s", folder ? folder : "", folder ? "/" : "", name);
    files->paths[files->count++] = path;
    return true;
}

static int by_name(const void *a, const void *b) { return strcmp(*(char *const *)a, *(char *const *)b); }

// The results in a folder, as `sweep --results` leaves them.
static bool add_folder(struct files *files, const char *folder, struct error *err)
{
    DIR *stream = opendir(folder);
    int first = files->count;
    bool ok = stream || error_set(err, ERROR_INPUT, "cannot read the folder %s: %s", folder, strerror(errno));
    for (struct dirent *entry; ok && (entry = readdir(stream));) {
        size_t length = strlen(entry->d_name);
        if (entry->d_name[0] != '.' && length > 6 && !strcmp(entry->d_name + length - 6, ".jsonl"))
            ok = add_file(files, folder, entry->d_name, err);
    }
    if (stream)
        closedir(stream);
    if (ok && files->count == first)
        ok = error_set(err, ERROR_INPUT, "the folder %s holds no results (files that end in .jsonl)", folder);
    qsort(files->paths + first, (size_t)(files->count - first), sizeof *files->paths, by_name);
    return ok;
}

static bool find_files(struct files *files, const char *const arguments[], int count, struct error *err)
{
    bool ok = true;
    for (int i = 0; ok && i < count; i++) {
        struct stat st;
        if (stat(arguments[i], &st) < 0)
            ok = error_set(err, ERROR_INPUT, "cannot open %s: %s", arguments[i], strerror(errno));
        else
            ok = S_ISDIR(st.st_mode) ? add_folder(files, arguments[i], err) : add_file(files, NULL, arguments[i], err);
    }
    return ok;
}

// A file that is none of results is refused here and not only once the screen is there; of several the others are shown.
// The policy and budget of the first are those that the stepper starts with.
static bool check_files(const struct files *files, struct page_screen *screen, struct error *err)
{
    bool any = false;
    for (int i = 0; i < files->count && !any; i++) {
        struct results_header header;
        any = results_read_header(&header, files->paths[i], err);
        if (any && policy_find(header.policy, &screen->policy))
            screen->budget = header.budget;
    }
    return any;
}

// Two files of results over one set: they are compared question by question.
static bool same_set(const struct files *files)
{
    struct results_header a, b;
    return results_read_header(&a, files->paths[0], NULL) && results_read_header(&b, files->paths[1], NULL) &&
           !strcmp(a.set_digest, b.set_digest) && a.set_questions == b.set_questions;
}

static bool browse(const struct settings *settings, const char *const arguments[], int count, struct error *err)
{
    struct files files = {.count = 0};
    struct page_screen screen = {.model = settings->model, .policy = POLICY_LEARNED, .budget = (double)NAN,
                                .threads = (int)settings->threads, .screen = &settings->screen};
    bool ok = find_files(&files, arguments, count, err) && check_files(&files, &screen, err);
    bool pair = count == 2 && files.count == 2 && ok && same_set(&files);
    const struct set_page_request set = {.path = files.paths[0], .policy = policy_name(screen.policy),
                                         .budget = screen.budget, .beside = pair ? files.paths[1] : NULL};
    const struct sweep_page_request sweep = {.files = (const char *const *)files.paths, .file_count = files.count};
    bool table = files.count == 1 || pair;
    screen.page = table ? &page_set : &page_sweep;
    screen.page_request = table ? (const void *)&set : &sweep;
    if (ok && !screen_settings_possible())
        ok = error_set(err, ERROR_USAGE,
                       "browsing needs a terminal; without one, `trimscope merge RESULTS.jsonl` prints the summary");
    ok = ok && page_screen_run(&screen, err);
    for (int i = 0; i < files.count; i++)
        free(files.paths[i]);
    return ok;
}

struct wish {
    const struct settings *settings;
    const char *const *arguments;
    int count;
};

static int show_results(void *context)
{
    const struct wish *wish = context;
    struct error err = {0};
    if (browse(wish->settings, wish->arguments, wish->count, &err))
        return ERROR_NONE;
    fprintf(stderr, "trimscope browse: %s\n", err.text);
    return (int)err.code;
}

int cmd_browse(int argc, char **argv)
{
    struct settings settings = {.threads = thread_processors()};
    const char *arguments[SWEEP_POINTS];
    int count, status;
    const struct option_row rows[] = {
        OPTION_ROW_MODEL(&settings.model),
        OPTION_ROWS_DRAWN(settings.screen),
        OPTION_ROW_THREADS(&settings.threads),
        OPTION_ROW_END};
    const struct option_command command = {
        "browse", N_("browse RESULTS.jsonl... | DIR [options]"),
        N_("Shows results on the screen. One file: the FLOPs histogram, accuracy by type, and the table of questions, to "
           "sort, filter, and step through. Two files over one set: the same with the second run beside, and the questions "
           "that only one of them answers rightly. More files, or the folder of `trimscope sweep --results DIR`: accuracy "
           "against FLOPs or time, and the Pareto front; a file that cannot be read says why, and the others are shown."),
        rows, 1, SWEEP_POINTS};
    if (!options_parse(&command, argc, argv, arguments, &count, &status))
        return status;
    struct wish wish = {&settings, arguments, count};
    return screen_settings_run(&settings.screen, "trimscope browse", show_results, &wish);
}
