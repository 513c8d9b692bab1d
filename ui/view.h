// What the person looks at: the newest trace and pictures, where they are in it, and the questions panels ask
// of both.
#ifndef TRIMSCOPE_UI_VIEW_H
#define TRIMSCOPE_UI_VIEW_H

#include "ui/run_wish.h"

enum focus { FOCUS_STAGES, FOCUS_PATCHES, FOCUS_WORDS, FOCUS_HEADS, FOCUS_COUNT };
enum show { SHOW_SURVIVORS, SHOW_SELF, SHOW_CROSS, SHOW_TOTAL, SHOW_ATTENTION, SHOW_COUNT };

struct head_place {
    int stream;
    enum attention_module module;
    int head;
};

struct view {
    bool has_trace;
    struct trace trace;
    struct backend_picture pictures[TRACE_PICTURES]; // rgb NULL: none yet
    bool has_attention;
    struct backend_attention attention;
    unsigned serial;         // counts changes of the trace, pictures and attention
    unsigned picture_serial; // counts changes of the pictures

    int stage; // where the person wants to be; the trace may not be there yet
    bool playing;
    enum show show;
    enum focus focus;
    int picture, patch; // cursor: which picture, and the patch in it, row by row from 0
    int word;           // cursor: token of the question
    struct head_place head;
    bool patch_chosen, word_chosen; // the person has moved them

    unsigned abilities;
    bool busy;
    bool busy_for_long; // worth telling
    char progress[120];
    float done;
    char note[480], suggestion[512]; // see struct backend_news
    bool note_read;                  // a key has come since
    double least;                    // budget that the present policy can keep; NaN or 0: not told
    char message[480]; // shown until the next key
    bool message_is_error;
    const char *model; // weights file for command lines; NULL: the bundled one
    const char *assets; // folder of the bundled files; NULL: there are none
    char *command;     // the command line that the present run amounts to; NULL: not known yet
    // The true answer of a question about a picture, where it is known: see view_truth().
    struct view_truth {
        char *picture, *question, *answer;
    } truth;
    // A run that was asked for from outside of the stepper: until it comes, the trace is of another one.
    struct view_awaited {
        bool awaited;
        struct run_wish wish;
        char *texts[TRACE_PICTURES + 2]; // its own
        double since;
    } awaited;
    // What the person changed last and the final answer before it, to tell what the change did.
    char change[160];
    struct trace_answer answer_before;
};

void view_free(struct view *view);

// Notes the true answer of a question about a picture file (copied), for view_truth(). Without memory it is not noted.
void view_set_truth(struct view *view, const char *picture, const char *question, const char *answer);
// The true answer of the present question about the present picture; NULL: not known.
const char *view_truth(const struct view *view);

// Copies over what was there; without memory nothing is known.
void view_truth_copy(struct view_truth *to, const struct view_truth *from);
void view_truth_free(struct view_truth *truth);

// From now on the trace is stale until this run (copied) has come, or an error instead of it: view_awaits(). It is not
// awaited for ever: what has not come some seconds after the backend fell silent never will. NULL: none is awaited.
void view_await(struct view *view, const struct run_wish *wish);
bool view_awaits(const struct view *view);
// The trace, where it is of what the backend has; NULL: none, or a stale one.
const struct trace *view_known(const struct view *view);
// Whether a threshold decides what is kept: a budget is then what questions cost on average, and one may cost more or less.
bool view_spends_on_average(const struct view *view);

// Takes what the backend sent; afterwards *news is empty. Returns whether anything to be seen changed.
bool view_take_news(struct view *view, struct backend_news *news);

// Whether all stages of the run have been computed.
bool view_is_whole(const struct view *view);

// The stage that can be shown: the wanted one, or the last computed. -1: none yet.
int view_stage(const struct view *view);
const struct stage *view_stage_at(const struct view *view); // NULL: none yet

