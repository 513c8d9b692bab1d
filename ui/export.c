#include "ui/export.h"

#include "engine/base/file.h"
#include "ui/export_csv.h"
#include "ui/export_frame.h"
#include "ui/export_html.h"
#include "ui/words.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const struct {
    const char *name;
    unsigned formats;
    const char *help;
} whats[EXPORT_WHAT_COUNT] = {
#define EXPORT_ROW(id, name, formats, help) {name, formats, help},
    EXPORT_WHATS(EXPORT_ROW)
#undef EXPORT_ROW
};

static const struct {
    const char *name, *ending, *other;
} formats[EXPORT_FORMAT_COUNT] = {
#define EXPORT_ROW(id, name, ending, other) {name, ending, other},
    EXPORT_FORMATS(EXPORT_ROW)
#undef EXPORT_ROW
};

const char *export_what_name(enum export_what what)
{
    return whats[what].name;
}

const char *export_what_help(enum export_what what)
{
    return _(whats[what].help);
}

const char *export_format_name(enum export_format format)
{
    return formats[format].name;
}

const char *export_format_ending(enum export_format format)
{
    return formats[format].ending;
}

bool export_can(enum export_what what, enum export_format format)
{
    return (whats[what].formats >> format & 1) != 0;
}

bool export_parse_what(const char *name, enum export_what *what)
{
    for (int i = 0; i < EXPORT_WHAT_COUNT; i++)
        if (!strcmp(name, whats[i].name)) {
            *what = (enum export_what)i;
            return true;
        }
    return false;
}

bool export_parse_ending(const char *path, enum export_format *format)
{
    const char *slash = strrchr(path, '/'), *dot = strrchr(slash ? slash : path, '.');
    for (int i = 0; dot && i < EXPORT_FORMAT_COUNT; i++)
        if (!strcasecmp(dot, formats[i].ending) || !strcasecmp(dot, formats[i].other)) {
            *format = (enum export_format)i;
            return true;
        }
    return false;
}

enum export_what export_usual(enum export_format format)
{
    int what = 0;
    while (what < EXPORT_WHAT_COUNT - 1 && !export_can((enum export_what)what, format))
        what++;
    return (enum export_what)what;
}

static bool render_frame(const struct frame *frame, enum export_format format, struct bytes *out, struct error *err)
{
    if (!frame)
        return error_set(err, ERROR_USAGE, "there is no frame to export here");
    if (format == EXPORT_SVG)
        return export_frame_svg(frame, out, err);
    if (format == EXPORT_PNG)
        return export_frame_png(frame, out, err);
    export_frame_ansi(frame, out);
    return true;
}

static bool render_run(const struct export_source *source, enum export_format format, struct bytes *out,
                       struct error *err)
{
    const struct figure_row *run = &source->figure->rows[0];
    if (format == EXPORT_HTML)
        return export_html(source->figure, source->assets, out, err);
    char *json = trace_to_json(run->trace);
    if (!json)
        return error_no_memory(err, "the trace as JSON");
    bytes_add(out, json, strlen(json));
    free(json);
    return true;
}

static bool render(const struct export_source *source, enum export_what what, enum export_format format,
                   struct bytes *out, struct error *err)
{
    const struct figure *figure = source->figure;
    switch (what) {
    case EXPORT_FRAME:
        return render_frame(source->frame, format, out, err);
    case EXPORT_RUN:
        return render_run(source, format, out, err);
    case EXPORT_FIGURE:
        return format == EXPORT_SVG ? export_figure_svg(figure, &source->figure_options, out, err)
                                    : export_figure_png(figure, &source->figure_options, out, err);
    case EXPORT_SCORES:
        export_csv_scores(figure->rows[0].trace, out);
        return true;
    case EXPORT_HEADS:
        export_csv_heads(figure->rows[0].trace, out);
        return true;
    case EXPORT_TABLE:
        bytes_add(out, source->table->data, source->table->used);
        return true;
    case EXPORT_WHAT_COUNT:
        break;
    }
    return false;
}

bool export_render(const struct export_source *source, enum export_what what, enum export_format format,
                   struct bytes *out, struct error *err)
{
    if (!export_can(what, format))
        return error_set(err, ERROR_USAGE, "%s cannot be written as %s", whats[what].name, formats[format].name);
    if (what == EXPORT_TABLE && !source->table)
        return error_set(err, ERROR_USAGE, "there is no table to export here");
    if (what != EXPORT_FRAME && what != EXPORT_TABLE && (source->figure->count == 0 || !source->figure->rows[0].trace))
        return error_set(err, ERROR_USAGE, "there is no run to export yet");
    return render(source, what, format, out, err) && (!out->failed || error_no_memory(err, "the file"));
}

bool export_write(const struct export_source *source, enum export_what what, enum export_format format,
                  const char *path, size_t *size, struct error *err)
{
    struct bytes out = {0};
    struct file_writer file;
    bool ok = export_render(source, what, format, &out, err);
    if (ok && (ok = file_writer_open(&file, path, err))) {
        fwrite(out.data, 1, out.used, file.stream); // what goes wrong is told by the commit
        ok = file_writer_commit(&file, err);
    }
    if (size)
        *size = out.used;
    bytes_free(&out);
    return ok;
}

void export_size_text(size_t size, char out[32])
{
    if (size < 10000)
        snprintf(out, 32, _("%zu bytes"), size);
    else if (size < 10000000)
        snprintf(out, 32, _("%zu kB"), (size + 500) / 1000);
    else
        snprintf(out, 32, _("%zu MB"), (size + 500000) / 1000000);
}
