#include "engine/model/config.h"

#include "engine/base/text.h"
#include "engine/io/tensors.h"
#include "engine/model/config_private.h"
#include "engine/model/parameters.h"

#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

enum {
    WIDTH_LIMIT = 8192,
    FFN_LIMIT = 65536,
    GRID_LIMIT = 64, // 4096 patches: more than any published model has, and small enough to allocate for
    TOKEN_LIMIT = 512,
    HEAD_LIMIT = 64, // TRACE_HEADS
};

const char *model_task_name(enum model_task task)
{
#define TASK_NAME(id, name, head, pictures) name,
    static const char *const names[] = {MODEL_TASKS(TASK_NAME)};
#undef TASK_NAME
    return names[task];
}

const char *model_task_head(enum model_task task)
{
#define TASK_HEAD(id, name, head, pictures) head,
    static const char *const heads[] = {MODEL_TASKS(TASK_HEAD)};
#undef TASK_HEAD
    return heads[task];
}

int model_task_pictures(enum model_task task)
{
#define TASK_PICTURES(id, name, head, pictures) pictures,
    static const int pictures[] = {MODEL_TASKS(TASK_PICTURES)};
#undef TASK_PICTURES
    return pictures[task];
}

const char *model_stack_name(enum model_stack stack)
{
#define STACK_NAME(id, name) name,
    static const char *const names[] = {MODEL_STACKS(STACK_NAME)};
#undef STACK_NAME
    return names[stack];
}

int model_trimmed_layers(const struct model_config *config)
{
    int count = 0;
    for (int s = 0; s < STACK_COUNT; s++)
        for (int l = 0; l < model_stack_layers(config, (enum model_stack)s); l++) {
            const struct trimmer_config *t = &config->trimmers[s][l];
            count += t->hidden || t->msa || t->mca;
        }
    return count;
}

int model_stack_layers(const struct model_config *config, enum model_stack stack)
{
    return stack == STACK_IMAGE     ? config->image_layers
           : stack == STACK_TEXT    ? config->text_layers
           : stack == STACK_DECODER ? config->decoder_layers > 0
                                    : config->fusion_layers;
}

bool model_stack_is_text(enum model_stack stack)
{
    return stack != STACK_IMAGE && stack != STACK_FUSION_IMAGE;
}

int model_stack_width(const struct model_config *config, enum model_stack stack)
{
    return model_stack_is_text(stack) ? config->width : model_image_width(config);
}

int model_stack_context(const struct model_config *config, enum model_stack stack)
{
    return model_stack_width(config, model_stack_is_text(stack) ? STACK_FUSION_IMAGE : STACK_FUSION_TEXT);
}

int model_stack_heads(const struct model_config *config, enum model_stack stack)
{
    return model_stack_is_text(stack) ? config->heads : model_image_heads(config);
}

enum picture_fitting model_fitting(const struct model_config *config)
{
    return config->architecture == ARCHITECTURE_BLIP ? PICTURE_SQUASH : PICTURE_CROP;
}

void model_config_default(struct model_config *config)
{
    *config = (struct model_config){
        .name = "METER",
        .task = TASK_VQA,
        .pictures = 1,
        .patch_size = 16,
        .max_tokens = 50,
        .token_types = 2,
        .image_eps = 1e-5f,
        .text_eps = 1e-5f,
        .fusion_eps = 1e-12f,
        .head_eps = 1e-5f,
        .trimmer_eps = 1e-5f,
    };
}

static bool check_range(const char *what, int value, int low, int high, struct error *err)
{
    if (value < low || value > high)
        return error_set(err, ERROR_INPUT, "the model's %s is %d; expected %d to %d", what, value, low, high);
    return true;
}