// A stream's tokens as they are after stage `stage`: of the last stage up to there that says something about
// it. NULL: no stage has touched the stream yet.
const struct trace_tokens *view_tokens(const struct view *view, int stage, int stream);

// Whether a token is still alive after a stage (a stream not read yet is alive), and how many are (CLS not
// counted for pictures; *total gets the number of all).
bool view_alive(const struct view *view, int stage, int stream, int token);
int view_alive_count(const struct view *view, int stage, int stream, int *total);
// Patches of all pictures that are alive after a stage, and how many there are.
int view_alive_patches(const struct view *view, int stage, int *total);
// Dropped in exactly this stage?
bool view_dropped_now(const struct view *view, int stage, int stream, int token);
int view_dropped_now_count(const struct view *view, int stage, int stream);

// What the person has asked last for a token.
enum view_hand { VIEW_NOT_BY_HAND, VIEW_KEPT_BY_HAND, VIEW_DROPPED_BY_HAND };
enum view_hand view_by_hand(const struct view *view, int stream, int token);

// The newest scores of a token given in or before a stage. stage -1: none were given.
struct view_score {
    int stage;
    float self, cross, total, keep;
};
struct view_score view_score(const struct view *view, int stage, int stream, int token);

// What a score must reach to be kept in a stage: -shift for learned policies, else the middle between the
// worst kept and the best dropped. NaN where it cannot be told.
float view_threshold(const struct view *view, int stage, int stream);

// The value that the picture (or the words) shows for a token in the present mode, and its range over the
// living tokens of the stream. NaN where there is none.
float view_shown_value(const struct view *view, int stage, int stream, int token);
bool view_shown_range(const struct view *view, int stage, int stream, float *low, float *high);

// Streams: pictures 0 .. picture_count-1 and the text. Their tokens without CLS for pictures.
bool view_has_stream(const struct view *view, int stream);
int view_patches(const struct view *view, int picture);
// How a stage is called in the person's language: "fusion 3", "image 1, picture 2".
void view_stage_name(const struct view *view, const struct stage *stage, char *out, size_t size);
void view_name_stage(const struct trace *trace, const struct stage *stage, char *out, size_t size); // without a view
// The stage that a person means, of those that are there: its number from 1 on, or its name in English or the person's
// language, whole or short ("fusion 3", "fus3"); -1: none.
int view_find_stage(const struct trace *trace, const char *wanted);
// Whether only the question is read in a stage.
bool view_is_of_words(const struct stage *stage);
// The same, shortened where not all stages' names fit into so many columns, so that those in a row are of one style:
// "fusion 3", "fus3", "f3"; embeddings are txt0 and img0.
void view_fit_stage_name(const struct trace *trace, const struct stage *stage, int columns, char *out, size_t size);
const char *view_stream_name(const struct view *view, int stream);
const char *view_module_name(enum attention_module module);

// Puts cursors where there is something to see: on the living token (a real word, a patch) with the best
// score so far.
void view_find_patch(struct view *view);
void view_find_word(struct view *view);

// Puts cursors back into range after the trace changed.
void view_clamp(struct view *view);

// The first head of a stage, or the one nearest to `place`; false: the stage has none.
bool view_first_head(const struct view *view, int stage, struct head_place *place);
const struct trace_heads *view_heads(const struct view *view, int stage, int stream,
                                     enum attention_module module);

// How a token is called in sentences: 'dog', or "row 4, column 7" for a patch.
void view_token_name(const struct view *view, int stream, int token, char *out, size_t size);

// The command line that makes the run with `more` changes (command_of_run()); pictures below the current folder and
// bundled ones are named as short as every command finds them from here.
char *view_make_command(const struct view *view, const struct intervention more[], int count);

// A picture's path as short as every command finds it from here; borrowed from `path`.
char *view_short_path(const struct view *view, char *path);
// A trace with its pictures called so; everything in it is borrowed.
struct trace view_with_short_paths(const struct view *view, const struct trace *trace);

// A message for the note line.
void view_say(struct view *view, bool is_error, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
