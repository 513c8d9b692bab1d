// What is exported is read back by libraries that we did not write: XML by expat, JSON by jansson, PNG by libpng.
#include "tests/support/cmocka_all.h"
#include "tests/support/sample_trace.h"
#include "tests/support/scratch.h"

#include "engine/io/picture.h"
#include "ui/export.h"
#include "ui/export_csv.h"
#include "ui/export_frame.h"
#include "ui/export_html.h"
#include "ui/offscreen.h"

#include <dirent.h>
#include <expat.h>
#include <jansson.h>
#include <locale.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

// Markup, quotes, a script's end, control characters, a terminal sequence, direction overrides, what is no UTF-8.
static const char hostile[] = "</script><!-- \"'&amp; \x01\x1b[31m \xE2\x80\xAE\xD7\xA9 \xEF\xBF\xBF ]]> @TRACE@ ,\n=1+1 \xFF";

struct run {
    struct trace trace;
    unsigned char rgb[SAMPLE_SIDE * SAMPLE_SIDE * 3];
    struct backend_picture pictures[TRACE_PICTURES];
    struct figure figure;
};
static struct run run;

static int set_up(void **state)
{
    (void)state;
    setlocale(LC_CTYPE, "C.UTF-8");
    sample_picture(run.rgb);
    sample_trace(&run.trace, "is the red ball left of the tree", "learned", 0.5, NULL, 0, SAMPLE_STAGES);
    run.pictures[0] = (struct backend_picture){.width = SAMPLE_SIDE, .height = SAMPLE_SIDE, .rgb = run.rgb};
    run.figure = (struct figure){.count = 1, .rows = {{&run.trace, run.pictures}}};
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    trace_free(&run.trace);
    return 0;
}

// The run with hostile text wherever text comes from outside.
static void make_hostile(void)
{
    free(run.trace.question);
    run.trace.question = strdup(hostile);
    free(run.trace.pictures[0].path);
    run.trace.pictures[0].path = strdup(hostile);
    int length = (int)strlen(hostile);
    for (int t = 0; t < run.trace.token_count; t++) {
        struct trace_token *token = &run.trace.tokens[t];
        snprintf(token->text, sizeof token->text, "%.60s", hostile);
        token->from = token->from < length ? token->from : 0;
        token->to = token->to < length ? token->to : length;
    }
    snprintf(run.trace.model_name, sizeof run.trace.model_name, "%.60s", hostile);
    snprintf(run.trace.answer.text, sizeof run.trace.answer.text, "%.60s", hostile);
    for (int i = 0; i < run.trace.stage_count; i++)
        for (int a = 0; a < run.trace.stages[i].answer_count; a++)
            snprintf(run.trace.stages[i].answers[a].text, TRACE_TEXT, "%.60s", hostile);
}

static void render(enum export_what what, enum export_format format, const struct frame *frame, struct bytes *out)
{
    struct error err = {0};
    struct export_source source = {.figure = &run.figure, .frame = frame, .assets = "assets"};
    *out = (struct bytes){0};
    if (!export_render(&source, what, format, out, &err))
        fail_msg("%s", err.text);
    bytes_add(out, "", 1);
    out->used--;
}

static void take_frame(struct frame *frame, int columns, int rows, int stage, enum graphics graphics)
{
    struct error err = {0};
    struct offscreen_options options = {
        .rows = rows, .columns = columns, .stage = stage, .graphics = graphics, .dark = true};
    if (!offscreen_frame(frame, &run.trace, run.pictures, &options, &err))
        fail_msg("%s", err.text);
}

// ---- SVG --------------------------------------------------------------------------------------------------------

struct seen {
    int texts, images, outside;
    char all[8192];
    bool in_text;
};

static void on_start(void *user, const char *name, const char **attributes)
{
    struct seen *seen = user;
    seen->texts += !strcmp(name, "text");
    seen->images += !strcmp(name, "image");
    seen->in_text = !strcmp(name, "text");
    for (; *attributes; attributes += 2)
        if (strstr(attributes[0], "href") && strncmp(attributes[1], "#", 1) && strncmp(attributes[1], "data:image/png;", 15))
            seen->outside++;
}