static bool check_trimmers(const struct model_config *config, struct error *err)
{
    for (int s = 0; s < STACK_COUNT; s++)
        for (int l = 0; l < model_stack_layers(config, (enum model_stack)s); l++) {
            const struct trimmer_config *t = &config->trimmers[s][l];
            const char *name = model_stack_name((enum model_stack)s);
            if (t->hidden < 0 || t->hidden > WIDTH_LIMIT || t->rank < 0 || t->rank > WIDTH_LIMIT)
                return error_set(err, ERROR_INPUT, "trimmer %s.%d has a hidden size of %d and a rank of %d", name, l,
                                 t->hidden, t->rank);
            if (t->rank && !t->hidden)
                return error_set(err, ERROR_INPUT, "trimmer %s.%d has a cross-modal part but no self part", name, l);
            if (t->rank && s == STACK_TEXT)
                return error_set(err, ERROR_INPUT,
                                 "trimmer %s.%d has a cross-modal part, but the text encoder runs before anything "
                                 "could guide it",
                                 name, l);
            if (config->architecture == ARCHITECTURE_BLIP && s == STACK_FUSION_IMAGE && (t->msa || t->mca))
                return error_set(err, ERROR_INPUT, "trimmer %s.%d is for heads, but BLIP's patches have none there",
                                 name, l);
            if (s == STACK_DECODER && (t->msa || t->mca))
                return error_set(err, ERROR_INPUT, "trimmer %s.%d is for heads; the decoder's are not trimmed", name, l);
            if (t->mca && (s == STACK_TEXT || s == STACK_IMAGE))
                return error_set(err, ERROR_INPUT, "trimmer %s.%d is for cross-attention, which an encoder lacks",
                                 name, l);
        }
    return true;
}

// What only one of the architectures has.
static bool check_meter(const struct model_config *c, struct error *err)
{
    return check_range("text layer count", c->text_layers, 1, MODEL_LAYERS, err) &&
           check_range("text FFN width", c->text_ffn, 1, FFN_LIMIT, err) &&
           check_range("image fusion FFN width", c->image_fusion_ffn, 1, FFN_LIMIT, err) &&
           check_range("text position count", c->positions, c->max_tokens + 2, TABLE_LIMIT, err) &&
           check_range("width of the head for statements about two pictures", c->pair_hidden, 0, FFN_LIMIT, err) &&
           check_range("token type count", c->token_types, c->pair_hidden ? 3 : 1 + c->pictures, 16, err) &&
           check_range("label count", c->labels, 1, TABLE_LIMIT, err) &&
           check_range("answer head's width", c->head_hidden, c->task != TASK_RETRIEVAL, FFN_LIMIT, err);
}

static bool check_blip(const struct model_config *c, struct error *err)
{
    bool classifies = !model_writes(c);
    if (!check_range("image width", model_image_width(c), 1, WIDTH_LIMIT, err) ||
        !check_range("number of image heads", model_image_heads(c), 1, HEAD_LIMIT, err) ||
        !check_range("text position count", c->positions, c->max_tokens, TABLE_LIMIT, err) ||
        !check_range("decoder layer count", c->decoder_layers, c->task == TASK_VQA, MODEL_LAYERS, err) ||
        !check_range("decoder FFN width", c->decoder_ffn, c->task == TASK_VQA, FFN_LIMIT, err) ||
        !check_range("first merging layer", c->merge_from, 0, c->fusion_layers, err) ||
        !check_range("label count", c->labels, classifies, TABLE_LIMIT, err) ||
        !check_range("answer head's width", c->head_hidden, c->task == TASK_NLVR2, FFN_LIMIT, err) ||
        !check_range("contrastive width", c->projection, c->task == TASK_RETRIEVAL, WIDTH_LIMIT, err) ||
        !check_range("id of [DEC]", c->token_start, 0, c->vocabulary - 1, err) ||
        !check_range("id of [ENC]", c->token_encode, 0, c->vocabulary - 1, err) ||
        !check_range("id of [SEP]", c->token_end, 0, c->vocabulary - 1, err))
        return false;
    return model_image_width(c) == model_image_heads(c) * model_head_size(c) ||
           error_set(err, ERROR_INPUT, "the image encoder's width %d is not %d heads of %d", model_image_width(c),
                     model_image_heads(c), model_head_size(c));
}

