// The text of the configuration: read, and changed line by line.
#include "ui/config.h"

#include "ui/names.h"
#include "ui/words.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct config_row rows[CONFIG_COUNT] = {
#define CONFIG_ROW(id, name, kind, values, standard, low, high, help)                                        \
    {name, CONFIG_##kind, values, standard, low, high, help},
    CONFIG_OPTIONS(CONFIG_ROW)
#undef CONFIG_ROW
};

const struct config_row *config_row(enum config_option option)
{
    return &rows[option];
}

const char *config_value(const struct config *config, enum config_option option)
{
    return config->values[option][0] ? config->values[option] : rows[option].standard;
}

static bool number_of(const char *text, double *value)
{
    char *end;
    *value = strtod(text, &end);
    return end != text && !*end && isfinite(*value);
}

double config_number(const struct config *config, enum config_option option)
{
    double value;
    return number_of(config_value(config, option), &value) ? value : (double)NAN;
}

static bool is_among(const char *words, const char *word)
{
    size_t length = strlen(word);
    while (*words) {
        size_t one = strcspn(words, " ");
        if (one == length && one > 0 && !memcmp(words, word, one))
            return true;
        words += one + strspn(words + one, " ");
    }
    return false;
}

bool config_check(enum config_option option, const char *value)
{
    const struct config_row *row = &rows[option];
    double number;
    if (strlen(value) >= CONFIG_VALUE)
        return false;
    if (is_among(row->values, value))
        return true;
    return row->kind == CONFIG_NUMBER && number_of(value, &number) && number >= row->low && number <= row->high;
}

// ---- one line
// -------------------------------------------------------------------------------------------------

// A part of the text.
struct piece {
    const char *start;
    size_t size;
};

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

static struct piece trim(struct piece piece)
{
    while (piece.size > 0 && is_blank(piece.start[0]))
        piece.start++, piece.size--;
    while (piece.size > 0 && is_blank(piece.start[piece.size - 1]))
        piece.size--;
    return piece;
}

// The line without its comment: "#" at the start or after a blank.
static struct piece without_comment(struct piece line)
{
    for (size_t i = 0; i < line.size; i++)
        if (line.start[i] == '#' && (i == 0 || is_blank(line.start[i - 1]))) {
            line.size = i;
            break;
        }
    return trim(line);
}

// The next word of a piece; size 0: none is left.
static struct piece next_word(struct piece *rest)
{
    *rest = trim(*rest);
    struct piece word = {rest->start, 0};
    while (word.size < rest->size && !is_blank(rest->start[word.size]))
        word.size++;
    rest->start += word.size;
    rest->size -= word.size;
    return word;
}

static bool next_line(struct piece *rest, struct piece *line)
{
    if (rest->size == 0)
        return false;
    const char *end = memchr(rest->start, '\n', rest->size);
    line->start = rest->start;
    line->size = end ? (size_t)(end - rest->start) : rest->size;
    size_t used = line->size + (end ? 1 : 0);
    rest->start += used;
    rest->size -= used;
    return true;
}

static void copy_text(char *out, size_t size, struct piece piece)
{
    size_t length = piece.size < size - 1 ? piece.size : size - 1;
    memcpy(out, piece.start, length);
    out[length] = 0;
}

// "name = value"; false: there is no "=".
static bool split(struct piece line, struct piece *name, struct piece *value)
{
    const char *equals = line.size ? memchr(line.start, '=', line.size) : NULL;
    if (!equals)
        return false;
    *name = trim((struct piece){line.start, (size_t)(equals - line.start)});
    *value = trim((struct piece){equals + 1, line.size - (size_t)(equals - line.start) - 1});
    return true;
}

// ---- reading
// --------------------------------------------------------------------------------------------------

static void complain(struct config *config, int line, const char *format, ...) __attribute__((format(printf, 3, 4)));
static void complain(struct config *config, int line, const char *format, ...)
{
    char text[400];
    struct error err;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    error_set(&err, ERROR_INPUT, "%s", text); // makes harmless whatever bytes are in it
    if (config->problem_count < CONFIG_PROBLEMS) {
        struct config_problem *problem = &config->problems[config->problem_count];
        problem->line = line;
        copy_text(problem->text, sizeof problem->text, (struct piece){err.text, strlen(err.text)});
    }
    config->problem_count++;
}

