// A METER or BLIP model in memory: weights packed for the kernels, trimmers, answers and tokenizer. Immutable once opened, so
// that any number of runs in any number of threads share it; opened in the background it is so part by part.
#ifndef TRIMSCOPE_MODEL_MODEL_H
#define TRIMSCOPE_MODEL_MODEL_H

#include "engine/base/error.h"
#include "engine/base/memory.h"
#include "engine/math/math.h"
#include "engine/model/config.h"

#include <stdbool.h>

struct token;
struct tokenizer;

struct norm {
    const float *gamma, *beta;
    float eps;
};

// LayerNorm of x (rows, width) into y, which may be x. The threads of `pool` (NULL: this one alone) share many rows.
static inline void norm_apply(struct thread_pool *pool, const struct norm *norm, const float *x, int rows, int width,
                              float *y)
{
    layer_norm(pool, x, width, rows, width, norm->gamma, norm->beta, norm->eps, y, width);
}

// Self-attention: `in` gives Q, K, V side by side (3D columns in blocks of one head), `out` takes the contexts.
// Cross-attention: `in` gives Q only (D columns), `memory` K and V (2D columns) of the other stream.
struct attention_weights {
    struct linear in, memory, out;
    struct norm norm, context_norm; // context_norm: of the other stream, pre-norm fusion only
};

struct ffn_weights {
    struct linear up, down;
    struct norm norm;
    enum activation activation;
};

// A layer of any stack: MSA, MCA where `cross`, FFN. pre: x += f(LN(x)); else x = LN(x + f(x)).
// BLIP's NLVR2 has two MCA, one for each picture, behind one LayerNorm (mca.norm): their outputs are averaged, or, where
// merge.out is not 0, merged by it.
struct layer {
    bool pre, cross;
    struct attention_weights msa, mca, twin;
    struct linear merge;
    struct ffn_weights ffn;
};
static inline int layer_width(const struct layer *layer)
{
    return layer->msa.in.in;
}

// Tables of a text encoder or decoder: (vocabulary, D), (positions, D), and (D) or NULL; the first token has the position
// `first`.
struct text_embedding {
    const float *words, *positions, *type;
    int first;
    struct norm norm;
};

struct token_trimmer {
    bool present, guided;
    struct norm norm, context_norm;
    struct linear self, out, query, key, mix; // mix.out == 0: a scalar product of query and key, times alpha
    float alpha;
};

struct head_trimmer {
    bool present;
    struct norm norm;
    struct linear out;
};

struct trimmer {
    struct token_trimmer token;
    struct head_trimmer msa, mca;
};

struct stem_block {
    const float *depthwise, *depthwise_bias; // (25, D): tap by tap, so that channels are contiguous
    struct norm norm;
    struct linear fc1, fc2;
};

struct stem {
    struct linear conv[3]; // patch stem: conv[0] alone. Columns of the 3x3 ones: (ky, kx, channel)
    struct stem_block blocks[MODEL_LAYERS];
    struct norm norm;
};

// Answers to choose from, as the pieces that follow [DEC]: those of answer a are ids[start[a]] up to
// ids[start[a + 1] - 1], the last of which is [SEP]; at least one, at most ANSWER_PIECES.
enum { ANSWER_PIECES = 32 };
struct answer_list {
    int count; // 0: none
    const int *ids, *start;
};

// What a caption begins with where nobody says otherwise (vlm_spec §4.5).
#define MODEL_PROMPT "a picture of "

enum { FUSION_TEXT, FUSION_IMAGE, FUSION_STREAMS };

// The weights in the order in which a pass needs them: what the words need outside their layers, each text layer, what
// a picture needs outside its layers, each image layer, the answer's head, each fusion layer of both streams, each layer
// of a decoder. Layers bring their trimmers.
enum model_part { PART_QUESTION, PART_TEXT, PART_PICTURE, PART_IMAGE, PART_ANSWER, PART_FUSION, PART_DECODER, MODEL_PARTS };