bool model_config_check(const struct model_config *config, struct error *err)
{
    const struct model_config *c = config;
    bool blip = c->architecture == ARCHITECTURE_BLIP;
    if (!check_range("width", c->width, 1, WIDTH_LIMIT, err) ||
        !check_range("number of heads", c->heads, 1, HEAD_LIMIT, err) ||
        !check_range("patch size", c->patch_size, 1, 64, err) ||
        !check_range("image layer count", c->image_layers, 1, MODEL_LAYERS, err) ||
        !check_range("fusion layer count", c->fusion_layers, 1, MODEL_LAYERS, err) ||
        !check_range("image FFN width", c->image_ffn, 1, FFN_LIMIT, err) ||
        !check_range("text fusion FFN width", c->text_fusion_ffn, 1, FFN_LIMIT, err) ||
        !check_range("vocabulary", c->vocabulary, 4, TABLE_LIMIT, err) ||
        !check_range("max_tokens", c->max_tokens, 3, TOKEN_LIMIT, err) ||
        !check_range("position table's grid", c->position_grid, 1, GRID_LIMIT, err) ||
        !check_range("picture count", c->pictures, 1, 2, err))
        return false;
    if (c->width % c->heads)
        return error_set(err, ERROR_INPUT, "the model's width %d is not a multiple of its %d heads", c->width,
                         c->heads);
    if (c->image_size < 1 || c->image_size % c->patch_size || model_grid(c) > GRID_LIMIT)
        return error_set(err, ERROR_INPUT,
                         "an image size of %d does not fit patches of %d pixels; it must be a multiple, at most %d",
                         c->image_size, c->patch_size, GRID_LIMIT * c->patch_size);
    if (c->stem == STEM_CONV &&
        (c->patch_size != 16 || c->stem_channels[0] < 1 || c->stem_channels[0] > WIDTH_LIMIT ||
         c->stem_channels[1] < 1 || c->stem_channels[1] > WIDTH_LIMIT || c->stem_blocks < 0 ||
         c->stem_blocks > MODEL_LAYERS ||
         (c->stem_blocks && (c->stem_expansion < 1 || c->stem_expansion > FFN_LIMIT))))
        return error_set(err, ERROR_INPUT,
                         "a conv stem of %d and %d channels and %d blocks of width %d on patches of %d pixels is not "
                         "possible; patches must have 16",
                         c->stem_channels[0], c->stem_channels[1], c->stem_blocks, c->stem_expansion, c->patch_size);
    return (blip ? check_blip(c, err) : check_meter(c, err)) && check_trimmers(c, err);
}

// --- reading -------------------------------------------------------------------------------------------------------

bool model_config_size(const struct tensor_list *file, const char *name, int rank, int axis, int *size,
                       struct error *err)
{
    const struct tensor *tensor = tensor_list_find(file, name);
    if (!tensor)
        return error_set(err, ERROR_INPUT,
                         "this is not a METER or BLIP weights file, or not a whole one: it has no tensor %s", name);
    if (tensor->rank != rank || tensor->shape[axis] < 1 || tensor->shape[axis] > TABLE_LIMIT)
        return error_set(err, ERROR_INPUT, "tensor %s has %d axes, the size %lld in axis %d; expected %d axes, 1 to %d",
                         name, tensor->rank, (long long)(axis < tensor->rank ? tensor->shape[axis] : 0), axis, rank,
                         TABLE_LIMIT);
    *size = (int)tensor->shape[axis];
    return true;
}

int model_config_layers(const struct tensor_list *file, const char *before, const char *after, int limit)
{
    int n = 0;
    for (; n < limit; n++) {
        char name[PARAMETER_NAME];
        snprintf(name, sizeof name, "%s%d%s", before, n, after);
        if (!tensor_list_find(file, name))
            break;
    }
    return n;
}

static bool read_stem(struct model_config *c, const struct tensor_list *file, struct error *err)
{
    if (c->stem == STEM_PATCH)
        return model_config_size(file, "vit_model.visual.conv1.weight", 4, 2, &c->patch_size, err);
    c->stem_blocks = model_config_layers(file, "vit_model.visual.stem.blocks.", ".fc1.weight", MODEL_LAYERS + 1);
    return model_config_size(file, "vit_model.visual.stem.conv1.weight", 4, 0, &c->stem_channels[0], err) &&
           model_config_size(file, "vit_model.visual.stem.conv2.weight", 4, 0, &c->stem_channels[1], err) &&
           (!c->stem_blocks ||
            model_config_size(file, "vit_model.visual.stem.blocks.0.fc1.weight", 2, 0, &c->stem_expansion, err));
}

bool model_config_grid(struct model_config *c, const struct tensor_list *file, const char *table, int rank,
                       struct error *err)
{
    int rows;
    if (!model_config_size(file, table, rank, rank - 2, &rows, err))
        return false;
    c->position_grid = (int)lround(sqrt(rows - 1));
    if (c->position_grid * c->position_grid + 1 != rows)
        return error_set(err, ERROR_INPUT, "%s has %d rows, which is not a square of patches and a class row", table,
                         rows);
    if (!c->image_size)
        c->image_size = c->position_grid * c->patch_size;
    return true;
}

