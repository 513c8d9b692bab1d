// The screen: from a key press to the last byte of its frame, and from the start to the first picture.
#include "app/assets.h"
#include "app/bench_side.h"
#include "app/bench_terminal.h"
#include "engine/base/memory.h"
#include "engine/base/thread.h"
#include "engine/io/picture.h"
#include "engine/model/model.h"
#include "engine/world/world.h"

#include <fcntl.h>
#include <math.h>
#include <stdlib.h>
#include <unistd.h>

enum { ROWS = 48, COLUMNS = 160, PRESSES = 100, PRESSES_MAX = 400, STARTS = 5, WHAT_IFS = 60 };
static const double key_bar = 30, start_bar = 300, what_if_bar = 50; // milliseconds
static const uint64_t seed = 40;

struct subject {
    char program[ASSETS_PATH], model[ASSETS_PATH], picture[BENCH_PATH];
    struct world_question question;
    int file, stages;
};

struct presses {
    double ms[PRESSES], cpu[PRESSES], bytes[PRESSES];
    int count;
};

struct figures {
    struct presses keys, beside; // in the stepper; with four runs side by side
    struct presses compose;      // an object of a scene moves, and the model looks again
    double first[STARTS], first_cpu[STARTS], whole[STARTS]; // ms
    double what_if[WHAT_IFS], what_if_cpu[WHAT_IFS];                                                     // ms
    int starts, what_ifs;
    double memory;
};

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

// Of n values, which are put in order: 0.5 is the median.
static double quantile(double *values, int n, double share)
{
    qsort(values, (size_t)n, sizeof *values, compare);
    return n > 0 ? values[(int)(share * (n - 1) + 0.5)] : (double)NAN;
}

static bool start(struct bench_terminal *terminal, const struct subject *subject, struct error *err)
{
    const char *const argv[] = {subject->program, subject->picture, subject->question.text,
                                "--model",        subject->model,   "--budget", "0.4", NULL};
    return bench_terminal_start(terminal, argv, ROWS, COLUMNS, err);
}

static bool ended(struct error *err)
{
    return error_set(err, ERROR_MACHINE, "the screen ended before its first frame");
}

// Until the picture is there, and until the whole run is (nothing came any more for half a second).
static bool measure_start(const struct subject *subject, struct figures *figures, struct error *err)
{
    for (int i = 0; i < STARTS; i++) {
        struct bench_terminal terminal;
        double begin = clock_seconds();
        if (!start(&terminal, subject, err))
            return false;
        bool alive = bench_terminal_take(&terminal, 0, 1, 0, 30);
        figures->first[i] = (terminal.last_frame - begin) * 1e3;
        figures->first_cpu[i] = bench_terminal_cpu(&terminal) * 1e3;
        alive = alive && terminal.frames > 0 && bench_terminal_take(&terminal, 0, 1, 0.5, 30);
        figures->whole[i] = (terminal.last - begin) * 1e3;
        bench_terminal_stop(&terminal);
        if (!alive)
            return ended(err);
        figures->starts++;
    }
    return true;
}

// Through all stages to the right, back to the left, and so on. A frame ends when nothing comes for 50 ms; it counts
// when the picture changed in it (in some stages only words and numbers do, which is cheap).
static bool press_keys(struct bench_terminal *terminal, int stages, struct presses *presses, struct error *err)
{
    if (!bench_terminal_take(terminal, 0, 1, 0.5, 30) || !bench_terminal_type(terminal, "\033OH") ||
        !bench_terminal_take(terminal, 0, 1, 0.3, 30) || terminal->frames == 0)
        return ended(err);
    for (int i = 0; i < PRESSES_MAX && presses->count < PRESSES; i++) {
        bool left = i / (stages - 1) % 2;
        long images = terminal->images, bytes = terminal->bytes;
        double cpu = bench_terminal_cpu(terminal), begin = clock_seconds();
        if (!bench_terminal_type(terminal, left ? "\033OD" : "\033OC") ||
            !bench_terminal_take(terminal, bytes + 1, 0, 0.05, 1))
            return error_set(err, ERROR_MACHINE, "the screen ended at key press %d", i + 1);
        if (terminal->images == images)
            continue;
        presses->ms[presses->count] = (terminal->last - begin) * 1e3;
        presses->cpu[presses->count] = (bench_terminal_cpu(terminal) - cpu) * 1e3;
        presses->bytes[presses->count++] = (double)(terminal->bytes - bytes);
    }
    return presses->count > 0 || error_set(err, ERROR_MACHINE, "no key changed the picture");
}

static bool measure_keys(const struct subject *subject, struct figures *figures, struct error *err)
{
    struct bench_terminal terminal;
    if (!start(&terminal, subject, err))
        return false;
    bool ok = press_keys(&terminal, subject->stages, &figures->keys, err);
    figures->memory = bench_peak_memory(terminal.pid);
    bench_terminal_stop(&terminal);
    return ok;
}

