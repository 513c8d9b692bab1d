// Computing one stage: decide, gather, run the layer, and leave a snapshot.
#include "engine/prune/merging.h"
#include "engine/run/run_private.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

const struct stream_state *run_input(const struct run *run, int index, int stream)
{
    int input = run->plan[index].input[stream];
    return input < 0 ? NULL : &run->snapshots[input].streams[stream];
}

int run_stream_width(const struct run *run, int stream)
{
    return run_stream_is_text(stream) ? run->model->config.width : model_image_width(&run->model->config);
}

void run_gather(const struct run *run, int index, int stream, int pass, float *out)
{
    const struct stream_state *in = run_input(run, index, stream), *state = &run->snapshots[index].streams[stream];
    const float *x = run_rows(in, pass);
    int width = run_stream_width(run, stream), *from = run->order;
    if (policy_kind(run->options.policy)->merges && !run_stream_is_text(stream)) {
        const struct merging_rows rows = {in->x[0], in->size, in->rows, in->alive};
        merging_gather(&rows, width, state->rows, state->alive, state->partner, out, state->size);
        return;
    }
    // Both lists of original indices rise, so one walk finds the rows.
    for (int row = 0, to = 0; to < state->alive; row++)
        if (in->rows[row] == state->rows[to])
            from[to++] = row;
    gather_rows(run->math.pool, out, x, from, state->alive, width);
}

const uint8_t *run_live_heads(const struct trace_heads *heads)
{
    for (int h = 0; h < heads->count; h++)
        if (!heads->on[h])
            return heads->on;
    return NULL; // all of them: the kernels take their fastest way
}

// Forced drops in a stage that embeds: everything was embedded, the rows that go are taken out after it.
static void embed_gather(struct run *run, int index, int stream)
{
    struct stream_state *state = &run->snapshots[index].streams[stream];
    gather_rows(NULL, state->x[0], state->x[0], state->rows, state->alive, run_stream_width(run, stream));
    for (int r = 0; r < state->alive; r++)
        state->size[r] = 1;
}

static void compute_embed(struct run *run, struct forward *forward, int index)
{
    int stream = run->plan[index].stream;
    struct snapshot *snapshot = &run->snapshots[index];
    run_decide_tokens(run, forward, index, stream);
    if (run_stream_is_text(stream)) {
        forward_embed_text(forward, run->ids, run->token_count, snapshot->streams[stream].x[0]);
        if (run_is_blip(run) && run_policy_acts(run, run->options.policy, index))
            run_guide(run, forward);
    } else {
        forward_embed_image(forward, run->pixels[stream], snapshot->streams[stream].x[0]);
        flops_embed_image(&run->model->config, &snapshot->dense);
    }
    embed_gather(run, index, stream);
}

void run_mean(float *to, const float *values, int count)
{
    double sum = 0;
    int known = 0;
    for (int i = 0; i < count; i++)
        if (!isnan(values[i])) {
            sum += (double)values[i];
            known++;
        }
    *to = known ? (float)(sum / known) : NAN;
}

static void compute_encoder(struct run *run, struct forward *forward, int index)
{
    const struct stage_plan *plan = &run->plan[index];
    const struct model_config *c = &run->model->config;
    int stream = plan->stream;
    bool text = run_stream_is_text(stream);
    struct snapshot *snapshot = &run->snapshots[index];
    struct stream_state *state = &snapshot->streams[stream];
    char name[TRACE_NAME];
    run_decide_tokens(run, forward, index, stream);
    run_decide_heads(run, forward, index, stream);
    run_gather(run, index, stream, 0, state->x[0]);
    snprintf(name, sizeof name, text ? "txt_layer%02d" : "vit_block%02d", plan->layer);
    struct layer_input input = {
        .layer = text ? &run->model->text[plan->layer] : &run->model->image[plan->layer],
        .x = state->x[0],
        .rows = state->alive,
        .name = name,
        .live_msa = run_live_heads(&state->heads[MODULE_MSA]),
        .msa.redundancy = run->options.bare ? NULL : &snapshot->redundancy_heads,
    };
    if (run->options.trim_tokens && policy_reads_cls(run->options.policy, c, run_stack(plan, stream), plan->layer))
        input.msa.cls = state->cls;
    forward_layer(forward, &input);
    snapshot->redundancy_heads_of[text] = snapshot->redundancy_heads;
    struct flops_layer dense = {
        .stack = run_stack(plan, stream), .rows = state->count, .msa = model_stack_heads(c, run_stack(plan, stream))};
    flops_layer(c, &dense, &snapshot->dense);
    if (plan->layer < model_stack_layers(c, run_stack(plan, stream)) - 1)
        return;
    if (text)
        forward_finish_text(forward, state->x[0], state->alive);
    else
        forward_finish_image(forward, state->x[0], state->alive, state->rows, 1 + stream);
    flops_finish(c, state->count, &snapshot->dense);
}