// The name among `count` that was probably meant, NULL: none is near.
static const char *nearest(const char *name, int count, const char *(*name_of)(int))
{
    const char *best = NULL;
    int best_distance = 3;
    for (int i = 0; i < count; i++) {
        int distance = name_distance(name, name_of(i));
        if (distance < best_distance && distance < (int)strlen(name_of(i))) {
            best_distance = distance;
            best = name_of(i);
        }
    }
    return best;
}

static const char *option_name(int i)
{
    return rows[i].name;
}

static const char *name_of_action(int i)
{
    return action_name((enum action)i);
}

static const char *name_of_style(int i)
{
    return style_name((enum style)i);
}

static void unknown(struct config *config, int line, const char *what, const char *name, const char *meant)
{
    if (meant)
        complain(config, line, _("There is no %s '%.60s'; '%s' is probably meant."), what, name, meant);
    else
        complain(config, line, _("There is no %s '%.60s'."), what, name);
}

static void read_option(struct config *config, int line, const char *name, struct piece value)
{
    char text[CONFIG_VALUE + 1];
    int option = 0;
    while (option < CONFIG_COUNT && strcmp(rows[option].name, name))
        option++;
    copy_text(text, sizeof text, value);
    const struct config_row *row = &rows[option < CONFIG_COUNT ? option : 0];
    int length = (int)strlen(row->values);
    length -= length > 0 && row->values[length - 1] == ' '; // a table of names ends in one
    if (option == CONFIG_COUNT)
        unknown(config, line, _("option"), name, nearest(name, CONFIG_COUNT, option_name));
    else if (config_check((enum config_option)option, text))
        memcpy(config->values[option], text, CONFIG_VALUE);
    else if (row->kind == CONFIG_CHOICE)
        complain(config, line, _("%s is one of: %.*s; not '%.60s'."), name,
                 length, row->values, text);
    else if (row->values[0])
        complain(config, line, _("%s is a number from %g to %g, or %s; not '%.60s'."), name, row->low, row->high,
                 row->values, text);
    else
        complain(config, line, _("%s is a number from %g to %g; not '%.60s'."), name, row->low, row->high, text);
}

static bool uses(const struct config *config, int action, int key)
{
    for (int k = 0; k < KEYS_PER_ACTION; k++)
        if (config->keys[action][k] == key)
            return config->has_keys[action];
    return false;
}

// A key that the file has given to something else already, on a page that both work on.
static int claimed(const struct config *config, enum action action, int key)
{
    for (int a = 0; a < ACTIONS; a++)
        if (a != (int)action && key_row((enum action)a)->pages & key_row(action)->pages && uses(config, a, key))
            return a;
    return ACTIONS;
}

static void read_keys(struct config *config, int line, const char *name, struct piece value)
{
    enum action action = action_parse(name);
    if (action == ACTIONS) {
        unknown(config, line, _("action"), name, nearest(name, ACTIONS, name_of_action));
        return;
    }
    if (action == ACTION_CANCEL) {
        complain(config, line, _("^C always stops what is being computed: it cannot be changed."));
        return;
    }
    int keys[KEYS_PER_ACTION] = {0}, count = 0, faults = config->problem_count;
    for (struct piece word = next_word(&value); word.size > 0; word = next_word(&value)) {
        char text[40];
        copy_text(text, sizeof text, word);
        int key = key_parse(word.start, word.size);
        if (!key || key == 3)
            complain(config, line, _("'%s' is no key that can be given to an action."), text);
        else if (claimed(config, action, key) < ACTIONS)
            complain(config, line, _("'%s' has been given to '%s' above."), text,
                     action_name((enum action)claimed(config, action, key)));
        else if (count == KEYS_PER_ACTION)
            complain(config, line, _("An action can have %d keys at most."), KEYS_PER_ACTION);
        else
            keys[count++] = key;
    }
    config->key_lines[action] = line;
    if (count == 0 && config->problem_count > faults) // nothing of it holds: as if it were not there
        return;
    memcpy(config->keys[action], keys, sizeof keys);
    config->has_keys[action] = true;
}

