#include "tests/support/formula.h"

#include "engine/io/safetensors.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint64_t name_hash(const char *name)
{
    uint64_t h = 0xcbf29ce484222325u;
    for (; *name; name++)
        h = (h ^ (unsigned char)*name) * 0x100000001b3u;
    return h;
}

static double unit(uint64_t h, uint64_t i)
{
    uint64_t z = h + (i + 1) * 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    z = z ^ z >> 31;
    return (double)(z >> 40) / 8388608.0 - 1;
}

static bool ends_in(const char *text, const char *end)
{
    size_t n = strlen(text), m = strlen(end);
    return n >= m && !strcmp(text + n - m, end);
}

void formula_values(const char *name, uint64_t seed, int rank, const int64_t *shape, float *out, size_t n)
{
    uint64_t h = name_hash(name) + seed * 0x9e3779b97f4a7c15u;
    double scale = 0.09, offset = 0;
    if (rank == 0) {
        out[0] = 0.07f;
        return;
    }
    if (strstr(name, "embed") || strstr(name, "cls_token") || strstr(name, "token_type")) {
        scale = 0.05 * sqrt(3);
    } else if (rank >= 2) {
        scale = 0.9 * sqrt(3) / sqrt((double)n / (double)shape[0]);
    } else if (ends_in(name, "weight")) {
        scale = 0.17;
        offset = 1;
    }
    for (size_t i = 0; i < n; i++)
        out[i] = (float)(offset + unit(h, i) * scale);
}

// The rules that tie or shift values of a whole list of tensors.
static void apply_rules(struct tensor_source *tensors, int count, uint64_t seed)
{
    for (int i = 0; i < count; i++) {
        struct tensor_source *t = &tensors[i];
        float *data = (float *)(size_t)t->data;
        const char *same = NULL;
        if (!strcmp(t->name, "text_decoder.cls.predictions.decoder.weight"))
            same = "text_decoder.bert.embeddings.word_embeddings.weight";
        if (!strcmp(t->name, "text_decoder.cls.predictions.decoder.bias"))
            same = "text_decoder.cls.predictions.bias";
        if (same)
            formula_values(same, seed, t->rank, t->shape, data,
                           (size_t)t->shape[0] * (size_t)(t->rank > 1 ? t->shape[1] : 1));
        if (!strcmp(t->name, "text_decoder.cls.predictions.bias") || same)
            if (t->rank == 1)
                data[t->shape[0] > 1000 ? 102 : 3] += seed == 7 ? 0.5f : 1.0f;
        if (!strcmp(t->name, "itm_score.fc.weight")) {
            int64_t shape[] = {1, t->shape[1]};
            formula_values("rank_output.weight", seed, 2, shape, data + t->shape[1], (size_t)t->shape[1]);
        }
        if (!strcmp(t->name, "itm_score.fc.bias"))
            formula_values("rank_output.bias", seed, 1, (int64_t[]){1}, data + 1, 1);
    }
}

// One line of the list; false at a line that is no tensor of floats (int64 buffers are not used by inference).
static bool read_line(char *line, struct tensor_source *tensor, size_t *elements)
{
    char *shape = strchr(line, '\t'), *type = shape ? strchr(shape + 1, '\t') : NULL;
    if (!type)
        return false;
    *shape++ = '\0';
    *type++ = '\0';
    *tensor = (struct tensor_source){.stored = TENSOR_F32};
    *elements = 1;
    for (char *at = shape; (at = strpbrk(at, "0123456789"));) {
        tensor->shape[tensor->rank] = strtoll(at, &at, 10);
        *elements *= (size_t)tensor->shape[tensor->rank++];
    }
    return !strncmp(type, "float32", 7);
}

bool formula_checkpoint(const char *keys_path, uint64_t seed, const char *out_path)
{
    enum { LIMIT = 4096 };
    static struct tensor_source tensors[LIMIT];
    char line[512];
    int count = 0;
    struct error err;
    FILE *keys = fopen(keys_path, "r");
    if (!keys) {
        perror(keys_path);
        return false;
    }
    while (count < LIMIT && fgets(line, sizeof line, keys)) {
        size_t n;
        struct tensor_source *t = &tensors[count];
        if (!read_line(line, t, &n))
            continue;
        float *data = malloc((n ? n : 1) * sizeof *data);
        t->name = strdup(line);
        if (!data || !t->name)
            abort();
        formula_values(t->name, seed, t->rank, t->shape, data, n);
        t->data = data;
        count++;
    }
    fclose(keys);
    apply_rules(tensors, count, seed);
    // The fixtures of BLIP have a small vocabulary, whose [SEP] is not BERT's; a published file has none of this.
    bool small = false;
    for (int i = 0; i < count; i++)
        small = small ||
                (!strcmp(tensors[i].name, "text_encoder.embeddings.word_embeddings.weight") &&
                 tensors[i].shape[0] < 1000) ||
                (!strcmp(tensors[i].name, "text_decoder.bert.embeddings.word_embeddings.weight") &&
                 tensors[i].shape[0] < 1000);
    struct metadata_pair config = {"config", "{\"architecture\": \"blip\", \"token_end\": 3}"};
    bool ok = safetensors_write(out_path, tensors, count, &config, small, &err);
    if (!ok)
        fprintf(stderr, "%s\n", err.text);
    for (int i = 0; i < count; i++) {
        free((void *)(size_t)tensors[i].name);
        free((void *)(size_t)tensors[i].data);
    }
    return ok;
}