// One picture beside the words: both streams from their states before this layer.
static void fuse(struct run *run, struct forward *forward, int index, int picture, float *redundancy)
{
    const struct stage_plan *plan = &run->plan[index];
    const struct model *m = run->model;
    struct stream_state *text = &run->snapshots[index].streams[TRACE_TEXT_STREAM];
    struct stream_state *image = &run->snapshots[index].streams[picture];
    size_t mark = run->math.scratch.used, width = (size_t)m->config.width;
    float *image_kv = arena_alloc(&run->math.scratch, (size_t)image->alive * 2 * width, sizeof(float));
    float *text_kv = arena_alloc(&run->math.scratch, (size_t)text->alive * 2 * width, sizeof(float));
    char text_name[TRACE_NAME], image_name[TRACE_NAME];
    float *picture_heads = redundancy + 2 * picture, *words_heads = picture_heads + 2 * TRACE_PICTURES;
    run_gather(run, index, TRACE_TEXT_STREAM, picture, text->x[picture]);
    run_gather(run, index, picture, 0, image->x[0]);
    snprintf(text_name, sizeof text_name, "x_txt%d", plan->layer);
    snprintf(image_name, sizeof image_name, "x_img%d", plan->layer);
    struct layer_input text_input = {.layer = &m->fusion[FUSION_TEXT][plan->layer],
                                     .x = text->x[picture],
                                     .rows = text->alive,
                                     .kv = image_kv,
                                     .keys = image->alive,
                                     .name = text_name,
                                     .live_msa = run_live_heads(&text->heads[MODULE_MSA]),
                                     .live_mca = run_live_heads(&text->heads[MODULE_MCA]),
                                     .msa.redundancy = words_heads,
                                     .mca.redundancy = words_heads + 1};
    struct layer_input image_input = {.layer = &m->fusion[FUSION_IMAGE][plan->layer],
                                      .x = image->x[0],
                                      .rows = image->alive,
                                      .kv = text_kv,
                                      .keys = text->alive,
                                      .name = image_name,
                                      .live_msa = run_live_heads(&image->heads[MODULE_MSA]),
                                      .live_mca = run_live_heads(&image->heads[MODULE_MCA]),
                                      .msa.redundancy = picture_heads,
                                      .mca.redundancy = picture_heads + 1};
    if (run->options.bare)
        text_input.msa.redundancy = text_input.mca.redundancy = image_input.msa.redundancy =
            image_input.mca.redundancy = NULL;
    if (run->options.trim_tokens &&
        policy_reads_cls(run->options.policy, &m->config, STACK_FUSION_IMAGE, plan->layer))
        image_input.msa.cls = image->cls;
    if (run->options.trim_tokens &&
        policy_reads_mass(run->options.policy, &m->config, STACK_FUSION_IMAGE, plan->layer))
        text_input.mca.mass = image->mass; // what the words gave to each patch
    forward_memory(forward, text_input.layer, false, image->x[0], image->alive, text_input.live_mca, image_kv);
    forward_memory(forward, image_input.layer, false, text->x[picture], text->alive, image_input.live_mca, text_kv);
    forward_layer(forward, &text_input);
    forward_layer(forward, &image_input);
    arena_rewind(&run->math.scratch, mark);
}

