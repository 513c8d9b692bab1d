// trimscope train: the dense stage or the SmartTrim stage, with progress, states that survive a kill, and resume.
#include "app/assets.h"
#include "app/commands.h"
#include "app/options.h"
#include "app/train_calibration.h"
#include "app/train_report.h"
#include "app/train_screen.h"
#include "engine/base/file.h"
#include "engine/base/memory.h"
#include "engine/base/thread.h"
#include "engine/io/safetensors.h"
#include "engine/learn/checkpoint.h"
#include "engine/learn/shape.h"
#include "engine/math/blas.h"
#include "engine/run/command_text.h"
#include "ui/table.h"
#include "ui/words.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { ARGUMENTS = 64, PATH = 4096 };

static atomic_bool stop_asked;

// The person's, the system's, a terminal that was closed, a reader of the figures that has gone.
static const int stop_signals[] = {SIGINT, SIGTERM, SIGHUP, SIGPIPE};
enum { STOP_SIGNALS = sizeof stop_signals / sizeof *stop_signals };

static void ask_to_stop(int signal_number)
{
    (void)signal_number;
    stop_asked = true;
}

struct train_command {
    const char *init, *teacher, *out, *config, *score, *set, *held_out;
    bool trim, grow, freeze, fresh, change, estimate, no_cross, no_heads, no_tokens, no_distill, no_curriculum, half;
    // every: seconds between saved states; minutes: 0 for no limit; calibrate: questions of a set, 0 for none
    long threads, validate, every, minutes, calibrate;
    bool on_screen;
    int word_count; // as it was typed, for the screen
    char **words;
    struct screen_settings screen;
    struct train_settings settings;
    char state[PATH];
};