// Actions that the file says nothing of, and that its other lines leave without any key.
static void find_keyless(struct config *config)
{
    for (int a = 0; a < ACTIONS; a++) {
        const int *keys = key_default((enum action)a)->keys;
        int by = ACTIONS, k = 0;
        char name[16];
        while (k < KEYS_PER_ACTION && keys[k] && (by = claimed(config, (enum action)a, keys[k])) < ACTIONS)
            k++;
        if (config->key_lines[a] || k == 0 || (k < KEYS_PER_ACTION && keys[k]))
            continue;
        key_write(keys[k - 1], name, sizeof name);
        complain(config, config->key_lines[by], _("'%s' was the last key of '%s', which has none now: 'key %s = …' gives it one."),
                 name, action_name((enum action)a), action_name((enum action)a));
    }
}

// A colour's number, -1 for the terminal's own; -2: it is none.
static short parse_color(const char *word)
{
    double number;
    if (!strcmp(word, "default"))
        return -1;
    bool whole = number_of(word, &number) && number >= 0 && number <= 255 && floor(number) >= number;
    return whole ? (short)number : -2;
}

static void read_color(struct config *config, int line, const char *name, struct piece value)
{
    enum style style = style_parse(name);
    if (style == STYLE_COUNT) {
        unknown(config, line, _("style"), name, nearest(name, STYLE_COUNT, name_of_style));
        return;
    }
    struct theme_override override = {.front = -2, .back = -2, .given = true};
    bool back = false;
    int faults = config->problem_count;
    for (struct piece word = next_word(&value); word.size > 0; word = next_word(&value)) {
        char text[40];
        copy_text(text, sizeof text, word);
        short color = parse_color(text);
        if (!strcmp(text, "bold"))
            override.bold = true;
        else if (!strcmp(text, "underline"))
            override.underline = true;
        else if (!strcmp(text, "on"))
            back = true;
        else if (color == -2)
            complain(config, line, _("'%s' is no colour: a number from 0 to 255, default, on, bold or underline."), text);
        else if (back)
            override.back = color;
        else
            override.front = color;
    }
    if (config->problem_count == faults) // half a colour may be one that cannot be read
        config->colors[style] = override;
}

static void read_line(struct config *config, int number, struct piece line)
{
    struct piece name, value;
    char first[40], second[40] = "";
    line = without_comment(line);
    if (line.size == 0)
        return;
    if (!split(line, &name, &value) || name.size == 0) {
        char text[40];
        copy_text(text, sizeof text, line);
        complain(config, number, _("A line is 'option = value', 'key action = keys' or 'color style = colour'; not '%s'."),
                 text);
        return;
    }
    struct piece rest = name, word = next_word(&rest);
    copy_text(first, sizeof first, word);
    rest = trim(rest);
    copy_text(second, sizeof second, rest);
    if (!strcmp(first, "key") && rest.size > 0)
        read_keys(config, number, second, value);
    else if ((!strcmp(first, "color") || !strcmp(first, "colour")) && rest.size > 0)
        read_color(config, number, second, value);
    else {
        copy_text(first, sizeof first, name);
        read_option(config, number, first, value);
    }
}

// Everything anew from the text.
static void parse(struct config *config)
{
    struct piece rest = {config->text, config->size}, line;
    memset(config->values, 0, sizeof config->values);
    memset(config->has_keys, 0, sizeof config->has_keys);
    memset(config->keys, 0, sizeof config->keys);
    memset(config->key_lines, 0, sizeof config->key_lines);
    memset(config->colors, 0, sizeof config->colors);
    config->problem_count = 0;
    for (int number = 1; next_line(&rest, &line); number++)
        read_line(config, number, line);
    find_keyless(config);
}

