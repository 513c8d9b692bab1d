#include "engine/run/verify.h"

#include "engine/base/memory.h"
#include "engine/model/model.h"
#include "engine/run/run.h"
#include "engine/run/verify_private.h"

#include <dirent.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BATCH_LIMIT = 4096 };

// What is put in, and BLIP's rankings with ties in an order that hangs on the machine (rank_stable_* are to be met).
static bool is_input(const char *name)
{
    static const char *const begin[] = {"in_", "reload_in_", "answer_", "rank_topk_", "rank_loss.", "rank_max_ids."};
    for (size_t i = 0; i < sizeof begin / sizeof *begin; i++)
        if (!strncmp(name, begin[i], strlen(begin[i])))
            return true;
    return false;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct verify_entry *)a)->name, ((const struct verify_entry *)b)->name);
}

static bool list_dumps(struct verify_report *report, const char *folder, struct error *err)
{
    DIR *dir = opendir(folder);
    if (!dir)
        return error_set(err, ERROR_INPUT, "cannot read the folder %s: %s", folder, strerror(errno));
    for (struct dirent *item; (item = readdir(dir));) {
        size_t length = strlen(item->d_name);
        bool input = is_input(item->d_name);
        if (length < 5 || length - 4 >= VERIFY_NAME || strcmp(item->d_name + length - 4, ".npy") || input ||
            report->count == VERIFY_ENTRIES)
            continue;
        struct verify_entry *entry = &report->entries[report->count++];
        *entry = (struct verify_entry){.argmax = true};
        memcpy(entry->name, item->d_name, length - 4);
    }
    closedir(dir);
    if (report->count == 0)
        return error_set(err, ERROR_INPUT, "%s holds no .npy files to compare with", folder);
    qsort(report->entries, (size_t)report->count, sizeof *report->entries, by_name);
    return true;
}

// Ids of sample b: without padding, and the rows that they have in the dump; `whole` also those of padding, which stand at
// the end. *padding: how many.
static bool read_text(struct verifier *v, bool whole, int *ids, int *count, int *padding, struct error *err)
{
    struct npy text, mask;
    bool question = !verify_open(&text, v->folder, "in_text_ids", NULL);
    if (question && !verify_open(&text, v->folder, "in_question_ids", err))
        return false;
    if (!verify_open(&mask, v->folder, question ? "in_question_mask" : "in_text_mask", err)) {
        npy_close(&text);
        return false;
    }
    bool ok = text.rank == 2 && mask.rank == 2 && text.elements == mask.elements && text.shape[0] >= v->batch &&
              mask.shape[0] == text.shape[0] && text.shape[1] <= VERIFY_TOKENS;
    v->row_count = *count = *padding = 0;
    for (int t = 0; ok && t < (int)text.shape[1]; t++) {
        size_t at = (size_t)v->sample * (size_t)text.shape[1] + (size_t)t;
        bool pad = npy_value(&mask, at) == 0;
        if (pad && !whole)
            continue;
        double id = npy_value(&text, at);
        ok = id >= 0 && id < 1e9;
        ids[(*count)++] = ok ? (int)id : 0;
        if (pad)
            ++*padding;
        else
            v->rows[v->row_count++] = t;
    }
    npy_close(&text);
    npy_close(&mask);
    return ok || error_set(err, ERROR_INPUT,
                           "in_text_ids and in_text_mask of %s do not fit together: expected two (batch, tokens) "
                           "arrays, at most %d tokens",
                           v->folder, VERIFY_TOKENS);
}

