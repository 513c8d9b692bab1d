// Writing results while a set is evaluated, and going on with a file that was left unfinished.
#include "engine/base/file.h"
#include "engine/base/memory.h"
#include "engine/base/text.h"
#include "engine/run/results_private.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

bool results_describe(struct results_header *header, const char *model_path, const char *model_name,
                      const char *set_path, const struct question_set *set, const struct run_options *options,
                      int shard, int shards, struct error *err)
{
    char *real = realpath(set_path, NULL);
    *header = (struct results_header){.set_questions = set->count, .budget = options->budget, .seed = options->seed, .exact = options->exact,
                                      .shard = shard, .shards = shards, .set_given = set_path,
                                      .questions = evaluate_shard_size(set, shard - 1, shards)};
    snprintf(header->model, sizeof header->model, "%s", model_name);
    snprintf(header->set, sizeof header->set, "%s", real ? real : set_path);
    snprintf(header->policy, sizeof header->policy, "%s", policy_name(options->policy));
    free(real);
    text_clean(header->model);
    text_clean(header->set);
    return digest_file(header->model_digest, model_path, err) && digest_file(header->set_digest, set_path, err);
}

static json_t *number(double value) { return isfinite(value) ? json_real(value) : json_null(); }

// One line into the file, with one write(), so that nobody ever sees half of it but as the end of the file.
static bool write_line(int descriptor, json_t *root, const char *path, struct error *err)
{
    char *text = root ? json_dumps(root, JSON_COMPACT | JSON_REAL_PRECISION(17)) : NULL;
    size_t size = text ? strlen(text) : 0;
    json_decref(root);
    if (!text)
        return error_no_memory(err, "the results");
    text[size] = '\n'; // in the place of the final 0
    ssize_t written = write(descriptor, text, size + 1);
    int why = written < 0 ? errno : ENOSPC; // a write to a file that stops short has met its end
    free(text);
    return written == (ssize_t)size + 1 || error_set(err, ERROR_MACHINE, "cannot write %s: %s", path, strerror(why));
}

json_t *results_header_json(const struct results_header *h)
{
    char seed[24];
    snprintf(seed, sizeof seed, "%llu", (unsigned long long)h->seed); // JSON numbers end at 2^53 for many readers
    return json_pack("{s:i, s:{s:s, s:s}, s:{s:s, s:s, s:i}, s:s, s:o, s:s, s:b, s:[i, i], s:i, s:s*}", "trimscope_results", 1,
                     "model", "name", h->model, "digest", h->model_digest, "set", "path", h->set, "digest",
                     h->set_digest, "questions", h->set_questions, "policy", h->policy, "budget", number(h->budget),
                     "seed", seed, "exact", (int)h->exact, "shard", h->shard, h->shards, "questions", h->questions,
                     "writing", h->writing[0] ? h->writing : NULL);
}

// The name that the set gives: question_set_read() put the set's folder in front of it.
static const char *given_name(const struct results_file *file, const char *picture)
{
    return strncmp(picture, file->folder, file->folder_size) ? picture : picture + file->folder_size;
}

static json_t *pictures_of(const struct results_file *file, const struct question *q)
{
    if (!q->pictures[1])
        return json_string(given_name(file, q->pictures[0]));
    return json_pack("[s, s]", given_name(file, q->pictures[0]), given_name(file, q->pictures[1]));
}

static int count_alive(const struct trace_tokens *tokens)
{
    int alive = 0;
    for (int i = 0; i < tokens->count; i++)
        alive += tokens->alive[i];
    return alive;
}

static json_t *count_heads(const struct stage *stage)
{
    int on = 0, count = 0;
    for (int s = 0; s < TRACE_STREAMS; s++)
        for (int m = 0; m < MODULES; m++)
            for (int h = 0; h < stage->heads[s][m].count; h++, count++)
                on += stage->heads[s][m].on[h];
    return count ? json_integer(on) : json_null();
}

// How many tokens of each stream, CLS among them, and how many heads were alive after each stage.
static json_t *keep_of(const struct trace *trace)
{
    json_t *keep = json_object();
    for (int s = 0; s < TRACE_STREAMS; s++) {
        json_t *counts = s == TRACE_TEXT_STREAM || s < trace->picture_count ? json_array() : NULL;
        for (int i = 0; counts && i < trace->stage_count; i++) {
            const struct trace_tokens *tokens = &trace->stages[i].tokens[s];
            json_array_append_new(counts, tokens->count ? json_integer(count_alive(tokens)) : json_null());
        }
        if (counts)
            json_object_set_new(keep, trace_stream_name(s), counts);
    }
    json_t *heads = json_array();
    for (int i = 0; i < trace->stage_count; i++)
        json_array_append_new(heads, count_heads(&trace->stages[i]));
    json_object_set_new(keep, "heads", heads);
    return keep;
}

