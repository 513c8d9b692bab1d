#include "engine/model/import.h"

#include "engine/base/memory.h"
#include "engine/base/text.h"
#include "engine/io/safetensors.h"
#include "engine/io/torch.h"
#include "engine/model/import_private.h"
#include "engine/model/parameters.h"
#include "engine/model/position.h"
#include "engine/text/answers.h"
#include "engine/text/tokenizer.h"
#include "engine/text/vocabulary.h"

#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// --- opening -------------------------------------------------------------------------------------------------------

// How many tokens there are in import->tokenizer; -1 and *err where it is none.
static int count_tokens(const struct import *import, struct error *err)
{
    struct tokenizer *tokenizer = tokenizer_from_json(import->tokenizer, err);
    int count = tokenizer ? tokenizer_size(tokenizer) : -1;
    tokenizer_free(tokenizer);
    return count;
}

static bool take_tokenizer(struct import *import, const struct import_options *options, struct error *err)
{
    const struct model_config *c = &import->config;
    const char *text = tensor_list_metadata(import->file, "tokenizer");
    bool blip = c->architecture == ARCHITECTURE_BLIP;
    enum vocabulary_kind kind = blip ? VOCABULARY_BERT : VOCABULARY_ROBERTA;
    const char *usual = blip ? options->bert : options->roberta; // the words are most likely these
    bool guess = !options->vocabulary_count && !text && usual;
    int *tokens = &import->report.tokens;
    if (options->vocabulary_count)
        import->tokenizer = vocabulary_read(kind, options->vocabulary, options->vocabulary_count, err);
    else if (guess)
        import->tokenizer = vocabulary_read(kind, &usual, 1, err);
    else if (text && !(import->tokenizer = strdup(text)))
        error_no_memory(err, "the tokenizer");
    if (!import->tokenizer)
        return !options->vocabulary_count && !guess && !text;
    *tokens = count_tokens(import, err);
    if (guess && *tokens != c->vocabulary) {
        free(import->tokenizer);
        import->tokenizer = NULL;
        *tokens = 0;
        return true;
    }
    if (*tokens < 0)
        return false;
    return *tokens <= c->vocabulary ||
           error_set(err, ERROR_INPUT, "the vocabulary has %d tokens, but the model's word table only %d rows", *tokens,
                     c->vocabulary);
}

static int count_answers(const char *text)
{
    json_t *list = json_loads(text, 0, NULL);
    int count = (int)json_array_size(list);
    json_decref(list);
    return count;
}

static bool take_answers(struct import *import, const struct import_options *options, struct error *err)
{
    const struct model_config *c = &import->config;
    const char *text = tensor_list_metadata(import->file, "answers");
    bool writes = model_writes(c); // such a model ranks whatever answers it is given
    if (options->answers && (c->task == TASK_CAPTION || c->task == TASK_RETRIEVAL))
        return error_set(err, ERROR_INPUT, "a model for the task %s has no list of answers; leave --answers out",
                         model_task_name(c->task));
    if (options->answers)
        import->answers = answers_read(options->answers, writes ? 0 : c->labels, &import->report.answers, err);
    else if (text && (import->answers = strdup(text)))
        import->report.answers = count_answers(text);
    return import->answers || (!options->answers && (!text || error_no_memory(err, "the answers")));
}

static bool check_name(const char *name, struct error *err)
{
    if (!text_is_utf8(name))
        return error_set(err, ERROR_USAGE, "the name \"%s\" is not UTF-8, as the file needs it: type it in a UTF-8 locale "
                         "(LANG=C.UTF-8), or in plain letters", name);
    return (*name && strlen(name) < MODEL_NAME) ||
           error_set(err, ERROR_USAGE, "the name has %zu bytes; expected 1 to %d", strlen(name), MODEL_NAME - 1);
}