// The prompt of captions is not dumped as an input: it is what all generated texts begin with, as long as the first pass of
// the decoder.
static bool read_prompt(struct verifier *v, int *ids, int *count, struct error *err)
{
    struct npy text, logits;
    if (!verify_open(&text, v->folder, "generated_ids", err))
        return false;
    if (!verify_open(&logits, v->folder, "dec_logits", err)) {
        npy_close(&text);
        return false;
    }
    bool ok = text.rank == 2 && logits.rank == 3 && text.shape[0] == v->batch && logits.shape[1] >= 1 &&
              logits.shape[1] <= text.shape[1] && logits.shape[1] <= VERIFY_TOKENS;
    *count = ok ? (int)logits.shape[1] : 0;
    for (int t = 0; t < *count; t++) {
        double id = npy_value(&text, (size_t)v->sample * (size_t)text.shape[1] + (size_t)t);
        ok = ok && id >= 0 && id < 1e9;
        ids[t] = ok ? (int)id : 0;
    }
    npy_close(&text);
    npy_close(&logits);
    return ok || error_set(err, ERROR_INPUT,
                           "generated_ids and dec_logits of %s do not fit together: expected (batch, tokens) and "
                           "(batch x beams, tokens of the prompt, vocabulary)",
                           v->folder);
}

// The answers that the dumped ranking chose from; *most: how many of them it read to their ends.
static bool read_answers(struct verifier *v, struct model *model, int *most, struct error *err)
{
    struct npy ids, mask, top;
    *most = 0;
    if (!verify_open(&ids, v->folder, "answer_ids", NULL))
        return true;
    bool found = verify_open(&mask, v->folder, "answer_mask", err);
    bool ok = found && ids.rank == 2 && mask.elements == ids.elements && ids.shape[0] >= 1 && ids.shape[0] <= 1 << 20 &&
              ids.shape[1] >= 2 && ids.shape[1] <= ANSWER_PIECES + 1;
    int count = ok ? (int)ids.shape[0] : 0, width = ok ? (int)ids.shape[1] : 0, used = 0;
    int *pieces = memory_alloc(ids.elements + 1, sizeof *pieces),
        *start = memory_alloc((size_t)count + 1, sizeof *start);
    bool room = pieces && start;
    for (int a = 0; ok && room && a < count; a++) {
        start[a] = used;
        for (int t = 1; t < width; t++) {
            size_t at = (size_t)a * (size_t)width + (size_t)t;
            double id = npy_value(&ids, at);
            if (npy_value(&mask, at) == 0)
                continue;
            ok = ok && id >= 0 && id < model->config.vocabulary;
            pieces[used++] = ok ? (int)id : 0;
        }
        ok = ok && used > start[a];
        start[a + 1] = used;
    }
    struct answer_list answers = {count, pieces, start};
    room = room && (!ok || model_set_answers(model, &answers));
    if (ok && room && verify_open(&top, v->folder, "rank_stable_topk_ids", NULL)) {
        *most = top.rank == 2 && top.shape[1] <= count ? (int)top.shape[1] : 0;
        npy_close(&top);
    }
    memory_free(pieces);
    memory_free(start);
    npy_close(&ids);
    if (found)
        npy_close(&mask);
    if (!room)
        return error_no_memory(err, "the answers");
    return ok || !found ? ok
                        : error_set(err, ERROR_INPUT,
                                    "answer_ids and answer_mask of %s do not fit together: expected two (answers, "
                                    "tokens) arrays of 2 to %d tokens",
                                    v->folder, ANSWER_PIECES + 1);
}

// generate: the answer of a BLIP-VQA model is written, from the padded question, as the original does in a batch.
static bool run_sample(struct verifier *v, const struct model *model, const float *const pixels[], int candidates,
                       bool generate, struct thread_pool *pool, struct error *err)
{
    int ids[VERIFY_TOKENS], count;
    struct run_options options = run_options_default();
    options.policy = POLICY_NONE;
    options.pool = pool;
    options.candidates = candidates;
    options.generate = generate;
    v->call_count = 0;
    v->only = generate ? "dec_" : NULL;
    if (model->config.task == TASK_CAPTION ? !read_prompt(v, ids, &count, err)
                                           : !read_text(v, generate, ids, &count, &options.padding, err))
        return false;
    struct run *run = run_new_from_tensors(model, pixels, ids, count, &options, verify_see, v, err);
    if (!run)
        return false;
    while (run_step(run, err))
        continue;
    bool ok = run_finished(run);
    run_free(run);
    return ok;
}

// The pictures of the batch as floats; images[p] is NULL where the task needs fewer.
struct images {
    float *data[2];
    int count, batch, side;
};

