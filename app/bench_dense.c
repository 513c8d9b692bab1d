// The dense forward pass of a full-size METER or BLIP: against the machine's SGEMM peak, PyTorch and ONNX Runtime.
#include "app/bench_model.h"
#include "app/bench_ranking.h"

#include "app/assets.h"
#include "engine/base/memory.h"
#include "ui/table.h"

#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PEERS = 2, ROWS = 1 + PEERS };

struct peer_kind {
    const char *name, *json, *how; // how to get it
    const char *what[2];           // its bar, of METER and of BLIP
    double bar;                    // how many times its speed ours is at least
};

static const struct peer_kind kinds[PEERS] = {
    {"PyTorch",
     "pytorch",
     "apt-get install python3-torch",
     {N_("METER: time of PyTorch / ours"), N_("BLIP: time of PyTorch / ours")},
     1.3},
    {"ONNX Runtime",
     "onnxruntime",
     "npm install --ignore-scripts onnxruntime-node",
     {N_("METER: time of ONNX Runtime / ours"), N_("BLIP: time of ONNX Runtime / ours")},
     1.15},
};

// Of the SGEMM peak, by model; of the whole pass and the image encoder.
static const struct {
    const char *what[2];
    double bar;
} peak_bars[2] = {
    {{N_("METER: whole pass, share of the SGEMM peak"), N_("BLIP: whole pass, share of the SGEMM peak")}, 0.85},
    {{N_("METER: image encoder, share of the SGEMM peak"), N_("BLIP: image encoder, share of the SGEMM peak")}, 0.88},
};

// Everything that is measured, as one list of sides.
struct dense {
    enum bench_kind kind;
    const struct bench *bench;
    struct bench_model model;
    struct run *run;
    struct bench_peak peak;
    struct bench_forward forward[2];
    struct bench_peer peers[PEERS];
    bool there[PEERS];
    struct bench_peer_run peer_runs[PEERS][2];
    struct bench_side sides[ROWS][2], peak_side; // [][0]: the whole, [][1]: the image encoder
    double gflop[2], memory[ROWS], difference[PEERS]; // of the peers' results from ours, largest
    struct bench_results results;
    int input; // of the peers
    char input_path[BENCH_PATH];
};

static void count_flops(struct dense *m)
{
    const struct trace *trace = run_trace(m->run);
    m->gflop[0] = 2e-9 * trace->dense_macs;
    m->gflop[1] = 0;
    for (int i = 0; i < trace->stage_count; i++) {
        const struct stage *stage = &trace->stages[i];
        if (stage->kind == STAGE_IMAGE || (stage->kind == STAGE_EMBED && stage->stream == 0))
            m->gflop[1] += 2e-9 * stage->macs.dense;
    }
}

// Our side: its model, its memory, and what it answers.
static bool prepare_ours(struct dense *m, struct error *err)
{
    struct bench_time time;
    bench_print(m->bench, _("\n%s of full size: making random weights ...\n"), bench_kind_name(m->kind));
    if (!bench_model_open(&m->model, m->kind, err))
        return false;
    struct run *check = bench_model_run(&m->model, m->bench, true, true, bench_take_results, &m->results, err);
    bool ok = check && bench_forward_side(&(struct bench_forward){check, &m->model.model->config, BENCH_WHOLE}, &time, err);
    run_free(check);
    if (!ok || !(m->run = bench_model_run(&m->model, m->bench, true, true, NULL, NULL, err)))
        return false;
    for (int i = 0; i < 2; i++) {
        m->forward[i] = (struct bench_forward){m->run, &m->model.model->config, i ? BENCH_IMAGE : BENCH_WHOLE};
        m->sides[0][i] = (struct bench_side){.run = bench_forward_side, .context = &m->forward[i]};
    }
    if (!bench_forward_side(&m->forward[0], &time, err))
        return false;
    count_flops(m);
    m->input = bench_model_input(&m->model, &m->results, m->input_path, err);
    return m->input >= 0;
}

// Largest difference of the peer's first results from ours, as a share of the largest of ours.
static double compare_results(struct dense *m, struct bench_peer *peer)
{
    float values[BENCH_VALUES];
    double most = 0, largest = 0;
    if (bench_peer_values(peer, "whole", values, BENCH_VALUES) != BENCH_VALUES)
        return (double)NAN;
    for (int i = 0; i < BENCH_VALUES; i++) {
        most = fmax(most, fabs((double)(values[i] - m->results.values[i])));
        largest = fmax(largest, fabs((double)m->results.values[i]));
    }
    return most / largest;
}

static const char *script_name(const struct dense *m)
{
    return m->kind == BENCH_METER ? "meter" : "blip";
}