static bool recognise(struct import *import, const struct import_options *options, struct error *err)
{
    struct import_report *report = &import->report;
    struct model_config *c = &import->config;
    const char *container = tensor_list_metadata(import->file, "container");
    if (!import_gather(import, options, err) || !model_config_read(c, import->tensors, err))
        return false;
    report->config = c;
    report->container = container ? container : "safetensors";
    report->place = container ? tensor_list_metadata(import->file, "place") : "";
    report->calls = container ? tensor_list_metadata(import->file, "calls") : NULL;
    report->beside = container ? tensor_list_metadata(import->file, "beside") : NULL;
    report->file_grid = c->position_grid;
    if (!import_check_rest(import, err))
        return false;
    if (options->name)
        snprintf(c->name, sizeof c->name, "%s", options->name);
    if (options->image_size) {
        c->image_size = options->image_size;
        if (!model_config_check(c, err))
            return false;
        c->position_grid = model_grid(c);
    }
    return take_tokenizer(import, options, err) && take_answers(import, options, err);
}

struct import *import_open(const char *path, const struct import_options *options, struct error *err)
{
    if (options->name && !check_name(options->name, err))
        return NULL;
    struct import *import = memory_alloc(1, sizeof *import);
    if (!import) {
        error_no_memory(err, path);
        return NULL;
    }
    import->half = options->half;
    import->file = weights_open(path, err);
    if (import->file && recognise(import, options, err))
        return import;
    if (import->file) // what is wrong with trimmers is wrong in the file that they come from
        error_prefix(err, "%s", import->trimmers && strstr(err->text, "trimmers.") ? options->trimmers : path);
    import_close(import);
    return NULL;
}

void import_close(struct import *import)
{
    if (!import)
        return;
    tensor_list_close(import->tensors);
    tensor_list_close(import->trimmers);
    tensor_list_close(import->file);
    memory_free(import->used);
    free(import->tokenizer);
    free(import->answers);
    memory_free(import);
}

const struct import_report *import_report(const struct import *import)
{
    return &import->report;
}

// --- writing -------------------------------------------------------------------------------------------------------

enum { TABLES = 4, PAIRS = 8, HELD = 4 << 20 };

struct writing {
    struct import *import;
    struct tensor_source *sources;
    const struct tensor **from; // of each source; NULL: it has data of its own
    int count;
    float *tables[TABLES]; // position tables at another resolution
    int table_count;
    double done, total;
    int current;
    size_t left, held; // elements of the current source that are not written yet; whose pages have not been given back
    bool (*progress)(void *context, double done, double total);
    void *context;
    struct error *err;
};

static size_t elements_of(const struct tensor_source *source)
{
    size_t elements = 1;
    for (int i = 0; i < source->rank; i++)
        elements *= (size_t)source->shape[i];
    return elements;
}

// A position table (…, 1 + patches, D) for the grid that the file will have.
static bool resize_table(struct writing *w, struct tensor_source *source, const struct tensor *from_file)
{
    const struct model_config *c = &w->import->config;
    int from = w->import->report.file_grid, to = c->position_grid, width = (int)source->shape[source->rank - 1];
    size_t rows = (size_t)(to * to + 1);
    float *table = memory_alloc(rows * (size_t)width, sizeof *table);
    float *old = memory_alloc(from_file->elements, sizeof *old);
    if (!table || !old) {
        memory_free(table);
        memory_free(old);
        return error_no_memory(w->err, "a position table");
    }
    tensor_floats(from_file, old);
    position_resize(old, from, table, to, width);
    memory_free(old);
    w->tables[w->table_count++] = table;
    source->data = table;
    source->shape[source->rank - 2] = (int64_t)rows;
    return true;
}

static bool is_position_table(const char *name)
{
    return !strcmp(name, "vit_model.visual.positional_embedding") || !strcmp(name, "cross_modal_image_position") ||
           !strcmp(name, "visual_encoder.pos_embed");
}

