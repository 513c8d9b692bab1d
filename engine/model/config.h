// The shape of a METER model: what its weights file says, never a constant of the program.
// Options beyond the published layout are described in engine/model/names.md.
#ifndef TRIMSCOPE_MODEL_CONFIG_H
#define TRIMSCOPE_MODEL_CONFIG_H

#include "engine/base/error.h"

#include <stdbool.h>
#include <stdint.h>

struct tensor_list;

enum { MODEL_LAYERS = 48, MODEL_NAME = 64 }; // layers of one stack at most; bytes of a name

// What the model answers, and the tensors of its answer head.
#define MODEL_TASKS(X)                                                                                         \
    X(VQA, "vqa", "vqa_classifier", 1)                                                                         \
    X(NLVR2, "nlvr2", "nlvr2_classifier", 2)                                                                   \
    X(SNLI, "snli", "snli_classifier", 1)
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
};

// The four stacks of layers: names of their trimmers are trimmers.<name>.<layer>.
#define MODEL_STACKS(X) X(IMAGE, "image") X(TEXT, "text") X(FUSION_IMAGE, "fusion_image") X(FUSION_TEXT, "fusion_text")
#define MODEL_STACK_ENUM(id, name) STACK_##id,
enum model_stack { MODEL_STACKS(MODEL_STACK_ENUM) STACK_COUNT };
#undef MODEL_STACK_ENUM

struct model_config {
    char name[MODEL_NAME];
    enum model_task task;
    int pictures;                // 1, or 2 for NLVR2
    int image_size, patch_size;  // pixels of a side; image_size % patch_size == 0
    int position_grid;           // patches of a side that the position tables in the file are for; the tables are
                                 // resized (vlm_spec §2.4) where image_size asks for another grid
    int width, heads;            // of every attention; width % heads == 0
    int image_layers, text_layers, fusion_layers;
    int image_ffn, text_ffn, image_fusion_ffn, text_fusion_ffn;
    int vocabulary, positions;   // rows of the word and position tables of the text encoder
    int max_tokens;              // of a question, <s> and </s> counted
    int token_types;             // rows of token_type_embeddings: text, picture 1, picture 2
    int labels, head_hidden;     // answers; width of the hidden layer of the answer head
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
static inline int model_grid(const struct model_config *config) { return config->image_size / config->patch_size; }
static inline int model_head_size(const struct model_config *config) { return config->width / config->heads; }
int model_stack_layers(const struct model_config *config, enum model_stack stack);

// METER's own values for everything that is not read from tensor shapes; sizes are 0. Sets the eps values that follow
// from fusion_norm, which a caller that builds a configuration by hand must set again when it changes fusion_norm.
void model_config_default(struct model_config *config);

// Checks that sizes are positive, divide each other where they must, and stay within bounds.
bool model_config_check(const struct model_config *config, struct error *err);

// Reads the configuration of a weights file: metadata `config` and the names and shapes of its tensors. Every tensor
// that the configuration asks for is there in its shape when this returns true; one sentence in *err otherwise.
bool model_config_read(struct model_config *config, const struct tensor_list *file, struct error *err);

// The metadata `config` of a file with this configuration: JSON, malloc'ed, NULL when there is no memory.
char *model_config_to_json(const struct model_config *config);

#endif