static bool start_torch(struct dense *m, struct bench_peer *peer, struct error *err)
{
    char script[ASSETS_PATH + 64], threads[16];
    snprintf(threads, sizeof threads, "%d", m->bench->threads);
    const char *const argv[] = {"/usr/bin/python3", script, "serve", script_name(m), m->model.path,
                                m->input_path,      threads, NULL};
    return bench_script("bench-torch.py", script, sizeof script, err) && bench_peer_start(peer, argv, err);
}

// PyTorch writes the graph that ONNX Runtime reads, but only where there is an ONNX Runtime.
static bool start_onnx(struct dense *m, struct bench_peer *peer, struct error *err)
{
    char exporter[ASSETS_PATH + 64], script[ASSETS_PATH + 64], threads[16], whole[BENCH_PATH], image[BENCH_PATH];
    snprintf(threads, sizeof threads, "%d", m->bench->threads);
    const char *const probe[] = {"node", script, "probe", NULL};
    if (!bench_script("bench-ort.mjs", script, sizeof script, err) ||
        !bench_script("bench-torch.py", exporter, sizeof exporter, err) || !bench_peer_start(peer, probe, err))
        return false;
    bench_peer_stop(peer);
    int files[2] = {bench_temporary(whole, err), -1};
    files[1] = files[0] < 0 ? -1 : bench_temporary(image, err);
    const char *const export[] = {"/usr/bin/python3", exporter, "export", script_name(m), m->model.path, m->input_path, whole, image, NULL};
    const char *const serve[] = {"node", script, "serve", m->input_path, whole, image, threads, NULL};
    bool ok = files[1] >= 0 && bench_peer_start(peer, export, err);
    bench_peer_stop(peer);
    ok = ok && bench_peer_start(peer, serve, err);
    for (int i = 0; i < 2; i++)
        if (files[i] >= 0)
            close(files[i]);
    return ok;
}

static bool prepare_peers(struct dense *m, json_t *results, struct error *err)
{
    bool (*const start[PEERS])(struct dense *, struct bench_peer *, struct error *) = {start_torch, start_onnx};
    for (int p = 0; p < PEERS; p++) {
        struct error why = {0};
        m->there[p] = start[p](m, &m->peers[p], &why);
        if (!m->there[p]) {
            bench_print(m->bench, _("%s takes no part: %s (%s)\n"), kinds[p].name, why.text, kinds[p].how);
            json_object_set_new(results, kinds[p].json, json_pack("{s:s}", "absent", why.text));
            continue;
        }
        m->difference[p] = compare_results(m, &m->peers[p]);
        if (!(m->difference[p] < 1e-3))
            return error_set(err, ERROR_MACHINE,
                             "%s answers otherwise than this program (its results differ by %.1g of the largest): the two do "
                             "not compute the same, so their times cannot be compared",
                             kinds[p].name, m->difference[p]);
        for (int i = 0; i < 2; i++) {
            m->peer_runs[p][i] = (struct bench_peer_run){&m->peers[p], i ? "image" : "whole"};
            m->sides[1 + p][i] = (struct bench_side){.run = bench_peer_side, .context = &m->peer_runs[p][i]};
        }
    }
    return true;
}

static bool measure(struct dense *m, struct error *err)
{
    struct bench_side *sides[2 * ROWS + 1];
    int count = 0;
    for (int r = 0; r < ROWS; r++)
        for (int i = 0; i < 2; i++)
            if (r == 0 || m->there[r - 1])
                sides[count++] = &m->sides[r][i];
    m->memory[0] = bench_peak_memory(0); // before OpenBLAS and its matrices join
    if (!bench_peak_init(&m->peak, err))
        return false;
    m->peak_side = (struct bench_side){.run = bench_peak_side, .context = &m->peak};
    sides[count++] = &m->peak_side;
    bool ok = bench_sides(m->bench, sides, count, err);
    for (int p = 0; p < PEERS; p++)
        m->memory[1 + p] = m->there[p] ? bench_peak_memory(m->peers[p].pid) : (double)NAN;
    return ok;
}

static void report_row(const struct dense *m, struct table *table, int row, const char *name, const char *key,
                       json_t *results)
{
    const struct bench_side *side = m->sides[row], *ours = m->sides[0];
    double rate[2], peak = bench_peak_flops() * 1e-9 / m->peak_side.seconds;
    for (int i = 0; i < 2; i++)
        rate[i] = m->gflop[i] / side[i].seconds;
    table_cell(table, "%.28s", name);
    for (int i = 0; i < 2; i++) {
        table_cell(table, "%.0f", side[i].seconds * 1e3);
        table_cell(table, "%.1f", rate[i]);
        table_cell(table, "%.2f", rate[i] / peak);
        table_cell(table, "%.2f", side[i].seconds / ours[i].seconds);
    }
    table_cell(table, "%.0f", m->memory[row]);
    if (row)
        table_cell(table, "%.1g", m->difference[row - 1]);
    else
        table_end_row(table);
    json_t *entry = json_pack("{s:s,s:f,s:f,s:f,s:f,s:f,s:f,s:f,s:f,s:f}", "name", name, "ms", side[0].seconds * 1e3,
                              "gflops", rate[0], "share_of_peak", rate[0] / peak, "our_speed_against_it",
                              side[0].seconds / ours[0].seconds, "image_ms", side[1].seconds * 1e3, "image_gflops",
                              rate[1], "image_share_of_peak", rate[1] / peak, "image_our_speed_against_it",
                              side[1].seconds / ours[1].seconds, "peak_memory_mb", m->memory[row]);
    if (row)
        json_object_set_new(entry, "results_differ_by", json_real(m->difference[row - 1]));
    json_object_set_new(results, key, entry);
}