static bool add_source(void *context, const struct parameter *parameter)
{
    struct writing *w = context;
    const struct tensor *tensor = tensor_list_find(w->import->tensors, parameter->name);
    struct tensor_source *source = &w->sources[w->count];
    *source = (struct tensor_source){
        .name = tensor->name, .stored = w->import->half ? TENSOR_F16 : TENSOR_F32, .rank = tensor->rank};
    memcpy(source->shape, tensor->shape, sizeof source->shape);
    bool resize = w->import->report.file_grid != w->import->config.position_grid;
    resize = resize && is_position_table(source->name);
    if (resize && !resize_table(w, source, tensor))
        return false;
    w->from[w->count++] = resize ? NULL : tensor;
    w->total += (double)elements_of(source);
    return true;
}

// Gives back the pages of the last elements that were written, so that memory does not grow.
static void forget_written(struct writing *w, const struct tensor *tensor)
{
    struct tensor part = *tensor;
    size_t from = tensor->elements - w->left - w->held;
    part.data = (const unsigned char *)tensor->data + from * tensor_type_size(tensor->type);
    part.elements = w->held;
    tensor_list_forget(w->import->file, &part);
    if (w->import->trimmers)
        tensor_list_forget(w->import->trimmers, &part);
    w->held = 0;
}

// Looks at what is being written.
static bool watch_piece(void *context, int i, const float *values, size_t count, struct error *err)
{
    struct writing *w = context;
    if (i != w->current) {
        w->current = i;
        w->left = elements_of(&w->sources[i]);
        w->held = 0;
    }
    for (size_t k = 0; k < count; k++)
        if (!isfinite(values[k]))
            return error_set(err, ERROR_INPUT, "tensor %s holds numbers that are infinite or not a number at all",
                             w->sources[i].name);
    w->left -= count;
    w->held += count;
    w->done += (double)count;
    if (w->from[i] && (!w->left || w->held >= HELD))
        forget_written(w, w->from[i]);
    return !w->progress || w->progress(w->context, w->done, w->total) ||
           error_set(err, ERROR_CANCELLED, "stopped; nothing was written");
}

// A file of this program keeps what belongs to its words; what belongs to its trimmers stays or goes with them, and holds
// for its own resolution only.
static int add_kept(const struct import *import, struct metadata_pair *pairs, int count)
{
    static const char *const of_words[] = {"answer_words", "training"}, *const of_trimmers[] = {"calibration",
                                                                                                "familiarity"};
    const struct tensor_list *trimmers = import->trimmers ? import->trimmers : import->file;
    bool same_grid = import->report.file_grid == import->config.position_grid;
    for (int i = 0; i < 2; i++) {
        const char *words = tensor_list_metadata(import->file, of_words[i]);
        const char *measured = same_grid ? tensor_list_metadata(trimmers, of_trimmers[i]) : NULL;
        if (words)
            pairs[count++] = (struct metadata_pair){of_words[i], words};
        if (measured)
            pairs[count++] = (struct metadata_pair){of_trimmers[i], measured};
    }
    return count;
}

bool import_write(struct import *import, const char *path, bool (*progress)(void *context, double done, double total),
                  void *context, struct error *err)
{
    struct writing w = {.import = import, .current = -1, .progress = progress, .context = context, .err = err};
    char *config = model_config_to_json(&import->config);
    w.sources = memory_alloc((size_t)import->report.tensors, sizeof *w.sources);
    w.from = memory_alloc((size_t)import->report.tensors, sizeof *w.from);
    bool ok = (config && w.sources && w.from) || error_no_memory(err, path);
    ok = ok && model_parameters(&import->config, add_source, &w);
    if (ok) {
        struct metadata_pair pairs[PAIRS] = {{"config", config}};
        int count = 1;
        if (import->tokenizer)
            pairs[count++] = (struct metadata_pair){"tokenizer", import->tokenizer};
        if (import->answers)
            pairs[count++] = (struct metadata_pair){"answers", import->answers};
        count = add_kept(import, pairs, count);
        const struct safetensors_watch watch = {w.from, watch_piece, &w};
        ok = safetensors_write_watched(path, w.sources, w.count, pairs, count, &watch, err);
    }
    for (int i = 0; i < w.table_count; i++)
        memory_free(w.tables[i]);
    memory_free(w.sources);
    memory_free(w.from);
    free(config);
    return ok;
}