static void print_settings(void)
{
    static const struct table_column columns[] = {{N_("Settings"), -16}, {N_("dense"), 9}, {"SmartTrim", 9}, {"", -1}};
    struct table table;
    putchar('\n');
    table_begin(&table, stdout, columns, sizeof columns / sizeof *columns);
#define SETTING_HELP(type, member, dense, trim, low, high, text)                                               \
    table_cell(&table, "%s", #member);                                                                         \
    table_cell(&table, "%.7g", (double)(dense));                                                               \
    table_cell(&table, "%.7g", (double)(trim));                                                                \
    table_cell(&table, "%s", _(text));
    TRAIN_SETTINGS(SETTING_HELP)
#undef SETTING_HELP
    table_cell(&table, "budgets");
    table_end_row(&table);
    printf("    %s\n", _("(in the file of --config) share of patches that each fusion layer may keep"));
}

static bool read_config(struct train_command *a, struct error *err)
{
    unsigned char *text;
    size_t size;
    if (!file_read(a->config, 1 << 20, &text, &size, err))
        return false;
    bool ok = strlen((char *)text) == size || error_set(err, ERROR_INPUT, "training settings are not JSON: a zero byte");
    ok = ok && train_settings_read(&a->settings, (char *)text, err);
    memory_free(text);
    return ok || error_prefix(err, "%s", a->config);
}

// NAME=VALUE.
static bool read_setting(struct train_command *a, const char *argument, struct error *err)
{
    char name[64];
    const char *equals = strchr(argument, '=');
    if (!equals || (size_t)(equals - argument) >= sizeof name)
        return error_set(err, ERROR_USAGE, "\"%s\" is not a setting; write NAME=VALUE", argument);
    memcpy(name, argument, (size_t)(equals - argument));
    name[equals - argument] = '\0';
    return train_settings_set(&a->settings, name, equals + 1, err);
}

// The options that leave out or change a part of the method are settings by another name.
static bool read_ablations(struct train_command *a, struct error *err)
{
    const struct {
        bool given;
        const char *option;
    } ablations[] = {{a->no_cross, "--no-cross"}, {a->no_heads, "--no-heads"}, {a->no_tokens, "--no-tokens"}, {a->no_curriculum, "--no-curriculum"},
                     {a->score != NULL, "--score"}};
    for (size_t i = 0; i < sizeof ablations / sizeof *ablations; i++)
        if (ablations[i].given && !a->trim)
            return error_set(err, ERROR_USAGE, "%s belongs to the SmartTrim stage: give --trim too", ablations[i].option);
    bool concat = a->score && !strcmp(a->score, "concat");
    if (a->score && !concat && strcmp(a->score, "dot"))
        return error_set(err, ERROR_USAGE, "--score is concat or dot, not %.40s", a->score);
    if (a->score && a->no_cross)
        return error_set(err, ERROR_USAGE, "--score says how to look at the other modality, and --no-cross says not to");
    struct train_settings *s = &a->settings;
    s->freeze = a->freeze ? 1 : s->freeze;
    s->cross = a->no_cross ? 0 : s->cross;
    s->concat = a->score ? concat : a->no_cross ? 0 : s->concat;
    s->heads = a->no_heads ? 0 : s->heads;
    s->tokens = a->no_tokens ? 0 : s->tokens;
    s->distill = a->no_distill ? 0 : s->distill;
    s->curriculum = a->no_curriculum ? 0 : s->curriculum;
    return true;
}

static bool settle(struct train_command *a, const char *const arguments[], int count, struct error *err)
{
    a->trim |= a->freeze;
    a->settings = train_settings_default(a->trim);
    if (a->set) {
        // Auxiliary losses need what the world alone knows.
        a->settings.patch = a->settings.color = a->settings.ground = a->settings.where = a->settings.count = 0;
        a->settings.total = 0; // as many questions as the set is worth, unless one says how many
    }
    if (a->config && !read_config(a, err))
        return false;
    for (int i = 0; i < count; i++)
        if (!read_setting(a, arguments[i], err))
            return false;
    if (!read_ablations(a, err))
        return false;
    if (!a->out)
        a->out = a->trim ? "pruned.safetensors" : "dense.safetensors";
    if (a->trim && !a->init && !a->estimate)
        return error_set(err, ERROR_USAGE, "the SmartTrim stage starts from dense weights: give --init FILE");
    if (a->on_screen && a->set)
        return error_set(err, ERROR_USAGE, "--screen shows training on the procedural world; with --set the figures are printed");
    if (a->on_screen && a->estimate)
        return error_set(err, ERROR_USAGE, "--screen shows training, and --estimate trains nothing");
    if (a->on_screen && !screen_settings_possible())
        return error_set(err, ERROR_USAGE, "--screen needs a terminal; without it the figures are printed");
    if (a->grow && !a->init)
        return error_set(err, ERROR_USAGE, "--grow is about start weights: give --init FILE");
    if (a->grow && a->set)
        return error_set(err, ERROR_USAGE, "--grow is for the world's models, not for those of --set");
    if (a->set && !a->init)
        return error_set(err, ERROR_USAGE, "--set asks a model that knows words and answers: give --init FILE");
    if (a->held_out && !a->set)
        return error_set(err, ERROR_USAGE, "--held-out is to check on what --set trains: give --set SET.jsonl");
    if (a->teacher && a->settings.distill <= 0 && a->settings.blend <= 0)
        return error_set(err, ERROR_USAGE, "--teacher is to learn from or to be mixed with, and the settings distill and "
                                            "blend are 0");
    const char *const read[] = {a->init, a->teacher, a->set, a->held_out, a->config};
    for (size_t i = 0; i < sizeof read / sizeof *read; i++)
        if (read[i] && file_same(read[i], a->out))
            return error_set(err, ERROR_USAGE, "--out would write over %s, which this reads; give another name", read[i]);
    if ((size_t)snprintf(a->state, sizeof a->state, "%s.state", a->out) >= sizeof a->state)
        return error_set(err, ERROR_USAGE, "the name of --out is too long");
    return true;
}

// A place that cannot be written to is found before hours of training, not after.
static bool try_out(const struct train_command *a, struct error *err)
{
    const char *const paths[] = {a->out, a->state};
    for (int i = 0; i < 2; i++) {
        struct file_writer probe;
        if (!file_writer_open(&probe, paths[i], err))
            return false;
        file_writer_abort(&probe);
    }
    return true;
}

static bool resume(struct trainer *trainer, const struct train_command *a, struct train_report *report,
                   struct error *err)
{
    if (a->fresh || access(a->state, F_OK) != 0)
        return true;
    if (!trainer_resume(trainer, a->state, a->change, err))
        return error_prefix(err, "--fresh starts again");
    train_report_say(report, _("going on from %s"), a->state);
    return true;
}

// The whole run; ERROR_CANCELLED when time or the person ends it before, with its state saved.
static bool train(struct trainer *trainer, const struct train_command *a, struct train_report *report, struct error *err)
{
    double start = clock_seconds(), saved = start;
    bool late = false;
    while (!stop_asked && !late && trainer_step(trainer)) {
        train_report_step(report, trainer);
        double now = clock_seconds();
        late = a->minutes && now - start > 60 * (double)a->minutes;
        if (late || now - saved <= (double)a->every)
            continue;
        if (!trainer_save_state(trainer, a->state, err))
            return false;
        train_report_validation(report, trainer, (int)a->validate);
        saved = clock_seconds();
    }
    train_report_flush(report, trainer);
    if (trainer_broken(trainer)) {
        *err = *trainer_broken(trainer);
        return false;
    }
    if (!trainer_save_state(trainer, a->state, err))
        return false;
    return (!stop_asked && !late) || error_set(err, ERROR_CANCELLED, "not finished");
}

// JSON texts, malloc'ed; NULL: not measured.
struct measured {
    char *calibration, *pair_calibration, *familiarity;
};

// What the shifts of the finished model's thresholds spend, for each task; measured on a file of its own, which goes again.
static bool measure_shifts(struct trainer *trainer, const struct train_command *a, const struct world *world,
                           struct train_report *report, struct measured *measured, struct error *err)
{
    char plain[PATH + 32];
    int threads = (int)a->threads;
    snprintf(plain, sizeof plain, "%s.uncalibrated", a->out);
    if (!trainer_save_model(trainer, plain, a->half, NULL, err))
        return false;
    train_report_say(report, "%s", _("calibrating"));
    int world_questions = a->calibrate < 0 ? TRAIN_CALIBRATION_MOST : (int)a->calibrate;
    measured->calibration = world ? train_calibration(plain, world, world_questions, threads, &stop_asked, err)
                                  : train_calibration_on_set(plain, a->held_out ? a->held_out : a->set,
                                                             a->calibrate < 0 ? 16 : (int)a->calibrate, threads, &stop_asked, err);
    bool ok = measured->calibration != NULL;
    if (ok && world && a->settings.pairs > 0)
        ok = (measured->pair_calibration = train_pair_calibration(plain, world, world_questions, threads, &stop_asked,
                                                             err)) != NULL;
    unlink(plain);
    return ok;
}

// Writes the weights; pruned ones carry a calibration, which is measured on the file as it will be, and those to keep
// what the pictures that they were trained on look like, which takes minutes.
static bool finish(struct trainer *trainer, const struct train_command *a, const struct world *world,
                   struct train_report *report, struct error *err)
{
    struct measured measured = {0};
    trainer_blend(trainer);
    train_report_validation(report, trainer, (int)a->validate);
    bool shifts = a->trim && a->settings.tokens && a->calibrate;
    bool ok = !shifts || measure_shifts(trainer, a, world, report, &measured, err);
    if (ok && a->trim && a->half && world) {
        train_report_say(report, "%s", _("learning what the world's pictures look like"));
        ok = (measured.familiarity = train_familiarity(world, (int)a->threads, err)) != NULL;
    }
    const struct checkpoint_measures measures = {measured.calibration, measured.pair_calibration, measured.familiarity};
    ok = ok && trainer_save_model(trainer, a->out, a->half, &measures, err);
    free(measured.calibration);
    free(measured.pair_calibration);
    free(measured.familiarity);
    if (ok)
        train_report_say(report, _("wrote %s"), a->out);
    return ok;
}

struct training {
    const struct train_command *command;
    struct trainer *trainer;
    const struct world *world;
};

static bool work(void *context, struct train_report *report, struct error *err)
{
    const struct training *training = context;
    const struct train_command *a = training->command;
    bool ok = resume(training->trainer, a, report, err) && train(training->trainer, a, report, err) &&
              finish(training->trainer, a, training->world, report, err);
    if (!ok && err->code == ERROR_CANCELLED)
        train_report_say(report, _("stopped; the same command goes on from %s"), a->state);
    return ok;
}

static void stop(void *context)
{
    (void)context;
    stop_asked = true;
}

static bool stopped(void *context)
{
    (void)context;
    return stop_asked;
}

static bool show_on_screen(struct training *training, int layers, struct error *err)
{
    const struct train_command *a = training->command;
    char scratch[PATH + 32], *line = command_of_words(a->word_count, a->words);
    snprintf(scratch, sizeof scratch, "%s.look", a->out);
    const struct train_screen screen = {.screen = &a->screen,
                                        .trainer = training->trainer,
                                        .world = training->world,
                                        .scratch = scratch,
                                        .trim = a->trim,
                                        .layers = layers,
                                        .command = line,
                                        .work = work,
                                        .stop = stop,
                                        .stopped = stopped,
                                        .context = training};
    bool ok = train_screen_run(&screen, err);
    free(line);
    return ok;
}

// The model to be trained: that of --init or of the bundled one's shape, with trimmers. *settings gets what it is.
static bool find_shape(const struct train_command *a, const struct world *world, const struct tensor_list *init,
                       struct train_settings *settings, struct model_config *config, struct error *err)
{
    struct language language;
    bool given = init && !a->grow; // the shape
    if (!given && !language_init(&language, world, err))
        return false;
    if (!given) {
        *config = shape_default(&language);
        language_free(&language);
    } else if (!model_config_read(config, init, err)) {
        return error_prefix(err, "%s", a->init);
    }
    if (!shape_settle(config, settings, given, err))
        return false;
    if (a->trim)
        shape_add_trimmers(config, settings);
    return true;
}

static struct trainer *make_trainer(const struct train_command *a, const struct world *world,
                                    const struct tensor_list *init, struct model_config *config, struct error *err)
{
    struct tensor_list *teacher = NULL;
    // A frozen backbone is its own teacher; otherwise it is what training starts from.
    const char *full = a->settings.distill <= 0 && a->settings.blend <= 0 ? NULL : a->teacher ? a->teacher : a->settings.freeze ? NULL : a->init;
    struct trainer_options options = {.settings = a->settings, .world = world, .set = a->set, .held_out = a->held_out,
                                      .init = init, .grow = a->grow, .threads = (int)a->threads,
                                      .stop = &stop_asked};
    bool ok = find_shape(a, world, init, &options.settings, config, err) &&
              (!full || (teacher = safetensors_open(full, err)) != NULL);
    options.config = *config;
    options.teacher = teacher;
    struct trainer *trainer = ok ? trainer_new(&options, err) : NULL;
    tensor_list_close(teacher);
    return trainer;
}

// How long the run would take, on standard output.
static void say_estimate(struct trainer *trainer, const struct train_command *a)
{
    enum { STEPS = 4 };
    double hours = trainer_estimate(trainer, STEPS) / 3600;
    printf(a->trim ? _("the SmartTrim stage: %d questions, at most about %.2g hours with %ld threads on this machine\n")
                   : _("the dense stage: %d questions, about %.2g hours with %ld threads on this machine\n"),
           trainer_total(trainer), hours, a->threads);
}

static bool open_sources(const struct train_command *a, struct world **world, struct tensor_list **init,
                         struct error *err)
{
    char assets[ASSETS_PATH];
    const struct world_options kind = {.styles = (unsigned)a->settings.styles, .reworded = a->settings.reworded,
                                       .size_low = a->settings.size_low, .size_high = a->settings.size_high,
                                       .varied = a->settings.varied};
    return (a->set || (assets_find(assets, err) && (*world = world_open(assets, &kind, err)) != NULL)) &&
           (!a->init || (*init = safetensors_open(a->init, err)) != NULL);
}

static bool run(const struct train_command *a, struct error *err)
{
    struct model_config config;
    struct world *world = NULL;
    struct tensor_list *init = NULL;
    struct trainer *trainer = NULL;
    // Workers are the parallelism; what a step has too few pictures for is left to the matrix products.
    long workers = a->threads < a->settings.scenes ? a->threads : a->settings.scenes;
    blas_set_threads((int)(a->threads / workers));
    bool ok = open_sources(a, &world, &init, err) && (trainer = make_trainer(a, world, init, &config, err)) != NULL;
    if (ok && a->estimate)
        say_estimate(trainer, a);
    else if (ok && a->on_screen)
        ok = show_on_screen(&(struct training){a, trainer, world}, config.fusion_layers, err);
    else if (ok) {
        struct train_report report = train_report_new(a->trim, config.fusion_layers);
        ok = work(&(struct training){a, trainer, world}, &report, err);
    }
    trainer_free(trainer);
    tensor_list_close(init);
    world_free(world);
    return ok;
}

static int tell(const struct error *err)
{
    if (err->code != ERROR_NONE && err->code != ERROR_CANCELLED)
        fprintf(stderr, "trimscope train: %s\n", err->text);
    return (int)err->code;
}

static int run_and_tell(void *command)
{
    struct error err = {0};
    struct sigaction action = {.sa_handler = ask_to_stop}, before[STOP_SIGNALS];
    stop_asked = false;
    for (int i = 0; i < STOP_SIGNALS; i++) {
        sigaction(stop_signals[i], NULL, &before[i]);
        if (stop_signals[i] != SIGHUP || before[i].sa_handler != SIG_IGN) // as nohup wants it
            sigaction(stop_signals[i], &action, NULL);
    }
    run(command, &err);
    for (int i = 0; i < STOP_SIGNALS; i++)
        sigaction(stop_signals[i], &before[i], NULL);
    return tell(&err);
}

int cmd_train(int argc, char **argv)
{
    struct train_command a = {.threads = thread_processors(), .validate = 100, .every = 240, .calibrate = -1};
    const struct option_row rows[] = {
        {"trim", OPTION_FLAG, &a.trim, NULL,
         N_("the SmartTrim stage: trimmers, cost objective, self-distillation, curriculum"), 0, 0},
        {"init", OPTION_TEXT, &a.init, "FILE", N_("start weights; the SmartTrim stage needs some, dense or pruned"), 0, 0},
        {"grow", OPTION_FLAG, &a.grow, NULL,
         N_("--init may be of another size (not wider) or a world with fewer words: the settings say how large, what both have is taken"),
         0, 0},
        {"freeze-backbone", OPTION_FLAG, &a.freeze, NULL, N_("the SmartTrim stage for the trimmers alone"), 0, 0},
        {"set", OPTION_TEXT, &a.set, "SET.jsonl",
         N_("train a model of your own (--init) on these pictures and questions instead of the world; answers are optional "
            "where a full model teaches"),
         0, 0},
        {"held-out", OPTION_TEXT, &a.held_out, "SET.jsonl", N_("check on these, and calibrate on them"), 0, 0},
        {"calibrate", OPTION_NUMBER, &a.calibrate, "N", N_("questions to calibrate the finished trimmers on (default 256 of the world, 16 of a set; 0: none)"), 0,
         100000},
        {"teacher", OPTION_TEXT, &a.teacher, "FILE", N_("frozen full model to learn from (default: that of --init)"), 0, 0},
        {"score", OPTION_TEXT, &a.score, "dot|concat",
         N_("the cross-modal part of token scores: a scalar product (default), or an MLP over both sides"), 0, 0},
        {"no-cross", OPTION_FLAG, &a.no_cross, NULL, N_("token trimmers without cross-modal guidance"), 0, 0},
        {"no-heads", OPTION_FLAG, &a.no_heads, NULL, N_("no head trimmers"), 0, 0},
        {"no-tokens", OPTION_FLAG, &a.no_tokens, NULL, N_("no token trimmers"), 0, 0},
        {"no-distill", OPTION_FLAG, &a.no_distill, NULL, N_("no distillation from the full model"), 0, 0},
        {"no-curriculum", OPTION_FLAG, &a.no_curriculum, NULL, N_("the target share from the first step on"), 0, 0},
        {"config", OPTION_TEXT, &a.config, "FILE", N_("settings as JSON; NAME=VALUE overrides them"), 0, 0},
        {"out", OPTION_TEXT, &a.out, "FILE",
         N_("the weights to write (default dense.safetensors, or pruned.safetensors with --trim); the state to go on from "
         "is FILE.state"),
         0, 0},
        {"half", OPTION_FLAG, &a.half, NULL, N_("weights to keep: fp16, without what only training needs"), 0, 0},
        {"estimate", OPTION_FLAG, &a.estimate, NULL, N_("say how long it takes on this machine, and train nothing"), 0, 0},
        {"change", OPTION_FLAG, &a.change, NULL, N_("go on from a state although it began with other settings"), 0, 0},
        {"fresh", OPTION_FLAG, &a.fresh, NULL, N_("start again, whatever state there is"), 0, 0},
        OPTION_ROW_THREADS(&a.threads),
        {"validate", OPTION_NUMBER, &a.validate, "N", N_("held-out scenes to check on (default 100)"), 1, 100000},
        {"every", OPTION_NUMBER, &a.every, "SECONDS", N_("between saved states (default 240)"), 1, 86400},
        {"screen", OPTION_FLAG, &a.on_screen, NULL,
         N_("curves, what each layer keeps, and a picture pruned by the present weights, while it trains"), 0, 0},
        OPTION_ROWS_DRAWN(a.screen),
        {"minutes", OPTION_NUMBER, &a.minutes, "N", N_("stop after so many, as Ctrl-C does"), 1, 1000000},
        OPTION_ROW_END,
    };
    const struct option_command command = {
        "train", N_("train [options] [NAME=VALUE ...]"),
        N_("Trains the bundled model on the procedural world: first the dense stage, then with --trim, from the dense "
           "weights, the SmartTrim stage (--freeze-backbone: its trimmers alone). Ctrl-C, or any signal that ends "
           "programs, saves the state and stops (exit status 4); the same command goes on from there. NAME=VALUE changes a setting."),
        rows, 0, ARGUMENTS};
    const char *arguments[ARGUMENTS];
    int count, status;
    a.word_count = argc;
    a.words = argv;
    if (!options_parse(&command, argc, argv, arguments, &count, &status)) {
        if (status == ERROR_NONE && argc > 1) // --help
            print_settings();
        return status;
    }
    struct error err = {0};
    if (!settle(&a, arguments, count, &err) || !(a.estimate || try_out(&a, &err)))
        return tell(&err);
    return a.on_screen ? screen_settings_run(&a.screen, "trimscope train", run_and_tell, &a) : run_and_tell(&a);
}
