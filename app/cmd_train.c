// `trimscope train`: the dense stage, then the SmartTrim stage, with progress, states that survive a kill, and resume.
#include "app/commands.h"
#include "engine/base/file.h"
#include "engine/base/memory.h"
#include "engine/base/thread.h"
#include "engine/io/safetensors.h"
#include "engine/learn/shape.h"
#include "engine/learn/trainer.h"

#include <getopt.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static volatile sig_atomic_t stop_asked;

static void ask_to_stop(int signal_number)
{
    (void)signal_number;
    stop_asked = 1;
}

struct train_arguments {
    const char *init, *teacher, *out, *config;
    bool trim, fresh, cross, half;
    int threads, validate;
    double every; // seconds between saved states
    struct train_settings settings;
};

static void print_train_help(void)
{
    puts("usage: trimscope train [options] [NAME=VALUE ...]\n"
         "Trains the bundled model on the procedural world. The dense stage comes first; --trim runs the SmartTrim\n"
         "stage from dense weights. Ctrl-C saves the state and stops; the same command goes on from there.\n\n"
         "  --trim            the SmartTrim stage: trimmers, cost objective, self-distillation, curriculum\n"
         "  --init FILE       start weights (the SmartTrim stage needs dense ones)\n"
         "  --teacher FILE    frozen full model for self-distillation (default: the --init file)\n"
         "  --no-cross        token trimmers without cross-modal guidance\n"
         "  --config FILE     settings as JSON; NAME=VALUE on the command line overrides them\n"
         "  --out FILE        the weights to write (default dense.safetensors or pruned.safetensors);\n"
         "                    the resumable state is FILE.state\n"
         "  --half            store the weights as fp16\n"
         "  --fresh           ignore a saved state and start again\n"
         "  --threads N       threads (default: all processors)\n"
         "  --validate N      held-out scenes to check on at each saved state (default 100)\n"
         "  --every SECONDS   between saved states (default 240)\n\n"
         "settings (dense / SmartTrim default):");
#define SETTING_HELP(type, member, dense, trim, low, high, text)                                               \
    printf("  %-14s %-9g %-9g %s\n", #member, (double)(dense), (double)(trim), text);
    TRAIN_SETTINGS(SETTING_HELP)
#undef SETTING_HELP
    puts("  budgets        (configuration file) share of patches that each fusion layer may keep");
}

static bool parse(struct train_arguments *a, int argc, char **argv, bool *help, struct error *err)
{
    enum { OPTION_TRIM = 1, OPTION_INIT, OPTION_TEACHER, OPTION_NO_CROSS, OPTION_CONFIG, OPTION_OUT, OPTION_HALF,
           OPTION_FRESH, OPTION_THREADS, OPTION_VALIDATE, OPTION_EVERY, OPTION_HELP };
    static const struct option table[] = {
        {"trim", no_argument, NULL, OPTION_TRIM},          {"init", required_argument, NULL, OPTION_INIT},
        {"teacher", required_argument, NULL, OPTION_TEACHER}, {"no-cross", no_argument, NULL, OPTION_NO_CROSS},
        {"config", required_argument, NULL, OPTION_CONFIG}, {"out", required_argument, NULL, OPTION_OUT},
        {"half", no_argument, NULL, OPTION_HALF},          {"fresh", no_argument, NULL, OPTION_FRESH},
        {"threads", required_argument, NULL, OPTION_THREADS}, {"validate", required_argument, NULL, OPTION_VALIDATE},
        {"every", required_argument, NULL, OPTION_EVERY},  {"help", no_argument, NULL, OPTION_HELP},
        {NULL, 0, NULL, 0},
    };
    *a = (struct train_arguments){.threads = thread_processors(), .validate = 100, .every = 240, .cross = true};
    optind = 1;
    for (int c; (c = getopt_long(argc, argv, "", table, NULL)) != -1;)
        switch (c) {
        case OPTION_TRIM: a->trim = true; break;
        case OPTION_INIT: a->init = optarg; break;
        case OPTION_TEACHER: a->teacher = optarg; break;
        case OPTION_NO_CROSS: a->cross = false; break;
        case OPTION_CONFIG: a->config = optarg; break;
        case OPTION_OUT: a->out = optarg; break;
        case OPTION_HALF: a->half = true; break;
        case OPTION_FRESH: a->fresh = true; break;
        case OPTION_THREADS: a->threads = atoi(optarg); break;
        case OPTION_VALIDATE: a->validate = atoi(optarg); break;
        case OPTION_EVERY: a->every = atof(optarg); break;
        case OPTION_HELP: *help = true; return true;
        default: return error_set(err, ERROR_USAGE, "see `trimscope train --help`");
        }
    a->settings = train_settings_default(a->trim);
    if (a->config) {
        unsigned char *text;
        size_t size;
        if (!file_read(a->config, 1 << 20, &text, &size, err))
            return false;
        bool ok = train_settings_read(&a->settings, (char *)text, err);
        memory_free(text);
        if (!ok)
            return error_prefix(err, "%s", a->config);
    }
    for (int i = optind; i < argc; i++) {
        char name[64];
        const char *equals = strchr(argv[i], '=');
        if (!equals || (size_t)(equals - argv[i]) >= sizeof name)
            return error_set(err, ERROR_USAGE, "\"%s\" is not a setting; write NAME=VALUE", argv[i]);
        memcpy(name, argv[i], (size_t)(equals - argv[i]));
        name[equals - argv[i]] = 0;
        if (!train_settings_set(&a->settings, name, equals + 1, err))
            return false;
    }
    if (!a->out)
        a->out = a->trim ? "pruned.safetensors" : "dense.safetensors";
    if (a->trim && !a->init)
        return error_set(err, ERROR_USAGE, "the SmartTrim stage starts from dense weights: give --init FILE");
    return true;
}

static void print_progress(const struct train_progress *p, bool trim)
{
    printf("step %ld/%ld  questions %ld  accuracy %.3f  loss %.3f", p->step, p->steps, p->questions, p->accuracy,
           p->loss[TERM_ANSWER]);
    for (int k = 1; k < TERMS; k++)
        if (p->loss[k] > 0)
            printf("  %s %.3f", objective_term_name((enum objective_term)k), p->loss[k]);
    if (trim) {
        printf("  share %.3f (target %.3f)  alive", p->share, p->target);
        for (int l = 0; l < 6; l++)
            printf(" %.2f", p->alive[l]);
    }
    printf("  norm %.2f  rate %.2g  %.0f questions/s  %dh%02dm left\n", p->gradient_norm, p->rate,
           p->questions_per_second, (int)(p->seconds_left / 3600), (int)(p->seconds_left / 60) % 60);
    fflush(stdout);
}

static void print_validation(struct trainer *trainer, const struct train_arguments *a)
{
    double share, lift;
    const uint64_t held_out = 1000003; // never a training seed below 2 billion that a person would pick by chance
    struct objective_sums sums = trainer_evaluate(trainer, held_out, a->validate, a->trim, &share, &lift);
    printf("held-out: %d questions  accuracy %.4f", sums.questions, (double)sums.right / sums.questions);
    if (a->trim)
        printf("  share %.4f  lift %.2f", share, lift);
    for (int f = 0; f < WORLD_FAMILY_COUNT; f++)
        if (sums.family_questions[f])
            printf("  %s %.3f", world_family_name((enum world_family)f),
                   (double)sums.family_right[f] / sums.family_questions[f]);
    putchar('\n');
    fflush(stdout);
}

static bool run(struct trainer *trainer, const struct train_arguments *a, struct error *err)
{
    char state[4096];
    if ((size_t)snprintf(state, sizeof state, "%s.state", a->out) >= sizeof state)
        return error_set(err, ERROR_INPUT, "the name of --out is too long");
    if (!a->fresh && access(state, F_OK) == 0) {
        if (!trainer_resume(trainer, state, err))
            return false;
        printf("resuming from %s\n", state);
    }
    double reported = clock_seconds(), saved = reported;
    bool more = true;
    while (more && !stop_asked) {
        more = trainer_step(trainer);
        double now = clock_seconds();
        if (now - reported > 20 || !more) {
            struct train_progress progress = trainer_progress(trainer);
            print_progress(&progress, a->trim);
            reported = now;
        }
        if (now - saved > a->every && more) {
            if (!trainer_save_state(trainer, state, err))
                return false;
            print_validation(trainer, a);
            saved = clock_seconds();
        }
    }
    if (!trainer_save_state(trainer, state, err))
        return false;
    if (stop_asked) {
        printf("stopped; the same command goes on from %s\n", state);
        return true;
    }
    print_validation(trainer, a);
    if (!trainer_save_model(trainer, a->out, a->half, true, err))
        return false;
    printf("wrote %s\n", a->out);
    return true;
}

static bool build_and_run(const struct train_arguments *a, const struct world *world, struct error *err)
{
    struct language language;
    if (!language_init(&language, world, err))
        return false;
    struct trainer_options options = {.settings = a->settings, .world = world, .threads = a->threads};
    options.config = shape_default(&language);
    language_free(&language);
    struct safetensors *init = NULL, *teacher = NULL;
    bool ok = true;
    if (a->init)
        ok = (init = safetensors_open(a->init, err)) != NULL && model_config_read(&options.config, init, err);
    if (ok && a->trim) {
        const char *path = a->teacher ? a->teacher : a->init;
        ok = (teacher = safetensors_open(path, err)) != NULL;
        shape_add_trimmers(&options.config, a->cross, a->settings.heads);
    }
    options.init = init;
    options.teacher = teacher;
    struct trainer *trainer = ok ? trainer_new(&options, err) : NULL;
    safetensors_close(init);
    safetensors_close(teacher);
    ok = trainer && run(trainer, a, err);
    trainer_free(trainer);
    return ok;
}

int cmd_train(int argc, char **argv)
{
    struct train_arguments arguments;
    struct error err = {0};
    bool help = false;
    if (!parse(&arguments, argc, argv, &help, &err)) {
        fprintf(stderr, "trimscope train: %s\n", err.text);
        return err.code;
    }
    if (help) {
        print_train_help();
        return 0;
    }
    struct sigaction action = {.sa_handler = ask_to_stop};
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    struct world *world = world_open("assets", &err);
    bool ok = world && build_and_run(&arguments, world, &err);
    world_free(world);
    if (!ok)
        fprintf(stderr, "trimscope train: %s\n", err.text);
    return ok ? 0 : err.code;
}
