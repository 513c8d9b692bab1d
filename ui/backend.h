// What the screen asks of whatever runs the model: app/session (a worker thread that owns the model), the
// replay of a trace file, or a fake one in tests. The screen runs on one thread and calls these functions on
// that thread only.
//
// No function may block: a command is noted and done later, and what comes of it arrives through poll().
// Commands are done in the order given; a newer command of the same kind may replace one that has not
// started. The screen keeps drawing meanwhile. Threads of a backend must block all signals, so that they
// reach the screen's thread.
#ifndef TRIMSCOPE_UI_BACKEND_H
#define TRIMSCOPE_UI_BACKEND_H

#include <stddef.h>

#include "engine/base/error.h"
#include "engine/run/explain.h"
#include "engine/run/redundancy.h"
#include "engine/run/results.h"
#include "engine/run/sweep.h"
#include "engine/run/trace.h"
#include "engine/world/compose.h"

#include <stdbool.h>

// What a backend can do beyond showing its trace; the keys of everything else say that it is not possible
// here.
enum backend_ability {
    BACKEND_ASK = 1 << 0,       // other questions
    BACKEND_OPEN = 1 << 1,      // other pictures
    BACKEND_POLICY = 1 << 2,    // other policies and budgets
    BACKEND_INTERVENE = 1 << 3, // force tokens, switch heads, reopen, undo
    BACKEND_ATTENTION = 1 << 4, // attention probabilities on demand
    BACKEND_COMPLETE = 1 << 5,  // knows its vocabulary
    BACKEND_COMPARE = 1 << 6,   // further runs side by side: lanes
    BACKEND_JOBS = 1 << 7,      // long work beside the run on the screen
};

enum { BACKEND_LANES = 8 };

// A picture as the model sees it: cropped to the shape of the patch grid, 8-bit RGB, row by row, any
// resolution.
struct backend_picture {
    int width, height;
    unsigned char *rgb; // malloc'ed; whoever holds the struct frees it
    // What the crop has cut off, at the same scale: behind rgb in the same block two strips that are `rim` wide and as high as
    // the picture, left and right of it where rim_sides, else as wide as it and `rim` high, above and below. 0: nothing.
    int rim;
    bool rim_sides;
};
// Bytes of such a block.
size_t backend_picture_size(const struct backend_picture *picture);

// Which attention: of the token `query` of a stream, in one module of a stage; head -1 is the mean over live
// heads.
struct backend_attention_request {
    int stage, stream;
    enum attention_module module;
    int head;
    int query; // index over the original tokens, 0 is CLS
};

struct backend_attention {
    struct backend_attention_request request;
    int key_stream; // the stream that `weights` is about
    int count;
    float *weights; // count probabilities over that stream's original tokens, NaN where dropped; malloc'ed
};

// ---- jobs
// Work of any length beside the run on the screen. What the person asks of that run meanwhile is done first, between
// two steps of the job. A new kind: an entry in enum backend_job_kind, its request and result in the unions, how both
// are copied and freed in ui/backend_job.c, and the function that does it in app/jobs.c.
enum backend_job_kind { JOB_RUN, JOB_WHY, JOB_SEARCH, JOB_SET, JOB_SWEEP, JOB_LOOK, JOB_REDUNDANCY, JOB_WORLD, JOB_HEADS, JOB_KINDS };

// JOB_RUN: a whole run on the same pictures, but with another question, policy or changes by hand ("what if ...").
struct backend_run_request {
    char *question;               // NULL: that of the run on the screen
    char policy[TRACE_NAME];      // "": policy and budget of the run on the screen
    double budget;                // with a policy; NaN: as trained
    struct intervention *changes; // all changes by hand there shall be, in order
    int change_count;
};

// JOB_WHY: why a token or head of the run on the screen was kept or dropped. The parts come one after the other.
struct backend_why {
    struct explain_verdict verdict;
    bool has_effect;            // of the opposite decision
    struct intervention change; // which is this
    struct explain_effect effect;
    bool has_pulls[2]; // by enum explain_side
    struct explain_pulls pulls[2];
};

// JOB_SEARCH: what must come back, or what the answer hangs on. Cancelled once a set is found, it ends with that set.
struct backend_search_request {
    enum explain_search search;
    unsigned over; // enum explain_over
};