static void on_end(void *user, const char *name)
{
    (void)name;
    ((struct seen *)user)->in_text = false;
}

static void on_text(void *user, const char *text, int size)
{
    struct seen *seen = user;
    size_t used = strlen(seen->all);
    if (seen->in_text && used + (size_t)size + 1 < sizeof seen->all)
        memcpy(seen->all + used, text, (size_t)size), seen->all[used + (size_t)size] = 0;
}

static struct seen *parse_svg(const struct bytes *svg)
{
    static struct seen seen;
    seen = (struct seen){0};
    XML_Parser parser = XML_ParserCreate(NULL);
    XML_SetUserData(parser, &seen);
    XML_SetElementHandler(parser, on_start, on_end);
    XML_SetCharacterDataHandler(parser, on_text);
    if (XML_Parse(parser, svg->data, (int)svg->used, 1) != XML_STATUS_OK)
        fail_msg("line %lu: %s", XML_GetCurrentLineNumber(parser), XML_ErrorString(XML_GetErrorCode(parser)));
    XML_ParserFree(parser);
    assert_int_equal(seen.outside, 0);
    return &seen;
}

static void test_figure_svg(void **state)
{
    (void)state;
    struct bytes svg;
    run.figure.count = 2;
    run.figure.rows[1] = run.figure.rows[0];
    render(EXPORT_FIGURE, EXPORT_SVG, NULL, &svg);
    struct seen *seen = parse_svg(&svg);
    assert_int_equal(seen->images, 2); // one picture, clear and greyed, however many rows show it
    assert_non_null(strstr(seen->all, "(a)"));
    assert_non_null(strstr(seen->all, "(b)"));
    assert_non_null(strstr(seen->all, "fusion 6"));
    assert_non_null(strstr(seen->all, "144 / 144"));
    assert_non_null(strstr(seen->all, run.trace.answer.text));
    assert_non_null(strstr(svg.data, "width=\"510pt\""));
    bytes_free(&svg);
}

static void test_hostile_svg(void **state)
{
    (void)state;
    struct bytes svg;
    struct frame frame;
    make_hostile();
    render(EXPORT_FIGURE, EXPORT_SVG, NULL, &svg);
    parse_svg(&svg);
    bytes_free(&svg);
    take_frame(&frame, 160, 48, 8, GRAPHICS_SIXEL);
    render(EXPORT_FRAME, EXPORT_SVG, &frame, &svg);
    parse_svg(&svg);
    bytes_free(&svg);
    frame_free(&frame);
}

// A locale with a decimal comma must not get into coordinates, and a figure of one row needs no letter.
static void test_single_row(void **state)
{
    (void)state;
    struct bytes svg;
    render(EXPORT_FIGURE, EXPORT_SVG, NULL, &svg);
    struct seen *seen = parse_svg(&svg);
    assert_null(strstr(seen->all, "(a)"));
    assert_null(strstr(svg.data, "nan"));
    bytes_free(&svg);
}

// ---- PNG --------------------------------------------------------------------------------------------------------

static void decode(const struct bytes *png, struct picture *picture)
{
    struct error err = {0};
    if (!picture_decode(picture, (const unsigned char *)png->data, png->used, (struct picture_reading){0}, NULL, &err))
        fail_msg("%s", err.text);
}

static const unsigned char *pixel(const struct picture *picture, double x, double y)
{
    assert_in_range((int)x, 0, picture->width - 1);
    assert_in_range((int)y, 0, picture->height - 1);
    return picture->pixels + ((size_t)(int)y * picture->width + (size_t)(int)x) * picture->channels;
}

