// The whole model for training, METER's and BLIP's (VQA, captions, matching of picture and text, and statements about two
// pictures): one scene with all its questions at a time, forward and backward. Both are the same lists of layers: an image
// encoder, a text encoder, fusion layers of two streams, and an answer. METER's answer is a classifier; BLIP's patches only stand
// by in the fusion layers, its words encoded without a picture guide its image encoder, and its answers are written by a decoder.
// Captions are written by the fusion layers themselves: a text goes through them whole, its beginning and what follows. Where
// BLIP reads two pictures, those of all questions are one batch, the first pictures before the second ones. The same parameters
// and shapes as engine/model; tests compare the two.
#ifndef TRIMSCOPE_LEARN_NET_H
#define TRIMSCOPE_LEARN_NET_H

#include "engine/learn/answer_head.h"
#include "engine/learn/blocks.h"
#include "engine/learn/fusion_compact.h"
#include "engine/learn/params.h"
#include "engine/learn/settings.h"
#include "engine/learn/trimmer.h"
#include "engine/model/config.h"
#include "engine/prune/flops.h"

enum { NET_LAYERS = SETTINGS_BUDGETS, NET_STREAMS = 2, NET_IMAGE = 0, NET_TEXT = 1, NET_STEM_BLOCKS = 8 };

struct stem_block_refs {
    size_t depthwise, depthwise_bias;
    struct norm_ref norm;
    struct linear_ref fc1, fc2;
};

struct stem_refs {
    struct linear_ref conv[3];
    struct norm_ref norm;
    int blocks;
    struct stem_block_refs block[NET_STEM_BLOCKS];
};

// One stream of one layer.
struct layer_refs {
    int width;  // of the stream's states
    bool still; // the stream is read, and trimmed, but does not change (BLIP's patches in the fusion layers)
    struct attention_refs self, cross;
    struct twin_refs twin; // of words that read two pictures
    struct ffn_refs ffn;
    struct token_trimmer_refs tokens;
    struct head_trimmer_refs msa, mca;
};

// (vocabulary, width), (positions, width) and (width) or NO_BIAS; the first word has the position `first`.
struct embedding_refs {
    size_t words, positions, type;
    int first;
    struct norm_ref norm;
};

struct net {
    struct model_config config;
    int pictures; // in one pass: 2 where BLIP's words read both, else 1 (METER's two have a pass each)
    bool conv_stem;
    struct linear_ref patch; // STEM_PATCH
    struct stem_refs stem;
    size_t class_embedding, positions, types, image_position;
    struct embedding_refs embedding;
    struct norm_ref ln_pre, ln_post, final_norm[NET_STREAMS]; // ln_pre.width 0: BLIP has none
    struct layer_refs image[NET_LAYERS], text[NET_LAYERS], fusion[NET_LAYERS][NET_STREAMS];
    int text_layers; // BLIP: its fusion layers without their cross-attention and trimmers, which encode the words alone
    struct linear_ref transform[NET_STREAMS], pooler[NET_STREAMS]; // out 0: BLIP has none
    int labels;                                                    // numbers in a row of logits
    struct answer_head_refs head, pair_head; // METER's; pair_head: with config.pair_hidden, or, without a head, of NLVR2
    // BLIP's: a linear map of the words' first row, behind a hidden layer with ReLU where there is one (out 0: none), or a
    // decoder, whose labels are the words of its vocabulary.
    bool writes, captions; // captions: without layers of its own
    struct linear_ref match_hidden, match;
    struct embedding_refs decoder_embedding;
    struct layer_refs decoder[NET_LAYERS]; // the first's token trimmer is of the question's states, which all of them read
    struct linear_ref word_transform, word_head;
    struct norm_ref word_norm;

    struct flops_text writing; // how a BLIP that writes is counted to answer; who knows its answers says how long they are

    bool image_per_question; // a trimmer inside the image encoder is guided by the question
    bool guide;              // BLIP: for that the words are encoded without a picture
    // The first layer of each stack that the backward pass has to reach, its number of layers where there is none, and
    // whether the embeddings below are trained: a frozen backbone is left out where no trimmer depends on it.
    int first_image, first_text, first_fusion;
    bool embeddings;
};

// Looks up every parameter. False with a sentence when the model is beyond what training supports. answer_words (labels):
// token id or -1, read with that option only; stays the caller's.
bool net_init(struct net *net, const struct model_config *config, const struct params *params,
              const int *answer_words, struct error *err);

// A scene and its questions.
struct net_batch {
    int questions, text_stride;   // text_stride: the longest question's tokens
    const real *pixels;           // (pictures of a pass, 3, side, side), normalised
    const int *ids, *text_count;  // (questions, text_stride), tokens in each; of a caption its beginning
    int patch_count;              // patches that enter the fusion layers; 0: all
    const int *patches;           // which, increasing
    int picture;                  // 1: the second of the two that a statement is about (its token type, METER); else 0
    // Where the model writes: what its decoder reads, [DEC] (of a caption the last token of its beginning) and the words of each
    // answer; each row gives the next word.
    struct rows answer_rows;
    const int *answer_ids;
};

