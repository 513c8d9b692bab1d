// One lesson of the guided tour, read from a text file: what is set up, the text, something to try that the
// program notices, and a question to check oneself. Written by us, but parsed as if by anybody: strictly,
// with line numbers.
//
//     # a comment
//     title: Redundancy
//     picture: airplane.jpg          of the bundled ones; without: what is there stays
//     question: what is over the heart?
//     or: tulips.jpg | what fruit is in the picture?     further candidates, with budget: break
//     policy: learned
//     budget: trained                or a share such as 0.5, or `break`: the highest at which the answer
//     breaks stage: fusion 3                embed text, text N, embed image, image N, fusion N, answer
//     cursor: patches                none, patches, words, heads
//     show: cross                    survivors, self, cross, total, attention
//     panels: heads cost             words, heads, cost, answer, inspect; in the order of their importance
//     try: Press End.                what to do
//     notice: stage answer           how the program knows, see LESSON_NOTICES
//     noticed: The answer is '{answer}'.
//     check: What is saved?
//     right 1: Multiplications.      the first word says whether it is right; then the text
//     why 1: Yes: ...                the explanation when it is chosen
//     wrong 2: Pixels.
//     why 2: ...
//     compare: likeness.first likeness.last              the right one is choice 1 if the first number is
//     greater, 2 if the
//                                                        second is; then all choices are written `choice N:`
//     text:
//     Paragraphs, divided by blank lines, to the end of the file.
//
// A line that starts with spaces goes on with the one before. {name} is a number or word of the live run
// (lesson_values.h); in a text {{ is a brace.
#ifndef TRIMSCOPE_UI_LESSON_H
#define TRIMSCOPE_UI_LESSON_H

#include "engine/base/error.h"
#include "ui/view.h"

enum { LESSON_CHOICES = 4, LESSON_CANDIDATES = 12, LESSON_PANELS = 5, LESSON_BYTES = 16384 };

// id, word in the file; what is noticed:
#define LESSON_NOTICES(X)                                                                                    \
    X(NOTHING, "nothing")                                                                                    \
    X(STAGE, "stage")   /* the stage named behind it is on show */                                           \
    X(CURSOR, "cursor") /* the cursor is on what is named behind it */                                       \
    X(SHOW, "show")     /* the picture shows what is named behind it */                                      \
    X(POLICY, "policy") /* the run is one of the policy named behind it */                                   \
    X(DROP, "drop")     /* something was forced to go, and the run is through */                             \
    X(KEEP, "keep")     /* something was forced to stay, or everything reopened, and the run is through */   \
    X(BUDGET, "budget") /* another budget than the lesson's, and the run is through */                       \
    X(QUESTION, "question") /* another question, and the run is through */                                   \
    X(PICTURE, "picture")   /* another picture, and the run is through */                                    \
    X(RESTORED, "restored") /* the answer is again the unpruned model's */
#define LESSON_NOTICE_ENUM(id, word) LESSON_##id,
enum lesson_notice { LESSON_NOTICES(LESSON_NOTICE_ENUM) LESSON_NOTICE_COUNT };
#undef LESSON_NOTICE_ENUM

enum lesson_panel { LESSON_WORDS, LESSON_HEADS, LESSON_COST, LESSON_ANSWER, LESSON_INSPECT };

struct lesson_choice {
    const char *text, *why;
    bool right;
};

struct lesson_stage {
    enum stage_kind kind;
    int layer; // from 0; -1 where the kind has none
    bool text; // of an embed stage: of the words
};

struct lesson {
    char *bytes; // what the strings point into
    const char *title;
    const char *pictures[LESSON_CANDIDATES], *questions[LESSON_CANDIDATES]; // the lesson's own first
    int candidate_count;                                                    // 0: what is there stays
    char policy[TRACE_NAME];                                                // "": as it is
    double budget;                                                          // NaN: as trained
    bool breaks;                                                            // the budget is looked for
    bool has_stage, has_cursor, has_show;
    struct lesson_stage stage;
    enum focus cursor;
    enum show show;
    enum lesson_panel panels[LESSON_PANELS];
    int panel_count;
    const char *attempt, *noticed; // what to try, and what is said then; NULL: nothing
    enum lesson_notice notice;
    struct lesson_stage notice_stage;
    enum focus notice_cursor;
    enum show notice_show;
    char notice_policy[TRACE_NAME];
    const char *check; // the question at the end; NULL: none
    struct lesson_choice choices[LESSON_CHOICES];
    int choice_count;
    const char *compare[2]; // names of values; NULL: the choices say themselves which is right
    const char *text;
};

// Reads a lesson from `size` bytes (at most LESSON_BYTES). Everything between braces is checked to be a name
// of lesson_values.h. False, *lesson empty and *err with the line otherwise. Release with lesson_free().
bool lesson_parse(struct lesson *lesson, const char *bytes, size_t size, struct error *err);
bool lesson_read(struct lesson *lesson, const char *path, struct error *err);
void lesson_free(struct lesson *lesson);

// The index of a stage in a trace; -1: the run has none like it.
int lesson_find_stage(const struct trace *trace, const struct lesson_stage *wanted);

#endif