// The input column shows every patch in its own colours; the last one those of the survivors, the others greyed.
static void test_figure_png(void **state)
{
    (void)state;
    struct bytes png;
    struct picture picture;
    render(EXPORT_FIGURE, EXPORT_PNG, NULL, &png);
    decode(&png, &picture);
    assert_in_range(picture.width, 2124, 2126); // 510 pt at 300 dots per inch
    const double scale = 300.0 / 72, left = 92, top = 18, column = (510.0 - 8 - 88 - 62) / 9, side = column - 4;
    const struct trace_tokens *last = &run.trace.stages[SAMPLE_STAGES - 1].tokens[0];
    int alive = 0, dead = 0;
    for (int i = 0; i < SAMPLE_GRID * SAMPLE_GRID; i++) {
        double x = (i % SAMPLE_GRID + 0.5) / SAMPLE_GRID, y = (i / SAMPLE_GRID + 0.5) / SAMPLE_GRID;
        const unsigned char *own = run.rgb + ((int)(y * SAMPLE_SIDE) * SAMPLE_SIDE + (int)(x * SAMPLE_SIDE)) * 3;
        const unsigned char *first = pixel(&picture, (left + x * side) * scale, (top + y * side) * scale);
        const unsigned char *end = pixel(&picture, (left + 8 * column + x * side) * scale, (top + y * side) * scale);
        int difference = abs(first[0] - own[0]) + abs(first[1] - own[1]) + abs(first[2] - own[2]);
        if (difference > 60) // on an edge within the picture
            continue;
        if (last->alive[i + 1]) {
            assert_in_range(abs(end[0] - first[0]) + abs(end[1] - first[1]) + abs(end[2] - first[2]), 0, 60);
            alive++;
        } else {
            assert_in_range(abs(end[0] - end[1]) + abs(end[1] - end[2]), 0, 6);
            assert_in_range(end[0], 180, 255);
            dead++;
        }
    }
    assert_true(alive > 3 && dead > 60);
    picture_free(&picture);
    bytes_free(&png);
}

// A cell of the screen is 20 x 40 pixels in the file; the picture starts below the header, one cell from the left.
static void test_frame_png(void **state)
{
    (void)state;
    struct bytes png;
    struct frame frame;
    struct picture picture;
    take_frame(&frame, 120, 40, 3, GRAPHICS_SIXEL);
    assert_int_equal(frame.image_count, 2);
    render(EXPORT_FRAME, EXPORT_PNG, &frame, &png);
    decode(&png, &picture);
    assert_int_equal(picture.width, 120 * 20);
    assert_int_equal(picture.height, 40 * 40);
    assert_memory_equal(pixel(&picture, 5, 1500), frame.background, 3);
    const struct frame_image *image = &frame.images[0];
    int matching = 0, checked = 0;
    for (int y = 3; y < image->height; y += 17)
        for (int x = 3; x < image->width; x += 17, checked++) {
            const unsigned char *own = image->rgb + ((size_t)y * image->width + x) * 3;
            const unsigned char *there =
                pixel(&picture, image->cells.column * 20 + 2 * x + 0.5, image->cells.row * 40 + 2 * y + 0.5);
            matching += abs(own[0] - there[0]) + abs(own[1] - there[1]) + abs(own[2] - there[2]) < 40;
        }
    assert_true(checked > 200 && matching > checked * 9 / 10);
    picture_free(&picture);
    bytes_free(&png);
    frame_free(&frame);
}

static void test_too_large_png(void **state)
{
    (void)state;
    struct error err = {0};
    struct bytes out = {0};
    struct export_figure_options options = {.points = 20000};
    assert_false(export_figure_png(&run.figure, &options, &out, &err));
    assert_non_null(strstr(err.text, "too large"));
    bytes_free(&out);
}

// ---- frames as text ---------------------------------------------------------------------------------------------

static void find_text(const struct frame *frame, const char *wanted)
{
    char row[4096];
    for (int r = 0; r < frame->rows; r++) {
        row[0] = 0;
        for (int c = 0; c < frame->columns; c++) {
            const struct frame_cell *cell = &frame->cells[r * frame->columns + c];
            strcat(row, cell->text[0] ? cell->text : cell->columns ? " " : "");
        }
        if (strstr(row, wanted))
            return;
    }
    fail_msg("not in the frame: %s", wanted);
}

