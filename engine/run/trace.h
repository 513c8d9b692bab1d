// The trace of one run: the contract between the engine, the screen and files (DESIGN.md, "The trace as JSON").
//
// A trace owns everything in it. Absent numbers are NaN (null in JSON). The engine appends one struct stage per
// run_step(); whoever changes an earlier decision truncates the trace there and appends again.
#ifndef TRIMSCOPE_RUN_TRACE_H
#define TRIMSCOPE_RUN_TRACE_H

#include "engine/base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum stage_kind { STAGE_EMBED, STAGE_IMAGE, STAGE_TEXT, STAGE_FUSION, STAGE_MEMORY, STAGE_DECODE, STAGE_ANSWER, STAGE_KINDS };

// Components of the multiply-add ledger.
enum mac_kind { MAC_QKV, MAC_ATTENTION, MAC_PROJECTION, MAC_FFN, MAC_TRIMMER, MAC_OTHER, MAC_KINDS };

enum { TRACE_PICTURES = 2, TRACE_ANSWERS = 5, TRACE_HEADS = 64, TRACE_NAME = 24, TRACE_TEXT = 64, TRACE_ANSWER = 384, TRACE_STAGES = 1024 };
enum { TRACE_QUESTION = 1 << 16 }; // bytes of a question at most

// Streams are numbered: 0 .. TRACE_PICTURES-1 pictures, TRACE_TEXT_STREAM the words.
enum { TRACE_TEXT_STREAM = TRACE_PICTURES, TRACE_STREAMS };

// Attention modules of one stream in one stage.
enum attention_module { MODULE_MSA, MODULE_MCA, MODULE_MCA2, MODULES };

// One stream after one stage. Arrays have `count` elements, over the original tokens; index 0 is CLS, then the
// patches row by row, or the words. count == 0: the stage does not touch the stream and had nothing to say.
struct trace_tokens {
    int count;
    uint8_t *alive;      // 1 while the token takes part in this stage
    float *self_score;   // own-modality part of the score given in this stage; NaN where none was
    float *cross_score;  // cross-modal part
    float *score;        // the policy's own quantity; kept <=> score + shift >= 0 for learned policies
    float *keep;         // keep probability; NaN where the policy has none
    int16_t *dropped_at; // stage index at which the token was dropped, -1 while alive
};

struct trace_heads {
    int count; // 0: no such module in this stage
    float score[TRACE_HEADS];
    uint8_t on[TRACE_HEADS];
};

struct trace_macs {
    double dense, spent; // this stage; dense is the unpruned model
    double by[MAC_KINDS];
    double cumulative_dense, cumulative_spent;
};

struct trace_answer {
    char text[TRACE_ANSWER]; // a written one may be a sentence
    float p;
};

struct stage {
    char name[TRACE_NAME]; // "image 1", "fusion 3"
    enum stage_kind kind;
    int layer; // from 0, of STAGE_DECODE which word; -1 where there is none
    int stream; // the stream an embed, image or text stage works on; -1 for both
    struct trace_tokens tokens[TRACE_STREAMS];
    struct trace_heads heads[TRACE_STREAMS][MODULES];
    struct trace_macs macs;
    double ms;
    float redundancy_image, redundancy_text, redundancy_heads; // mean pairwise cosine, NaN where unknown
    float redundancy_heads_of[2]; // of the pictures' heads and of the words' alone
    struct trace_answer answers[TRACE_ANSWERS];                // from the first fusion layer on: a lens
    int answer_count;
    float rank; // what pictures and texts are ranked by, of a retrieval model (higher: a better match); else NaN
    float similarity; // of picture and text encoded apart from each other (BLIP's ITC: the cosine of their features); NaN
};

struct trace_token {
    char text[TRACE_TEXT]; // as the tokenizer names it: "dog", "##s", "<s>"
    int from, to;          // bytes of the question it covers; from == to for special tokens
    bool unknown;          // a word the vocabulary does not hold
};

struct trace_picture {
    char *path;
    int width, height; // of the file, after EXIF orientation unless as_stored
    int grid_rows, grid_columns;
    bool squashed;     // the model sees all of it, made square; else the middle, as long as the short side
    bool as_stored;    // read to the bit as the model's own code reads it: whole, EXIF's orientation ignored
    bool reduced;      // decoded at a reduced size: pixels differ a little from those of the whole
};

// How the answer was made where that was not left to what the model was published with (0, false, NULL): struct
// run_options has the same.
struct trace_writing {
    bool generate, cls;
    int candidates, beams, min_length, max_length;
    char *answers; // a file with the answers to choose from
};

// Whether any of it was asked for.
static inline bool trace_has_writing(const struct trace_writing *w)
{
    return w->generate || w->cls || w->candidates || w->beams || w->min_length || w->max_length || w->answers;
}

