#include "ui/lesson.h"

#include "engine/base/file.h"
#include "engine/base/memory.h"
#include "engine/prune/policy.h"
#include "ui/lesson_values.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

struct parser {
    struct lesson *lesson;
    struct error *err;
    int line; // of the entry that is read
};

static bool fail(const struct parser *parser, const char *what, const char *value)
{
    return error_set(parser->err, ERROR_INPUT, "line %d of the lesson: %s: \"%.60s\"", parser->line, what,
                     value);
}

// ---- values
// ---------------------------------------------------------------------------------------------------

// Every name between braces must be one that can be filled in.
static bool check_braces(const struct parser *parser, const char *text)
{
    for (const char *p = text; (p = strchr(p, '{'));) {
        if (p[1] == '{') {
            p += 2;
            continue;
        }
        const char *end = strchr(p, '}');
        if (!end || lesson_value_find(p + 1, (size_t)(end - p - 1)) < 0)
            return fail(parser, "there is no value of this name", p);
        p = end;
    }
    return true;
}

static bool set_text(const struct parser *parser, const char **field, char *value)
{
    if (*field)
        return fail(parser, "this is said twice", value);
    if (!*value)
        return fail(parser, "there is nothing behind the colon", value);
    *field = value;
    return check_braces(parser, value);
}

static int find_word(const char *const words[], int count, const char *value)
{
    for (int i = 0; i < count; i++)
        if (!strcmp(words[i], value))
            return i;
    return -1;
}

static bool parse_focus(const struct parser *parser, const char *value, enum focus *focus)
{
    static const char *const words[FOCUS_COUNT] = {"none", "patches", "words", "heads"};
    int found = find_word(words, FOCUS_COUNT, value);
    *focus = (enum focus)(found < 0 ? 0 : found);
    return found >= 0 || fail(parser, "a cursor is none, patches, words or heads", value);
}

static bool parse_show(const struct parser *parser, const char *value, enum show *show)
{
    static const char *const words[SHOW_COUNT] = {"survivors", "self", "cross", "total", "attention"};
    int found = find_word(words, SHOW_COUNT, value);
    *show = (enum show)(found < 0 ? 0 : found);
    return found >= 0 || fail(parser, "what is shown is survivors, self, cross, total or attention", value);
}

static bool parse_stage(const struct parser *parser, const char *value, struct lesson_stage *stage)
{
    static const char *const layers[] = {"text ", "image ", "fusion "};
    static const enum stage_kind kinds[] = {STAGE_TEXT, STAGE_IMAGE, STAGE_FUSION};
    *stage = (struct lesson_stage){.layer = -1};
    if (!strcmp(value, "answer")) {
        stage->kind = STAGE_ANSWER;
        return true;
    }
    if (!strcmp(value, "embed text") || !strcmp(value, "embed image")) {
        stage->kind = STAGE_EMBED;
        stage->text = value[6] == 't';
        return true;
    }
    for (size_t i = 0; i < sizeof layers / sizeof *layers; i++) {
        size_t length = strlen(layers[i]);
        char *end;
        if (strncmp(value, layers[i], length) || value[length] < '1' || value[length] > '9')
            continue;
        long number = strtol(value + length, &end, 10);
        if (*end || number > 99)
            break;
        *stage = (struct lesson_stage){.kind = kinds[i], .layer = (int)number - 1};
        return true;
    }
    return fail(parser, "a stage is embed text, text N, embed image, image N, fusion N or answer", value);
}

static bool parse_policy(const struct parser *parser, const char *value, char policy[TRACE_NAME])
{
    enum policy found;
    if (!policy_find(value, &found))
        return fail(parser, "there is no policy of this name", value);
    strcpy(policy, policy_name(found)); // names are shorter than TRACE_NAME: they stand in traces
    return true;
}

static bool parse_budget(const struct parser *parser, const char *value)
{
    char *end;
    double budget = strtod(value, &end);
    parser->lesson->breaks = !strcmp(value, "break");
    if (parser->lesson->breaks || !strcmp(value, "trained"))
        return true;
    if (end == value || *end || !(budget >= 0.05 && budget <= 1))
        return fail(parser, "a budget is trained, break, or a share from 0.05 to 1", value);
    parser->lesson->budget = budget;
    return true;
}

