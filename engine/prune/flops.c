#include "engine/prune/flops.h"

#include "engine/model/beam.h"
#include "engine/model/decoder.h"

#include <math.h>

static uint64_t product(int a, int b, int c)
{
    return (uint64_t)a * (uint64_t)b * (uint64_t)c;
}

// rows: tokens that take part; heads: those computed.
static void add_msa(const struct model_config *c, int width, int rows, int heads, struct macs *macs)
{
    int columns = heads * model_head_size(c);
    macs->qkv += product(rows, width, 3 * columns);
    macs->attention += 2 * product(rows, rows, columns);
    macs->projection += product(rows, columns, width);
}

// keys: rows of the other stream, `memory` wide.
static void add_mca(const struct model_config *c, int width, int memory, int rows, int keys, int heads,
                    struct macs *macs)
{
    int columns = heads * model_head_size(c);
    macs->qkv += product(rows, width, columns) + product(keys, memory, 2 * columns);
    macs->attention += 2 * product(rows, keys, columns);
    macs->projection += product(rows, columns, width);
}

void flops_layer(const struct model_config *c, const struct flops_layer *layer, struct macs *macs)
{
    const int ffn[STACK_COUNT] = {[STACK_IMAGE] = c->image_ffn,
                                  [STACK_TEXT] = c->text_ffn,
                                  [STACK_FUSION_IMAGE] = c->image_fusion_ffn,
                                  [STACK_FUSION_TEXT] = c->text_fusion_ffn};
    bool blip = c->architecture == ARCHITECTURE_BLIP;
    int width = model_stack_width(c, layer->stack), memory = blip ? model_image_width(c) : width;
    if (blip && (layer->stack == STACK_FUSION_IMAGE || layer->stack == STACK_DECODER))
        return; // patches and words are read there, and change nowhere
    add_msa(c, width, layer->rows, layer->msa, macs);
    if (c->task == TASK_CAPTION && layer->stack == STACK_FUSION_TEXT) // K and V are kept of all heads, for words to come
        macs->qkv += product(layer->rows, width, 3 * (c->heads - layer->msa) * model_head_size(c));
    if (layer->stack == STACK_FUSION_IMAGE || layer->stack == STACK_FUSION_TEXT)
        add_mca(c, width, memory, layer->rows, layer->keys, layer->mca, macs);
    macs->ffn += 2 * product(layer->rows, width, ffn[layer->stack]);
}

void flops_twin(const struct model_config *c, int layer, int rows, int keys, int heads, struct macs *macs)
{
    add_mca(c, c->width, model_image_width(c), rows, keys, heads, macs);
    if (layer >= c->merge_from)
        macs->projection += product(rows, 2 * c->width, c->width);
}

void flops_token_trimmer(const struct model_config *c, enum model_stack stack, int layer, int rows, bool guided,
                         struct macs *macs)
{
    const struct trimmer_config *trimmer = &c->trimmers[stack][layer];
    int width = model_stack_width(c, stack);
    macs->trimmer += product(rows, width, trimmer->hidden) + product(rows, trimmer->hidden, 1);
    if (!guided || !trimmer->rank)
        return;
    macs->trimmer += product(1, model_stack_context(c, stack), trimmer->rank);
    if (!trimmer->concat && flops_query_folds(width, trimmer->rank))
        macs->trimmer += product(1, width, trimmer->rank) + product(rows, width, 1);
    else
        macs->trimmer += product(rows, width, trimmer->rank) + product(rows, trimmer->rank, 1);
}

void flops_head_trimmer(const struct model_config *c, enum model_stack stack, bool mca, struct macs *macs)
{
    int from = model_stack_width(c, stack) + (mca ? model_stack_context(c, stack) : 0);
    macs->trimmer += product(1, from, model_stack_heads(c, stack));
}

// BLIP's words encoded without a picture.
static void add_words_alone(const struct model_config *c, int tokens, struct macs *macs)
{
    for (int l = 0; l < c->fusion_layers; l++) {
        add_msa(c, c->width, tokens, c->heads, macs);
        macs->ffn += 2 * product(tokens, c->width, c->text_fusion_ffn);
    }
}

