// The command line that a run, or several side by side, amounts to: what a person pastes to get the same once more.
#ifndef TRIMSCOPE_RUN_COMMAND_TEXT_H
#define TRIMSCOPE_RUN_COMMAND_TEXT_H

#include "engine/io/edit.h"
#include "engine/run/compare.h"

// "trimscope run airplane.jpg 'what is over the heart' --budget 0.5 --keep fusion2:image:57", quoted for a shell, with
// `more` changes behind the trace's own. `model` NULL: the bundled one. malloc'ed; NULL when there is no memory, or an
// intervention's stage has no name yet.
char *command_of_run(const struct trace *trace, const struct intervention more[], int count, const char *model);

// "trimscope compare airplane.jpg 'what is over the heart' --with-question 'is it red?' --and-budget 0.4": the first run as
// it is, and what each further one differs in. NULL as above.
char *command_of_comparison(const struct comparison *comparison, const char *model);

// "trimscope compare airplane.jpg 'what is over the heart' --figure --with-question ...": the runs are the rows of the
// article's figure, of which the last asks the first question again.
char *command_of_figure(const struct comparison *comparison, const char *model);

// "trimscope airplane.jpg 'what is over the heart' --budget 0.5 --stage 9": the screen, with this run at a stage, from 0.
char *command_of_screen(const struct trace *trace, int stage, const char *model);

// "trimscope redundancy --picture airplane.jpg --question 'what is over the heart' --budget 0.5", or of a question set:
// "trimscope redundancy --budget 0.5 set.jsonl". NULL also where the command cannot measure what the trace is of: two
// pictures, one read as it is stored, or changes by hand.
char *command_of_redundancy(const struct trace *trace, const char *set, const char *model);

// "trimscope edit --blur 16,32,32,32 --ask 'what is over the heart' --budget 0.5 -- airplane.jpg copy.png": the picture,
// policy and budget are those of the trace.
char *command_of_edit(const struct trace *trace, const char *to, const struct edit *edits, int count, const char *question,
                      const char *model);

// " --generate --beams 5": what a person has asked for about how it is answered; "" where nothing was. malloc'ed; NULL: no
// memory.
char *command_of_writing(const struct trace_writing *writing);

// "trimscope train --trim 'my settings.json'": the words that a command was started with. NULL: no memory.
char *command_of_words(int count, char *const words[]);

#endif
