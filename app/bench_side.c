#include "app/bench_side.h"

#include "engine/base/thread.h"
#include "ui/table.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

struct bench_time bench_clock(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (struct bench_time){clock_seconds(), (double)t.tv_sec + (double)t.tv_nsec * 1e-9};
}

struct bench_time bench_since(struct bench_time start)
{
    struct bench_time now = bench_clock();
    return (struct bench_time){now.wall - start.wall, now.cpu - start.cpu};
}

bool bench_peak_side(void *context, struct bench_time *time, struct error *err)
{
    struct bench_time start = bench_clock();
    (void)err;
    bench_peak_run(context);
    *time = bench_since(start);
    return true;
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

bool bench_sides(const struct bench *bench, struct bench_side *const sides[], int count, struct error *err)
{
    int rounds = bench->rounds < BENCH_ROUNDS ? bench->rounds : BENCH_ROUNDS;
    struct timespec settle = {.tv_nsec = (long)(bench->settle_seconds * 1e9)};
    for (int r = -1; r < rounds; r++)
        for (int i = 0; i < count; i++) {
            int s = r % 2 ? count - 1 - i : i; // there and back: after a short side a processor has rested, after a long one not
            struct bench_time time;
            nanosleep(&settle, NULL); // threads of the side before may still be spinning
            if (!sides[s]->run(sides[s]->context, &time, err))
                return false;
            if (r >= 0)
                sides[s]->samples[r] = bench_counted(bench, time.wall, time.cpu);
        }
    for (int s = 0; s < count; s++) {
        qsort(sides[s]->samples, (size_t)rounds, sizeof *sides[s]->samples, compare);
        sides[s]->seconds = (sides[s]->samples[(rounds - 1) / 2] + sides[s]->samples[rounds / 2]) / 2;
    }
    return true;
}

// ---- peers ------------------------------------------------------------------------------------------------------

// The child: its ends of the pipes become standard input and output; what it says on stderr is for nobody.
static void become(const char *const argv[], int in, int out)
{
    int nothing = open("/dev/null", O_WRONLY);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    signal(SIGPIPE, SIG_DFL);
    if (dup2(in, STDIN_FILENO) < 0 || dup2(out, STDOUT_FILENO) < 0 || dup2(nothing, STDERR_FILENO) < 0)
        _exit(127);
    execvp(argv[0], (char *const *)(size_t)argv);
    _exit(127);
}

static bool spawn(struct bench_peer *peer, const char *const argv[])
{
    int to[2], from[2];
    if (pipe(to) != 0)
        return false;
    if (pipe(from) != 0) {
        close(to[0]);
        close(to[1]);
        return false;
    }
    fcntl(to[1], F_SETFD, FD_CLOEXEC);
    fcntl(from[0], F_SETFD, FD_CLOEXEC);
    peer->pid = fork();
    if (peer->pid == 0)
        become(argv, to[0], from[1]);
    close(to[0]);
    close(from[1]);
    peer->to = fdopen(to[1], "w");
    peer->from = fdopen(from[0], "r");
    return peer->pid > 0;
}

bool bench_peer_start(struct bench_peer *peer, const char *const argv[], struct error *err)
{
    char line[BENCH_TEXT];
    *peer = (struct bench_peer){.pid = -1};
    if (!spawn(peer, argv)) {
        bench_peer_stop(peer);
        return error_set(err, ERROR_MACHINE, "%s cannot be started: %s", argv[0], strerror(errno));
    }
    if (!fgets(line, sizeof line, peer->from))
        line[0] = '\0';
    line[strcspn(line, "\n")] = '\0';
    if (sscanf(line, "ready %159[^\n]", peer->version) == 1)
        return true;
    bench_peer_stop(peer);
    if (!strncmp(line, "missing ", 8))
        return error_set(err, ERROR_INPUT, "not installed: %s", line + 8);
    return error_set(err, ERROR_INPUT, "%s cannot run%s%s", argv[0], line[0] ? ": " : "", line);
}

void bench_peer_stop(struct bench_peer *peer)
{
    if (peer->to)
        fclose(peer->to); // its end of file: it leaves
    if (peer->from)
        fclose(peer->from);
    if (peer->pid > 0)
        waitpid(peer->pid, NULL, 0);
    *peer = (struct bench_peer){.pid = -1};
}

const char *bench_peer_ask(struct bench_peer *peer, const char *line, char answer[], size_t size)
{
    if (fprintf(peer->to, "%s\n", line) < 0 || fflush(peer->to) != 0 || !fgets(answer, (int)size, peer->from))
        return NULL;
    answer[strcspn(answer, "\n")] = '\0';
    return answer;
}

int bench_peer_values(struct bench_peer *peer, const char *name, float values[], int count)
{
    char line[64], answer[1024], *at = answer;
    int found = 0;
    snprintf(line, sizeof line, "values %s", name);
    if (!bench_peer_ask(peer, line, answer, sizeof answer))
        return 0;
    for (char *end; found < count; found++, at = end) {
        values[found] = strtof(at, &end);
        if (end == at)
            break;
    }
    return found;
}

bool bench_peer_side(void *context, struct bench_time *time, struct error *err)
{
    const struct bench_peer_run *run = context;
    char answer[BENCH_TEXT];
    const char *line = bench_peer_ask(run->peer, run->name, answer, sizeof answer);
    if (line && sscanf(line, "%lf %lf", &time->wall, &time->cpu) == 2)
        return true;
    return error_set(err, ERROR_MACHINE, "%s gave no time for a run (%s)", run->peer->version, line ? line : "it ended");
}

// ---- memory, scripts, bars --------------------------------------------------------------------------------------

double bench_peak_memory(pid_t pid)
{
    char path[64], line[256];
    double kilobytes = (double)NAN;
    snprintf(path, sizeof path, pid > 0 ? "/proc/%d/status" : "/proc/self/status", (int)pid);
    FILE *status = fopen(path, "r");
    while (status && fgets(line, sizeof line, status))
        if (sscanf(line, "VmHWM: %lf", &kilobytes) == 1)
            break;
    if (status)
        fclose(status);
    return kilobytes / 1024;
}

void bench_peak_memory_reset(void)
{
    int file = open("/proc/self/clear_refs", O_WRONLY);
    if (file < 0)
        return; // the peak is then that of the process so far: never too small
    ssize_t ignored = write(file, "5", 1);
    (void)ignored;
    close(file);
}

bool bench_folder(char folder[BENCH_PATH], struct error *err)
{
    const char *base = getenv("TMPDIR");
    if (!base || !*base || strlen(base) > 32)
        base = "/tmp";
    snprintf(folder, BENCH_PATH, "%s/trimscope-bench-XXXXXX", base);
    return mkdtemp(folder) || error_set(err, ERROR_MACHINE, "cannot make a folder in %s: %s", base, strerror(errno));
}

int bench_take_over(const char *name, int flags, char path[BENCH_PATH], struct error *err)
{
    int file = open(name, flags, 0600);
    if (file < 0)
        error_set(err, ERROR_MACHINE, "cannot open %s: %s", name, strerror(errno));
    unlink(name);
    snprintf(path, BENCH_PATH, "/proc/self/fd/%d", file);
    return file;
}

int bench_temporary(char path[BENCH_PATH], struct error *err)
{
    char folder[BENCH_PATH], name[BENCH_PATH + 16];
    if (!bench_folder(folder, err))
        return -1;
    snprintf(name, sizeof name, "%s/file", folder);
    int file = bench_take_over(name, O_RDWR | O_CREAT | O_EXCL, path, err);
    rmdir(folder);
    return file;
}

bool bench_script(const char *name, char path[], size_t size, struct error *err)
{
    char assets[ASSETS_PATH];
    if (!assets_find(assets, err))
        return false;
    if ((size_t)snprintf(path, size, "%s/../tools/%s", assets, name) < size && access(path, R_OK) == 0)
        return true;
    return error_set(err, ERROR_INPUT, "tools/%s is not installed: run `make bench` in the source folder", name);
}

bool bench_find_model(const struct bench *bench, json_t *results, char path[ASSETS_PATH])
{
    struct error err = {0};
    bool named = bench->model && (size_t)snprintf(path, ASSETS_PATH, "%s", bench->model) < ASSETS_PATH;
    if ((named || assets_model(path, &err)) && access(path, R_OK) == 0)
        return true;
    bench_print(bench, _("\nleft out: there is no model %s (--model FILE takes another one)\n"), path);
    json_object_set_new(results, "absent", json_string("no model"));
    return false;
}

void bench_bar(json_t *results, const struct bench_bar *bar)
{
    bool met = bar->at_most ? bar->value <= bar->bar : bar->value >= bar->bar;
    json_t *bars = json_object_get(results, "bars");
    if (!bars)
        json_object_set_new(results, "bars", bars = json_array());
    json_array_append_new(bars, json_pack("{s:s,s:s,s:f,s:f,s:b,s:b}", "what", bar->what, "unit", bar->unit, "value",
                                          bar->value, "bar", bar->bar, "at_most", bar->at_most, "met", met));
}

static void put_bar(struct table *table, const json_t *bar)
{
    const char *what = json_string_value(json_object_get(bar, "what"));
    const char *unit = json_string_value(json_object_get(bar, "unit"));
    double value = json_number_value(json_object_get(bar, "value")), least = json_number_value(json_object_get(bar, "bar"));
    bool at_most = json_is_true(json_object_get(bar, "at_most")), met = json_is_true(json_object_get(bar, "met"));
    table_cell(table, "%s", _(what));
    table_cell(table, "%.2f%s", value, unit);
    table_cell(table, at_most ? _("at most %g%s") : _("at least %g%s"), least, unit);
    table_cell(table, "%s", met ? _("met") : _("NOT MET"));
}

void bench_print_bars(const struct bench *bench, json_t *results)
{
    const char *name;
    json_t *section, *bar;
    size_t i;
    bool any = false;
    struct table table;
    static const struct table_column columns[] = {{"", -52}, {"", 8}, {"", -14}, {"", -1}};
    json_object_foreach(results, name, section)
        json_array_foreach(json_object_get(section, "bars"), i, bar)
        {
            if (!any)
                bench_print(bench, "%s", _("\nBars\n"));
            if (!any)
                bench_table(bench, &table, columns, sizeof columns / sizeof *columns);
            any = true;
            put_bar(&table, bar);
        }
}
