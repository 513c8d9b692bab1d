#include "engine/run/verify.h"

#include "engine/base/memory.h"
#include "engine/io/npy.h"
#include "engine/model/model.h"
#include "engine/run/run.h"

#include <dirent.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PATH_SIZE = 4096, CALLS = 256, BATCH_LIMIT = 4096 };

// The comparison at hand: one sample of the batch, at one resolution.
struct verifier {
    struct verify_report *report;
    const char *folder, *prefix; // "" or "reload_"
    int sample, batch;
    int rows[512], row_count; // rows of the dumped text that are no padding
    struct {
        char name[VERIFY_NAME];
        int count;
    } calls[CALLS];
    int call_count;
};

static bool open_dump(struct npy *npy, const char *folder, const char *name, struct error *err)
{
    char path[PATH_SIZE];
    snprintf(path, sizeof path, "%s/%s.npy", folder, name);
    return npy_open(npy, path, err);
}

static struct verify_entry *find_entry(struct verify_report *report, const char *name)
{
    for (int i = 0; i < report->count; i++)
        if (!strcmp(report->entries[i].name, name))
            return &report->entries[i];
    return NULL;
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
        bool input = strstr(item->d_name, "in_") == item->d_name || strstr(item->d_name, "reload_in_") == item->d_name;
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

static void compare_value(struct verify_entry *entry, double ours, double theirs, bool logits)
{
    double difference = fabs(ours - theirs), tolerance = logits ? 1e-4 : 5e-5 + 1e-4 * fabs(theirs);
    if (!(difference <= entry->difference)) // also when it is NaN
        entry->difference = difference;
    if (!(difference / tolerance <= entry->excess))
        entry->excess = isnan(difference) ? (double)INFINITY : difference / tolerance;
    entry->elements++;
}

static int argmax(const struct npy *dump, size_t start, int n)
{
    int best = 0;
    for (int i = 1; i < n; i++)
        if (npy_value(dump, start + (size_t)i) > npy_value(dump, start + (size_t)best))
            best = i;
    return best;
}

static void compare_best(struct verify_entry *entry, const struct npy *dump, size_t start, const float *x, int n)
{
    int best = 0;
    for (int i = 1; i < n; i++)
        if (x[i] > x[best])
            best = i;
    entry->argmax = entry->argmax && best == argmax(dump, start, n);
}

// x (rows, width) of this sample with its part of the dump: (batch, rows, width), (batch, width) or, for a
// convolution, (batch, width, y, x).
static void compare_sample(const struct verifier *v, struct verify_entry *entry, const struct npy *dump,
                           const float *x, int rows, int width)
{
    bool logits = strstr(entry->name, "logits") != NULL, text = strstr(entry->name, "txt") != NULL;
    bool channels_first = dump->rank == 4;
    int dump_rows = dump->rank == 2 ? 1
                  : channels_first  ? (int)(dump->shape[2] * dump->shape[3])
                                    : (int)dump->shape[dump->rank - 2];
    int dump_width = channels_first ? (int)dump->shape[1] : (int)dump->shape[dump->rank - 1];
    bool masked = text && dump->rank == 3;
    if (dump->rank < 2 || dump->rank > 4 || dump->shape[0] != v->batch || dump_width != width ||
        (masked ? rows != v->row_count || v->rows[rows - 1] >= dump_rows : rows != dump_rows)) {
        entry->excess = (double)INFINITY;
        return;
    }
    size_t sample = (size_t)v->sample * (size_t)dump_rows * (size_t)width;
    entry->known = true;
    for (int r = 0; r < rows; r++)
        for (int i = 0; i < width; i++) {
            size_t row = (size_t)(masked ? v->rows[r] : r);
            size_t at = channels_first ? (size_t)i * (size_t)dump_rows + row : row * (size_t)width + (size_t)i;
            compare_value(entry, (double)x[(size_t)r * (size_t)width + (size_t)i], npy_value(dump, sample + at),
                          logits);
        }
    if (logits)
        compare_best(entry, dump, sample, x, width);
}

static void compare_named(const struct verifier *v, const char *name, const float *x, int rows, int width)
{
    char full[VERIFY_NAME + 16];
    struct npy dump;
    snprintf(full, sizeof full, "%s%s", v->prefix, name);
    struct verify_entry *entry = find_entry(v->report, full);
    if (!entry || !open_dump(&dump, v->folder, full, NULL))
        return;
    compare_sample(v, entry, &dump, x, rows, width);
    npy_close(&dump);
}

static int count_call(struct verifier *v, const char *name)
{
    for (int i = 0; i < v->call_count; i++)
        if (!strcmp(v->calls[i].name, name))
            return ++v->calls[i].count;
    if (v->call_count == CALLS)
        return 0;
    snprintf(v->calls[v->call_count].name, VERIFY_NAME, "%s", name);
    return v->calls[v->call_count++].count = 1;
}

static void see(void *context, const char *name, const float *x, int rows, int width)
{
    struct verifier *v = context;
    char numbered[VERIFY_NAME];
    int call = count_call(v, name);
    if (call == 1)
        compare_named(v, name, x, rows, width);
    // The words are encoded once for both pictures of a pair; METER encodes them twice, with the same result.
    bool shared = call == 1 && !strncmp(name, "txt_", 4);
    snprintf(numbered, sizeof numbered, "%.50s__%d", name, shared ? 2 : call);
    if (shared || call > 1)
        compare_named(v, numbered, x, rows, width);
}

// Ids of sample b without padding, and the rows they have in the dump.
static bool read_text(struct verifier *v, int *ids, struct error *err)
{
    struct npy text, mask;
    if (!open_dump(&text, v->folder, "in_text_ids", err))
        return false;
    if (!open_dump(&mask, v->folder, "in_text_mask", err)) {
        npy_close(&text);
        return false;
    }
    bool ok = text.rank == 2 && mask.rank == 2 && text.elements == mask.elements && text.shape[0] == v->batch &&
              mask.shape[0] == v->batch && text.shape[1] <= 512;
    v->row_count = 0;
    for (int t = 0; ok && t < (int)text.shape[1]; t++) {
        size_t at = (size_t)v->sample * (size_t)text.shape[1] + (size_t)t;
        if (npy_value(&mask, at) == 0)
            continue;
        double id = npy_value(&text, at);
        ok = id >= 0 && id < 1e9;
        ids[v->row_count] = ok ? (int)id : 0;
        v->rows[v->row_count++] = t;
    }
    npy_close(&text);
    npy_close(&mask);
    return ok || error_set(err, ERROR_INPUT,
                           "in_text_ids and in_text_mask of %s do not fit together: expected two (batch, tokens) "
                           "arrays, at most 512 tokens",
                           v->folder);
}

static bool run_sample(struct verifier *v, const struct model *model, const float *const pixels[],
                       struct thread_pool *pool, struct error *err)
{
    int ids[512];
    struct run_options options = run_options_default();
    options.policy = POLICY_NONE;
    options.pool = pool;
    v->call_count = 0;
    if (!read_text(v, ids, err))
        return false;
    struct run *run = run_new_from_tensors(model, pixels, ids, v->row_count, &options, see, v, err);
    if (!run)
        return false;
    while (run_step(run, err))
        continue;
    bool ok = run_finished(run);
    run_free(run);
    return ok;
}

// The position table of a resolution; it is the same for every sample.
static void compare_positions(struct verifier *v, const struct model *model)
{
    char name[VERIFY_NAME];
    struct npy dump;
    int grid = model_grid(&model->config), rows = grid * grid + 1;
    snprintf(name, sizeof name, "%spos_embed", v->prefix);
    struct verify_entry *entry = find_entry(v->report, name);
    if (!entry || !open_dump(&dump, v->folder, name, NULL))
        return;
    if (dump.elements == (size_t)rows * (size_t)model->config.width) {
        entry->known = true;
        for (size_t i = 0; i < dump.elements; i++)
            compare_value(entry, (double)model->image_positions[i], npy_value(&dump, i), false);
    }
    npy_close(&dump);
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
        if (!open_dump(&dump, v->folder, name, p == 0 ? err : NULL)) {
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

static bool run_batch(struct verifier *v, const struct model *model, const struct images *images,
                      struct thread_pool *pool, struct error *err)
{
    v->batch = images->batch;
    for (v->sample = 0; v->sample < images->batch; v->sample++) {
        const float *pixels[2];
        for (int p = 0; p < 2; p++)
            pixels[p] = images->data[p] ? images->data[p] + (size_t)v->sample * 3 * (size_t)images->side *
                                                                 (size_t)images->side
                                        : NULL;
        if (!run_sample(v, model, pixels, pool, err))
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
        compare_positions(v, model);
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
    if (ok && open_dump(&second, folder, "reload_in_image", NULL)) {
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