static void test_frame_cells(void **state)
{
    (void)state;
    struct frame frame;
    take_frame(&frame, 120, 40, 8, GRAPHICS_SIXEL);
    find_text(&frame, "fusion 3");
    find_text(&frame, "stage 9 of 13");
    find_text(&frame, "HEADS");
    bool struck = false;
    for (int i = 0; i < frame.rows * frame.columns; i++)
        struck |= frame.cells[i].struck;
    assert_true(struck);
    frame_free(&frame);
}

static void test_ansi(void **state)
{
    (void)state;
    struct frame frame;
    struct bytes text;
    int lines = 0;
    take_frame(&frame, 100, 30, 8, GRAPHICS_SIXEL);
    render(EXPORT_FRAME, EXPORT_ANSI, &frame, &text);
    for (size_t i = 0; i < text.used; i++)
        lines += text.data[i] == '\n';
    assert_int_equal(lines, 30);
    assert_non_null(strstr(text.data, "\033[0;1;38;2;"));
    assert_null(strstr(text.data, "\033P")); // no sixel
    assert_non_null(strstr(text.data, "▀"));
    // Nothing but colours: no sequence moves the cursor.
    for (const char *p = text.data; (p = strchr(p, 033)); p++)
        assert_int_equal(p[strcspn(p, "ABCDEFGHJKSTfhlmnsu")], 'm');
    bytes_free(&text);
    frame_free(&frame);
}

static void test_ascii_frame(void **state)
{
    (void)state;
    struct frame frame;
    take_frame(&frame, 100, 30, 3, GRAPHICS_ASCII);
    assert_int_equal(frame.image_count, 0);
    int filled = 0;
    for (int r = 3; r < 12; r++)
        for (int c = 2; c < 20; c++)
            filled += frame.cells[r * frame.columns + c].text[0] != 0;
    assert_true(filled > 80);
    for (int i = 0; i < frame.rows * frame.columns; i++)
        assert_true((unsigned char)frame.cells[i].text[0] < 0x80);
    frame_free(&frame);
}

// ---- HTML -------------------------------------------------------------------------------------------------------

static json_t *embedded(const struct bytes *html, const char *id)
{
    char start[80];
    json_error_t error;
    snprintf(start, sizeof start, "<script type=\"application/json\" id=\"%s\">", id);
    const char *from = strstr(html->data, start);
    assert_non_null(from);
    from += strlen(start);
    const char *to = strstr(from, "</script>");
    assert_non_null(to);
    json_t *json = json_loadb(from, (size_t)(to - from), 0, &error);
    if (!json)
        fail_msg("%s: %s", id, error.text);
    return json;
}

static int count_of(const char *text, const char *what)
{
    int count = 0;
    for (; (text = strstr(text, what)); text++)
        count++;
    return count;
}

static void check_html(const struct bytes *html, size_t count)
{
    json_error_t error;
    char *json = trace_to_json(&run.trace);
    json_t *wanted = json_loads(json, 0, &error), *runs = embedded(html, "runs-data"), *words = embedded(html, "words-data");
    assert_int_equal(json_array_size(runs), count);
    for (size_t r = 0; r < count; r++) {
        const json_t *one = json_array_get(runs, r), *pictures = json_object_get(one, "pictures");
        assert_true(json_equal(wanted, json_object_get(one, "trace")));
        assert_int_equal(json_array_size(json_object_get(one, "stories")), run.trace.stage_count);
        assert_int_equal(json_array_size(json_object_get(one, "names")), run.trace.stage_count);
        assert_true(json_is_string(json_object_get(one, "about")));
        assert_int_equal(strncmp(json_string_value(json_array_get(pictures, 0)), "data:image/jpeg;base64,/9j/", 27), 0);
    }
    assert_int_equal(json_array_size(json_object_get(words, "told")), count > 1 ? run.trace.stage_count : 0);
    json_decref(wanted);
    json_decref(runs);
    json_decref(words);
    free(json);
    // Three elements of ours, whatever the data says; nothing from outside.
    assert_int_equal(count_of(html->data, "<script"), 3);
    assert_int_equal(count_of(html->data, "</script"), 3);
    assert_int_equal(count_of(html->data, "<!--"), 0);
    static const char *const outside[] = {"http:", "https:", " src=", "href", "url(", "@import", "fetch(", "import(",
                                          "XMLHttpRequest", "innerHTML", "<link", "<iframe", "eval("};
    for (size_t i = 0; i < sizeof outside / sizeof *outside; i++)
        assert_null(strstr(html->data, outside[i]));
    // No control characters, direction overrides or what is no UTF-8 outside of JSON's escapes.
    for (const unsigned char *p = (const unsigned char *)html->data; *p; p++)
        assert_true((*p >= 0x20 || *p == '\n') && *p != 0x7f && *p != 0xff);
}