// The matrix of the answer head that gives the labels.
static void answer_tensor(enum model_task task, char name[PARAMETER_NAME])
{
    snprintf(name, PARAMETER_NAME, task == TASK_RETRIEVAL ? "%s.weight" : "%s.3.weight", model_task_head(task));
}

static bool read_sizes(struct model_config *c, const struct tensor_list *file, struct error *err)
{
    char head[PARAMETER_NAME];
    c->image_layers =
        model_config_layers(file, "vit_model.visual.transformer.resblocks.", ".ln_1.weight", MODEL_LAYERS + 1);
    c->text_layers =
        model_config_layers(file, "text_transformer.encoder.layer.", ".output.LayerNorm.weight", MODEL_LAYERS + 1);
    c->fusion_layers =
        model_config_layers(file, "cross_modal_image_layers.", ".output.LayerNorm.weight", MODEL_LAYERS + 1);
    answer_tensor(c->task, head);
    return model_config_size(file, "vit_model.visual.class_embedding", 1, 0, &c->width, err) &&
           model_config_size(file, "text_transformer.embeddings.word_embeddings.weight", 2, 0, &c->vocabulary, err) &&
           model_config_size(file, "text_transformer.embeddings.position_embeddings.weight", 2, 0, &c->positions,
                             err) &&
           model_config_size(file, "token_type_embeddings.weight", 2, 0, &c->token_types, err) &&
           model_config_size(file, "vit_model.visual.transformer.resblocks.0.mlp.c_fc.weight", 2, 0, &c->image_ffn,
                             err) &&
           model_config_size(file, "text_transformer.encoder.layer.0.intermediate.dense.weight", 2, 0, &c->text_ffn,
                             err) &&
           model_config_size(file, "cross_modal_image_layers.0.intermediate.dense.weight", 2, 0, &c->image_fusion_ffn,
                             err) &&
           model_config_size(file, "cross_modal_text_layers.0.intermediate.dense.weight", 2, 0, &c->text_fusion_ffn,
                             err) &&
           model_config_size(file, head, 2, 0, &c->labels, err) &&
           (c->task == TASK_RETRIEVAL || model_config_size(file, head, 2, 1, &c->head_hidden, err)) &&
           read_stem(c, file, err) &&
           model_config_grid(c, file, "vit_model.visual.positional_embedding", 2, err);
}

static bool read_trimmers(struct model_config *c, const struct tensor_list *file, struct error *err)
{
    for (int s = 0; s < STACK_COUNT; s++)
        for (int l = 0; l < MODEL_LAYERS; l++) {
            struct trimmer_config *trimmer = &c->trimmers[s][l];
            char prefix[PARAMETER_NAME], name[PARAMETER_NAME + 32];
            snprintf(prefix, sizeof prefix, "trimmers.%s.%d", model_stack_name((enum model_stack)s), l);
            snprintf(name, sizeof name, "%s.token.self.weight", prefix);
            if (tensor_list_find(file, name) && !model_config_size(file, name, 2, 0, &trimmer->hidden, err))
                return false;
            snprintf(name, sizeof name, "%s.token.query.weight", prefix);
            if (tensor_list_find(file, name) && !model_config_size(file, name, 2, 0, &trimmer->rank, err))
                return false;
            snprintf(name, sizeof name, "%s.token.mix.weight", prefix);
            trimmer->concat = tensor_list_find(file, name) != NULL;
            snprintf(name, sizeof name, "%s.msa.out.weight", prefix);
            trimmer->msa = tensor_list_find(file, name) != NULL;
            snprintf(name, sizeof name, "%s.mca.out.weight", prefix);
            trimmer->mca = tensor_list_find(file, name) != NULL;
            bool any = trimmer->hidden || trimmer->rank || trimmer->msa || trimmer->mca;
            if (any && l >= model_stack_layers(c, (enum model_stack)s))
                return error_set(err, ERROR_INPUT, "there is a trimmer %s, but only %d such layers", prefix,
                                 model_stack_layers(c, (enum model_stack)s));
        }
    return true;
}