static bool parse_panels(const struct parser *parser, char *value)
{
    static const char *const words[LESSON_PANELS] = {"words", "heads", "cost", "answer", "inspect"};
    struct lesson *lesson = parser->lesson;
    lesson->panel_count = 0;
    for (char *rest = value, *word; (word = strsep(&rest, " "));) {
        int found = find_word(words, LESSON_PANELS, word);
        if (found < 0 || lesson->panel_count == LESSON_PANELS)
            return fail(parser, "panels are words, heads, cost, answer and inspect, each once", word);
        for (int i = 0; i < lesson->panel_count; i++)
            if ((int)lesson->panels[i] == found)
                return fail(parser, "panels are words, heads, cost, answer and inspect, each once", word);
        lesson->panels[lesson->panel_count++] = (enum lesson_panel)found;
    }
    return true;
}

static bool parse_notice(const struct parser *parser, char *value)
{
    static const char *const words[LESSON_NOTICE_COUNT] = {
#define NOTICE_WORD(id, word) word,
        LESSON_NOTICES(NOTICE_WORD)
#undef NOTICE_WORD
    };
    struct lesson *lesson = parser->lesson;
    char *object = value, *word = strsep(&object, " ");
    int found = find_word(words, LESSON_NOTICE_COUNT, word);
    bool takes =
        found == LESSON_STAGE || found == LESSON_CURSOR || found == LESSON_SHOW || found == LESSON_POLICY;
    if (found < 0 || takes != (object != NULL))
        return fail(parser, "that cannot be noticed (see ui/lesson.h)", word);
    lesson->notice = (enum lesson_notice)found;
    switch (lesson->notice) {
    case LESSON_STAGE:
        return parse_stage(parser, object, &lesson->notice_stage);
    case LESSON_CURSOR:
        return parse_focus(parser, object, &lesson->notice_cursor);
    case LESSON_SHOW:
        return parse_show(parser, object, &lesson->notice_show);
    case LESSON_POLICY:
        return parse_policy(parser, object, lesson->notice_policy);
    default:
        return true;
    }
}

// A picture is a file beside the others: no way leads out of their folder.
static bool set_candidate(const struct parser *parser, int index, char *picture, char *question)
{
    struct lesson *lesson = parser->lesson;
    if (picture && (strchr(picture, '/') || picture[0] == '.' || !*picture))
        return fail(parser, "a picture is the name of a bundled one", picture);
    if (index >= LESSON_CANDIDATES)
        return fail(parser, "there are too many candidates", picture);
    if ((picture && lesson->pictures[index]) || (question && lesson->questions[index]))
        return fail(parser, "this is said twice", picture ? picture : question);
    lesson->pictures[index] = picture ? picture : lesson->pictures[index];
    lesson->questions[index] = question ? question : lesson->questions[index];
    lesson->candidate_count = index + 1 > lesson->candidate_count ? index + 1 : lesson->candidate_count;
    return true;
}

static bool parse_candidate(const struct parser *parser, char *value)
{
    char *question = strstr(value, " | ");
    if (!question || parser->lesson->candidate_count == 0)
        return fail(parser, "a further candidate stands behind the first, as PICTURE | QUESTION", value);
    *question = 0;
    return set_candidate(parser, parser->lesson->candidate_count, value, question + 3);
}

static bool parse_compare(const struct parser *parser, char *value)
{
    char *second = strchr(value, ' ');
    if (second)
        *second++ = 0;
    if (!second || lesson_value_find(value, strlen(value)) < 0 ||
        lesson_value_find(second, strlen(second)) < 0)
        return fail(parser, "two values are compared", value);
    parser->lesson->compare[0] = value;
    parser->lesson->compare[1] = second;
    return true;
}

