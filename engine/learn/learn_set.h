// Pictures and questions of a person's own as something to train on: a question set (engine/io/question_set.h) beside a
// model that carries its own words and answers. Answers are optional, where a full model says what is right.
#ifndef TRIMSCOPE_LEARN_LEARN_SET_H
#define TRIMSCOPE_LEARN_LEARN_SET_H

#include "engine/base/random.h"
#include "engine/io/picture.h"
#include "engine/io/question_set.h"
#include "engine/learn/net.h"
#include "engine/learn/writing.h"

struct tensor_list;
struct tokenizer;

enum { SET_QUESTIONS = WRITING_ANSWERS }; // of a picture in one pass at most

// A picture, or two for a model that takes two, and the questions about it: order[first] .. of the set.
struct set_group {
    int first, count;
};

struct learn_set {
    struct question_set questions;
    // By picture; label of each question (of a model that writes: 0, if it can write the answer), -1 where the model has no
    // such answer or none was given.
    int *order, *labels;
    struct set_group *groups;
    int group_count, labelled;
    struct tokenizer *tokenizer;
    struct model_config config; // of the model, with the ids that the tokenizer has
    struct flops_text writing;  // how it answers, by the answers that its file names
};

// What of a set's group takes part in one pass; the buffers are learn_set_sample_init()'s.
struct set_sample {
    real *pixels; // (pictures, 3, side, side)
    size_t picture_size;
    int *ids;     // (SET_QUESTIONS, max_tokens)
    int text_count[SET_QUESTIONS], answers[SET_QUESTIONS], questions, text_stride;
    bool writes;
    struct writing writing; // of a model that does
};

// Reads the set and what the model's file says of words and answers. Every picture must be there; whether it can be
// decoded shows when its turn comes. False and a sentence in *err.
bool learn_set_open(struct learn_set *set, const char *path, const struct model_config *config,
                    const struct tensor_list *model, struct error *err);
void learn_set_close(struct learn_set *set);

bool learn_set_sample_init(struct set_sample *sample, const struct learn_set *set);
void learn_set_sample_free(struct set_sample *sample);

// The group whose turn comes at `index`: all of them, in an order of `seed` that changes from one round to the next.
int learn_set_turn(const struct learn_set *set, uint64_t seed, uint64_t index);

// Up to `want` questions of a group, drawn where there are more; random NULL: the first. False when the picture cannot be
// read.
bool learn_set_draw(const struct learn_set *set, int group, int want, struct random *random, struct set_sample *sample,
                    struct error *err);
// The sample as a pass of one of its pictures (0 where a pass reads both), and what it should answer: written answers as they
// stand.
struct net_batch learn_set_batch(struct set_sample *sample, int picture);
const int *learn_set_wanted(const struct set_sample *sample);

#endif