struct model {
    struct model_config config;
    double parameters;
    size_t weight_bytes;    // that the weights take in memory, of the parts that are there
    char *familiarity;      // metadata JSON, NULL where there is none (engine/run/familiar.h reads it)
    char *calibration;      // metadata JSON, NULL where there is none (engine/prune/budget.h reads it)
    char **answers;         // config.labels strings, NULL where the file names none
    char *answers_file;     // that was read in the place of the weights' own, NULL: none
    struct tokenizer *tokenizer; // NULL where the file carries none
    struct answer_list answer_pieces; // of a BLIP model that answers questions, where it has answers and a tokenizer

    struct text_embedding embedding;
    struct stem stem;
    const float *class_embedding, *image_positions, *fusion_positions; // (D), (patches + 1, D), the same or NULL
    struct norm image_norm_pre, image_norm_post;                       // gamma of the first: NULL in BLIP
    struct layer image[MODEL_LAYERS], text[MODEL_LAYERS], fusion[FUSION_STREAMS][MODEL_LAYERS];
    struct trimmer trimmers[STACK_COUNT][MODEL_LAYERS];
    struct linear transform[FUSION_STREAMS], pooler[FUSION_STREAMS];
    struct norm fusion_norm[FUSION_STREAMS]; // gamma NULL in post-norm models
    const float *types;                      // (token_types, D)
    struct linear head[2], head_words, answer_words; // head_words.out == 0 without answer_words; head[0].out == 0 in
                                                     // a head of one layer (BLIP's retrieval)
    struct linear rank; // METER's retrieval: features to the rank score; out == 0 where there is none
    struct norm head_norm;                           // gamma NULL: ReLU follows the first layer (BLIP's NLVR2)

    // BLIP: the layers of its text encoder (or of the decoder that writes captions) are fusion[FUSION_TEXT].
    struct layer decoder[MODEL_LAYERS]; // of answers
    struct text_embedding decoder_embedding;
    struct linear word_transform, word_head; // hidden state to logits over the vocabulary, where it writes words
    struct norm word_norm;
    struct linear projection[FUSION_STREAMS]; // to contrastive features

    struct arena tables; // everything that is not a packed linear layer
    void *strings;       // owner of the answers' text
    struct loading *loading; // of the weights that are still to come; NULL where all came at once
};

struct model_options {
    int pictures;    // 2: with the task for two of a model that has one for each (config.pair_hidden); others: its own task
    int image_size;  // run at this resolution: position tables are resized (vlm_spec §2.4); 0: the file's own
    const char *answers; // file (engine/text/answers.h) with answers that stand in the place of those that the weights carry: as
                         // many as there are labels, or any number for a BLIP model to choose from; NULL: none
    bool background; // return before the weights are there: a thread of their own brings them (model_await())
};

// Reads a .safetensors file (engine/model/names.md). NULL and one sentence in *err when it is not a usable model.
struct model *model_open(const char *path, const struct model_options *options, struct error *err);
void model_free(struct model *model);

// Waits until a part of the weights (layer -1 where it is no layer) and all before it are there, at most so many seconds
// (0: only asks). MODEL_FAILED and one sentence in *err when the file turned out to be damaged, or there was no memory.
enum model_state { MODEL_READY, MODEL_LOADING, MODEL_FAILED };
enum model_state model_await(const struct model *model, enum model_part part, int layer, double seconds,
                             struct error *err);
// Whoever waits for weights waits no longer: MODEL_FAILED with ERROR_CANCELLED, unless they are there. From any thread.
void model_stop_loading(const struct model *model);
// How much of the weights is there, 0 .. 1.
double model_loaded(const struct model *model);
// A question, sentence or prompt as this model's token ids: at most config.max_tokens, with the tokens at both ends that the
// model wants there. Returns the count; 0: no memory. The model must have a tokenizer.
int model_encode_question(const struct model *model, const char *question, struct token *out);

// The answers that a BLIP model chooses from, already in pieces (copied). False: no memory.
bool model_set_answers(struct model *model, const struct answer_list *answers) __attribute__((warn_unused_result));

// Text of an answer; "answer 17" in `buffer` where the file names none.
const char *model_answer(const struct model *model, int label, char *buffer, int size);

#endif