static void test_html(void **state)
{
    (void)state;
    struct bytes html;
    render(EXPORT_RUN, EXPORT_HTML, NULL, &html);
    check_html(&html, 1);
    assert_non_null(strstr(html.data, "<title>is the red ball left of the tree – trimscope</title>"));
    assert_non_null(strstr(html.data, "default-src 'none'"));
    bytes_free(&html);
}

// Several runs are all in the page.
static void test_html_side_by_side(void **state)
{
    (void)state;
    struct bytes html = {0};
    struct error err = {0};
    struct figure two = {2, {{&run.trace, run.pictures}, {&run.trace, run.pictures}}};
    assert_true(export_html(&two, "assets", &html, &err));
    bytes_add(&html, "", 1); // an end for strstr
    check_html(&html, 2);
    bytes_free(&html);
}

static void test_hostile_html(void **state)
{
    (void)state;
    struct bytes html;
    make_hostile();
    render(EXPORT_RUN, EXPORT_HTML, NULL, &html);
    check_html(&html, 1);
    const char *title = strstr(html.data, "<title>");
    assert_null(memchr(title + 7, '<', (size_t)(strstr(title, "</title>") - title - 7)));
    assert_null(strstr(html.data, "\xE2\x80\xAE\xD7\xA9 \xEF\xBF\xBF ]]> @TRACE@ ,</title>"));
    bytes_free(&html);
}

static void test_html_without_assets(void **state)
{
    (void)state;
    struct error err = {0};
    struct bytes out = {0};
    struct figure one = {1, {{&run.trace, run.pictures}}};
    assert_false(export_html(&one, "/nowhere", &out, &err));
    assert_non_null(strstr(err.text, "/nowhere/export/run.html"));
    bytes_free(&out);
}

// ---- CSV --------------------------------------------------------------------------------------------------------

// Fields of the next record, unquoted, into `fields`; returns how many, 0 at the end.
static int next_record(const char **text, char fields[16][128])
{
    int count = 0;
    if (!**text)
        return 0;
    for (bool more = true; more; count++) {
        size_t used = 0;
        bool quoted = **text == '"';
        if (quoted)
            ++*text;
        for (;; ++*text) {
            if (quoted && **text == '"' && *++*text != '"')
                break;
            if (!quoted && strchr(",\r", **text))
                break;
            assert_true(**text && used < 127);
            fields[count][used++] = **text;
        }
        fields[count][used] = 0;
        more = **text == ',';
        *text += more ? 1 : 2;
        assert_true(more || !memcmp(*text - 2, "\r\n", 2));
    }
    return count;
}

