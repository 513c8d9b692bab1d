// The shape of a METER or BLIP model: what its weights file says, never a constant of the program.
// Options beyond the published layout are described in engine/model/names.md.
#ifndef TRIMSCOPE_MODEL_CONFIG_H
#define TRIMSCOPE_MODEL_CONFIG_H

#include "engine/base/error.h"
#include "engine/io/picture.h"

#include <stdbool.h>
#include <stdint.h>

struct tensor_list;

enum { MODEL_LAYERS = 48, MODEL_NAME = 64 }; // layers of one stack at most; bytes of a name

enum model_architecture { ARCHITECTURE_METER, ARCHITECTURE_BLIP };

// What the model answers, and the tensors of METER's answer head ("": METER has no such task).
#define MODEL_TASKS(X)                                                                                                 \
    X(VQA, "vqa", "vqa_classifier", 1)                                                                                 \
    X(NLVR2, "nlvr2", "nlvr2_classifier", 2)                                                                           \
    X(SNLI, "snli", "snli_classifier", 1)                                                                              \
    X(CAPTION, "caption", "", 1)                                                                                       \
    X(RETRIEVAL, "retrieval", "itm_score.fc", 1)
#define MODEL_TASK_ENUM(id, name, head, pictures) TASK_##id,
enum model_task { MODEL_TASKS(MODEL_TASK_ENUM) TASK_COUNT };
#undef MODEL_TASK_ENUM

enum model_stem { STEM_PATCH, STEM_CONV };
enum fusion_norm { FUSION_POST, FUSION_PRE };

// The trimmers of one layer of one stack; all zeros where there is none.
struct trimmer_config {
    int hidden; // D' of the token trimmer; 0: no token trimmer
    int rank;   // R of its cross-modal part; 0: own importance only
    bool msa, mca; // head trimmers
    bool concat;   // the cross-modal part is an MLP over both sides instead of a scalar product
};

// The stacks of layers: names of their trimmers are trimmers.<name>.<layer>. BLIP has no text encoder of METER's
// kind: its text layers attend to the patches, so they are the fusion stack of the words; the patches have no layers of
// their own there, but a layer may attend to fewer of them than the one before. Its decoder of answers is a stack of one:
// the question's states that it attends to are the same in all of its layers, and so is which of them stay.
#define MODEL_STACKS(X)                                                                                                \
    X(IMAGE, "image")                                                                                                  \
    X(TEXT, "text") X(FUSION_IMAGE, "fusion_image") X(FUSION_TEXT, "fusion_text") X(DECODER, "decoder")
#define MODEL_STACK_ENUM(id, name) STACK_##id,
enum model_stack { MODEL_STACKS(MODEL_STACK_ENUM) STACK_COUNT };
#undef MODEL_STACK_ENUM

struct model_config {
    char name[MODEL_NAME];
    enum model_architecture architecture;
    enum model_task task;
    int pictures;                // 1, or 2 for NLVR2
    int image_size, patch_size;  // pixels of a side; image_size % patch_size == 0
    int position_grid;           // patches of a side that the position tables in the file are for; the tables are
                                 // resized (vlm_spec §2.4) where image_size asks for another grid
    int width, heads;            // of every attention; width % heads == 0
    int image_width,
        image_heads; // of the image encoder's where they differ (BLIP with ViT-L; the size of a head is the
                     // same); 0: width and heads
    int image_layers, text_layers, fusion_layers;
    int image_ffn, text_ffn, image_fusion_ffn, text_fusion_ffn;
    int vocabulary, positions;   // rows of the word and position tables of the text encoder
    int max_tokens;              // of a question, <s> and </s> counted
    int token_types;             // rows of token_type_embeddings: text, picture 1, picture 2
    int labels, head_hidden;     // answers; width of the hidden layer of the answer head, 0 where it has none
    int pair_hidden; // of a second head, which judges statements about two pictures (METER's NLVR2); 0: there is none
    bool ranked;                 // METER's retrieval: a second head gives the score that pictures and texts are ranked by
    int decoder_layers, decoder_ffn; // BLIP's answer decoder (VQA), which attends to the words' last states; 0: none
    int merge_from; // the first fusion layer that mixes what two pictures gave by a linear map (BLIP NLVR2)
    int projection; // width of BLIP's contrastive features (retrieval); 0: none
    int token_start, token_encode, token_cls, token_end; // BLIP: ids of [DEC], [ENC], [CLS], [SEP]
    enum model_stem stem;
    int stem_channels[2], stem_blocks, stem_expansion; // C1, C2, blocks, E (names.md); 0 for STEM_PATCH
    enum fusion_norm fusion_norm;
    bool fusion_position, answer_words;
    float image_eps, text_eps, fusion_eps, head_eps, trimmer_eps; // of the LayerNorms
    struct trimmer_config trimmers[STACK_COUNT][MODEL_LAYERS];
};