static void report(const struct dense *m, json_t *results)
{
    double peak = bench_peak_flops() * 1e-9 / m->peak_side.seconds;
    static const struct table_column columns[] = {
        {"", -28},
        {N_("whole pass:\nms"), 6},
        {N_("\nGFLOP/s"), 7},
        {N_("of the\npeak"), 6},
        {N_("\n/ ours"), 6},
        {N_("image encoder:\nms"), 6},
        {N_("\nGFLOP/s"), 7},
        {N_("of the\npeak"), 6},
        {N_("\n/ ours"), 6},
        {N_("peak memory\nMB"), 6},
        {N_("results\ndiffer by"), -9},
    };
    struct table table;
    bench_print(m->bench,
                _("%s at %d px, %d tokens of text, %.0f M parameters (fp16 in the file, computed in fp32), one picture: %.1f "
                  "GFLOP, of which the image encoder %.1f\n"),
                bench_kind_name(m->kind), m->model.model->config.image_size, m->model.words,
                m->model.model->parameters * 1e-6, m->gflop[0], m->gflop[1]);
    bench_table(m->bench, &table, columns, sizeof columns / sizeof *columns);
    report_row(m, &table, 0, "trimscope", "ours", results);
    for (int p = 0; p < PEERS; p++)
        if (m->there[p])
            report_row(m, &table, 1 + p, m->peers[p].version, kinds[p].json, results);
    table_cell(&table, "%s", _("peak: OpenBLAS 2048^3"));
    table_cell(&table, "%.0f", m->peak_side.seconds * 1e3);
    table_cell(&table, "%.1f", peak);
    table_end_row(&table);
    json_object_set_new(results, "peak_gflops", json_real(peak));
    json_object_set_new(results, "gflop", json_real(m->gflop[0]));
    json_object_set_new(results, "image_gflop", json_real(m->gflop[1]));
    json_object_set_new(results, "text_tokens", json_integer(m->model.words));
    for (int i = 0; i < 2; i++)
        bench_bar(results, &(struct bench_bar){peak_bars[i].what[m->kind], "",
                                               m->gflop[i] / m->sides[0][i].seconds / peak, peak_bars[i].bar, false});
    for (int p = 0; p < PEERS; p++)
        if (m->there[p])
            bench_bar(results, &(struct bench_bar){kinds[p].what[m->kind], "",
                                                   m->sides[1 + p][0].seconds / m->sides[0][0].seconds, kinds[p].bar,
                                                   false});
}

static bool bench_kind(const struct bench *bench, enum bench_kind kind, json_t *results, struct error *err)
{
    struct dense *m = memory_alloc(1, sizeof *m);
    if (!m)
        return error_no_memory(err, "the measurements");
    m->bench = bench;
    m->kind = kind;
    m->model.file = m->input = -1;
    bench_peak_memory_reset();
    struct sigaction ignore = {.sa_handler = SIG_IGN}, before;
    sigaction(SIGPIPE, &ignore, &before); // a peer that dies is noticed by what it does not say
    bool ok = prepare_ours(m, err) && prepare_peers(m, results, err) && measure(m, err);
    if (ok)
        report(m, results);
    if (ok && kind == BENCH_BLIP)
        ok = bench_ranking(&(struct bench_ranked){bench, &m->model, m->run, &m->results, m->there[0] ? &m->peers[0] : NULL},
                           results, err);
    for (int p = 0; p < PEERS; p++)
        if (m->there[p])
            bench_peer_stop(&m->peers[p]);
    run_free(m->run);
    bench_model_close(&m->model);
    if (m->input >= 0)
        close(m->input);
    bench_peak_free(&m->peak);
    memory_free(m);
    sigaction(SIGPIPE, &before, NULL);
    return ok;
}

bool bench_meter(const struct bench *bench, json_t *results, struct error *err)
{
    return bench_kind(bench, BENCH_METER, results, err);
}

bool bench_blip(const struct bench *bench, json_t *results, struct error *err)
{
    return bench_kind(bench, BENCH_BLIP, results, err);
}