static void test_csv(void **state)
{
    (void)state;
    struct bytes csv;
    char fields[16][128];
    make_hostile();
    snprintf(run.trace.tokens[1].text, TRACE_TEXT, "a,\"b\"\nc");
    render(EXPORT_SCORES, EXPORT_CSV, NULL, &csv);
    const char *at = csv.data;
    assert_int_equal(next_record(&at, fields), 15);
    assert_string_equal(fields[11], "threshold");
    assert_string_equal(fields[13], "dropped_at");
    for (int stage = 0; stage < run.trace.stage_count; stage++)
        for (int stream = 0; stream < TRACE_STREAMS; stream++) {
            const struct trace_tokens *tokens = &run.trace.stages[stage].tokens[stream];
            for (int t = 0; t < tokens->count; t++) {
                assert_int_equal(next_record(&at, fields), 15);
                assert_int_equal(atoi(fields[0]), stage + 1); // as the screen counts
                assert_string_equal(fields[2], trace_stream_name(stream));
                if (stream == TRACE_TEXT_STREAM)
                    assert_string_equal(fields[4], run.trace.tokens[t].text);
                else if (t > 0)
                    assert_int_equal((atoi(fields[5]) - 1) * SAMPLE_GRID + atoi(fields[6]), t); // counted as --keep counts
                assert_true(isnan(tokens->score[t]) ? !*fields[9] : strtof(fields[9], NULL) == tokens->score[t]);
                float threshold = trace_threshold(&run.trace, stage, stream);
                assert_true(isnan(tokens->score[t]) || isnan(threshold) ? !*fields[11]
                                                                         : strtof(fields[11], NULL) == threshold);
                assert_int_equal(atoi(fields[12]), tokens->alive[t]);
                assert_true(tokens->dropped_at[t] < 0 ? !*fields[13] : atoi(fields[13]) == tokens->dropped_at[t] + 1);
            }
        }
    assert_int_equal(next_record(&at, fields), 0);
    bytes_free(&csv);
}

static void test_heads_csv(void **state)
{
    (void)state;
    struct bytes csv;
    char fields[16][128];
    int lines = 0, heads = 0;
    render(EXPORT_HEADS, EXPORT_CSV, NULL, &csv);
    const char *at = csv.data;
    assert_int_equal(next_record(&at, fields), 9);
    for (int last = 0; next_record(&at, fields); lines++) {
        int head = atoi(fields[4]);
        assert_true(head == 1 || head == last + 1); // as --head-off counts
        assert_string_equal(run.trace.stages[atoi(fields[0]) - 1].name, fields[1]);
        assert_true(!strcmp(fields[7], "0") || !strcmp(fields[7], "1"));
        last = head;
    }
    for (int i = 0; i < run.trace.stage_count; i++)
        for (int s = 0; s < TRACE_STREAMS; s++)
            for (int m = 0; m < MODULES; m++)
                heads += run.trace.stages[i].heads[s][m].count;
    assert_int_equal(lines, heads);
    assert_true(heads > 20);
    bytes_free(&csv);
}

// Forced by hand: a token from its stage on, a head in it; what comes later counts.
static void test_forced_in_csv(void **state)
{
    (void)state;
    struct intervention list[] = {{.kind = INTERVENE_TOKEN_KEEP, .stage = 2, .stream = 0, .token = 5},
                                  {.kind = INTERVENE_TOKEN_DROP, .stage = 7, .stream = 0, .token = 5},
                                  {.kind = INTERVENE_HEAD_OFF, .stage = 7, .stream = 0, .module = MODULE_MSA, .head = 1}};
    struct trace forced = run.trace;
    struct bytes csv = {0};
    char fields[16][128];
    int kept = 0, dropped = 0, off = 0;
    forced.interventions = list;
    forced.intervention_count = 3;
    export_csv_scores(&forced, &csv);
    bytes_add(&csv, "", 1);
    for (const char *at = csv.data; next_record(&at, fields);) {
        bool fifth = !strcmp(fields[2], "image") && !strcmp(fields[3], "5");
        int stage = atoi(fields[0]) - 1;
        if (strcmp(fields[14], "forced") != 0)
            assert_string_equal(fields[14], !fifth || stage < 2 ? "" : stage < 7 ? "keep" : "drop");
        kept += !strcmp(fields[14], "keep");
        dropped += !strcmp(fields[14], "drop");
    }
    assert_true(kept > 0 && dropped > 0);
    csv.used = 0;
    export_csv_heads(&forced, &csv);
    bytes_add(&csv, "", 1);
    for (const char *at = csv.data; next_record(&at, fields);)
        off += !strcmp(fields[8], "off") && !strcmp(fields[0], "8") && !strcmp(fields[4], "2");
    assert_int_equal(off, 1);
    bytes_free(&csv);
}

