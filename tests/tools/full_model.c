// full_model TASK SIDE OUT.safetensors [VOCAB.json MERGES.txt]: a METER or BLIP of the published size with formula weights, to
// look at and to measure what no small model shows. TASK is vqa, nlvr2 or snli, blip-vqa, blip-caption or blip-nlvr2; with
// RoBERTa's two files METER reads questions. BLIP gets its words from `trimscope import`.
#include "engine/base/file.h"
#include "engine/base/memory.h"
#include "engine/io/safetensors.h"
#include "engine/model/parameters.h"
#include "tests/support/formula.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TENSORS = 2048 };

struct list {
    struct tensor_source tensors[TENSORS];
    struct parameter parameters[TENSORS];
    int count;
};

// vlm_spec §4: ViT-B/16, twelve layers of BERT's size in text encoder and decoder; the latter alone writes captions. Two
// pictures are mixed by a linear map in the upper half of the text encoder (§4.7).
static bool make_blip(struct model_config *c, enum model_task task, int side)
{
    struct error err;
    model_config_default_blip(c, task);
    snprintf(c->name, sizeof c->name, "BLIP-%s, formula weights", model_task_name(task));
    c->image_size = side;
    c->position_grid = side / c->patch_size;
    c->width = 768;
    c->heads = 12;
    c->image_layers = c->fusion_layers = 12;
    c->image_ffn = c->text_fusion_ffn = 4 * c->width;
    if (task == TASK_VQA) {
        c->decoder_layers = 12;
        c->decoder_ffn = 4 * c->width;
    } else if (task == TASK_NLVR2) {
        c->merge_from = 6;
        c->labels = 2;
        c->head_hidden = c->width;
    }
    c->vocabulary = 30524;
    c->positions = 512;
    c->token_start = 30522;
    c->token_encode = 30523;
    bool ok = model_config_check(c, &err);
    if (!ok)
        fprintf(stderr, "full_model: SIDE is a multiple of 16\n");
    return ok;
}

// vlm_spec §3.1: eleven blocks of CLIP ViT-B/16, RoBERTa-base, six co-attention layers a stream.
static bool make_config(struct model_config *c, const char *task, int side)
{
    static const enum model_task blip[] = {TASK_VQA, TASK_CAPTION, TASK_NLVR2};
    for (size_t t = 0; t < sizeof blip / sizeof *blip; t++)
        if (!strncmp(task, "blip-", 5) && !strcmp(task + 5, model_task_name(blip[t])))
            return make_blip(c, blip[t], side);
    model_config_default(c);
    for (int t = 0; t < TASK_COUNT; t++)
        if (!strcmp(task, model_task_name((enum model_task)t)))
            c->task = (enum model_task)t;
    snprintf(c->name, sizeof c->name, "METER-%s, formula weights", task);
    c->pictures = c->task == TASK_NLVR2 ? 2 : 1;
    c->image_size = side;
    c->position_grid = side / c->patch_size;
    c->width = 768;
    c->heads = 12;
    c->image_layers = 11;
    c->text_layers = 12;
    c->fusion_layers = 6;
    c->image_ffn = c->text_ffn = c->image_fusion_ffn = c->text_fusion_ffn = 4 * c->width;
    c->vocabulary = 50265;
    c->positions = 514;
    c->token_types = 1 + c->pictures;
    c->labels = c->task == TASK_VQA ? 3129 : c->task == TASK_NLVR2 ? 2 : 3;
    c->head_hidden = 2 * c->width;
    struct error err;
    bool ok = !strcmp(task, model_task_name(c->task)) && model_config_check(c, &err);
    if (!ok)
        fprintf(stderr, "full_model: TASK is vqa, nlvr2, snli, blip-vqa, blip-caption or blip-nlvr2, SIDE a multiple of 16\n");
    return ok;
}

static bool add(void *context, const struct parameter *parameter)
{
    struct list *list = context;
    struct tensor_source *t = &list->tensors[list->count];
    struct parameter *p = &list->parameters[list->count++];
    float *data = malloc((size_t)parameter->elements * sizeof *data);
    *p = *parameter;
    *t = (struct tensor_source){.name = p->name, .stored = TENSOR_F32, .rank = p->rank, .data = data};
    memcpy(t->shape, p->shape, sizeof p->shape);
    if (data)
        formula_values(p->name, 1, p->rank, p->shape, data, (size_t)p->elements);
    return data && list->count < TENSORS;
}

// The metadata `tokenizer` (engine/text/tokenizer.h) of RoBERTa's two files; malloc'ed, NULL: one cannot be read.
static char *make_tokenizer(const char *vocab_path, const char *merges_path)
{
    json_t *merges = json_array();
    char line[512];
    FILE *file = fopen(merges_path, "r");
    while (file && fgets(line, sizeof line, file)) {
        line[strcspn(line, "\n")] = 0;
        if (line[0] && strncmp(line, "#version", 8) != 0)
            json_array_append_new(merges, json_string(line));
    }
    if (file)
        fclose(file);
    json_t *vocab = json_load_file(vocab_path, 0, NULL);
    json_t *all = json_pack("{s:s, s:o, s:o}", "kind", "roberta", "vocab", vocab, "merges", merges);
    char *text = file && vocab && all ? json_dumps(all, JSON_COMPACT) : NULL;
    json_decref(all);
    return text;
}

int main(int argc, char **argv)
{
    static struct list list;
    struct model_config config;
    struct error err = {0};
    if (argc != 4 && argc != 6) {
        fprintf(stderr, "usage: %s TASK SIDE OUT.safetensors [VOCAB.json MERGES.txt]\n", argv[0]);
        return 2;
    }
    if (!make_config(&config, argv[1], atoi(argv[2])) || !model_parameters(&config, add, &list))
        return 1;
    struct metadata_pair pairs[2] = {{"config", model_config_to_json(&config)}, {"tokenizer", NULL}};
    if (argc == 6 && !(pairs[1].value = make_tokenizer(argv[4], argv[5]))) {
        fprintf(stderr, "full_model: cannot read %s or %s\n", argv[4], argv[5]);
        return 1;
    }
    if (safetensors_write(argv[3], list.tensors, list.count, pairs, argc == 6 ? 2 : 1, &err))
        return 0;
    fprintf(stderr, "full_model: %s\n", err.text);
    return 1;
}
