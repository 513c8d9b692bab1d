// What of a checkpoint is not written, and whether that may be.
#include "engine/base/memory.h"
#include "engine/base/text.h"
#include "engine/model/import_private.h"
#include "engine/model/parameters.h"

#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// The first pattern that fits decides.
static const struct {
    const char *pattern;
    enum leftover_kind kind;
} known[] = {
    {"*.position_ids", LEFTOVER_COUNTING},
    {"vit_model.positional_embedding", LEFTOVER_CLIP_TEXT},
    {"vit_model.ln_final.*", LEFTOVER_CLIP_TEXT},
    {"vit_model.text_projection", LEFTOVER_CLIP_TEXT},
    {"vit_model.logit_scale", LEFTOVER_CLIP_TEXT},
    {"text_transformer.pooler.*", LEFTOVER_POOLER},
    {"text_decoder.cls.predictions.decoder.*", LEFTOVER_TIED},
    {"mlm_score.*", LEFTOVER_HEAD},
    {"itm_score.*", LEFTOVER_HEAD},
    {"rank_output.*", LEFTOVER_HEAD},
    {"vqa_classifier.*", LEFTOVER_HEAD},
    {"nlvr2_classifier.*", LEFTOVER_HEAD},
    {"snli_classifier.*", LEFTOVER_HEAD},
    {"itm_head.*", LEFTOVER_HEAD},
    {"cls_head.*", LEFTOVER_HEAD},
    {"vision_proj.*", LEFTOVER_HEAD},
    {"text_proj.*", LEFTOVER_HEAD},
    {"visual_encoder_m.*", LEFTOVER_MOMENTUM},
    {"text_encoder_m.*", LEFTOVER_MOMENTUM},
    {"vision_proj_m.*", LEFTOVER_MOMENTUM},
    {"text_proj_m.*", LEFTOVER_MOMENTUM},
    {"*_queue", LEFTOVER_TRAINING},
    {"ptr_queue", LEFTOVER_TRAINING},
    {"queue_ptr", LEFTOVER_TRAINING},
    {"temp", LEFTOVER_TRAINING},
    {"aux.*", LEFTOVER_TRAINING},
    {"optimizer.*", LEFTOVER_TRAINING},
};

// Stacks of layers: what the names begin with, and the tensor by which layers are counted (model_config_read()).
static const struct {
    const char *prefix, *probe;
} stacks[] = {
    {"vit_model.visual.transformer.resblocks.", ".ln_1.weight"},
    {"text_transformer.encoder.layer.", ".output.LayerNorm.weight"},
    {"cross_modal_image_layers.", ".output.LayerNorm.weight"},
    {"cross_modal_text_layers.", ".output.LayerNorm.weight"},
    {"visual_encoder.blocks.", ".norm1.weight"},
    {"text_encoder.encoder.layer.", ".output.LayerNorm.weight"},
    {"text_decoder.bert.encoder.layer.", ".output.LayerNorm.weight"},
};

struct marking {
    struct import *import;
    const struct tensor *first;
};

static bool mark_used(void *context, const struct parameter *parameter)
{
    struct marking *marking = context;
    const struct tensor *tensor = tensor_list_find(marking->import->tensors, parameter->name);
    marking->import->used[tensor - marking->first] = true;
    marking->import->report.tensors++;
    return true;
}

static bool prefix_used(const struct import *import, const char *prefix)
{
    for (int i = 0; i < tensor_list_count(import->tensors); i++)
        if (import->used[i] && !strncmp(tensor_list_at(import->tensors, i)->name, prefix, strlen(prefix)))
            return true;
    return false;
}

// A model is as deep as its layers go without a gap: what lies behind one would vanish in silence.
static bool check_gap(const struct import *import, const struct tensor *left, struct error *err)
{
    for (size_t i = 0; i < sizeof stacks / sizeof *stacks; i++) {
        size_t length = strlen(stacks[i].prefix);
        char name[PARAMETER_NAME];
        if (strncmp(left->name, stacks[i].prefix, length) != 0 || !prefix_used(import, stacks[i].prefix))
            continue;
        for (long layer = 0; layer <= strtol(left->name + length, NULL, 10) && layer <= MODEL_LAYERS; layer++) {
            snprintf(name, sizeof name, "%s%ld%s", stacks[i].prefix, layer, stacks[i].probe);
            if (!tensor_list_find(import->tensors, name))
                return error_set(err, ERROR_INPUT,
                                 "the tensor %s is missing, but there is %.120s: the file is not whole", name,
                                 left->name);
        }
    }
    return true;
}

