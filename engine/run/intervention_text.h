// Interventions as people write them on a command line.
//
//   STAGE:STREAM:TOKEN          fusion2:image:57     fusion2:image:4,7     fusion1:text:heart
//   STAGE:STREAM:MODULE:HEAD    fusion3:text:mca:1
//   STAGE                       fusion1              (reopen)
//
// STAGE is a stage's name without spaces ("fusion 2": fusion2); STREAM is image, image2 or text; a TOKEN is its number in
// the trace (patches from 1, row by row; words from 1), ROW,COLUMN of a patch, both from 1, or a word of the question;
// heads are counted from 1, as on the screen.
#ifndef TRIMSCOPE_RUN_INTERVENTION_TEXT_H
#define TRIMSCOPE_RUN_INTERVENTION_TEXT_H

#include "engine/base/error.h"
#include "engine/run/trace.h"

struct run;

// The kinds as options of the program: the table gives names, help, and which spelling they take.
#define INTERVENTION_OPTIONS(X)                                                                                    \
    X(INTERVENE_TOKEN_KEEP, "keep", "STAGE:STREAM:TOKEN",                                                          \
      "force a patch or word to stay from that stage on: fusion2:image:57, fusion2:image:4,7 (row and column) or " \
      "fusion1:text:heart")                                                                                        \
    X(INTERVENE_TOKEN_DROP, "drop", "STAGE:STREAM:TOKEN", "force a patch or word to go in that stage")             \
    X(INTERVENE_HEAD_ON, "head-on", "STAGE:STREAM:MODULE:HEAD", "compute a head whatever the trimmer says")        \
    X(INTERVENE_HEAD_OFF, "head-off", "STAGE:STREAM:MODULE:HEAD",                                                  \
      "leave a head out: fusion3:text:mca:1 is the first head of cross-attention of the words")                    \
    X(INTERVENE_REOPEN, "reopen", "STAGE", "drop nothing from that stage on")

// "keep" of INTERVENE_TOKEN_KEEP.
const char *intervention_option(enum intervention_kind kind);

// False and one sentence that says what is expected when the run has no such stage, stream, token or head.
bool intervention_parse(const struct run *run, enum intervention_kind kind, const char *text, struct intervention *out,
                        struct error *err);

// The parts of it: a stage by its name that touches the stream (-1: any), -1 where there is none; a stream; a token.
int intervention_find_stage(const struct run *run, const char *name, int stream);
bool intervention_find_stream(const struct run *run, const char *name, int *stream);
bool intervention_find_token(const struct run *run, int stream, const char *text, int *token, struct error *err);

// "fusion2:image:57". False where it does not fit, or the trace does not know that stage's name yet.
bool intervention_write(const struct trace *trace, const struct intervention *v, char *out, size_t size);

#endif