// One key of the JSON object: absent keeps *value; another type is an error.
static bool json_int(const json_t *object, const char *key, int *value, struct error *err)
{
    const json_t *v = json_object_get(object, key);
    if (!v)
        return true;
    if (!json_is_integer(v) || json_integer_value(v) < 0 || json_integer_value(v) > TABLE_LIMIT)
        return error_set(err, ERROR_INPUT, "\"%s\" in the metadata config must be an integer from 0 to %d", key,
                         TABLE_LIMIT);
    *value = (int)json_integer_value(v);
    return true;
}

static bool json_flag(const json_t *object, const char *key, bool *value, struct error *err)
{
    const json_t *v = json_object_get(object, key);
    if (v && !json_is_boolean(v))
        return error_set(err, ERROR_INPUT, "\"%s\" in the metadata config must be true or false", key);
    if (v)
        *value = json_is_true(v);
    return true;
}

// One of `count` words; *index keeps its value where the key is absent.
static bool json_word(const json_t *object, const char *key, const char *const words[], int count, int *index,
                      struct error *err)
{
    const json_t *v = json_object_get(object, key);
    if (!v)
        return true;
    for (int i = 0; i < count; i++)
        if (json_is_string(v) && !strcmp(json_string_value(v), words[i])) {
            *index = i;
            return true;
        }
    char known[120] = "";
    for (int i = 0; i < count; i++)
        snprintf(known + strlen(known), sizeof known - strlen(known), "%s\"%s\"", i ? ", " : "", words[i]);
    return error_set(err, ERROR_INPUT, "\"%s\" in the metadata config is %.60s; known are %s", key,
                     json_is_string(v) ? json_string_value(v) : "not a string", known);
}

static const char *const architectures[] = {[ARCHITECTURE_METER] = "meter", [ARCHITECTURE_BLIP] = "blip"};

const char *model_architecture_name(enum model_architecture architecture)
{
    return architectures[architecture];
}

static const char *const stems[] = {"patch", "conv"};
static const char *const norms[] = {"post", "pre"};

static bool read_object(struct model_config *c, const json_t *object, struct error *err)
{
    const char *tasks[TASK_COUNT];
    for (int t = 0; t < TASK_COUNT; t++)
        tasks[t] = model_task_name((enum model_task)t);
    int architecture = (int)c->architecture, task = (int)c->task, stem = (int)c->stem, norm = (int)c->fusion_norm;
    if (!json_is_object(object))
        return error_set(err, ERROR_INPUT, "the metadata config is not a JSON object");
    if (!json_word(object, "architecture", architectures, 2, &architecture, err) ||
        !json_word(object, "task", tasks, TASK_COUNT, &task, err) || !json_word(object, "stem", stems, 2, &stem, err) ||
        !json_word(object, "fusion_norm", norms, 2, &norm, err) ||
        !json_int(object, "image_size", &c->image_size, err) || !json_int(object, "patch_size", &c->patch_size, err) ||
        !json_int(object, "heads", &c->heads, err) || !json_int(object, "max_tokens", &c->max_tokens, err) ||
        !json_int(object, "token_end", &c->token_end, err) || !json_int(object, "pair_hidden", &c->pair_hidden, err) ||
        !json_flag(object, "fusion_position", &c->fusion_position, err) ||
        !json_flag(object, "answer_words", &c->answer_words, err))
        return false;
    if (architecture != (int)c->architecture)
        return error_set(err, ERROR_INPUT, "the metadata config says %s, but the tensors are those of %s",
                         architectures[architecture], architectures[c->architecture]);
    const char *name = json_string_value(json_object_get(object, "name"));
    if (name)
        text_fit(c->name, sizeof c->name, name); // never cut within a character: it is written as JSON again
    c->task = (enum model_task)task;
    c->stem = (enum model_stem)stem;
    c->fusion_norm = (enum fusion_norm)norm;
    return true;
}

// The task that the answer head in the file shows; a file may hold one head only.
static bool read_task(struct model_config *c, const struct tensor_list *file, struct error *err)
{
    for (int t = 0; t < TASK_COUNT; t++) {
        char name[PARAMETER_NAME];
        answer_tensor((enum model_task)t, name);
        if (!tensor_list_find(file, name))
            continue;
        c->task = (enum model_task)t;
        // A pre-trained file can tell matches, too; one made for retrieval was trained on shorter texts (vlm_spec §3.6).
        c->ranked = c->task == TASK_RETRIEVAL && tensor_list_find(file, "rank_output.weight");
        if (c->ranked)
            c->max_tokens = 40;
        return true;
    }
    return error_set(err, ERROR_INPUT,
                     "the weights have no answer head; expected vqa_classifier, nlvr2_classifier, snli_classifier or "
                     "itm_score");
}

