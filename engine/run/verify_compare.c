#include "engine/model/model.h"
#include "engine/run/verify_private.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

bool verify_open(struct npy *npy, const char *folder, const char *name, struct error *err)
{
    char path[VERIFY_PATH];
    snprintf(path, sizeof path, "%s/%s.npy", folder, name);
    return npy_open(npy, path, err);
}

struct verify_entry *verify_find(struct verify_report *report, const char *name)
{
    for (int i = 0; i < report->count; i++)
        if (!strcmp(report->entries[i].name, name))
            return &report->entries[i];
    return NULL;
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

// Which rows of a dump, given as (parts, rows, width), are those of a tensor of ours.
struct place {
    int rows, width;
    bool channels_first; // (batch, width, y, x), a convolution's
    size_t start;        // element of the first
};

// A dump's shape with our batch in it: (batch), (batch, width), (batch, rows, width), (batch, width, y, x); the image
// encoder of BLIP's NLVR2 has both pictures of the pair in one batch, and its decoder all beams of all samples.
static bool find_place(const struct verifier *v, const struct npy *dump, int part, int parts, struct place *place)
{
    if (dump->rank < 1 || dump->rank > 4 || dump->shape[0] != (int64_t)parts * v->batch)
        return false;
    place->channels_first = dump->rank == 4;
    place->rows = dump->rank < 3 ? 1 : (int)dump->shape[dump->rank == 3 ? 1 : 2];
    place->width = dump->rank == 1 ? 1 : (int)dump->shape[dump->rank == 4 ? 1 : dump->rank - 1];
    if (place->channels_first)
        place->rows *= (int)dump->shape[3];
    place->start = (size_t)part * (size_t)place->rows * (size_t)place->width;
    return true;
}

static bool starts(const char *name, const char *with)
{
    return !strncmp(name, with, strlen(with));
}

// x (rows, width) with the rows of the dump that `place` names; rows of text are those that are no padding.
static void compare_rows(const struct verifier *v, struct verify_entry *entry, const struct npy *dump,
                         const struct place *place, const float *x, int rows)
{
    bool logits = strstr(entry->name, "logits") != NULL, ids = strstr(entry->name, "_ids") != NULL;
    bool masked = (strstr(entry->name, "txt") || starts(entry->name, "enc_")) && dump->rank == 3;
    int width = place->width;
    if (masked ? rows != v->row_count || v->rows[rows - 1] >= place->rows : rows != place->rows) {
        entry->excess = (double)INFINITY;
        return;
    }
    entry->known = true;
    for (int r = 0; r < rows; r++)
        for (int i = 0; i < width; i++) {
            size_t row = (size_t)(masked ? v->rows[r] : r);
            size_t at = place->channels_first ? (size_t)i * (size_t)place->rows + row : row * (size_t)width + (size_t)i;
            double ours = (double)x[(size_t)r * (size_t)width + (size_t)i], theirs = npy_value(dump, place->start + at);
            compare_value(entry, ours, theirs, logits);
            if (ids && ours != theirs)
                entry->excess = (double)INFINITY;
        }
    for (int r = 0; logits && r < rows; r++)
        compare_best(entry, dump, place->start + (size_t)r * (size_t)width, x + (size_t)r * (size_t)width, width);
}

// A batch of the decoder holds `beams` beams of each sample: one row of ours for each, or the same for all.
static void compare_beams(const struct verifier *v, struct verify_entry *entry, const struct npy *dump, const float *x,
                          int rows, int width)
{
    int beams = (int)dump->shape[0] / v->batch;
    for (int b = 0; b < beams; b++) {
        struct place place;
        bool fits = find_place(v, dump, v->sample * beams + b, beams, &place) && place.width == width;
        bool own = fits && place.rows == 1 && rows == beams;
        if (fits)
            compare_rows(v, entry, dump, &place, own ? x + (size_t)b * (size_t)width : x, own ? 1 : rows);
        else
            entry->excess = (double)INFINITY;
    }
}

// x (rows, width) of this sample with its part of the dump. call: how often a tensor of this name has been seen.
static void compare_sample(const struct verifier *v, struct verify_entry *entry, const struct npy *dump, int call,
                           const float *x, int rows, int width)
{
    struct place place;
    bool pair = starts(entry->name, "vit_") && dump->rank > 1 && dump->shape[0] == 2 * (int64_t)v->batch;
    if (starts(entry->name, "dec_") && dump->rank == 3 && dump->shape[0] % v->batch == 0) {
        compare_beams(v, entry, dump, x, rows, width);
        return;
    }
    if (find_place(v, dump, pair ? (call - 1) * v->batch + v->sample : v->sample, pair ? 2 : 1, &place) &&
        place.width == width)
        compare_rows(v, entry, dump, &place, x, rows);
    else
        entry->excess = (double)INFINITY;
}

static void compare_named(const struct verifier *v, const char *name, int call, const float *x, int rows, int width)
{
    char full[VERIFY_NAME + 16];
    struct npy dump;
    snprintf(full, sizeof full, "%s%s", v->prefix, name);
    struct verify_entry *entry = verify_find(v->report, full);
    if (!entry || !verify_open(&dump, v->folder, full, NULL))
        return;
    compare_sample(v, entry, &dump, call, x, rows, width);
    npy_close(&dump);
}

static int count_call(struct verifier *v, const char *name)
{
    for (int i = 0; i < v->call_count; i++)
        if (!strcmp(v->calls[i].name, name))
            return ++v->calls[i].count;
    if (v->call_count == VERIFY_CALLS)
        return 0;
    snprintf(v->calls[v->call_count].name, VERIFY_NAME, "%s", name);
    return v->calls[v->call_count++].count = 1;
}

// Both pictures of a pair go through one image encoder; where the dumps have them in one batch, both calls are in one dump.
static bool in_one_dump(const struct verifier *v, const char *name)
{
    char full[VERIFY_NAME + 16];
    snprintf(full, sizeof full, "%s%.40s__2", v->prefix, name);
    return starts(name, "vit_") && !verify_find(v->report, full);
}

void verify_see(void *context, const char *name, const float *x, int rows, int width)
{
    struct verifier *v = context;
    char numbered[VERIFY_NAME];
    if (v->only && !starts(name, v->only))
        return;
    int call = count_call(v, name);
    if (call == 1 || in_one_dump(v, name))
        compare_named(v, name, call, x, rows, width);
    // The words are encoded once for both pictures of a pair; METER encodes them twice, with the same result.
    bool shared = call == 1 && starts(name, "txt_");
    snprintf(numbered, sizeof numbered, "%.50s__%d", name, shared ? 2 : call);
    if (shared || call > 1)
        compare_named(v, numbered, call, x, rows, width);
}

void verify_positions(struct verifier *v, const struct model *model)
{
    char name[VERIFY_NAME];
    struct npy dump;
    int grid = model_grid(&model->config), rows = grid * grid + 1;
    snprintf(name, sizeof name, "%spos_embed", v->prefix);
    struct verify_entry *entry = verify_find(v->report, name);
    if (!entry || !verify_open(&dump, v->folder, name, NULL))
        return;
    if (dump.elements == (size_t)rows * (size_t)model_image_width(&model->config)) {
        entry->known = true;
        for (size_t i = 0; i < dump.elements; i++)
            compare_value(entry, (double)model->image_positions[i], npy_value(&dump, i), false);
    }
    npy_close(&dump);
}