void flops_guide(const struct model_config *c, int tokens, struct macs *macs)
{
    struct macs alone = {0};
    add_words_alone(c, tokens, &alone);
    macs->trimmer += flops_total(&alone); // the model itself has no such pass
}

void flops_similarity(const struct model_config *c, int rows, int words, bool encoder, struct macs *macs)
{
    int image_width = model_image_width(c);
    bool turned = encoder || c->architecture == ARCHITECTURE_BLIP;
    macs->trimmer += product(rows, words, image_width) + (turned ? product(words, c->width, image_width) : 0);
    if (c->architecture == ARCHITECTURE_BLIP)
        macs->trimmer += product(words, c->width, c->width); // their queries
}

void flops_embed_image(const struct model_config *c, struct macs *macs)
{
    int patches = model_grid(c) * model_grid(c), width = model_image_width(c);
    if (c->stem == STEM_PATCH) {
        macs->other += product(patches, 3 * c->patch_size * c->patch_size, width);
        return;
    }
    macs->other += product(16 * patches, 48, c->stem_channels[0]) +
                   product(4 * patches, 9 * c->stem_channels[0], c->stem_channels[1]) +
                   product(patches, 9 * c->stem_channels[1], width);
    macs->other +=
        (uint64_t)c->stem_blocks * (product(patches, 25, width) + 2 * product(patches, width, c->stem_expansion));
}

void flops_finish(const struct model_config *c, int rows, struct macs *macs)
{
    if (c->architecture == ARCHITECTURE_METER)
        macs->other += product(rows, c->width, c->width);
}

void flops_answer(const struct model_config *c, struct macs *macs)
{
    if (c->architecture == ARCHITECTURE_BLIP) {
        macs->other += c->task == TASK_NLVR2 ? product(1, c->width, c->head_hidden) : 0;
        macs->other += model_writes(c) ? 0 : product(1, c->task == TASK_NLVR2 ? c->head_hidden : c->width, c->labels);
        return;
    }
    macs->other += 2 * product(c->pictures, c->width, c->width);
    if (c->task == TASK_RETRIEVAL)
        macs->other += product(c->labels + c->ranked, 2, c->width);
    else
        macs->other += product(2 * c->pictures, c->width, c->head_hidden) + product(1, c->head_hidden, c->labels);
    if (c->answer_words)
        macs->other += product(1, c->head_hidden, c->width) + product(1, c->width, c->labels);
}

void flops_contrast(const struct model_config *c, int tokens, struct macs *macs)
{
    if (!c->projection)
        return;
    add_words_alone(c, tokens, macs);
    macs->other += product(1, c->width, c->projection) + product(1, model_image_width(c), c->projection);
}

void flops_memory(const struct model_config *c, int keys, struct macs *macs)
{
    int from = c->task == TASK_CAPTION ? model_image_width(c) : c->width;
    macs->qkv += product(keys, from, 2 * c->width);
}

void flops_words(const struct model_config *c, const struct flops_words *words, struct macs *macs)
{
    uint64_t layers = (uint64_t)flops_writing_layers(c), width = (uint64_t)c->width;
    int ffn = c->task == TASK_CAPTION ? c->text_fusion_ffn : c->decoder_ffn;
    macs->qkv += layers * product(words->rows, c->width, 4 * c->width);
    macs->attention += 2 * width * (words->own_keys + words->other_keys);
    macs->projection += 2 * layers * product(words->rows, c->width, c->width);
    macs->ffn += 2 * layers * product(words->rows, c->width, ffn);
    macs->other += product(words->heads, c->width, c->width) + product(words->heads, c->width, c->vocabulary);
}

void flops_published_ranking(const struct model_config *c, int tokens, int candidates, int longest, struct macs *macs)
{
    uint64_t layers = (uint64_t)c->decoder_layers, rows = (uint64_t)(candidates * longest);
    struct flops_words words = {(int)rows, layers * rows * (uint64_t)longest, layers * rows * (uint64_t)tokens, (int)rows};
    for (uint64_t l = 0; l < layers; l++)
        flops_memory(c, candidates * tokens, macs);
    flops_words(c, &words, macs);
}

int flops_writing_layers(const struct model_config *c)
{
    return c->task == TASK_CAPTION ? c->fusion_layers : c->decoder_layers;
}