const char *model_task_name(enum model_task task);
const char *model_task_head(enum model_task task); // prefix of the answer head's tensors
const char *model_stack_name(enum model_stack stack);

// Sizes that follow.
static inline int model_image_width(const struct model_config *c)
{
    return c->image_width ? c->image_width : c->width;
}
static inline int model_image_heads(const struct model_config *c)
{
    return c->image_heads ? c->image_heads : c->heads;
}
// Whether it writes words (BLIP's decoder) instead of choosing a label by a classifier.
static inline bool model_writes(const struct model_config *c)
{
    return c->architecture == ARCHITECTURE_BLIP && (c->task == TASK_VQA || c->task == TASK_CAPTION);
}
// Whether it is the task for two pictures of a model whose file speaks of another one (model_config_pair()).
static inline bool model_is_second_task(const struct model_config *c)
{
    return c->pair_hidden > 0 && c->task == TASK_NLVR2;
}
static inline int model_grid(const struct model_config *config) { return config->image_size / config->patch_size; }
static inline int model_head_size(const struct model_config *config) { return config->width / config->heads; }
int model_stack_layers(const struct model_config *config, enum model_stack stack);
// Whether its tokens are words, not patches.
bool model_stack_is_text(enum model_stack stack);
// Layers with trimmers; 0: the learned policies drop nothing.
int model_trimmed_layers(const struct model_config *config);
// Width of a stack's states, of those of the other modality that guide it, and how many heads its attentions have.
int model_stack_width(const struct model_config *config, enum model_stack stack);
int model_stack_context(const struct model_config *config, enum model_stack stack);
int model_stack_heads(const struct model_config *config, enum model_stack stack);

const char *model_architecture_name(enum model_architecture architecture);

// How a picture becomes the pixels that the model sees.
enum picture_fitting model_fitting(const struct model_config *config);

// METER's own values for everything that is not read from tensor shapes; sizes are 0. Sets the eps values that follow
// from fusion_norm, which a caller that builds a configuration by hand must set again when it changes fusion_norm.
void model_config_default(struct model_config *config);
// The same of BLIP; what hangs on the task (pictures, max_tokens) is that task's.
void model_config_default_blip(struct model_config *config, enum model_task task);

// Checks that sizes are positive, divide each other where they must, and stay within bounds.
bool model_config_check(const struct model_config *config, struct error *err);

// Reads the configuration of a weights file: metadata `config` and the names and shapes of its tensors. A pre-trained
// BLIP file, which can do both, is read as one for captions unless its metadata says "task": "retrieval". Every tensor
// that the configuration asks for is there in its shape when this returns true; one sentence in *err otherwise.
bool model_config_read(struct model_config *config, const struct tensor_list *file, struct error *err);

// Makes the configuration of a model with config->pair_hidden that of its task for two pictures, NLVR2, on the same
// backbone; config->pair_hidden stays, as a sign that the file's answers and calibration are those of the other task.
void model_config_pair(struct model_config *config);

// The metadata `config` of a file with this configuration: JSON, malloc'ed, NULL when there is no memory.
char *model_config_to_json(const struct model_config *config);

#endif
