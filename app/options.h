// Command-line options from one table per command: parsing, checking and --help come from the same rows.
#ifndef TRIMSCOPE_APP_OPTIONS_H
#define TRIMSCOPE_APP_OPTIONS_H

#include "engine/prune/policy.h"
#include "ui/words.h"

#include <stdbool.h>
#include <stdint.h>

enum option_kind {
    OPTION_FLAG,   // bool: true when given
    OPTION_TEXT,   // const char *
    OPTION_NUMBER, // long, from low to high
    OPTION_SHARE,  // double, above 0 and at most 1
    OPTION_SEED,   // uint64_t
    OPTION_POLICY, // enum policy
    OPTION_LIST,   // struct option_list: may be given several times; rows that share a list keep the order among them;
                   // without an argument in the row it takes no value
    OPTION_WORD,   // no option but a word that an argument may be: listed below the options
};

// What was given with options that may come several times, in order (pointers into argv), and by which row.
enum { OPTION_LIST_MOST = 512 };
struct option_list {
    const char *values[OPTION_LIST_MOST];
    long ids[OPTION_LIST_MOST]; // the row's `low`
    int count;
};

struct option_row {
    const char *name;     // without the dashes; NULL ends the table
    enum option_kind kind;
    void *value;          // of the kind's type, holds the default
    const char *argument; // as help names it, "FILE"; NULL: there is no value
    const char *help;     // one sentence, marked by N_(); lines are broken for 80 columns
    long low, high;       // OPTION_NUMBER; OPTION_LIST: low is the id of what this row adds
};

// What a command takes. The usage line and the sentences under it are the command's own; the table of options follows.
struct option_command {
    const char *name, *usage, *about; // usage, about: marked by N_()
    const struct option_row *rows;
    int least, most; // arguments that are no options
};

// Sorts argv[1..] into options and arguments (pointers into argv). "--" ends the options. --help prints the help to
// stdout. Returns true when the command shall go on; otherwise *status is its exit status, and what was wrong has been
// said on stderr.
bool options_parse(const struct option_command *command, int argc, char **argv, const char *arguments[], int *count,
                   int *status);

// Shows the table of a command to `visit` instead of running it: for the manual and completions.
void options_visit(int (*command)(int argc, char **argv), const char *name,
                   void (*visit)(const struct option_command *command, void *context), void *context);

// The value is a pointer to the field; the rows that several commands share.
#define OPTION_ROW_MODEL(field)                                                                                \
    {"model", OPTION_TEXT, field, "FILE", N_("weights to use (default: the bundled model)"), 0, 0}
#define OPTION_ROW_POLICY(field)                                                                               \
    {"policy", OPTION_POLICY, field, "NAME", N_("how to prune, see below (default learned)"), 0, 0}
#define OPTION_ROW_BUDGET(field)                                                                               \
    {"budget", OPTION_SHARE, field, "SHARE",                                                                   \
     N_("spend this share of the dense multiply-adds; the learned policies do so on average over the calibration set, not "  \
        "for each question (default: as trained)"), 0, 0}
#define OPTION_ROW_SEED(field) {"seed", OPTION_SEED, field, "S", N_("of the policy random (default 0)"), 0, 0}
#define OPTION_ROW_THREADS(field)                                                                              \
    {"threads", OPTION_NUMBER, field, "N", N_("(default: as many as processors)"), 1, 256}
#define OPTION_ROW_EXACT(field)                                                                                \
    {"exact", OPTION_FLAG, field, NULL,                                                                        \
     N_("read pictures to the bit as the code that METER and BLIP were published with: whole, and as they are stored, "  \
        "whatever EXIF says (default: upright, and large ones at a reduced size)"), 0, 0}
#define OPTION_ROW_JSON(field, what) {"json", OPTION_FLAG, field, NULL, what, 0, 0}
#define OPTION_ROW_END {NULL, OPTION_FLAG, NULL, NULL, NULL, 0, 0}

#endif
