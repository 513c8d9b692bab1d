// The dense forward pass of a full-size METER: against the machine's SGEMM peak, PyTorch and ONNX Runtime.
#include "app/bench_model.h"

#include "app/assets.h"
#include "engine/base/memory.h"
#include "ui/table.h"

#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PEERS = 2, LOGITS = 8, ROWS = 1 + PEERS };

struct peer_kind {
    const char *name, *json, *how; // how to get it
};

static const struct peer_kind kinds[PEERS] = {
    {"PyTorch", "pytorch", "apt-get install python3-torch"},
    {"ONNX Runtime", "onnxruntime", "npm install --ignore-scripts onnxruntime-node"},
};

// Everything that is measured, as one list of sides.
struct meter {
    const struct bench *bench;
    struct bench_model model;
    struct run *run;
    struct bench_peak peak;
    struct bench_forward forward[2];
    struct bench_peer peers[PEERS];
    bool there[PEERS];
    struct bench_peer_run peer_runs[PEERS][2];
    struct bench_side sides[ROWS][2], peak_side; // [][0]: the whole, [][1]: the image encoder
    double gflop[2], memory[ROWS], difference[PEERS]; // of the peers' logits from ours, largest
    float logits[LOGITS];
};

static void take_logits(void *context, const char *name, const float *x, int rows, int width)
{
    if (!strcmp(name, "logits") && rows == 1 && width >= LOGITS)
        memcpy(context, x, LOGITS * sizeof *x);
}

static void count_flops(struct meter *m)
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
static bool prepare_ours(struct meter *m, struct error *err)
{
    struct bench_time time;
    bench_print(m->bench, "%s", _("\nMETER-VQA at 384 px: making random weights ...\n"));
    if (!bench_model_open(&m->model, err))
        return false;
    struct run *check = bench_model_run(&m->model, m->bench, true, true, take_logits, m->logits, err);
    bool ok = check && bench_forward_side(&(struct bench_forward){check, &m->model.model->config, false}, &time, err);
    run_free(check);
    if (!ok || !(m->run = bench_model_run(&m->model, m->bench, true, true, NULL, NULL, err)))
        return false;
    for (int i = 0; i < 2; i++) {
        m->forward[i] = (struct bench_forward){m->run, &m->model.model->config, i == 1};
        m->sides[0][i] = (struct bench_side){.run = bench_forward_side, .context = &m->forward[i]};
    }
    if (!bench_forward_side(&m->forward[0], &time, err))
        return false;
    count_flops(m);
    return true;
}

// Largest difference of the peer's first logits from ours, as a share of the largest of ours.
static double compare_logits(struct meter *m, struct bench_peer *peer)
{
    char answer[1024], *at = answer;
    double most = 0, largest = 0;
    if (!bench_peer_ask(peer, "logits", answer, sizeof answer))
        return (double)NAN;
    for (int i = 0; i < LOGITS; i++) {
        char *end;
        double value = strtod(at, &end);
        if (end == at)
            return (double)NAN;
        at = end;
        most = fmax(most, fabs(value - (double)m->logits[i]));
        largest = fmax(largest, fabs((double)m->logits[i]));
    }
    return most / largest;
}

static bool start_torch(struct meter *m, struct bench_peer *peer, struct error *err)
{
    char script[ASSETS_PATH + 64], threads[16];
    snprintf(threads, sizeof threads, "%d", m->bench->threads);
    const char *const argv[] = {"/usr/bin/python3", script, "serve", m->model.path, threads, NULL};
    return bench_script("bench-meter-torch.py", script, sizeof script, err) && bench_peer_start(peer, argv, err);
}

