// The tensors of a checkpoint under the names that the model has them by.
#include "engine/io/torch.h"
#include "engine/model/import_private.h"
#include "engine/model/parameters.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char trimmer_prefix[] = "trimmers.", parallel_prefix[] = "module.";

static bool begins(const char *name, const char *prefix)
{
    return strncmp(name, prefix, strlen(prefix)) == 0;
}

// Models that were trained on several devices have every name behind "module.".
static size_t prefix_of(const struct tensor_list *list)
{
    for (int i = 0; i < tensor_list_count(list); i++)
        if (!begins(tensor_list_at(list, i)->name, parallel_prefix))
            return 0;
    return tensor_list_count(list) ? strlen(parallel_prefix) : 0;
}

static bool any_begins(const struct tensor_list *list, const char *prefix)
{
    for (int i = 0; i < tensor_list_count(list); i++)
        if (begins(tensor_list_at(list, i)->name, prefix))
            return true;
    return false;
}

// Encoders that METER's and BLIP's code can have and this program cannot run; without this the first tensor that is
// missing would be named, which helps nobody.
static bool refuse_others(const struct tensor_list *list, struct error *err)
{
    if (!any_begins(list, "vit_model.") && !any_begins(list, "visual_encoder."))
        return error_set(err, ERROR_INPUT,
                         "these are not the weights of METER or BLIP: none of %d tensors has one of their names; the "
                         "first is %.120s",
                         tensor_list_count(list), tensor_list_count(list) ? tensor_list_at(list, 0)->name : "-");
    if (any_begins(list, "vit_model.layers.") || any_begins(list, "vit_model.patch_embed."))
        return error_set(err, ERROR_INPUT,
                         "this is METER with a Swin Transformer as image encoder, which cannot be run here; take a "
                         "checkpoint with CLIP's ViT (meter_clip16_...)");
    if (any_begins(list, "vit_model.visual.layer1."))
        return error_set(err, ERROR_INPUT,
                         "this is METER with a ResNet as image encoder, which cannot be run here; take a "
                         "checkpoint with CLIP's ViT (meter_clip16_...)");
    return true;
}

// BLIP's code for two pictures loads files for one by copying the cross-attention for each picture (models/blip_nlvr.py).
// Returns where the digit of the picture goes in `name`, NULL where nothing is to be copied.
static const char *twin_place(const char *name)
{
    static const char *const parts[] = {"crossattention.self.", "crossattention.output.dense."};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        const char *at = strstr(name, parts[i]);
        if (at)
            return at + strlen(parts[i]) - 1;
    }
    return NULL;
}

static bool wants_twins(const struct tensor_list *list, size_t prefix)
{
    bool head = false;
    for (int i = 0; i < tensor_list_count(list); i++) {
        const char *name = tensor_list_at(list, i)->name + prefix;
        head = head || !strcmp(name, "cls_head.2.weight");
        if (strstr(name, "crossattention.self0."))
            return false;
    }
    return head;
}

static bool add(struct import *import, const struct tensor *tensor, const char *name, struct error *err)
{
    struct tensor renamed = *tensor;
    renamed.name = name;
    return tensor_list_add(import->tensors, &renamed) || error_no_memory(err, "the list of tensors");
}

static bool add_twins(struct import *import, const struct tensor *tensor, const char *name, const char *place,
                      struct error *err)
{
    for (int picture = 0; picture < 2; picture++) {
        char twin[2 * PARAMETER_NAME];
        snprintf(twin, sizeof twin, "%.*s%d%.90s", (int)(place - name), name, picture, place);
        if (!add(import, tensor, twin, err))
            return false;
    }
    import->report.twins = true;
    return true;
}

static bool add_all(struct import *import, struct error *err)
{
    size_t prefix = prefix_of(import->file);
    bool twins = wants_twins(import->file, prefix);
    for (int i = 0; i < tensor_list_count(import->file); i++) {
        const struct tensor *tensor = tensor_list_at(import->file, i);
        const char *name = tensor->name + prefix, *place = twins ? twin_place(name) : NULL;
        if (import->trimmers && begins(name, trimmer_prefix))
            continue;
        if (place && place - name < PARAMETER_NAME ? !add_twins(import, tensor, name, place, err)
                                                   : !add(import, tensor, name, err))
            return false;
    }
    return true;
}

static bool add_trimmers(struct import *import, const char *path, struct error *err)
{
    size_t prefix = prefix_of(import->trimmers);
    bool any = false;
    for (int i = 0; i < tensor_list_count(import->trimmers); i++) {
        const struct tensor *tensor = tensor_list_at(import->trimmers, i);
        if (!begins(tensor->name + prefix, trimmer_prefix))
            continue;
        any = true;
        if (!add(import, tensor, tensor->name + prefix, err))
            return false;
    }
    return any || error_set(err, ERROR_INPUT,
                            "%s holds no trimmers: names must begin with \"trimmers.image.N.\", \"trimmers.text.N.\", "
                            "\"trimmers.fusion_image.N.\", \"trimmers.fusion_text.N.\" or \"trimmers.decoder.0.\"",
                            path);
}

// The metadata that the model is read with: the file's own "config", if it is one of this program's, and the task.
static bool add_metadata(struct import *import, const char *task, struct error *err)
{
    const char *text = tensor_list_metadata(import->file, "config");
    json_t *config = text ? json_loads(text, 0, NULL) : json_object(), *metadata = json_object();
    if (text && !config)
        config = json_object();
    if (task)
        json_object_set_new(config, "task", json_string(task));
    char *whole = json_dumps(config, JSON_PRESERVE_ORDER);
    bool ok = metadata && whole && json_object_set_new(metadata, "config", json_string(whole)) == 0;
    free(whole);
    json_decref(config);
    tensor_list_own_metadata(import->tensors, metadata);
    return ok || error_no_memory(err, "the list of tensors");
}

bool import_gather(struct import *import, const struct import_options *options, struct error *err)
{
    size_t most = 2 * (size_t)tensor_list_count(import->file);
    if (options->trimmers) {
        import->trimmers = weights_open(options->trimmers, err);
        if (!import->trimmers)
            return false;
        most += (size_t)tensor_list_count(import->trimmers);
    }
    import->tensors = tensor_list_new(most);
    if (!import->tensors)
        return error_no_memory(err, "the list of tensors");
    return add_all(import, err) && (!import->trimmers || add_trimmers(import, options->trimmers, err)) &&
           tensor_list_index(import->tensors, err) && refuse_others(import->tensors, err) &&
           add_metadata(import, options->task, err);
}