// ---- files ------------------------------------------------------------------------------------------------------

static int files_beside(const char *path)
{
    char folder[4096];
    int count = 0;
    snprintf(folder, sizeof folder, "%.*s", (int)(strrchr(path, '/') - path), path);
    DIR *open = opendir(folder);
    for (struct dirent *entry; (entry = readdir(open));)
        count += entry->d_name[0] != '.';
    closedir(open);
    return count;
}

// A file that may not grow stands for a full disk: one sentence, the old file as it was, nothing left beside it.
static void test_full_disk(void **state)
{
    (void)state;
    const char *path = scratch_write("page.html", "old", 3);
    struct export_source source = {.figure = &run.figure, .assets = "assets"};
    struct rlimit before, small = {2000, RLIM_INFINITY};
    struct error err = {0};
    struct stat status;
    int files = files_beside(path);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    small.rlim_max = before.rlim_max;
    signal(SIGXFSZ, SIG_IGN);
    setrlimit(RLIMIT_FSIZE, &small);
    bool written = export_write(&source, EXPORT_RUN, EXPORT_HTML, path, NULL, &err);
    setrlimit(RLIMIT_FSIZE, &before);
    assert_false(written);
    assert_int_equal(err.code, ERROR_MACHINE);
    assert_non_null(strstr(err.text, "page.html"));
    assert_int_equal(files_beside(path), files);
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_size, 3);
}

static void test_places_that_cannot_be(void **state)
{
    (void)state;
    struct export_source source = {.figure = &run.figure, .assets = "assets"};
    struct error err = {0};
    assert_false(export_write(&source, EXPORT_SCORES, EXPORT_CSV, "/nowhere/at/all.csv", NULL, &err));
    assert_int_equal(err.code, ERROR_INPUT);
    assert_false(export_write(&source, EXPORT_SCORES, EXPORT_CSV, "/dev/full", NULL, &err));
    assert_non_null(strstr(err.text, "device"));
    assert_false(export_write(&source, EXPORT_FRAME, EXPORT_PNG, scratch_path("x.png"), NULL, &err));
    assert_false(export_write(&source, EXPORT_SCORES, EXPORT_PNG, scratch_path("x.png"), NULL, &err));
    assert_int_equal(err.code, ERROR_USAGE);
}

static void test_endings(void **state)
{
    (void)state;
    enum export_format format;
    assert_true(export_parse_ending("a.b/c.HTM", &format));
    assert_int_equal(format, EXPORT_HTML);
    assert_int_equal(export_usual(format), EXPORT_RUN);
    assert_true(export_parse_ending("x.txt", &format));
    assert_int_equal(export_usual(format), EXPORT_FRAME);
    assert_false(export_parse_ending("folder.png/file", &format));
    assert_false(export_parse_ending("", &format));
    for (int what = 0; what < EXPORT_WHAT_COUNT; what++) {
        enum export_what parsed;
        assert_true(export_parse_what(export_what_name((enum export_what)what), &parsed));
        assert_int_equal(parsed, what);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_figure_svg),   TEST(test_hostile_svg),         TEST(test_single_row),
        TEST(test_figure_png),   TEST(test_frame_png),           TEST(test_too_large_png),
        TEST(test_frame_cells),  TEST(test_ansi),                TEST(test_ascii_frame),
        TEST(test_html),         TEST(test_html_side_by_side),  TEST(test_hostile_html),        TEST(test_html_without_assets),
        TEST(test_csv),          TEST(test_heads_csv), TEST(test_forced_in_csv),           TEST(test_full_disk),
        TEST(test_places_that_cannot_be), TEST(test_endings),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