static bool read_images(struct images *images, const struct verifier *v, struct error *err)
{
    static const char *const names[] = {"in_image", "in_image1"};
    *images = (struct images){0};
    for (int p = 0; p < 2; p++) {
        char name[VERIFY_NAME];
        struct npy dump;
        snprintf(name, sizeof name, "%s%s", v->prefix, names[p]);
        if (!verify_open(&dump, v->folder, name, p == 0 ? err : NULL)) {
            if (p == 0)
                return false;
            break;
        }
        bool ok = dump.rank == 4 && dump.shape[0] >= 1 && dump.shape[0] <= BATCH_LIMIT && dump.shape[1] == 3 &&
                  dump.shape[2] == dump.shape[3] && dump.shape[2] >= 1 && dump.shape[2] <= 4096 &&
                  (p == 0 || (dump.shape[0] == images->batch && dump.shape[2] == images->side));
        images->batch = ok ? (int)dump.shape[0] : 0;
        images->side = ok ? (int)dump.shape[2] : 0;
        images->data[p] = ok ? memory_alloc(dump.elements, sizeof(float)) : NULL;
        if (images->data[p])
            npy_floats(&dump, images->data[p]);
        npy_close(&dump);
        if (!ok)
            return error_set(err, ERROR_INPUT, "%s.npy is not a batch of square pictures (batch, 3, side, side)", name);
        if (!images->data[p])
            return error_no_memory(err, "the dumped pictures");
        images->count++;
    }
    return true;
}

static bool run_batch(struct verifier *v, struct model *model, const struct images *images, struct thread_pool *pool,
                      struct error *err)
{
    int candidates = 0;
    v->batch = images->batch;
    if (model->config.task == TASK_VQA && model_writes(&model->config) && !read_answers(v, model, &candidates, err))
        return false;
    bool both = model->answer_pieces.count > 0 && !*v->prefix && verify_find(v->report, "dec_logits");
    for (v->sample = 0; v->sample < images->batch; v->sample++) {
        const float *pixels[2];
        for (int p = 0; p < 2; p++)
            pixels[p] = images->data[p] ? images->data[p] + (size_t)v->sample * 3 * (size_t)images->side *
                                                                 (size_t)images->side
                                        : NULL;
        if (!run_sample(v, model, pixels, candidates, false, pool, err) ||
            (both && !run_sample(v, model, pixels, 0, true, pool, err)))
            return false;
    }
    return true;
}

static bool verify_resolution(struct verifier *v, const char *model_path, struct thread_pool *pool, struct error *err)
{
    struct images images;
    struct model *model = NULL;
    bool ok = read_images(&images, v, err);
    if (ok) {
        struct model_options options = {.image_size = images.side};
        model = model_open(model_path, &options, err);
        ok = model != NULL;
    }
    if (ok && images.count != model->config.pictures)
        ok = error_set(err, ERROR_INPUT, "the dumps have %d picture(s) a question; this model takes %d", images.count,
                       model->config.pictures);
    if (ok) {
        verify_positions(v, model);
        ok = run_batch(v, model, &images, pool, err);
    }
    model_free(model);
    memory_free(images.data[0]);
    memory_free(images.data[1]);
    return ok;
}

bool verify_dumps(struct verify_report *report, const char *model_path, const char *folder, struct thread_pool *pool,
                  struct error *err)
{
    struct npy second;
    *report = (struct verify_report){.entries = memory_alloc(VERIFY_ENTRIES, sizeof(struct verify_entry))};
    struct verifier *v = memory_alloc(1, sizeof *v);
    bool ok = report->entries && v ? list_dumps(report, folder, err) : error_no_memory(err, "the comparison");
    if (ok) {
        *v = (struct verifier){.report = report, .folder = folder, .prefix = ""};
        ok = verify_resolution(v, model_path, pool, err);
    }
    if (ok && verify_open(&second, folder, "reload_in_image", NULL)) {
        npy_close(&second);
        v->prefix = "reload_";
        ok = verify_resolution(v, model_path, pool, err);
    }
    memory_free(v);
    if (!ok)
        verify_report_free(report);
    return ok;
}

void verify_report_free(struct verify_report *report)
{
    memory_free(report->entries);
    *report = (struct verify_report){0};
}