// The same beside three more runs, at other budgets, so that four pictures change with each press.
static bool measure_beside(const struct subject *subject, struct figures *figures, struct error *err)
{
    struct bench_terminal terminal;
    if (!start(&terminal, subject, err))
        return false;
    bool ok = (bench_terminal_take(&terminal, 0, 1, 0.5, 30) &&
               bench_terminal_type(&terminal, "vjj\r0.5\r+\r0.6\r+\r0.7\r")) ||
              ended(err);
    ok = ok && press_keys(&terminal, subject->stages, &figures->beside, err);
    bench_terminal_stop(&terminal);
    return ok;
}

// Composing a scene: an object goes to the right and back; after each press the model looks at the scene again.
static bool measure_compose(const struct subject *subject, struct figures *figures, struct error *err)
{
    enum { ACROSS = 12 }; // steps until it turns back
    struct bench_terminal terminal;
    if (!start(&terminal, subject, err))
        return false;
    bool ok = (bench_terminal_take(&terminal, 0, 1, 0.5, 30) && bench_terminal_type(&terminal, "c")) || ended(err);
    ok = ok && press_keys(&terminal, ACROSS, &figures->compose, err);
    bench_terminal_stop(&terminal);
    return ok;
}

// On the page that says why: each press moves the cursor to another patch, for which a run with the opposite decision is
// made and shown. The frame after the press has the cursor at its new place, one of those behind it the what-if; while
// the words are then left out one by one, nothing comes for a while.
static bool press_what_if(struct bench_terminal *terminal, struct figures *figures, struct error *err)
{
    if (!bench_terminal_take(terminal, 0, 1, 0.5, 30) || !bench_terminal_type(terminal, "\033OF\tw") ||
        !bench_terminal_take(terminal, 0, 1, 0.5, 30) || terminal->frames == 0)
        return ended(err);
    for (int i = 0; i < WHAT_IFS; i++) {
        long bytes = terminal->bytes, frames = terminal->frames;
        double cpu = bench_terminal_cpu(terminal), begin = clock_seconds();
        const char *const ways[] = {"\033OA", "\033OD", "\033OB", "\033OC"};
        if (!bench_terminal_type(terminal, ways[i % 4]) ||
            !bench_terminal_take(terminal, bytes + 1, frames + 2, 0.02, 1))
            return error_set(err, ERROR_MACHINE, "the screen ended at what-if %d", i + 1);
        figures->what_if[figures->what_ifs] = (terminal->last_frame - begin) * 1e3;
        figures->what_if_cpu[figures->what_ifs++] = (bench_terminal_cpu(terminal) - cpu) * 1e3;
        bench_terminal_take(terminal, 0, 0, 0.25, 5); // what pulls at it has come
    }
    return true;
}

static bool measure(const struct subject *subject, struct figures *figures, struct error *err)
{
    struct bench_terminal terminal;
    if (!measure_start(subject, figures, err) || !measure_keys(subject, figures, err) ||
        !measure_beside(subject, figures, err) || !measure_compose(subject, figures, err) || !start(&terminal, subject, err))
        return false;
    bool ok = press_what_if(&terminal, figures, err);
    bench_terminal_stop(&terminal);
    return ok;
}

static void report_what_if(const struct bench *bench, struct figures *f, json_t *results)
{
    double middle = quantile(f->what_if, f->what_ifs, 0.5), slow = quantile(f->what_if, f->what_ifs, 0.9);
    double cpu = quantile(f->what_if_cpu, f->what_ifs, 0.5);
    bench_print(bench,
                _("what if another patch had been decided otherwise: median %.1f ms, 90 %% within %.1f ms; %.1f ms of CPU "
                  "time (%d presses)\n"),
                middle, slow, cpu, f->what_ifs);
    json_object_update_new(results, json_pack("{s:f,s:f,s:f}", "what_if_ms", middle, "what_if_ms_90_percent", slow,
                                              "what_if_cpu_ms", cpu));
    bench_bar(results, &(struct bench_bar){N_("what-if: key press to the last byte of the frame"), " ms", middle, what_if_bar, true});
}

// Presses with `what` going on; their figures are called `name`_key_ms and so on, the bar has a title.
static void report_presses(const struct bench *bench, struct presses *k, const char *what, const char *name,
                           const char *title, json_t *results)
{
    const struct {
        const char *name;
        double value;
    } figures[] = {{"key_ms", quantile(k->ms, k->count, 0.5)}, {"key_ms_90_percent", quantile(k->ms, k->count, 0.9)},
                   {"key_cpu_ms", quantile(k->cpu, k->count, 0.5)}, {"frame_bytes", quantile(k->bytes, k->count, 0.5)}};
    bench_print(bench, _("%s: median %.1f ms, 90 %% within %.1f ms; %.0f kB and %.1f ms of CPU time (%d presses)\n"), _(what),
                figures[0].value, figures[1].value, figures[3].value * 1e-3, figures[2].value, k->count);
    for (size_t i = 0; i < sizeof figures / sizeof *figures; i++) {
        char key[64];
        snprintf(key, sizeof key, "%s_%s", name, figures[i].name);
        json_object_set_new(results, key, json_real(figures[i].value));
    }
    bench_bar(results, &(struct bench_bar){title, " ms", figures[0].value, key_bar, true});
}