// PyTorch writes the graph that ONNX Runtime reads, but only where there is an ONNX Runtime.
static bool start_onnx(struct meter *m, struct bench_peer *peer, struct error *err)
{
    char exporter[ASSETS_PATH + 64], script[ASSETS_PATH + 64], threads[16], whole[BENCH_PATH], image[BENCH_PATH];
    snprintf(threads, sizeof threads, "%d", m->bench->threads);
    const char *const probe[] = {"node", script, "probe", NULL};
    if (!bench_script("bench-meter-ort.mjs", script, sizeof script, err) ||
        !bench_script("bench-meter-torch.py", exporter, sizeof exporter, err) || !bench_peer_start(peer, probe, err))
        return false;
    bench_peer_stop(peer);
    int files[2] = {bench_temporary(whole, err), -1};
    files[1] = files[0] < 0 ? -1 : bench_temporary(image, err);
    const char *const export[] = {"/usr/bin/python3", exporter, "export", m->model.path, whole, image, NULL};
    const char *const serve[] = {"node", script, "serve", m->model.path, whole, image, threads, NULL};
    bool ok = files[1] >= 0 && bench_peer_start(peer, export, err);
    bench_peer_stop(peer);
    ok = ok && bench_peer_start(peer, serve, err);
    for (int i = 0; i < 2; i++)
        if (files[i] >= 0)
            close(files[i]);
    return ok;
}

static bool prepare_peers(struct meter *m, json_t *results, struct error *err)
{
    bool (*const start[PEERS])(struct meter *, struct bench_peer *, struct error *) = {start_torch, start_onnx};
    for (int p = 0; p < PEERS; p++) {
        struct error why = {0};
        m->there[p] = start[p](m, &m->peers[p], &why);
        if (!m->there[p]) {
            bench_print(m->bench, _("%s takes no part: %s (%s)\n"), kinds[p].name, why.text, kinds[p].how);
            json_object_set_new(results, kinds[p].json, json_pack("{s:s}", "absent", why.text));
            continue;
        }
        m->difference[p] = compare_logits(m, &m->peers[p]);
        if (!(m->difference[p] < 1e-3))
            return error_set(err, ERROR_MACHINE,
                             "%s answers otherwise than this program (logits differ by %.1g of the largest): the two do "
                             "not compute the same, so their times cannot be compared",
                             kinds[p].name, m->difference[p]);
        for (int i = 0; i < 2; i++) {
            m->peer_runs[p][i] = (struct bench_peer_run){&m->peers[p], i ? "image" : "meter"};
            m->sides[1 + p][i] = (struct bench_side){.run = bench_peer_side, .context = &m->peer_runs[p][i]};
        }
    }
    return true;
}

static bool measure(struct meter *m, struct error *err)
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

static void report_row(const struct meter *m, struct table *table, int row, const char *name, const char *key,
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
        json_object_set_new(entry, "logits_differ_by", json_real(m->difference[row - 1]));
    json_object_set_new(results, key, entry);
}

static void report(const struct meter *m, json_t *results)
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
        {N_("logits\ndiffer by"), -9},
    };
    struct table table;
    bench_print(m->bench,
                _("METER-VQA at 384 px, %d tokens of text, %.0f M parameters, fp32, one picture: %.1f GFLOP, of which the "
                  "image encoder %.1f\n"),
                BENCH_MODEL_WORDS, m->model.model->parameters * 1e-6, m->gflop[0], m->gflop[1]);
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
    json_object_set_new(results, "text_tokens", json_integer(BENCH_MODEL_WORDS));
}

bool bench_meter(const struct bench *bench, json_t *results, struct error *err)
{
    struct meter *m = memory_alloc(1, sizeof *m);
    if (!m)
        return error_no_memory(err, "the measurements");
    m->bench = bench;
    m->model.file = -1;
    bench_peak_memory_reset();
    struct sigaction ignore = {.sa_handler = SIG_IGN}, before;
    sigaction(SIGPIPE, &ignore, &before); // a peer that dies is noticed by what it does not say
    bool ok = prepare_ours(m, err) && prepare_peers(m, results, err) && measure(m, err);
    if (ok)
        report(m, results);
    for (int p = 0; p < PEERS; p++)
        if (m->there[p])
            bench_peer_stop(&m->peers[p]);
    run_free(m->run);
    bench_model_close(&m->model);
    bench_peak_free(&m->peak);
    memory_free(m);
    sigaction(SIGPIPE, &before, NULL);
    return ok;
}
