#include "engine/model/model.h"

#include "engine/io/safetensors.h"
#include "engine/model/labels.h"
#include "engine/model/loading.h"
#include "engine/model/parameters.h"
#include "engine/model/question.h"
#include "engine/text/tokenizer.h"

#include <string.h>

static char *copy_string(const char *text)
{
    size_t size = strlen(text) + 1;
    char *copy = memory_alloc(size, 1);
    return copy ? memcpy(copy, text, size) : NULL;
}

static bool read_tokenizer(struct model *model, const struct tensor_list *file, struct error *err)
{
    return question_tokenizer(&model->config, file, &model->tokenizer, err) &&
           (!model->tokenizer || question_prepare(model, err));
}

static bool read_model(struct model *model, struct tensor_list *file, const char *path,
                       const struct model_options *options, struct error *err)
{
    if (!model_config_read(&model->config, file, err))
        return false;
    if (options && options->pictures == 2 && model->config.pair_hidden)
        model_config_pair(&model->config);
    if (options && options->image_size) {
        model->config.image_size = options->image_size;
        if (!model_config_check(&model->config, err))
            return false;
    }
    model->parameters = (double)model_parameter_count(&model->config);
    const char *calibration =
        tensor_list_metadata(file, model_is_second_task(&model->config) ? "pair_calibration" : "calibration");
    if (calibration && !(model->calibration = copy_string(calibration)))
        return error_no_memory(err, "the calibration");
    const char *familiarity = tensor_list_metadata(file, "familiarity");
    if (familiarity && !(model->familiarity = copy_string(familiarity)))
        return error_no_memory(err, "the familiarity");
    // The tokenizer is read while the first weights already come in the background.
    return labels_read(model, file, options ? options->answers : NULL, err) && loading_start(model, file, path, options && options->background, err) &&
           read_tokenizer(model, file, err);
}

struct model *model_open(const char *path, const struct model_options *options, struct error *err)
{
    struct model *model = memory_alloc(1, sizeof *model);
    if (!model) {
        error_no_memory(err, "the model");
        return NULL;
    }
    struct tensor_list *file = safetensors_open(path, err);
    bool ok = file && read_model(model, file, path, options, err);
    if (file && !model->loading) // else the loading closes it
        tensor_list_close(file);
    if (ok)
        return model;
    if (file)
        error_prefix(err, "%s", path);
    model_free(model);
    return NULL;
}

static void free_attention(struct attention_weights *attention)
{
    linear_free(&attention->in);
    linear_free(&attention->memory);
    linear_free(&attention->out);
}

static void free_layer(struct layer *layer)
{
    free_attention(&layer->msa);
    free_attention(&layer->mca);
    free_attention(&layer->twin);
    linear_free(&layer->merge);
    linear_free(&layer->ffn.up);
    linear_free(&layer->ffn.down);
}

static void free_trimmer(struct trimmer *trimmer)
{
    linear_free(&trimmer->token.self);
    linear_free(&trimmer->token.out);
    linear_free(&trimmer->token.query);
    linear_free(&trimmer->token.key);
    linear_free(&trimmer->token.mix);
    linear_free(&trimmer->msa.out);
    linear_free(&trimmer->mca.out);
}

void model_free(struct model *model)
{
    if (!model)
        return;
    loading_stop(model);
    for (int l = 0; l < MODEL_LAYERS; l++) {
        free_layer(&model->image[l]);
        free_layer(&model->text[l]);
        free_layer(&model->decoder[l]);
        for (int s = 0; s < FUSION_STREAMS; s++)
            free_layer(&model->fusion[s][l]);
        for (int s = 0; s < STACK_COUNT; s++)
            free_trimmer(&model->trimmers[s][l]);
        linear_free(&model->stem.blocks[l].fc1);
        linear_free(&model->stem.blocks[l].fc2);
    }
    for (int i = 0; i < 3; i++)
        linear_free(&model->stem.conv[i]);
    for (int i = 0; i < 2; i++) {
        linear_free(&model->transform[i]);
        linear_free(&model->pooler[i]);
        linear_free(&model->head[i]);
        linear_free(&model->projection[i]);
    }
    linear_free(&model->word_transform);
    linear_free(&model->word_head);
    linear_free(&model->head_words);
    linear_free(&model->rank);
    linear_free(&model->answer_words);
    tokenizer_free(model->tokenizer);
    memory_free(model->calibration);
    memory_free(model->familiarity);
    memory_free(model->answers);
    memory_free(model->answers_file);
    memory_free((void *)(size_t)model->answer_pieces.ids);
    memory_free(model->strings);
    arena_free(&model->tables);
    memory_free(model);
}
