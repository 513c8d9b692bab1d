#include "app/bench_ranking.h"

#include "engine/prune/flops.h"

#include <math.h>

static const double bar = 4;

// One run each: the published pass takes many seconds, and the bar is about multiply-adds.
static bool run_published(const struct bench_ranked *ranked, json_t *entry, struct error *err)
{
    float values[BENCH_VALUES];
    struct bench_time time;
    struct bench_peer_run run = {ranked->peer, "published"};
    double most = 0;
    if (!bench_peer_side(&run, &time, err))
        return false;
    if (bench_peer_values(ranked->peer, "published", values, BENCH_VALUES) != BENCH_VALUES)
        return error_set(err, ERROR_MACHINE, "%s ranked nothing", ranked->peer->version);
    for (int i = 0; i < BENCH_VALUES; i++)
        most = fmax(most, fabs((double)(values[i] - ranked->results->losses[i])) / fabs((double)values[i]));
    double ms = (ranked->bench->threads == 1 ? time.cpu : time.wall) * 1e3;
    bench_print(ranked->bench, _("the published pass takes %s %.0f ms; its losses differ from ours by %.1g of their size\n"),
                ranked->peer->version, ms, most);
    json_object_update_new(entry, json_pack("{s:f,s:f}", "published_ms", ms, "losses_differ_by", most));
    return most < 1e-3 || error_set(err, ERROR_MACHINE, "the published ranking gives other losses than this program");
}

bool bench_ranking(const struct bench_ranked *ranked, json_t *results, struct error *err)
{
    const struct model *model = ranked->model->model;
    struct bench_forward answer = {ranked->run, &model->config, BENCH_ANSWER};
    struct bench_side side = {.run = bench_forward_side, .context = &answer}, *sides[] = {&side};
    int candidates = ranked->results->candidates, longest = bench_longest_answer(model);
    struct macs published = {0};
    if (!bench_sides(ranked->bench, sides, 1, err))
        return false;
    const struct trace *trace = run_trace(ranked->run);
    const struct stage *last = &trace->stages[trace->stage_count - 1];
    flops_published_ranking(&model->config, ranked->model->words, candidates, longest, &published);
    double theirs = (double)flops_total(&published) * 1e-6 / candidates, ours = last->macs.spent * 1e-6 / candidates;
    bench_print(ranked->bench,
                _("ranking %d candidates: %.1f M multiply-adds each in %.1f ms; as published (padded to %d tokens, the "
                  "question's keys and values anew for each) %.1f M\n"),
                candidates, ours, side.seconds * 1e3, longest, theirs);
    json_t *entry = json_pack("{s:i,s:f,s:f,s:f,s:f}", "candidates", candidates, "ours_macs", ours * 1e6, "published_macs",
                              theirs * 1e6, "ms", side.seconds * 1e3, "fewer", theirs / ours);
    json_object_set_new(results, "ranking", entry);
    bench_bar(results, &(struct bench_bar){N_("BLIP: multiply-adds per candidate, published / ours"), "", theirs / ours, bar,
                                           false});
    return !ranked->peer || run_published(ranked, entry, err);
}
