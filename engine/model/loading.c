#include "engine/model/loading.h"

#include "engine/io/tensors.h"
#include "engine/model/weights.h"

#include <errno.h>
#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct loading {
    struct model *model;
    struct tensor_list *file;
    struct loader *loader;
    char *path;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t progress;
    // Guarded by the lock.
    int done; // parts
    bool stop;
    struct error err;
};

// Parts, counted in the order of enum model_part: the layers of `kind` begin at the place returned.
static int first_of(const struct model_config *c, enum model_part kind)
{
    const int counts[MODEL_PARTS] = {[PART_QUESTION] = 1,
                                     [PART_TEXT] = c->text_layers,
                                     [PART_PICTURE] = 1,
                                     [PART_IMAGE] = c->image_layers,
                                     [PART_ANSWER] = 1,
                                     [PART_FUSION] = c->fusion_layers,
                                     [PART_DECODER] = c->decoder_layers};
    int first = 0;
    for (int k = 0; k < (int)kind; k++)
        first += counts[k];
    return first;
}

static bool load(struct loader *loader, const struct model_config *c, int index, struct error *err)
{
    enum model_part kind = PART_DECODER;
    while (index < first_of(c, kind))
        kind--;
    bool layer = kind != PART_QUESTION && kind != PART_PICTURE && kind != PART_ANSWER;
    return weights_load_part(loader, kind, layer ? index - first_of(c, kind) : -1, err);
}

static void *load_all(void *context)
{
    struct loading *l = context;
    int count = first_of(&l->model->config, MODEL_PARTS);
    pthread_mutex_lock(&l->lock);
    while (l->done < count && !l->stop && !l->err.code) {
        struct error err = {0};
        pthread_mutex_unlock(&l->lock);
        bool ok = load(l->loader, &l->model->config, l->done, &err);
        if (!ok)
            error_prefix(&err, "%s", l->path);
        pthread_mutex_lock(&l->lock);
        if (!ok && !l->err.code)
            l->err = err;
        l->done += ok;
        pthread_cond_broadcast(&l->progress);
    }
    weights_end(l->loader); // its buffers are as large as the largest layer
    l->loader = NULL;
    pthread_mutex_unlock(&l->lock);
    return NULL;
}

static bool load_at_once(struct model *model, const struct tensor_list *file, struct error *err)
{
    struct loader *loader = weights_begin(model, file, err);
    bool ok = loader;
    for (int i = 0; ok && i < first_of(&model->config, MODEL_PARTS); i++)
        ok = load(loader, &model->config, i, err);
    weights_end(loader);
    return ok;
}

static void release(struct loading *l)
{
    weights_end(l->loader);
    free(l->path);
    pthread_mutex_destroy(&l->lock);
    pthread_cond_destroy(&l->progress);
    memory_free(l);
}

bool loading_start(struct model *model, struct tensor_list *file, const char *path, bool background, struct error *err)
{
    if (!background)
        return load_at_once(model, file, err);
    struct loading *l = memory_alloc(1, sizeof *l);
    pthread_condattr_t monotonic;
    if (!l)
        return error_no_memory(err, "the model");
    *l = (struct loading){.model = model, .path = strdup(path)};
    pthread_mutex_init(&l->lock, NULL);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&l->progress, &monotonic);
    pthread_condattr_destroy(&monotonic);
    bool ok = l->path || error_no_memory(err, "the model");
    ok = ok && (l->loader = weights_begin(model, file, err));
    if (ok && pthread_create(&l->thread, NULL, load_all, l) != 0)
        ok = error_set(err, ERROR_MACHINE, "no thread can be started to load the model");
    if (!ok) {
        release(l);
        return false;
    }
    l->file = file;
    model->loading = l;
    return true;
}

void loading_stop(struct model *model)
{
    struct loading *l = model->loading;
    if (!l)
        return;
    model_stop_loading(model);
    pthread_join(l->thread, NULL);
    tensor_list_close(l->file);
    release(l);
    model->loading = NULL;
}

void model_stop_loading(const struct model *model)
{
    struct loading *l = model->loading;
    if (!l)
        return;
    pthread_mutex_lock(&l->lock);
    l->stop = true;
    if (!l->err.code)
        error_set(&l->err, ERROR_CANCELLED, "the model was closed while it was being opened");
    pthread_cond_broadcast(&l->progress);
    pthread_mutex_unlock(&l->lock);
}

static struct timespec after(double seconds)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    double end = (double)t.tv_nsec * 1e-9 + seconds;
    t.tv_sec += (time_t)end;
    t.tv_nsec = (long)((end - floor(end)) * 1e9);
    return t;
}

enum model_state model_await(const struct model *model, enum model_part part, int layer, double seconds,
                             struct error *err)
{
    struct loading *l = model->loading;
    if (!l)
        return MODEL_READY;
    int needed = first_of(&model->config, part) + (layer > 0 ? layer : 0) + 1;
    struct timespec end = after(seconds);
    pthread_mutex_lock(&l->lock);
    while (l->done < needed && !l->err.code && pthread_cond_timedwait(&l->progress, &l->lock, &end) != ETIMEDOUT) {
    }
    enum model_state state = l->done >= needed ? MODEL_READY : l->err.code ? MODEL_FAILED : MODEL_LOADING;
    if (state == MODEL_FAILED && err)
        *err = l->err;
    pthread_mutex_unlock(&l->lock);
    return state;
}

double model_loaded(const struct model *model)
{
    struct loading *l = model->loading;
    if (!l)
        return 1;
    pthread_mutex_lock(&l->lock);
    double loaded = (double)l->done / first_of(&model->config, MODEL_PARTS);
    pthread_mutex_unlock(&l->lock);
    return loaded;
}