// "right 2", "wrong 1", "choice 1", "why 2": choices come in order, each with its reason behind it.
static bool parse_choice(const struct parser *parser, const char *key, char *value)
{
    struct lesson *lesson = parser->lesson;
    const char *number = strchr(key, ' ');
    int index =
        number && number[1] >= '1' && number[1] <= '0' + LESSON_CHOICES && !number[2] ? number[1] - '1' : -1;
    bool why = !strncmp(key, "why ", 4), right = !strncmp(key, "right ", 6);
    if (index < 0)
        return fail(parser, "choices are numbered from 1 to 4", key);
    if (index != lesson->choice_count - (why ? 1 : 0))
        return fail(parser, "choices come in order, each with its `why` behind it", key);
    if (why)
        return set_text(parser, &lesson->choices[index].why, value);
    lesson->choices[index].right = right;
    lesson->choice_count++;
    return set_text(parser, &lesson->choices[index].text, value);
}

static bool parse_entry(const struct parser *parser, const char *key, char *value)
{
    struct lesson *lesson = parser->lesson;
    const struct {
        const char *key, **field;
    } texts[] = {{"title", &lesson->title},
                 {"try", &lesson->attempt},
                 {"noticed", &lesson->noticed},
                 {"check", &lesson->check}};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        if (!strcmp(key, texts[i].key))
            return set_text(parser, texts[i].field, value);
    if (!strcmp(key, "picture"))
        return set_candidate(parser, 0, value, NULL);
    if (!strcmp(key, "question"))
        return set_candidate(parser, 0, NULL, value);
    if (!strcmp(key, "or"))
        return parse_candidate(parser, value);
    if (!strcmp(key, "policy"))
        return parse_policy(parser, value, lesson->policy);
    if (!strcmp(key, "budget"))
        return parse_budget(parser, value);
    if (!strcmp(key, "panels"))
        return parse_panels(parser, value);
    if (!strcmp(key, "notice"))
        return parse_notice(parser, value);
    if (!strcmp(key, "compare"))
        return parse_compare(parser, value);
    if (!strcmp(key, "stage"))
        return (lesson->has_stage = parse_stage(parser, value, &lesson->stage));
    if (!strcmp(key, "cursor"))
        return (lesson->has_cursor = parse_focus(parser, value, &lesson->cursor));
    if (!strcmp(key, "show"))
        return (lesson->has_show = parse_show(parser, value, &lesson->show));
    if (!strncmp(key, "right ", 6) || !strncmp(key, "wrong ", 6) || !strncmp(key, "choice ", 7) ||
        !strncmp(key, "why ", 4))
        return parse_choice(parser, key, value);
    return fail(parser, "lessons know no entry of this name", key);
}

// ---- the file
// -------------------------------------------------------------------------------------------------

// A line of the file: [text, end), and where the next one starts.
static char *end_of_line(char *text)
{
    return text + strcspn(text, "\n");
}

// Puts the lines of an entry together in place: a space between them, none between two Chinese characters.
static char *join_lines(char *start, int *lines)
{
    char *end = end_of_line(start), *to = end;
    while (*end && (end[1] == ' ' || end[1] == '\t')) {
        char *more = end + 1 + strspn(end + 1, " \t"), *last = end_of_line(more);
        bool close = to > start && (unsigned char)to[-1] >= 0x80 && (unsigned char)*more >= 0x80;
        if (!close)
            *to++ = ' ';
        memmove(to, more, (size_t)(last - more));
        to += last - more;
        end = last;
        ++*lines;
    }
    char *next = *end ? end + 1 : end;
    *to = 0;
    return next;
}

// Paragraphs: their lines are joined, a newline stands between two of them.
static void join_paragraphs(char *text)
{
    char *to = text;
    bool gap = false;
    for (char *from = text; *from;) {
        char *end = end_of_line(from), *next = *end ? end + 1 : end;
        if (end == from) {
            gap = to > text;
        } else {
            bool close = to > text && (unsigned char)to[-1] >= 0x80 && (unsigned char)*from >= 0x80;
            if (gap)
                *to++ = '\n';
            else if (to > text && !close)
                *to++ = ' ';
            gap = false;
            memmove(to, from, (size_t)(end - from));
            to += end - from;
        }
        from = next;
    }
    *to = 0;
}