static int or_published(int asked, int published)
{
    return asked > 0 ? asked : published;
}

struct flops_text flops_text(const struct model_config *c, const struct answer_list *answers, bool generate, int candidates,
                             int beams, int longest)
{
    bool ranks = c->task == TASK_VQA && !generate, listed = answers && answers->count > 0;
    int most = rank_most(candidates), labels = listed ? answers->count : c->labels;
    struct flops_text text = {
        .beams = or_published(beams, BEAMS),
        .longest = or_published(longest, c->task == TASK_CAPTION ? c->max_tokens : WORDS_ANSWER),
        .candidates = !ranks ? 0 : labels < most ? labels : most,
        .pieces = 1,
        .own_keys = 2, // itself and [DEC]
    };
    double pieces = 0, own_keys = 0;
    for (int a = 0; listed && a < answers->count; a++)
        for (int i = 1; i < answers->start[a + 1] - answers->start[a]; i++) {
            pieces++;
            own_keys += i + 1;
        }
    if (listed) {
        text.pieces = pieces / answers->count;
        text.own_keys = own_keys / answers->count;
    }
    return text;
}

void flops_writing(const struct model_config *c, const struct flops_text *text, int tokens, uint64_t keys,
                   struct macs *macs)
{
    bool captions = c->task == TASK_CAPTION;
    uint64_t layers = (uint64_t)flops_writing_layers(c), beams = (uint64_t)text->beams;
    int before = captions ? tokens : 1;
    struct flops_words first = {1, layers, keys, 1};
    for (uint64_t l = 0; l < layers && !captions; l++)
        flops_memory(c, (int)(keys / layers), macs);
    if (captions)
        first = (struct flops_words){.heads = 1}; // the text layers have read the prompt
    flops_words(c, &first, macs);
    if (text->candidates) {
        int rows = (int)lround(text->candidates * text->pieces);
        uint64_t own = (uint64_t)llround(text->candidates * text->own_keys);
        struct flops_words answers = {rows, layers * own, (uint64_t)rows * keys, rows};
        flops_words(c, &answers, macs);
        return;
    }
    for (int at = before; at < text->longest - 1; at++) {
        struct flops_words word = {text->beams, layers * beams * (uint64_t)(at + 1), beams * keys, text->beams};
        flops_words(c, &word, macs);
    }
}

void flops_dense(const struct model_config *c, const struct flops_text *text, int tokens, struct macs *macs)
{
    struct flops_text published = flops_text(c, NULL, false, 0, 0, 0);
    int rows = model_grid(c) * model_grid(c) + 1, h = c->heads;
    bool blip = c->architecture == ARCHITECTURE_BLIP;
    struct flops_layer words = {STACK_TEXT, tokens, 0, h, 0}, image = {STACK_IMAGE, rows, 0, model_image_heads(c), 0};
    struct flops_layer fusion_text = {STACK_FUSION_TEXT, tokens, rows, h, h};
    struct flops_layer fusion_image = {STACK_FUSION_IMAGE, rows, tokens, h, h};
    for (int l = 0; l < c->text_layers; l++)
        flops_layer(c, &words, macs);
    flops_finish(c, tokens, macs);
    for (int p = 0; p < c->pictures; p++) {
        flops_embed_image(c, macs);
        for (int l = 0; l < c->image_layers; l++)
            flops_layer(c, &image, macs);
        flops_finish(c, rows, macs);
        for (int l = 0; l < c->fusion_layers && (!blip || p == 0); l++) {
            flops_layer(c, &fusion_text, macs);
            if (blip && c->pictures > 1)
                flops_twin(c, l, tokens, rows, h, macs);
            flops_layer(c, &fusion_image, macs);
        }
    }
    if (model_writes(c))
        flops_writing(c, text ? text : &published, tokens,
                      (uint64_t)(flops_writing_layers(c) * (c->task == TASK_CAPTION ? rows : tokens)), macs);
    flops_contrast(c, tokens, macs);
    flops_answer(c, macs);
}

uint64_t flops_total(const struct macs *macs)
{
    return macs->qkv + macs->attention + macs->projection + macs->ffn + macs->trimmer + macs->other;
}
