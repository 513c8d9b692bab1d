// The results of a question set in a file, a JSON object a line, so that a run can be stopped and goes on, can be spread
// over machines, and can be looked at while it goes.
//
// The first line says what was run:
//   {"trimscope_results": 1, "model": {"name", "digest"}, "set": {"path", "digest", "questions"}, "policy", "budget": share
//    or null, "seed": "0", "exact": whether pictures were read so (run.h; false where it is missing), "shard": [i, n],
//    "questions": how many of the set's this shard asks, and where anything was asked about how to answer "writing": options}
// then a line for each question, in the order in which they were answered:
//   {"id": place in the set from 0, "picture": as the set names it (a list when there are two), "question", "type",
//    "truth", "answer", "right", "p", "share", "macs", "ms", "needed", "needed_alive", "other", "other_alive",
//    "objects": how many are needed (0 where it is missing), and for each stage how much was alive after it:
//    "keep": {"image": [..], "text": [..], "heads": [..]}, null where untouched}
// Each line is written with one write(): a process that is killed leaves at most a torn last line.
#ifndef TRIMSCOPE_RUN_RESULTS_H
#define TRIMSCOPE_RUN_RESULTS_H

#include "engine/base/digest.h"
#include "engine/run/evaluate.h"

enum { RESULTS_PATH = 4096, RESULTS_WRITING = 512, RESULTS_SHARDS = 1000000 };

struct results_header {
    char model[TRACE_TEXT], model_digest[DIGEST_SIZE]; // the weights' name and digest
    char set[RESULTS_PATH], set_digest[DIGEST_SIZE];   // path, absolute where it can be
    int set_questions;                                 // of the whole set, or as many as were asked for
    char policy[TRACE_NAME];
    double budget; // NaN: as trained
    uint64_t seed;
    bool exact;
    char writing[RESULTS_WRITING]; // options, " --generate --beams 5"; "": none
    int shard, shards; // from 1 on
    int questions;     // of this shard
    const char *set_given; // the path as results_describe() got it, NULL in what was read
};

// What a run is about to do. `set` was read from set_path with a limit that is in its count. shards >= 1.
bool results_describe(struct results_header *header, const char *model_path, const char *model_name,
                      const char *set_path, const struct question_set *set, const struct run_options *options,
                      int shard, int shards, struct error *err);

// A file that is being written.
struct results_file {
    int descriptor; // -1: none
    char *path;
    const struct question_set *set;
    const char *folder; // of the set, the first folder_size bytes
    size_t folder_size;
    int resumed; // questions that it held already
    bool torn;   // its last line had been torn and was dropped
    bool failed;
};

// Opens a new file, or one that such a run left unfinished: what it holds goes to evaluations[set->count], with `done`.
// A file of another run (model, set, policy, budget, seed, exact, options or shard), of no run at all, or that another
// process is writing is refused, and untouched.
bool results_open(struct results_file *file, const char *path, const struct results_header *header,
                  const struct question_set *set, struct evaluation *evaluations, struct error *err);
bool results_append(struct results_file *file, int id, const struct evaluation *result, const struct trace *trace,
                    struct error *err);
// Waits until it is on the disk. False when it never came there.
bool results_close(struct results_file *file, struct error *err);

// A file read back: rows in the order of their ids.
struct results {
    struct results_header header;
    struct question_set set; // pictures below the folder of the set (as far as it is known), no boxes
    struct evaluation *evaluations;
    int *ids;
    size_t whole; // bytes of whole lines
    bool torn;    // there were more: a torn last line, left out
};

// Reads bytes from outside; `watch` may be NULL. On failure *results is empty and *err names the line, or says that it was
// stopped.
bool results_parse(struct results *results, const char *text, size_t size, const struct watch *watch, struct error *err);
bool results_read(struct results *results, const char *path, const struct watch *watch, struct error *err);
// The first line alone.
bool results_read_header(struct results_header *header, const char *path, struct error *err);
void results_free(struct results *results);

// Whether two files come from the same model, set, policy, budget and seed; *err says what differs (`path` names b's).
bool results_same_run(const struct results_header *a, const struct results_header *b, const char *path,
                      struct error *err);

// Puts shards together, which is all of `parts`, in any order; parts are left empty. Names what is missing, overlaps or does
// not fit. paths[count] are for sentences.
bool results_merge(struct results *whole, struct results *parts, const char *const paths[], int count,
                   struct error *err);

// Writes the lines of these files below one header (a merged one), whole or not at all.
bool results_join(const struct results_header *header, const char *const paths[], int count, const char *to,
                  struct error *err);

// Which rows of two runs over the same set are about the same question: places[a->set.count] gets the row of b, -1 where it
// has none. False when the sets differ.
bool results_pair(const struct results *a, const struct results *b, int *places, struct error *err);

// Two runs over the same set, question by question: b - a with 95 % intervals (bootstrap over pictures, as above).
struct results_comparison {
    int questions, both_right, only_a, only_b, neither, pictures;
    struct estimate accuracy, share;
};
// Of the questions whose type is `type` (NULL: of all) that both have answered. False when the sets differ.
bool results_compare(const struct results *a, const struct results *b, const char *type,
                     struct results_comparison *comparison, struct error *err);

#endif