static bool parse_entries(struct parser *parser, char *at)
{
    while (*at) {
        int lines = 1;
        char *entry = at;
        if (*at == '\n' || *at == '#') {
            at = end_of_line(at);
            at += *at == '\n';
            parser->line++;
            continue;
        }
        char *colon = strchr(at, ':');
        if (!colon || colon > end_of_line(at) || *at == ' ' || *at == '\t')
            return fail(parser, "an entry is NAME: VALUE", at);
        *colon = 0;
        if (!strcmp(entry, "text")) {
            parser->lesson->text = colon + 1 + strspn(colon + 1, " \n");
            join_paragraphs(colon + 1 + strspn(colon + 1, " \n"));
            return check_braces(parser, parser->lesson->text);
        }
        char *value = colon + 1 + strspn(colon + 1, " ");
        at = join_lines(value, &lines);
        if (!parse_entry(parser, entry, value))
            return false;
        parser->line += lines;
    }
    return true;
}

static bool check_whole(const struct parser *parser)
{
    const struct lesson *lesson = parser->lesson;
    int right = 0;
    for (int i = 0; i < lesson->choice_count; i++) {
        right += lesson->choices[i].right;
        if (!lesson->choices[i].why)
            return fail(parser, "a choice has no `why` behind it", lesson->choices[i].text);
    }
    if (!lesson->title || !lesson->text || !*lesson->text)
        return fail(parser, "a lesson has at least a title and a text", lesson->title ? lesson->title : "");
    for (int i = 0; i < lesson->candidate_count; i++)
        if (!lesson->pictures[i] || !lesson->questions[i])
            return fail(parser, "a picture goes with a question", lesson->title);
    if (lesson->breaks && (lesson->candidate_count == 0 || !lesson->policy[0]))
        return fail(parser, "`budget: break` needs a picture, a question and a policy", lesson->title);
    if (!lesson->attempt != (lesson->notice == LESSON_NOTHING) || !lesson->attempt != !lesson->noticed)
        return fail(parser, "`try`, `notice` and `noticed` go together", lesson->title);
    if (!lesson->check != (lesson->choice_count < 2))
        return fail(parser, "a `check` has two to four choices", lesson->title);
    if (lesson->check && (lesson->compare[0] ? right != 0 || lesson->choice_count != 2 : right != 1))
        return fail(parser, "one choice is right, or `compare` decides between two", lesson->title);
    return true;
}

bool lesson_parse(struct lesson *lesson, const char *bytes, size_t size, struct error *err)
{
    *lesson = (struct lesson){.budget = (double)NAN};
    struct parser parser = {lesson, err, 1};
    if (size > LESSON_BYTES || memchr(bytes, 0, size))
        return error_set(err, ERROR_INPUT, "a lesson is a text of at most %d bytes", LESSON_BYTES);
    lesson->bytes = malloc(size + 2);
    if (!lesson->bytes)
        return error_no_memory(err, "a lesson");
    memcpy(lesson->bytes, bytes, size);
    memset(lesson->bytes + size, 0, 2);
    bool ok = parse_entries(&parser, lesson->bytes) && check_whole(&parser);
    if (!ok)
        lesson_free(lesson);
    return ok;
}

bool lesson_read(struct lesson *lesson, const char *path, struct error *err)
{
    unsigned char *data;
    size_t size;
    *lesson = (struct lesson){0};
    if (!file_read(path, LESSON_BYTES, &data, &size, err))
        return false;
    bool ok = lesson_parse(lesson, (const char *)data, size, err);
    memory_free(data);
    return ok || error_prefix(err, "%s", path);
}

void lesson_free(struct lesson *lesson)
{
    free(lesson->bytes);
    *lesson = (struct lesson){0};
}

int lesson_find_stage(const struct trace *trace, const struct lesson_stage *wanted)
{
    for (int s = 0; s < trace->stage_count; s++) {
        const struct stage *stage = &trace->stages[s];
        bool text = stage->stream == TRACE_TEXT_STREAM;
        if (stage->kind == wanted->kind && (wanted->layer < 0 || stage->layer == wanted->layer) &&
            (wanted->kind != STAGE_EMBED || text == wanted->text))
            return s;
    }
    return -1;
}