static void report(const struct bench *bench, struct figures *f, json_t *results)
{
    struct presses *k = &f->keys;
    double key = quantile(k->ms, k->count, 0.5), slow = quantile(k->ms, k->count, 0.9);
    double cpu = quantile(k->cpu, k->count, 0.5), bytes = quantile(k->bytes, k->count, 0.5);
    double first = quantile(f->first, f->starts, 0.5), first_cpu = quantile(f->first_cpu, f->starts, 0.5);
    double whole = quantile(f->whole, f->starts, 0.5);
    bench_print(bench,
                _("\nThe screen at %d x %d in a terminal that takes every byte at once (budget 0.4, wall time;\n"
                "%d presses that changed the picture, %d starts)\n"
                "key press to the end of its frame: median %.1f ms, 90 %% within %.1f ms; %.0f kB and %.1f ms of CPU time\n"
                "start to the first frame: median %.0f ms, %.0f ms of CPU time; to the whole run: %.0f ms\n"
                "peak memory %.0f MB\n"),
                COLUMNS, ROWS, k->count, f->starts, key, slow, bytes * 1e-3, cpu, first, first_cpu, whole,
                f->memory);
    json_object_update_new(results, json_pack("{s:f,s:f,s:f,s:f,s:f,s:f,s:f,s:f}", "key_ms", key, "key_ms_90_percent", slow,
                                              "key_cpu_ms", cpu, "frame_bytes", bytes, "first_frame_ms", first, "first_frame_cpu_ms", first_cpu,
                                              "whole_run_ms", whole, "peak_memory_mb", f->memory));
    bench_bar(results, &(struct bench_bar){N_("key press to the last byte of the frame"), " ms", key, key_bar, true});
    bench_bar(results, &(struct bench_bar){N_("start to the first complete frame"), " ms", first, start_bar, true});
}

static bool save_scene(struct subject *subject, const struct world_scene *scene, struct error *err)
{
    char folder[BENCH_PATH], name[BENCH_PATH + 16];
    struct picture picture = {.width = WORLD_SIDE, .height = WORLD_SIDE, .channels = 3,
                              .pixels = (unsigned char *)(size_t)scene->pixels};
    if (!bench_folder(folder, err))
        return false;
    snprintf(name, sizeof name, "%s/scene.jpg", folder);
    if (picture_save_jpeg(&picture, name, 92, err))
        subject->file = bench_take_over(name, O_RDONLY, subject->picture, err);
    rmdir(folder);
    return subject->file >= 0;
}

// The first scene of the world that has a question.
static bool make_scene(struct subject *subject, const char *assets, struct error *err)
{
    struct world *world = world_open(assets, &WORLD_DEFAULT, err);
    struct world_scene *scene = world ? memory_alloc(1, sizeof *scene) : NULL;
    bool found = false;
    for (uint64_t i = 0; scene && !found; i++)
        found = world_make_scene(world, seed, i, scene) &&
                world_make_questions(world, seed, i, scene, &subject->question, 1) == 1;
    bool ok = found && save_scene(subject, scene, err);
    if (world && !scene)
        error_no_memory(err, "a scene");
    memory_free(scene);
    world_free(world);
    return ok;
}

// How many stages the strip shows.
static bool count_stages(struct subject *subject, struct error *err)
{
    struct model *model = model_open(subject->model, NULL, err);
    if (!model)
        return false;
    const struct model_config *c = &model->config;
    subject->stages = 1 + c->text_layers + 1 + c->image_layers + c->fusion_layers + 1;
    model_free(model);
    return true;
}

bool bench_screen(const struct bench *bench, json_t *results, struct error *err)
{
    static const struct subject nothing = {.file = -1};
    struct subject subject = nothing;
    struct figures figures = {.starts = 0};
    char assets[ASSETS_PATH];
    ssize_t length = readlink("/proc/self/exe", subject.program, sizeof subject.program - 1);
    if (length < 0)
        return error_set(err, ERROR_MACHINE, "cannot find this program's own file");
    subject.program[length] = '\0';
    if (!bench_find_model(bench, results, subject.model))
        return true;
    bool ok = assets_find(assets, err) && count_stages(&subject, err) && make_scene(&subject, assets, err) &&
              measure(&subject, &figures, err);
    if (ok) {
        report(bench, &figures, results);
        report_presses(bench, &figures.beside, N_("with four runs side by side"), "compare",
                       N_("four runs: key press to the last byte of the frame"), results);
        report_presses(bench, &figures.compose, N_("composing: an object moves, the model looks again"), "compose",
                       N_("compose: key press to the last byte of the frame"), results);
        report_what_if(bench, &figures, results);
    }
    if (subject.file >= 0)
        close(subject.file);
    return ok;
}
