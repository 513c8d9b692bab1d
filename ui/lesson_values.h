// The numbers and words of the live run that lessons speak of: {answer}, {patches.alive} ...
#ifndef TRIMSCOPE_UI_LESSON_VALUES_H
#define TRIMSCOPE_UI_LESSON_VALUES_H

#include "ui/view.h"

// id, name, digits behind the point of a number, WORD for a word, SIGNED + digits for a number with its sign
enum { LESSON_WORD = -1, LESSON_SIGNED = 100 };

#define LESSON_VALUES(X)                                                                                     \
    X(QUESTION, "question", LESSON_WORD)                                                                     \
    X(POLICY, "policy", LESSON_WORD)                                                                         \
    X(BUDGET, "budget", LESSON_WORD) /* "45 %" or as trained */                                              \
    X(BUDGET_BEFORE, "budget.before", LESSON_WORD) /* when the lesson was set up */                          \
    X(STAGE, "stage", LESSON_WORD)   /* the stage on show */                                                 \
    X(STAGES, "stages", 0)                                                                                   \
    X(ANSWER, "answer", LESSON_WORD) /* the final answer now */                                              \
    X(ANSWER_P, "answer.p", 0)       /* its probability, per cent */                                         \
    X(BEFORE, "before", LESSON_WORD) /* the final answer when the lesson was set up */                       \
    X(BEFORE_P, "before.p", 0)                                                                               \
    X(READING, "reading", LESSON_WORD)   /* the answer read at the stage on show */                          \
    X(UNPRUNED, "unpruned", LESSON_WORD) /* the unpruned model's answer, with budget: break */               \
    X(PATCHES, "patches", 0)             /* of the picture */                                                \
    X(PATCH_ROWS, "patches.rows", 0)                                                                         \
    X(PATCH_COLUMNS, "patches.columns", 0)                                                                   \
    X(PATCHES_ALIVE, "patches.alive", 0) /* after the stage on show */                                       \
    X(PATCHES_END, "patches.end", 0)     /* at the end of the run */                                         \
    X(TOKENS, "tokens", 0)               /* of the question */                                               \
    X(TOKENS_ALIVE, "tokens.alive", 0)                                                                       \
    X(TOKENS_END, "tokens.end", 0)                                                                           \
    X(HEADS, "heads", 0) /* in the whole run */                                                              \
    X(HEADS_OFF, "heads.off", 0)                                                                             \
    X(SHARE, "share", 0)               /* of the unpruned FLOPs, per cent */                                 \
    X(SHARE_BEFORE, "share.before", 0) /* when the lesson was set up */                                      \
    X(SHARE_QKV, "share.qkv", 0)       /* of what was spent, per cent */                                     \
    X(SHARE_ATTENTION, "share.attention", 0)                                                                 \
    X(SHARE_FFN, "share.ffn", 0)                                                                             \
    X(SHARE_TRIMMER, "share.trimmer", 1)                                                                     \
    X(LIKENESS_FIRST, "likeness.first", 2) /* mean cosine of patches, first and last layer with one */       \
    X(LIKENESS_LAST, "likeness.last", 2)                                                                     \
    X(WORD, "word", LESSON_WORD) /* with the best score in the last stage that scored */                     \
    X(WORD_SCORE, "word.score", LESSON_SIGNED + 1)                                                           \
    X(CHANGE, "change", LESSON_WORD)         /* what the person changed last */                              \
    X(CURSOR_NAME, "cursor", LESSON_WORD)    /* what the cursor is on */                                     \
    X(SELF, "score.self", LESSON_SIGNED + 2) /* of the cursor's token */                                     \
    X(CROSS, "score.cross", LESSON_SIGNED + 2)                                                               \
    X(TOTAL, "score.total", LESSON_SIGNED + 2)                                                               \
    X(THRESHOLD, "threshold", LESSON_SIGNED + 2)

#define LESSON_VALUE_ENUM(id, name, format) VALUE_##id,
enum lesson_value { LESSON_VALUES(LESSON_VALUE_ENUM) LESSON_VALUE_COUNT };
#undef LESSON_VALUE_ENUM

// What the lesson knows beside the view.
struct lesson_memory {
    struct trace_answer before;
    double share_before, budget_before;
    char unpruned[TRACE_ANSWER];
    char change[160]; // what the person changed last
};

// The value of this name (`length` bytes); -1: there is none.
int lesson_value_find(const char *name, size_t length);
const char *lesson_value_name(enum lesson_value value);

// As a number; NaN: none, or a word.
double lesson_value_number(enum lesson_value value, const struct view *view,
                           const struct lesson_memory *memory);

// Writes a text with its values filled in; what cannot be told becomes "?".
void lesson_fill(const char *text, const struct view *view, const struct lesson_memory *memory, char *out,
                 size_t size);

#endif
