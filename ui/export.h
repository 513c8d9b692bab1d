// What can be written to a file, and how: the screen's chooser and the command `export` go through here.
#ifndef TRIMSCOPE_UI_EXPORT_H
#define TRIMSCOPE_UI_EXPORT_H

#include "ui/export_figure.h"
#include "ui/frame.h"

// id, name, the formats it can have (bits), one line for menus and help
#define EXPORT_WHATS(X)                                                                                      \
    X(FRAME, "frame", EXPORT_IN(PNG) | EXPORT_IN(SVG) | EXPORT_IN(ANSI), N_("what stands on the screen"))    \
    X(RUN, "run", EXPORT_IN(HTML) | EXPORT_IN(JSON), N_("the whole run, a page to step through offline"))    \
    X(FIGURE, "figure", EXPORT_IN(SVG) | EXPORT_IN(PNG), N_("the article's figure, for papers and slides"))  \
    X(SCORES, "scores", EXPORT_IN(CSV), N_("the scores of all tokens in all stages"))                        \
    X(HEADS, "heads", EXPORT_IN(CSV), N_("the scores of all heads in all stages"))                           \
    X(TABLE, "table", EXPORT_IN(CSV), N_("the table, as it is filtered and sorted"))

// id, name, ending, further ending
#define EXPORT_FORMATS(X)                                                                                    \
    X(PNG, "png", ".png", ".png")                                                                            \
    X(SVG, "svg", ".svg", ".svg")                                                                            \
    X(ANSI, "ansi", ".ansi", ".txt")                                                                         \
    X(HTML, "html", ".html", ".htm")                                                                         \
    X(JSON, "json", ".json", ".json")                                                                        \
    X(CSV, "csv", ".csv", ".csv")

#define EXPORT_FORMAT_ENUM(id, ...) EXPORT_##id,
enum export_format { EXPORT_FORMATS(EXPORT_FORMAT_ENUM) EXPORT_FORMAT_COUNT };
#undef EXPORT_FORMAT_ENUM
#define EXPORT_IN(id) (1u << EXPORT_##id)
#define EXPORT_WHAT_ENUM(id, ...) EXPORT_##id,
enum export_what { EXPORT_WHATS(EXPORT_WHAT_ENUM) EXPORT_WHAT_COUNT };
#undef EXPORT_WHAT_ENUM

const char *export_what_name(enum export_what what);
const char *export_what_help(enum export_what what); // translated
const char *export_format_name(enum export_format format);
const char *export_format_ending(enum export_format format); // ".png"
bool export_can(enum export_what what, enum export_format format);

bool export_parse_what(const char *name, enum export_what *what);
// From a file's ending; false: it names no format.
bool export_parse_ending(const char *path, enum export_format *format);
// What a format is mostly wanted for: frame, run or scores.
enum export_what export_usual(enum export_format format);

// Where it comes from; everything is borrowed.
struct export_source {
    const struct figure *figure; // its first row is the run of everything but the figure
    const struct frame *frame;   // NULL: there is none
    const struct bytes *table;   // as CSV; NULL: there is none
    const char *assets;          // the folder of the bundled files
    struct export_figure_options figure_options;
};

// The file's bytes, added to `out`.
bool export_render(const struct export_source *source, enum export_what what, enum export_format format,
                   struct bytes *out, struct error *err);
// The file, whole or not at all; *size (may be NULL) gets its bytes.
bool export_write(const struct export_source *source, enum export_what what, enum export_format format,
                  const char *path, size_t *size, struct error *err);

// A size for people: "128 kB".
void export_size_text(size_t size, char out[32]);

#endif