static bool read_metadata(struct model_config *c, const struct tensor_list *file, struct error *err)
{
    const char *text = tensor_list_metadata(file, "config");
    if (!text)
        return true;
    json_error_t where;
    json_t *object = json_loads(text, JSON_REJECT_DUPLICATES, &where);
    if (!object)
        return error_set(err, ERROR_INPUT, "the metadata config is not JSON: %s (byte %d)", where.text,
                         where.position);
    bool ok = read_object(c, object, err);
    json_decref(object);
    return ok;
}

struct shapes_check {
    const struct tensor_list *file;
    struct error *err;
};

static void print_shape(char *out, size_t size, int rank, const int64_t *shape)
{
    snprintf(out, size, "[");
    for (int i = 0; i < rank; i++)
        snprintf(out + strlen(out), size - strlen(out), "%s%lld", i ? ", " : "", (long long)shape[i]);
    snprintf(out + strlen(out), size - strlen(out), "]");
}

static bool check_shape(void *context, const struct parameter *parameter)
{
    const struct shapes_check *check = context;
    const struct tensor *tensor = tensor_list_find(check->file, parameter->name);
    char expected[100], found[200];
    print_shape(expected, sizeof expected, parameter->rank, parameter->shape);
    if (!tensor)
        return error_set(check->err, ERROR_INPUT, "the weights have no tensor %s; expected one of shape %s",
                         parameter->name, expected);
    bool same = tensor->rank == parameter->rank;
    for (int i = 0; same && i < tensor->rank; i++)
        same = tensor->shape[i] == parameter->shape[i];
    if (same)
        return true;
    print_shape(found, sizeof found, tensor->rank, tensor->shape);
    return error_set(check->err, ERROR_INPUT, "tensor %s has shape %s; expected %s", parameter->name, found, expected);
}

bool model_config_read(struct model_config *config, const struct tensor_list *file, struct error *err)
{
    bool blip = model_config_is_blip(file);
    if (!blip)
        model_config_default(config);
    if (!(blip ? model_config_blip_task(config, file, err) : read_task(config, file, err)) ||
        !read_metadata(config, file, err))
        return false;
    config->pictures = model_task_pictures(config->task);
    config->fusion_eps = config->fusion_norm == FUSION_PRE ? 1e-5f : 1e-12f;
    if (!blip && !*model_task_head(config->task))
        return error_set(err, ERROR_INPUT, "METER has no task %s", model_task_name(config->task));
    if (!(blip ? model_config_blip_sizes(config, file, err) : read_sizes(config, file, err)) ||
        !read_trimmers(config, file, err))
        return false;
    if (!config->heads)
        config->heads = config->width / 64;
    if (blip && !config->image_heads && config->heads)
        config->image_heads = model_image_width(config) / (config->width / config->heads);
    struct shapes_check check = {file, err};
    return model_config_check(config, err) && model_parameters(config, check_shape, &check);
}

void model_config_pair(struct model_config *c)
{
    c->task = TASK_NLVR2;
    c->pictures = 2;
    c->labels = 2;
    c->head_hidden = c->pair_hidden;
    c->answer_words = false;
}

char *model_config_to_json(const struct model_config *c)
{
    json_t *object = json_pack(
        "{s:s, s:s, s:s, s:i, s:i, s:i, s:s, s:s, s:b, s:b, s:i}", "architecture", architectures[c->architecture],
        "task", model_task_name(c->task), "name", c->name, "image_size", c->image_size, "patch_size", c->patch_size,
        "heads", c->heads, "stem", stems[c->stem], "fusion_norm", norms[c->fusion_norm], "fusion_position",
        (int)c->fusion_position, "answer_words", (int)c->answer_words, "max_tokens", c->max_tokens);
    if (object && ((c->architecture == ARCHITECTURE_BLIP &&
                    json_object_set_new(object, "token_end", json_integer(c->token_end)) < 0) ||
                   (c->pair_hidden && json_object_set_new(object, "pair_hidden", json_integer(c->pair_hidden)) < 0))) {
        json_decref(object);
        return NULL;
    }
    char *text = object ? json_dumps(object, JSON_PRESERVE_ORDER) : NULL;
    json_decref(object);
    return text;
}