// Whether and how masks are drawn.
struct net_trimming {
    bool on, heads;
    // Leave out the patches that can no longer matter (fusion_compact.c). The outputs of fusion layers then hold fewer
    // rows, and losses on them (net_gradients.fusion_image) are not possible.
    bool compact;
    struct mask_sampling sampling;
};

struct stream_layer_state {
    struct token_trimmer_state tokens;
    struct head_trimmer_state msa, mca;
    struct attention_state self, cross;
    struct twin_state twin;
    struct ffn_state ffn;
    real *mask, *alive;         // (n, stride): this layer's decision; product with those before
    real *gate_msa, *gate_mca;  // (n, heads)
    real *dalive, *dgate_msa, *dgate_mca; // gradients, filled by the cost and the backward pass
    struct compact_rows compact;          // which rows take part; mask, alive and dalive are in the full layout
    const real *input, *output;
};

struct stem_block_state {
    real *input, *summed, *z, *hidden, *active;
    struct norm_state norm;
};
struct stem_state {
    real *columns[3], *raw[3], *active[2];
    struct stem_block_state block[NET_STEM_BLOCKS];
    struct norm_state norm;
};

struct net_state {
    struct stem_state stem;
    real *patch_columns;
    struct norm_state ln_pre, ln_post, embedding_norm, final_norm[NET_STREAMS], decoder_norm, word_norm;
    struct stream_layer_state image[NET_LAYERS], text[NET_LAYERS], fusion[NET_LAYERS][NET_STREAMS], decoder[NET_LAYERS];
    // Of the image encoder, and of the fusion streams on entering: a sample is a question's, or one of its pictures'.
    struct rows image_rows, rows[NET_STREAMS];
    struct rows question_rows; // of the batch's ids
    const int *caption_ids;    // (rows[NET_TEXT]), where captions are written
    real *encoded;            // image encoder's output after ln_post (image_rows)
    const real *text_encoded; // text encoder's output; NULL where none ran
    const real *context;      // what guides the image encoder (question_rows), NULL without guidance
    real *fused_in[NET_STREAMS];
    struct stream_layer_state *entry[NET_STREAMS]; // what was alive on entering fusion; NULL: everything
    real *cls[NET_STREAMS], *cls_z[NET_STREAMS];
    real *pooled;      // (questions, 2 width): [text, image], after tanh
    struct answer_head_state head; // METER's
    const real *written;           // the decoder's last states (answer_rows), and
    real *hidden, *active, *normed; // what its word head makes of them; hidden, active: of BLIP's NLVR2 head, too
    struct rows answer_rows; // of the logits: one a question, or those of the batch where the model writes
    real *logits;            // (answer_rows, labels)
};

// Fills *state; everything lives in the tape's arena until it is rewound.
void net_forward(struct tape *tape, const struct net *net, const struct net_batch *batch,
                 const struct net_trimming *trimming, struct net_state *state);

// The parts of it, for two passes through the fusion layers of the same encodings, or answers written word by word: what
// net_encode() left stays in the arena (and in *state) while what net_fuse() or net_answer() adds is rewound. A caption that
// has grown by a word must go through both again.
void net_encode(struct tape *tape, const struct net *net, const struct net_batch *batch,
                const struct net_trimming *trimming, struct net_state *state);
void net_fuse(struct tape *tape, const struct net *net, const struct net_batch *batch,
              const struct net_trimming *trimming, struct net_state *state);
void net_answer(struct tape *tape, const struct net *net, const struct net_batch *batch,
                const struct net_trimming *trimming, struct net_state *state);

// Whether the words' cross-attention in the next passes of net_fuse() takes the K and V of the patches from the last one, which
// must still be in the arena: of captions that grow by a word, and patches that nothing trims.
void net_remember_patches(const struct net *net, struct net_state *state, bool remember);

// Gradients that losses hand to the backward pass; NULL: none.
struct net_gradients {
    real *logits;                        // like state->logits; NULL: no answer was asked
    real *pooled;                        // (questions, 2 width)
    real *encoded;                       // like state->encoded
    real *fusion_image[NET_LAYERS];      // like fusion[l][NET_IMAGE].output; not for compact passes
};
void net_backward(struct tape *tape, const struct net *net, const struct net_batch *batch, struct net_state *state,
                  const struct net_gradients *gradients);

// Statements about two pictures, with a pair_head: what the head for them says, head->logits (statements, 2: false,
// true), after both pictures' net_forward() with the same texts; and its gradients, added to both pictures' pooled ones.
void net_pair_forward(struct tape *tape, const struct net *net, const struct net_state pictures[2],
                      struct answer_head_state *head);
void net_pair_backward(struct tape *tape, const struct net *net, const struct answer_head_state *head,
                       const real *dlogits, int statements, struct net_gradients gradients[2]);

// Rows of a written answer at most.
int net_answer_rows(const struct net *net);

// Bytes of arena that a forward and backward pass of `questions` questions can need; answer_rows: of all answers together,
// where the model writes.
size_t net_arena_size(const struct net *net, int questions, int text_stride, int answer_rows);

// The image stem alone (net_stem.c): y (patches, width), after its LayerNorm.
void net_stem_forward(struct tape *tape, const struct net *net, struct stem_state *state, const real *pixels, real *y);
void net_stem_backward(struct tape *tape, const struct net *net, const struct stem_state *state, real *dy);

#endif
