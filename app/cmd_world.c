// trimscope world: writes pictures of the procedural world and the questions about them.
#include "app/assets.h"
#include "app/commands.h"
#include "app/options.h"
#include "engine/base/file.h"
#include "engine/base/memory.h"
#include "engine/base/thread.h"
#include "engine/io/picture.h"
#include "engine/world/world.h"

#include <errno.h>
#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { BATCH = 64, PICTURES_LIMIT = 1000000 };

struct options {
    long pictures, questions, threads, size, varied, brightness, quality;
    uint64_t seed;
    const char *folder, *style;
    struct world_options world;
    bool pairs, plain_words, overwrite;
};

// What one picture gives: its lines of the question file (malloc'ed), or why there are none.
struct made {
    char *lines;
    struct error err;
};

struct work {
    const struct options *options;
    const struct world *world;
    long first; // number of the batch's first picture
    struct made made[BATCH];
};

static volatile sig_atomic_t stopped;

static void stop(int signal)
{
    (void)signal;
    stopped = 1;
}

static bool parse_long(const char *text, long low, long high, long *value)
{
    char *end;
    errno = 0;
    *value = strtol(text, &end, 10);
    return end != text && !*end && errno == 0 && *value >= low && *value <= high;
}

// A list of style names.
static bool parse_styles(struct options *options, struct error *err)
{
    options->world.styles = options->style ? 0 : WORLD_DEFAULT.styles;
    for (const char *at = options->style; at && *at; at += strcspn(at, ",")) {
        at += *at == ',';
        size_t length = strcspn(at, ",");
        int style = 0;
        while (style < WORLD_STYLE_COUNT && (strlen(world_style_name((enum world_style)style)) != length ||
                                             strncmp(at, world_style_name((enum world_style)style), length) != 0))
            style++;
        if (style == WORLD_STYLE_COUNT)
            return error_set(err, ERROR_USAGE, N_("there is no drawing style \"%.*s\"; there are noto, twemoji, fluent, "
                                                  "openmoji, emojione and blob"),
                             (int)(length < 40 ? length : 40), at);
        options->world.styles |= 1u << style;
    }
    return options->world.styles || error_set(err, ERROR_USAGE, N_("--style needs at least one drawing style"));
}

// What the command line says; false: *status is the exit status, and what was wrong has been said.
static bool parse(int argc, char **argv, struct options *options, int *status)
{
    *options = (struct options){.questions = 8, .threads = thread_processors(), .seed = 1, .size = 100,
                                .brightness = 100, .quality = 92};
    const struct option_row rows[] = {
        {"seed", OPTION_SEED, &options->seed, "S", N_("which world, 0 to 2^64 - 1 (default 1)"), 0, 0},
        {"questions", OPTION_NUMBER, &options->questions, "Q",
         N_("at most so many questions about a picture, 1 to 12 (default 8)"), 1, WORLD_QUESTIONS},
        {"style", OPTION_TEXT, &options->style, "LIST",
         N_("drawing styles of the objects, one for each picture: noto, twemoji, fluent, openmoji, emojione, blob (default "
            "noto,twemoji)"),
         0, 0},
        {"plain-words", OPTION_FLAG, &options->plain_words, NULL,
         N_("questions in the plainest words only: not polite, terse or asked round corners"), 0, 0},
        {"pairs", OPTION_FLAG, &options->pairs, NULL,
         N_("pairs of pictures and statements about them, true or false, in the manner of NLVR2: \"picture\" is a list of "
            "two, \"answer\" is True or False"), 0, 0},
        {"size", OPTION_NUMBER, &options->size, "PERCENT", N_("draw objects so large, 50 to 130 (default 100)"),
         WORLD_SIZE_LEAST, WORLD_SIZE_MOST},
        {"new-backgrounds", OPTION_FLAG, &options->world.new_backgrounds, NULL,
         N_("backgrounds of kinds that training does not draw"), 0, 0},
        {"varied", OPTION_NUMBER, &options->varied, "PERCENT",
         N_("so many of the pictures are drawn in more ways, as for training: objects mirrored, stretched, of other light "
            "and colours, backgrounds mixed (default 0)"), 0, 100},
        {"brightness", OPTION_NUMBER, &options->brightness, "PERCENT",
         N_("of the finished picture, 10 to 300 (default 100)"), 10, 300},
        {"quality", OPTION_NUMBER, &options->quality, "Q", N_("of the JPEG files, 1 to 100 (default 92)"), 1, 100},
        {"overwrite", OPTION_FLAG, &options->overwrite, NULL, N_("write over the pictures and questions that DIR has"), 0, 0},
        OPTION_ROW_THREADS(&options->threads),
        OPTION_ROW_END};
    const struct option_command command = {
        "world", N_("world N DIR [--seed S] [--questions Q] [--style LIST] [--pairs] [--threads N]"),
        N_("Writes N pictures of the procedural world (JPEG, 192 x 192) into the folder DIR, which is made if there is "
           "none, and DIR/questions.jsonl, a line per question: {\"picture\", \"question\", \"answer\", \"type\", "
           "\"needed\": [[x0, y0, x1, y1] ..], \"others\": [..]}. `picture` is relative to DIR. `needed` are the boxes "
           "(pixels, x1 and y1 exclusive) of the objects that the answer depends on, `others` those of the rest. The same "
           "seed gives the same pictures on every machine."),
        rows, 2, 2};
    const char *arguments[2];
    int count;
    if (!options_parse(&command, argc, argv, arguments, &count, status))
        return false;
    struct error err;
    bool ok = parse_long(arguments[0], 1, PICTURES_LIMIT, &options->pictures) ||
              error_set(&err, ERROR_USAGE, N_("the number of pictures must be from 1 to %d, not \"%s\""), PICTURES_LIMIT,
                        arguments[0]);
    if (!ok || !parse_styles(options, &err)) {
        fprintf(stderr, "trimscope world: %s\n", err.text);
        *status = ERROR_USAGE;
        return false;
    }
    options->folder = arguments[1];
    options->world.reworded = !options->plain_words || options->pairs; // which statements are made of
    options->world.size_low = options->world.size_high = (int)options->size;
    options->world.varied = (int)options->varied;
    return true;
}