bool results_append(struct results_file *file, int id, const struct evaluation *r, const struct trace *trace,
                    struct error *err)
{
    const struct question *q = &file->set->questions[id];
    char answer[TRACE_ANSWER];
    if (file->failed) // another thread's line may be torn: nothing may follow it
        return error_set(err, ERROR_MACHINE, "cannot write %s", file->path);
    snprintf(answer, sizeof answer, "%s", r->answer);
    text_clean(answer); // an answer may have been cut within a character
    json_t *root = json_pack("{s:i, s:o, s:s, s:s, s:s, s:s, s:b, s:o, s:f, s:f, s:f, s:i, s:i, s:i, s:i, s:i, s:o}", "id",
                             id, "picture", pictures_of(file, q), "question", q->text, "type", q->type, "truth",
                             q->answer, "answer", answer, "right", r->correct, "p", number((double)r->p), "share",
                             r->share, "macs", r->spent, "ms", r->ms, "needed", r->needed, "needed_alive",
                             r->needed_alive, "other", r->other, "other_alive", r->other_alive, "objects",
                             r->objects, "keep", keep_of(trace));
    file->failed = !write_line(file->descriptor, root, file->path, err);
    return !file->failed;
}

// The options that may be changed do not matter; what would make two halves that do not belong together does.
static bool same_shard(const struct results_header *a, const struct results_header *b, const char *path,
                       struct error *err)
{
    if (!results_same_run(a, b, path, err))
        return false;
    if (a->shard == b->shard && a->shards == b->shards && a->questions == b->questions)
        return true;
    return error_set(err, ERROR_INPUT, "%s is shard %d of %d, and this run is shard %d of %d: give each its own file", path,
                     b->shard, b->shards, a->shard, a->shards);
}

// Takes over what the file holds already.
static bool resume(struct results_file *file, const struct results_header *header, struct evaluation *evaluations,
                   struct error *err)
{
    struct results old;
    if (!results_read(&old, file->path, NULL, err))
        return false;
    bool ok = same_shard(header, &old.header, file->path, err);
    for (int i = 0; ok && i < old.set.count; i++)
        evaluations[old.ids[i]] = old.evaluations[i];
    file->resumed = ok ? old.set.count : 0;
    file->torn = old.torn;
    if (ok && old.torn && ftruncate(file->descriptor, (off_t)old.whole) < 0)
        ok = error_set(err, ERROR_MACHINE, "cannot write %s: %s", file->path, strerror(errno));
    results_free(&old);
    return ok;
}

// A run that was killed at once leaves nothing, or a header without its end.
static bool holds_no_line(int descriptor, off_t size)
{
    char start[RESULTS_PATH * 6 + 1024]; // longer than any header
    if (size >= (off_t)sizeof start)
        return false;
    ssize_t got = pread(descriptor, start, (size_t)size, 0);
    static const char begins[] = "{\"trimscope_results\":";
    size_t least = (size_t)size < sizeof begins - 1 ? (size_t)size : sizeof begins - 1;
    return got == size && !memchr(start, '\n', (size_t)size) && !memcmp(start, begins, least);
}

static bool start(struct results_file *file, const struct results_header *header, struct evaluation *evaluations,
                  struct error *err)
{
    struct stat st;
    if (flock(file->descriptor, LOCK_EX | LOCK_NB) < 0 && errno == EWOULDBLOCK)
        return error_set(err, ERROR_INPUT, "%s is being written by another process", file->path);
    if (fstat(file->descriptor, &st) < 0 || !S_ISREG(st.st_mode))
        return error_set(err, ERROR_INPUT, "cannot write results to %s: it is not a file", file->path);
    if (!holds_no_line(file->descriptor, st.st_size))
        return resume(file, header, evaluations, err);
    if (ftruncate(file->descriptor, 0) < 0)
        return error_set(err, ERROR_MACHINE, "cannot write %s: %s", file->path, strerror(errno));
    return write_line(file->descriptor, results_header_json(header), file->path, err);
}

bool results_open(struct results_file *file, const char *path, const struct results_header *header,
                  const struct question_set *set, struct evaluation *evaluations, struct error *err)
{
    const char *slash = strrchr(header->set_given, '/');
    *file = (struct results_file){.descriptor = -1, .set = set, .path = strdup(path), .folder = header->set_given,
                                  .folder_size = slash ? (size_t)(slash - header->set_given) + 1 : 0};
    bool ok = file->path || error_no_memory(err, path);
    if (ok && (file->descriptor = open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC | O_NONBLOCK, 0666)) < 0)
        ok = error_set(err, errno == ENOSPC || errno == EIO ? ERROR_MACHINE : ERROR_INPUT, "cannot write %s: %s", path,
                       strerror(errno));
    if (ok && start(file, header, evaluations, err))
        return true;
    results_close(file, NULL);
    return false;
}

bool results_close(struct results_file *file, struct error *err)
{
    bool ok = file->descriptor < 0 || fsync(file->descriptor) == 0 ||
              error_set(err, ERROR_MACHINE, "cannot write %s: %s", file->path, strerror(errno));
    if (file->descriptor >= 0)
        close(file->descriptor);
    free(file->path);
    *file = (struct results_file){.descriptor = -1};
    return ok;
}