// The engine reads the word table for both, as the original does.
static bool check_tied(const struct import *import, const struct tensor *left, struct error *err)
{
    static const char *const pairs[][2] = {
        {"text_decoder.cls.predictions.decoder.weight", "text_decoder.bert.embeddings.word_embeddings.weight"},
        {"text_decoder.cls.predictions.decoder.bias", "text_decoder.cls.predictions.bias"},
    };
    for (int i = 0; i < 2; i++) {
        const struct tensor *other = tensor_list_find(import->tensors, pairs[i][1]);
        if (strcmp(left->name, pairs[i][0]) != 0 || !other || !model_writes(&import->config))
            continue;
        if (left->type != other->type || left->elements != other->elements ||
            (left->data != other->data && memcmp(left->data, other->data, tensor_bytes(left)) != 0))
            return error_set(err, ERROR_INPUT, "%s and %s are one tensor in BLIP, but differ in this file", pairs[i][0],
                             pairs[i][1]);
    }
    return true;
}

static enum leftover_kind kind_of(const char *name)
{
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (fnmatch(known[i].pattern, name, 0) == 0)
            return known[i].kind;
    return LEFTOVER_UNKNOWN;
}

// Parts that another task of the same architecture has.
static bool is_other_stack(const struct import *import, const char *name)
{
    static const char *const parts[] = {"text_encoder.", "text_decoder."};
    for (int i = 0; i < 2; i++)
        if (import->config.architecture == ARCHITECTURE_BLIP && !strncmp(name, parts[i], strlen(parts[i])))
            return !prefix_used(import, parts[i]);
    return false;
}

// Names that begin alike are one group: with the same part, or two parts where nothing is known of them.
static bool same_group(const struct leftover *group, enum leftover_kind kind, const char *name)
{
    const char *dot = strchr(name, '.');
    if (dot && kind == LEFTOVER_UNKNOWN && strchr(dot + 1, '.'))
        dot = strchr(dot + 1, '.');
    return group->kind == kind && dot && strncmp(group->names, name, (size_t)(dot + 1 - name)) == 0;
}

// What the group's names and this one have in common, up to a dot.
static void shorten(char *names, const char *name)
{
    size_t same = 0, cut = 0;
    for (; names[same] && names[same] == name[same]; same++)
        if (names[same] == '.')
            cut = same + 1;
    if (names[cut] != '*')
        strcpy(names + cut, "*");
}

static void add_leftover(struct import_report *report, enum leftover_kind kind, const struct tensor *tensor)
{
    struct leftover *group = NULL;
    for (int i = 0; !group && i < report->leftover_count; i++)
        if (same_group(&report->leftovers[i], kind, tensor->name))
            group = &report->leftovers[i];
    if (group) {
        shorten(group->names, tensor->name);
    } else if (report->leftover_count == LEFTOVERS) {
        group = &report->leftovers[LEFTOVERS - 1];
        group->kind = LEFTOVER_UNKNOWN;
        strcpy(group->names, "*");
    } else {
        group = &report->leftovers[report->leftover_count++];
        *group = (struct leftover){.kind = kind};
        text_fit(group->names, sizeof group->names - 2, tensor->name);
    }
    group->tensors++;
    group->bytes += tensor_bytes(tensor);
}

bool import_check_rest(struct import *import, struct error *err)
{
    struct marking marking = {import, tensor_list_at(import->tensors, 0)};
    import->used = memory_alloc((size_t)tensor_list_count(import->tensors), sizeof *import->used);
    if (!import->used)
        return error_no_memory(err, "the list of tensors");
    model_parameters(&import->config, mark_used, &marking);
    for (int i = 0; i < tensor_list_count(import->tensors); i++) {
        const struct tensor *tensor = tensor_list_at(import->tensors, i);
        if (import->used[i])
            continue;
        if (!check_gap(import, tensor, err) || !check_tied(import, tensor, err))
            return false;
        enum leftover_kind kind = kind_of(tensor->name);
        if (kind == LEFTOVER_UNKNOWN && is_other_stack(import, tensor->name))
            kind = LEFTOVER_STACK;
        add_leftover(&import->report, kind, tensor);
    }
    return true;
}
