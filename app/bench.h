// `trimscope bench` is a table of sections; each measures one thing, all sides in the same run, prints a
// table for people (bench_print) and fills `results` with the same numbers for --json.
#ifndef TRIMSCOPE_APP_BENCH_H
#define TRIMSCOPE_APP_BENCH_H

#include "engine/base/error.h"
#include "ui/words.h"

#include <jansson.h>
#include <stdbool.h>

struct thread_pool;

struct bench {
    int threads;
    struct thread_pool *pool; // of that many
    bool json;                // nothing but JSON on stdout
    int rounds;               // samples of each side
    double sample_seconds, settle_seconds;
    const char *model; // NULL: the bundled one
};

struct measure_case;
struct table;
struct table_column;

// Measures the cases in turn; afterwards bench_seconds() gives the time of each: CPU time with one thread,
// since that does not count waiting for other programs, wall time with more.
void bench_measure(const struct bench *bench, struct measure_case *cases, int count);
double bench_seconds(const struct bench *bench, const struct measure_case *measured);
// Which of two times counts: that of the processor with one thread, of the clock with more.
double bench_counted(const struct bench *bench, double wall, double cpu);

// printf() to stdout, and at once; nothing with --json.
void bench_print(const struct bench *bench, const char *format, ...) __attribute__((format(printf, 2, 3)));

// Begins a table on stdout; its rows go nowhere with --json.
void bench_table(const struct bench *bench, struct table *table, const struct table_column *columns, int count);

// One side of every comparison: OpenBLAS multiplying two 2048 x 2048 matrices, the machine's SGEMM peak.
struct bench_peak {
    float *a, *b, *c;
};
bool bench_peak_init(struct bench_peak *peak, struct error *err);
void bench_peak_free(struct bench_peak *peak);
void bench_peak_run(void *peak);
double bench_peak_flops(void); // of one run

// `count` numbers between -1 and 1; NULL when there is no memory. Release with memory_free().
float *bench_numbers(size_t count);

// The processor's name as Linux gives it, "unknown processor" elsewhere.
enum { BENCH_PROCESSOR = 64 };
void bench_processor_name(char name[BENCH_PROCESSOR]);

// name, function, one line for the help. A section adds its tables to the object `results`.
// clang-format off
#define BENCH_SECTIONS(X)                                                                                      \
    X(linear, bench_linear, N_("linear layers by number of rows: ours, OpenBLAS, the machine's peak"))             \
    X(attention, bench_attention, N_("attention by number of tokens: ours, OpenBLAS with a softmax between"))      \
    X(meter, bench_meter, N_("a dense full-size METER: ours, PyTorch, ONNX Runtime, the machine's peak"))         \
    X(blip, bench_blip, N_("a dense full-size BLIP, answers ranked: ours, PyTorch, ONNX Runtime, the peak"))             \
    X(prune, bench_prune, N_("what pruning tokens and heads gives back as time in a full-size METER"))             \
    X(prune_blip, bench_prune_blip, N_("the same in a full-size BLIP"))                                          \
    X(start, bench_start, N_("a full-size METER and BLIP: opening to the first stage, and their memory"))         \
    X(bundled, bench_bundled, N_("the bundled model on questions of its world, dense and at a budget of 0.4"))     \
    X(screen, bench_screen, N_("the screen: key press to the end of its frame, start to the first picture"))          \
    X(train, bench_train, N_("training questions a second against a PyTorch twin of the same model"))
// clang-format on

#define BENCH_DECLARE(name, function, summary)                                                               \
    bool function(const struct bench *bench, json_t *results, struct error *err);
BENCH_SECTIONS(BENCH_DECLARE)
#undef BENCH_DECLARE

#endif