static json_t *boxes(const struct world_scene *scene, uint32_t which)
{
    json_t *list = json_array();
    for (int i = 0; i < scene->object_count; i++) {
        struct world_box b = scene->objects[i].box;
        if (which >> i & 1)
            json_array_append_new(list, json_pack("[iiii]", b.x0, b.y0, b.x1, b.y1));
    }
    return list;
}

static void write_lines(FILE *out, const char *picture, const struct world_scene *scene,
                        const struct world_question *questions, int count)
{
    for (int i = 0; i < count; i++) {
        const struct world_question *q = &questions[i];
        json_t *line = json_pack("{ss ss ss ss so so}", "picture", picture, "question", q->text, "answer",
                                 q->answer, "type", world_family_name(q->family), "needed",
                                 boxes(scene, q->needed), "others", boxes(scene, ~q->needed));
        json_dumpf(line, out, 0);
        fputc('\n', out);
        json_decref(line);
    }
}

// Scene `number`, or the first one after it in a sequence of its own where that cannot be laid out.
static uint64_t make_scene(const struct work *work, long number, struct world_scene *scene)
{
    uint64_t index = (uint64_t)number;
    while (!world_make_scene(work->world, work->options->seed, index, scene))
        index += (uint64_t)1 << 32;
    return index;
}

static bool save_scene(const struct work *work, struct world_scene *scene, const char *name, struct error *err)
{
    char path[ASSETS_PATH + 64];
    snprintf(path, sizeof path, "%s/%s", work->options->folder, name);
    for (int i = 0; i < WORLD_SIDE * WORLD_SIDE * 3; i++) {
        long value = scene->pixels[i] * work->options->brightness / 100;
        scene->pixels[i] = (unsigned char)(value > 255 ? 255 : value);
    }
    struct picture picture = {WORLD_SIDE, WORLD_SIDE, 3, scene->pixels};
    return picture_save_jpeg(&picture, path, (int)work->options->quality, err);
}

static void make_picture(const struct work *work, long number, struct world_scene *scene, FILE *lines, struct error *err)
{
    char name[32];
    struct world_question questions[WORLD_QUESTIONS];
    snprintf(name, sizeof name, "%06ld.jpg", number);
    uint64_t index = make_scene(work, number, scene);
    int count = world_make_questions(work->world, work->options->seed, index, scene, questions,
                                     (int)work->options->questions);
    if (save_scene(work, scene, name, err))
        write_lines(lines, name, scene, questions, count);
}

static void make_pair(const struct work *work, long number, struct world_scene scenes[2], FILE *lines, struct error *err)
{
    char names[2][40];
    struct world_statement statements[WORLD_QUESTIONS];
    uint64_t index = (uint64_t)number;
    while (!world_make_pair(work->world, work->options->seed, index, scenes))
        index += (uint64_t)1 << 32;
    int count = world_make_statements(work->world, work->options->seed, index, scenes, statements,
                                      (int)work->options->questions);
    for (int s = 0; s < 2; s++) {
        snprintf(names[s], sizeof names[s], "%06ld-%s.jpg", number, s ? "right" : "left");
        if (!save_scene(work, &scenes[s], names[s], err))
            return;
    }
    for (int i = 0; i < count; i++) {
        json_t *line = json_pack("{s[ss] ss ss ss}", "picture", names[0], names[1], "question", statements[i].text,
                                 "answer", statements[i].truth ? "True" : "False", "type",
                                 world_statement_name(statements[i].family));
        json_dumpf(line, lines, 0);
        fputc('\n', lines);
        json_decref(line);
    }
}

