// What the files of the session share: not for others.
//
// A lane is one run with its own pictures, question, policy and changes by hand; all lanes share the opened weights, the
// threads and one queue of commands. Lane 0 is the run behind the stepper and always there; the others come and go.
#ifndef TRIMSCOPE_APP_SESSION_PRIVATE_H
#define TRIMSCOPE_APP_SESSION_PRIVATE_H

#include "app/session.h"
#include "engine/io/picture.h"
#include "engine/model/model.h"
#include "engine/run/explain.h"
#include "engine/run/run.h"
#include "ui/words.h"

#include <pthread.h>
#include <stdatomic.h>

enum { SESSION_QUEUE = 256, SESSION_JOBS = 32 };

enum command_kind {
    COMMAND_ASK,
    COMMAND_OPEN,
    COMMAND_POLICY,
    COMMAND_INTERVENE,
    COMMAND_CHANGES,
    COMMAND_UNDO,
    COMMAND_REDO,
    COMMAND_ATTENTION,
    COMMAND_OPEN_LANE,
    COMMAND_CLOSE_LANE,
};

struct command {
    enum command_kind kind;
    int lane;
    char *text; // question or path, owned
    int slot;   // of a picture; the lane that OPEN_LANE copies
    bool ask_follows; // an ASK comes after this OPEN
    enum policy policy;
    double budget;
    struct intervention intervention;
    struct intervention *changes; // several, owned
    int change_count;
    struct backend_attention_request request;
};

struct lane {
    struct session *session;
    int index;

    // Guarded by the lock.
    bool open;    // the screen wants to hear of it
    bool stopped; // by the person or a failure, until somebody asks again
    int wanted;   // stages up to this index
    bool stepped; // a stage of it is being computed
    atomic_bool stop; // which shall be cut short
    struct backend_news news; // gathered since the last poll

    // The worker's own.
    char *paths[TRACE_PICTURES];
    struct picture pictures[TRACE_PICTURES];
    struct picture_origin origins[TRACE_PICTURES];
    struct run *run;
    unsigned runs;               // how many there have been: another number, another run
    struct explainer *explainer; // of this run; made when first needed, taken out while a job uses it
    int published; // stages in the trace that was last handed over
};

struct session_job {
    int id, lane;
    bool cancelled;
    struct backend_job job;
};

struct session {
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    int pipe[2];

    // Guarded by the lock.
    struct command queue[SESSION_QUEUE];
    int queued;
    struct session_job jobs[SESSION_JOBS]; // the first one is being done
    int job_count, last_job;
    atomic_bool stop_job; // runs of the job that is being done shall be cut short
    bool quit, busy;
    char progress[120];
    float done;

    struct lane lanes[BACKEND_LANES];

    // The worker's own, but for `vocabulary` and `learned_share`, which are set once under the lock.
    struct session_options options;
    char *model_path, *question;
    char *second; // the second picture as it was named; NULL: none was
    struct model *model;
    const struct tokenizer *vocabulary;
    double learned_share; // NaN: unknown
    struct thread_pool *pool;
    struct run *look; // of JOB_LOOK, kept from one to the next; NULL: none yet
};

// session_publish.c: hands results over to the screen, from the worker. What is about a lane that the screen has closed
// is thrown away.
void session_publish_error(struct lane *lane, const struct error *err);
void session_publish_trace(struct lane *lane);
void session_publish_note(struct lane *lane);  // what is out of the ordinary with the present input
void session_publish_least(struct lane *lane); // what the present policy can spend at least
void session_publish_message(struct lane *lane, const char *sentence);
void session_publish_picture(struct lane *lane, int slot);
void session_publish_attention(struct lane *lane, struct backend_attention *attention); // takes the weights over
void session_publish_job(struct lane *lane, struct backend_job_news *news); // takes the news over
void session_say_busy(struct session *session, bool busy, const char *what, float done); // done NaN: unknown
void session_ring(struct session *session);

// session.c: does what the screen has asked of the runs, in the midst of the job `id`. False: that job was cancelled.
bool session_serve(struct session *session, int id);

// session_lane.c: what all runs of the session have in common; the stop is that of jobs.
struct run_options session_run_options(const struct session *session);

// session_lane.c: runs made, copied, changed and freed, on the worker.
bool session_start_lane(struct lane *lane, const char *question, struct error *err);
bool session_carry_out(struct session *session, const struct command *command, struct error *err);
void session_release_lane(struct lane *lane);

// session_queue.c: the screen's side. Takes the oldest command (the lock is held); false: there is none.
bool session_next_command(struct session *session, struct command *command);
void session_free_command(struct command *command);

#endif