static void compute_fusion(struct run *run, struct forward *forward, int index)
{
    const struct model_config *c = &run->model->config;
    struct snapshot *snapshot = &run->snapshots[index];
    float redundancy[4 * TRACE_PICTURES]; // of the pictures' modules, two for each picture, then of the words'
    int patches = run_stream_count(run, 0), words = run->token_count;
    if (run_is_blip(run)) {
        run_fuse_blip(run, forward, index);
        return;
    }
    for (int i = 0; i < 4 * TRACE_PICTURES; i++)
        redundancy[i] = NAN;
    for (int s = 0; s < TRACE_STREAMS; s++)
        if (run->plan[index].touches[s]) {
            run_decide_tokens(run, forward, index, s);
            run_decide_heads(run, forward, index, s);
        }
    for (int p = 0; p < c->pictures; p++) {
        struct flops_layer text = {STACK_FUSION_TEXT, words, patches, c->heads, c->heads};
        struct flops_layer image = {STACK_FUSION_IMAGE, patches, words, c->heads, c->heads};
        fuse(run, forward, index, p, redundancy);
        flops_layer(c, &text, &snapshot->dense);
        flops_layer(c, &image, &snapshot->dense);
    }
    run_mean(&snapshot->redundancy_heads, redundancy, 4 * TRACE_PICTURES);
    run_mean(&snapshot->redundancy_heads_of[0], redundancy, 2 * TRACE_PICTURES);
    run_mean(&snapshot->redundancy_heads_of[1], redundancy + 2 * TRACE_PICTURES, 2 * TRACE_PICTURES);
}

// The answer head on the CLS rows after fusion stage `index`.
static void answer_from(struct run *run, struct forward *forward, int index)
{
    const float *text[TRACE_PICTURES], *image[TRACE_PICTURES];
    if (run_is_blip(run)) {
        run_classify(run, forward, index);
        return;
    }
    for (int p = 0; p < run->model->config.pictures; p++) {
        text[p] = run_rows(&run->snapshots[index].streams[TRACE_TEXT_STREAM], p);
        image[p] = run->snapshots[index].streams[p].x[0];
    }
    forward_answer(forward, text, image, run->logits);
}

void run_compute(struct run *run, int index)
{
    struct snapshot *snapshot = &run->snapshots[index];
    struct forward forward = {.model = run->model,
                              .math = &run->math,
                              .probe = run->probe,
                              .probe_context = run->probe_context};
    double start = clock_seconds();
    bool writes = model_writes(&run->model->config);
    snapshot->dense = (struct macs){0};
    snapshot->redundancy_image = snapshot->redundancy_text = snapshot->redundancy_heads = NAN;
    snapshot->redundancy_heads_of[0] = snapshot->redundancy_heads_of[1] = NAN;
    snapshot->answer_count = 0;
    snapshot->rank = snapshot->similarity = NAN;
    switch (run->plan[index].kind) {
    case STAGE_EMBED: compute_embed(run, &forward, index); break;
    case STAGE_IMAGE:
    case STAGE_TEXT: compute_encoder(run, &forward, index); break;
    case STAGE_FUSION: compute_fusion(run, &forward, index); break;
    case STAGE_MEMORY: run_make_memory(run, &forward, index); break;
    case STAGE_DECODE: run_write_word(run, &forward, index); break;
    default:
        if (writes)
            run_written_answer(run, &forward, index);
        else
            answer_from(run, &forward, index - 1);
        run_contrast(run, &forward, index);
        flops_answer(&run->model->config, &snapshot->dense);
    }
    snapshot->ms = (clock_seconds() - start - forward.aside) * 1000;
    snapshot->spent = forward.macs;
    if (!run->options.bare)
        run_measure_redundancy(run, index);
    snapshot->valid = true;
    snapshot->serial = run->twin ? 0 : ++run->computed;
    if (writes) {
        if (run_stage_joint(run, index) && !run->options.bare)
            run_lens_words(run, index);
        return;
    }
    if (run->plan[index].kind == STAGE_FUSION && !run->options.bare) {
        struct forward lens = {.model = run->model, .math = &run->math}; // not part of the model's work: not counted
        answer_from(run, &lens, index);
    }
    if ((run->plan[index].kind == STAGE_FUSION && !run->options.bare) || run->plan[index].kind == STAGE_ANSWER)
        run_rank_answers(run, snapshot);
}