// JOB_SET: a question set evaluated on all processors, or a file of its results read.
struct backend_set_request {
    char *path;              // of either; NULL: the bundled questions
    char *results;           // file that keeps the results of a set, as `eval --results` does; NULL: none
    char policy[TRACE_NAME]; // not of a file of results: that has its own
    double budget;           // NaN: as trained
    int limit;               // of the questions, 0: all
    bool results_only;       // a question set is refused
};

enum { SET_TYPES = 64 };
struct set_summary {
    struct evaluation_summary all, by_type[SET_TYPES];
    int types[SET_TYPES], type_count; // a question of each type
};

// What has become known since the part before.
struct backend_set_result {
    struct results *rows; // first of all: every question, and the results that a file had. NULL: had come before
    int count;            // of further answers, by their places in rows
    int *places;
    struct evaluation *evaluations;
    struct set_summary *summary; // now and then, and at the end; NULL: none now
};

// JOB_SWEEP: policies times budgets over a set, or files of results.
struct backend_sweep_request {
    char *set;      // NULL: the bundled questions, unless there are files
    char **files;   // results, one point each
    int file_count;
    char *policies, *budgets, *folder; // as `sweep` takes them; NULL: its defaults, and results are not kept
    int limit;
};

// All points, done or not.
struct backend_sweep_result {
    struct sweep_point *points;
    int count;
};

// JOB_LOOK: a whole run on pixels that no file holds, under the policy and budget of the run on the screen. The model must
// take one picture. Quick: the session keeps what it needs from one to the next.
struct backend_look_request {
    struct backend_picture picture;
    char *question;
};

// JOB_REDUNDANCY: how alike tokens and heads are over the questions of a set, unpruned (JOB_PART) and then under the
// policy and budget of the run on the screen, too.
struct backend_redundancy_request {
    char *set; // path; NULL: the bundled questions
};

// JOB_HEADS: where all heads of a stream look in a finished stage of the run on the screen, from one of its tokens; or, of a
// stage that writes a word, from that word.
struct backend_heads_request {
    int stage, stream;
    int query; // index over the original tokens, 0 is CLS; of a word that is written: 0
    int layer; // of the decoder that writes a word, from 0 on; -1: the mean over its layers. Else 0
};

struct backend_heads {
    struct backend_heads_request request;
    int heads;
    int layers; // of the decoder, where the stage writes a word; else 0
    // Of MODULE_MSA and MODULE_MCA. count 0: the stage has no such module.
    struct backend_looks {
        int key_stream, count; // whose tokens the weights are about, over all original ones
        float *weights;        // (heads, count) probabilities; NaN where a token was dropped, everywhere when the head was
    } of[2];
};

// JOB_WORLD, without a request: the procedural world, opened; whoever takes it frees it with world_free().

struct backend_job {
    enum backend_job_kind kind;
    union {
        struct backend_run_request run;
        struct explain_place why;
        struct backend_search_request search;
        struct backend_set_request set;
        struct backend_sweep_request sweep;
        struct backend_look_request look;
        struct backend_redundancy_request redundancy;
        struct backend_heads_request heads;
    };
};

// JOB_PART may come any number of times before the end, with what is known so far in the result.
enum backend_job_state { JOB_WORKING, JOB_PART, JOB_DONE, JOB_FAILED, JOB_CANCELLED };

struct backend_job_news {
    struct backend_job_news *next;
    int id;
    enum backend_job_kind kind;
    enum backend_job_state state;
    float done;         // JOB_WORKING: how much of it, 0 .. 1; NaN where unknown
    char progress[120]; // JOB_WORKING: what is going on; may be ""
    char error[480];    // JOB_FAILED: one sentence
    union {
        struct trace run;          // of JOB_RUN and JOB_LOOK
        struct backend_why why;    // of JOB_WHY
        struct explain_set search; // of JOB_SEARCH
        struct backend_set_result set;
        struct backend_sweep_result sweep;
        struct world *world;
        struct backend_heads heads;
        struct redundancy redundancy[2]; // of JOB_REDUNDANCY: unpruned, pruned; inputs 0: not known yet
    }; // JOB_PART and JOB_DONE
};

// Deep copies: false (and *to empty) when there is no memory.
bool backend_job_copy(struct backend_job *to, const struct backend_job *from) __attribute__((warn_unused_result));
void backend_job_free(struct backend_job *job);
void backend_job_news_free(struct backend_job_news *news); // this one and all behind it
void backend_set_result_free(struct backend_set_result *result);