static void make_one(void *context, int at, int worker)
{
    (void)worker;
    struct work *work = context;
    struct made *made = &work->made[at];
    struct world_scene *scenes = memory_alloc(2, sizeof *scenes);
    size_t size;
    FILE *lines = scenes ? open_memstream(&made->lines, &size) : NULL;
    if (!lines) {
        error_no_memory(&made->err, "a scene");
    } else {
        (work->options->pairs ? make_pair : make_picture)(work, work->first + at, scenes, lines, &made->err);
        if (fclose(lines) != 0 && made->err.code == ERROR_NONE)
            error_no_memory(&made->err, "questions");
    }
    memory_free(scenes);
}

static bool write_batch(struct work *work, int count, FILE *out, struct error *err)
{
    bool ok = true;
    for (int i = 0; i < count; i++) {
        if (ok && work->made[i].err.code != ERROR_NONE) {
            *err = work->made[i].err;
            ok = false;
        }
        if (ok && fputs(work->made[i].lines, out) == EOF)
            ok = false; // why is told by file_writer_give_up()
        free(work->made[i].lines);
        work->made[i] = (struct made){0};
    }
    return ok;
}

static bool make_all(struct work *work, struct thread_pool *pool, FILE *out, struct error *err)
{
    bool show = isatty(STDERR_FILENO), ok = true;
    long total = work->options->pictures;
    for (work->first = 0; ok && work->first < total; work->first += BATCH) {
        int count = total - work->first < BATCH ? (int)(total - work->first) : BATCH;
        thread_pool_run(pool, make_one, work, count);
        ok = write_batch(work, count, out, err);
        if (ok && show) {
            fputc('\r', stderr);
            fprintf(stderr, _("world: %ld of %ld pictures"), work->first + count, total);
        }
        if (ok && stopped)
            ok = error_set(err, ERROR_CANCELLED, "stopped; %ld pictures are written, the questions are not",
                           work->first + count);
    }
    if (show)
        fputs("\r\033[K", stderr);
    return ok;
}

static bool make_world(const struct options *options, struct error *err)
{
    char assets[ASSETS_PATH], path[ASSETS_PATH];
    struct file_writer questions = {0};
    struct work *work = memory_alloc(1, sizeof *work);
    struct world *world = NULL;
    struct thread_pool *pool = NULL;
    bool ok = work ? true : error_no_memory(err, "the work");
    if (ok && (size_t)snprintf(path, sizeof path, "%s/questions.jsonl", options->folder) >= sizeof path)
        ok = error_set(err, ERROR_USAGE, "the folder's name is too long");
    if (ok && !options->overwrite && access(path, F_OK) == 0)
        ok = error_set(err, ERROR_USAGE, "%s is there already; name another folder, or give --overwrite", path);
    if (ok && mkdir(options->folder, 0777) != 0 && errno != EEXIST)
        ok = error_set(err, ERROR_INPUT, "cannot make the folder %s: %s", options->folder, strerror(errno));
    ok = ok && file_writer_open(&questions, path, err) && assets_find(assets, err);
    ok = ok && (world = world_open(assets, &options->world, err)) != NULL;
    if (ok && !(pool = thread_pool_new((int)options->threads)))
        ok = error_set(err, ERROR_MACHINE, "cannot start %ld threads", options->threads);
    if (ok) {
        work->options = options;
        work->world = world;
        ok = make_all(work, pool, questions.stream, err);
    }
    if (ok)
        ok = file_writer_commit(&questions, err);
    else
        file_writer_give_up(&questions, err);
    thread_pool_free(pool);
    world_free(world);
    memory_free(work);
    return ok;
}

int cmd_world(int argc, char **argv)
{
    struct options options;
    struct error err = {0};
    struct sigaction action = {.sa_handler = stop}, before[2];
    int status;
    if (!parse(argc, argv, &options, &status))
        return status;
    stopped = 0;
    sigaction(SIGINT, &action, &before[0]);
    sigaction(SIGTERM, &action, &before[1]);
    bool ok = make_world(&options, &err);
    sigaction(SIGINT, &before[0], NULL);
    sigaction(SIGTERM, &before[1], NULL);
    if (ok)
        fprintf(stderr,
                options.pairs ? ngettext_(options.pictures, "wrote %ld pair and its statements: %s/questions.jsonl\n",
                                          "wrote %ld pairs and their statements: %s/questions.jsonl\n")
                              : ngettext_(options.pictures, "wrote %ld picture and its questions: %s/questions.jsonl\n",
                                          "wrote %ld pictures and their questions: %s/questions.jsonl\n"),
                options.pictures, options.folder);
    else
        fprintf(stderr, "trimscope world: %s\n", err.text);
    return ok ? 0 : (int)err.code;
}