bool config_read(struct config *config, const char *text, size_t size)
{
    char *copy = malloc(size + 1);
    if (!copy)
        return false;
    if (size > 0)
        memcpy(copy, text, size);
    copy[size] = 0;
    free(config->text);
    config->text = copy;
    config->size = size;
    parse(config);
    return true;
}

void config_free(struct config *config)
{
    free(config->text);
    config->text = NULL;
    config->size = 0;
}

void config_apply_keys(const struct config *config)
{
    key_reset();
    for (int a = 0; a < ACTIONS; a++) {
        int count = 0;
        while (count < KEYS_PER_ACTION && config->keys[a][count])
            count++;
        if (config->has_keys[a])
            key_bind((enum action)a, config->keys[a], count);
    }
}

// ---- changing
// -------------------------------------------------------------------------------------------------

static bool same_name(struct piece name, const char *wanted)
{
    char text[80];
    struct piece rest = name, word = next_word(&rest);
    rest = trim(rest);
    int length = snprintf(text, sizeof text, "%.*s%s%.*s", (int)word.size, word.start, rest.size ? " " : "",
                          (int)rest.size, rest.start);
    return length > 0 && (size_t)length < sizeof text && !strcmp(text, wanted);
}

// The value in the last line that sets `name`, as a place in the text; where there is none, start is NULL.
static struct piece find_value(const struct config *config, const char *name)
{
    struct piece rest = {config->text, config->size}, line, found = {NULL, 0}, left, value;
    while (next_line(&rest, &line)) {
        line = without_comment(line);
        if (split(line, &left, &value) && left.size < 70 && same_name(left, name))
            found = value;
    }
    return found;
}

static bool set_line(struct config *config, const char *name, const char *value)
{
    struct piece old = find_value(config, name);
    size_t size = config->size + strlen(name) + strlen(value) + 8;
    char *text = malloc(size);
    if (!text)
        return false;
    int used;
    if (old.start) {
        int before = (int)(old.start - config->text);
        const char *gap = before > 0 && config->text[before - 1] == '=' ? " " : "";
        used = snprintf(text, size, "%.*s%s%s%s", before, config->text, gap, value, old.start + old.size);
    } else {
        bool cut = config->size > 0 && config->text[config->size - 1] != '\n';
        used = snprintf(text, size, "%s%s%s = %s\n", config->text ? config->text : "", cut ? "\n" : "", name, value);
    }
    bool done = used >= 0 && config_read(config, text, (size_t)used < size ? (size_t)used : size - 1);
    free(text);
    return done;
}

bool config_set(struct config *config, enum config_option option, const char *value)
{
    return set_line(config, rows[option].name, value);
}

bool config_set_keys(struct config *config, enum action action, const int *keys, int count)
{
    char name[48], text[128] = "";
    size_t used = 0;
    for (int i = 0; i < count; i++) {
        char key[16];
        key_write(keys[i], key, sizeof key);
        int length = snprintf(text + used, sizeof text - used, "%s%s", used && key[0] ? " " : "", key);
        used += length > 0 && used + (size_t)length < sizeof text ? (size_t)length : 0;
    }
    text[used] = 0;
    snprintf(name, sizeof name, "key %s", action_name(action));
    return set_line(config, name, text);
}

bool config_set_color(struct config *config, enum style style, const char *value)
{
    char name[48];
    snprintf(name, sizeof name, "color %s", style_name(style));
    return set_line(config, name, value);
}

bool config_unset(struct config *config, const char *name)
{
    struct piece rest = {config->text, config->size}, line, left, value;
    char *text = malloc(config->size + 1);
    size_t used = 0;
    if (!text)
        return false;
    while (next_line(&rest, &line)) {
        struct piece bare = without_comment(line);
        if (split(bare, &left, &value) && left.size < 70 && same_name(left, name))
            continue;
        size_t size = (size_t)(rest.start - line.start); // with its end
        memcpy(text + used, line.start, size);
        used += size;
    }
    bool done = config_read(config, text, used);
    free(text);
    return done;
}