// What the person changed by hand; kept in order, so that they can be undone and replayed.
enum intervention_kind { INTERVENE_TOKEN_KEEP, INTERVENE_TOKEN_DROP, INTERVENE_HEAD_ON, INTERVENE_HEAD_OFF, INTERVENE_REOPEN };
struct intervention {
    enum intervention_kind kind;
    int stage;                    // where it acts
    int stream;                   // which stream
    int token;                    // index over the original tokens (token kinds)
    enum attention_module module; // (head kinds)
    int head;
    bool joined;                  // belongs to the same change as the one before it: both are undone together
};

struct trace {
    char model_name[TRACE_TEXT], architecture[TRACE_NAME], task[TRACE_NAME];
    double parameters;
    struct trace_picture pictures[TRACE_PICTURES];
    int picture_count;
    char *question;
    struct trace_token *tokens;
    int token_count;
    char policy[TRACE_NAME];
    double budget; // share asked for; NaN: as trained
    double shift;  // threshold shift in use
    bool trim_tokens, trim_heads;
    struct trace_writing writing;
    struct intervention *interventions;
    int intervention_count;
    struct stage *stages;
    int stage_count, stage_capacity;
    int stage_total; // how many stages a whole run of this model has
    struct trace_answer answer; // p is NaN while there is none
    double dense_macs, spent_macs, ms;
};

// The strings and arrays that a trace points to come from malloc() or memory_alloc() and are released by trace_free().
void trace_init(struct trace *trace);
void trace_free(struct trace *trace);

// An answer's text; of one that is too long what fits, in whole characters.
void trace_set_answer(struct trace_answer *answer, const char *text);

// Deep copy, for handing a finished state to another thread. False (and *to empty) when there is no memory.
bool trace_copy(struct trace *to, const struct trace *from) __attribute__((warn_unused_result));

// Appends an empty stage (all numbers NaN, no tokens, no heads) and returns it; NULL when there is no memory. Stages
// may move when another one is added.
struct stage *trace_add_stage(struct trace *trace) __attribute__((warn_unused_result));

// Gives a stream of a stage arrays for `count` tokens: all alive, scores NaN, dropped_at -1. What it had is released.
// Scores of tokens that were dropped earlier stay NaN. False when there is no memory.
bool trace_tokens_alloc(struct trace_tokens *tokens, int count) __attribute__((warn_unused_result));

// Forgets stages from `count` on.
void trace_truncate(struct trace *trace, int count);

// The byte of the question behind the last word that a token covers, when letters, digits or characters beyond ASCII
// follow there that no token covers (the model reads no longer question, or does not read such characters); else -1.
int trace_unread(const struct trace *trace);

// The share of a picture that its crop to the shape of the grid has cut off, half of it at either end; *sides: left and
// right, else above and below. 0 where the model sees all.
double trace_cut_off(const struct trace_picture *picture, bool *sides);
// The same as people are told it, in whole percent: 0 where it is not worth a word, never all of the picture.
double trace_cut_off_told(const struct trace_picture *picture, bool *sides);

// A token as a person reads it, cleaned for a terminal: the bytes of the question it covers; what covers none by its own
// name; and the second of two tokens for one word as its name with "+" for the tokenizer's marks ("mice" "+s").
// size is at least 8. Returns `out`.
char *trace_token_text(const struct trace *trace, int token, char *out, size_t size);

// What a score must reach to be kept in a stage: -shift where the policy decides by a threshold, otherwise the middle
// between the worst kept and the best dropped. NaN where it cannot be told.
float trace_threshold(const struct trace *trace, int stage, int stream);

// What the person decided by hand about a token up to and in a stage, about a head in it: 1 stays, -1 goes, 0 nothing. Of
// several changes the last counts; reopening keeps everything from its stage on.
int trace_token_by_hand(const struct trace *trace, int stage, int stream, int token);
int trace_head_by_hand(const struct trace *trace, int stage, int stream, int module, int head);

// The spellings that JSON and screen share: "fusion", "qkv", "msa", "token-keep", "image" "image2" "text".
const char *stage_kind_name(enum stage_kind kind);
const char *mac_kind_name(enum mac_kind kind);
const char *attention_module_name(enum attention_module module);
const char *intervention_kind_name(enum intervention_kind kind);
const char *trace_stream_name(int stream);

// A stream's tokens as they are after stage `stage`: of the last stage up to there that says something about it. NULL: no
// stage has touched the stream yet.
const struct trace_tokens *trace_tokens_at(const struct trace *trace, int stage, int stream);

// The trace as JSON, version 1, described by assets/trace.schema.json. The text is malloc'ed, ends in a newline and
// is released with free(); NULL when there is no memory. Bytes that are not UTF-8 become '?'; what is infinite, null;
// probabilities are held within 0 and 1.
char *trace_to_json(const struct trace *trace);

// Reads such JSON from outside; bounded (16 MB, TRACE_STAGES stages), and validated so that every length and index in
// *trace is consistent: streams have rows * columns + 1 or token_count tokens, tokens lie in the question. On failure
// *trace is left empty and *err names the offending member. Strings may hold any character, control codes too.
bool trace_from_json(struct trace *trace, const char *text, size_t size, struct error *err);

#endif
