// Beam search as transformers 4.6 to 4.15 does it, token for token (vlm_spec §4.6): plain numbers, no model.
#ifndef TRIMSCOPE_MODEL_BEAM_H
#define TRIMSCOPE_MODEL_BEAM_H

#include <stdbool.h>

enum { BEAMS = 3, BEAMS_MOST = 8, BEAM_LENGTH = 64 }; // as published; at most
enum { WORDS_ANSWER = 10 }; // tokens of a VQA answer at most, [DEC] counted (vlm_spec §4.4)

// Ids without the end token; score: log-probability over length, start ids counted.
struct hypothesis {
    int ids[BEAM_LENGTH], length;
    double score;
};

struct beam_search {
    int beams; // 1 to BEAMS_MOST
    int length, min_length, max_length, end; // of every beam so far; end: the id of the end token
    int ids[BEAMS_MOST][BEAM_LENGTH];
    int parent[BEAMS_MOST]; // the beam of the step before that each continues: what was cached of it belongs to this one
    float scores[BEAMS_MOST];
    struct hypothesis kept[BEAMS_MOST + 1];
    int kept_count;
    double worst; // of those kept
    bool done;    // no step is left
};

// All beams hold the start ids; lengths count them. max_length is at most BEAM_LENGTH.
void beam_start(struct beam_search *search, int beams, const int *start, int count, int min_length, int max_length,
                int end);

// One more word from the logits (beams, vocabulary) of each beam's last one.
void beam_step(struct beam_search *search, const float *logits, int vocabulary);

// The sentence as it stands: the best hypothesis once done, the best unfinished beam before; of the end token, nothing.
void beam_best(const struct beam_search *search, struct hypothesis *best);

#endif