// What happened since the last poll. Everything pointed to becomes the screen's; see backend_news_free().
struct backend_news {
    bool has_trace;
    struct trace trace;               // a deep copy of the newest trace, made by trace_copy()
    bool has_picture[TRACE_PICTURES]; // new pixels of this picture
    struct backend_picture pictures[TRACE_PICTURES];
    bool has_attention;
    struct backend_attention attention;
    bool has_error;
    char error[480]; // one sentence; the work it is about did not happen
    bool has_message;
    char message[240]; // one sentence about what was done, to be read once
    bool has_note;
    char note[480];       // lasting sentences about the present input ("unlike the training world ..."); ""
                          // clears them
    char suggestion[512]; // with has_note: the question as it was probably meant, words mended; "": as it is
    bool has_least;
    double least;       // the least budget that the present policy can keep; NaN: cannot be told
    struct backend_job_news *jobs; // oldest first
    bool busy;          // always set by poll(): work is going on
    char progress[120]; // what it is, while busy; may be ""
    float done;         // how much of it, 0 .. 1; NaN where unknown
};

struct backend {
    void *context;
    unsigned abilities; // enum backend_ability
    const char *model;  // the weights file, for command lines; NULL: the bundled one, or there is none
    int wake_fd;        // becomes readable when poll() has something; -1: the screen polls now and then

    // Fills *news (zeroed by the caller) and returns whether there is any; always sets busy, progress and
    // done. It also drains wake_fd.
    bool (*poll)(void *context, struct backend_news *news);

    // Compute stages up to this index (and no further than needed). Asked again whenever the wish changes.
    void (*want_stage)(void *context, int stage);

    void (*ask)(void *context, const char *question);
    // `ask_follows`: so does ask(), and nothing need be done about a question that hardly fits another picture.
    void (*open_picture)(void *context, int slot, const char *path, bool ask_follows);
    void (*set_policy)(void *context, const char *policy,
                       double budget); // a name of POLICIES; NaN: as trained
    void (*intervene)(void *context, const struct intervention *what);
    // Several as one change, at the stages given (run_intervene_all()).
    void (*intervene_all)(void *context, const struct intervention *list, int count);
    void (*undo)(void *context);
    void (*redo)(void *context);
    void (*want_attention)(void *context, const struct backend_attention_request *request);

    // Fills `out` with at most `max` known words that start with `prefix`, or where there are none the one
    // that was probably meant by it (owned by the backend, valid for good), and returns how many. Must be quick: it is called at a key press.
    int (*complete)(void *context, const char *prefix, const char **out, int max);

    // Starts a job (copied) and returns its number, from 1 on; 0: no memory, or too many at once. Jobs are done one after
    // the other. Cancelled, it ends with JOB_CANCELLED, unless it was done before.
    int (*start_job)(void *context, const struct backend_job *job);
    void (*cancel_job)(void *context, int id);

    // Stop what is going on as soon as possible, jobs too.
    void (*cancel)(void *context);

    // Runs side by side (BACKEND_COMPARE): each lane is a run of its own on the same weights. lane() gives it as a
    // backend whose commands act on that run and whose poll() brings its news; lane 0 is this backend itself. They
    // share wake_fd, which only lane 0 drains: poll that one first, then the others. open_lane() makes a lane (1 ..
    // BACKEND_LANES - 1) a copy of another one: same pictures, question, policy, budget and changes by hand; like any
    // command it is done later, before those given to the lane afterwards. A closed lane has no news.
    struct backend (*lane)(void *context, int lane);
    void (*open_lane)(void *context, int lane, int from);
    void (*close_lane)(void *context, int lane);
    // The share of the dense multiply-adds that the learned policy has as trained, on average; NaN where unknown. What a
    // policy that was not trained must spend to be compared fairly.
    double (*learned_share)(void *context);
    // The question number `index` (from 0) that is known to be worth asking about the picture files of this trace (of two:
    // the statement about them); false: there is none.
    bool (*known_question)(void *context, const struct trace *trace, int index, char *out, size_t size);
};

void backend_news_free(struct backend_news *news);

// A deep copy into an empty struct. False: no memory.
bool backend_picture_copy(struct backend_picture *to, const struct backend_picture *from) __attribute__((warn_unused_result));

#endif
