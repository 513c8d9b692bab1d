// The page of options: what the configuration file says, changed from within. Each change is written at once.
#include "ui/config.h"
#include "ui/page.h"
#include "ui/screen_state.h"
#include "ui/words.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ROWS_MOST = CONFIG_COUNT + ACTIONS + STYLE_COUNT + CONFIG_PROBLEMS + 8, PROMPT_VALUE = 0, PROMPT_COLOR = 1 };
enum { DETAIL_ROWS = 2 }; // the text of the chosen row in full

enum row_kind { ROW_HEADING, ROW_OPTION, ROW_KEY, ROW_COLOR, ROW_FAULT };

struct row {
    enum row_kind kind;
    int index;
    const char *heading;
};

struct options {
    struct row rows[ROWS_MOST];
    int count, selected, first;
    bool catching, adding; // the next key goes to the selected action, beside those it has
};

static void add_row(struct options *options, enum row_kind kind, int index, const char *heading)
{
    if (options->count < ROWS_MOST)
        options->rows[options->count++] = (struct row){kind, index, heading};
}

static void list_rows(struct options *options, const struct config *config)
{
    options->count = 0;
    int faults = config->problem_count < CONFIG_PROBLEMS ? config->problem_count : CONFIG_PROBLEMS;
    if (faults > 0)
        add_row(options, ROW_HEADING, 0, N_("FAULTS IN THE FILE"));
    for (int i = 0; i < faults; i++)
        add_row(options, ROW_FAULT, i, NULL);
    add_row(options, ROW_HEADING, 0, N_("OPTIONS"));
    for (int i = 0; i < CONFIG_COUNT; i++)
        add_row(options, ROW_OPTION, i, NULL);
    add_row(options, ROW_HEADING, 0, N_("KEYS"));
    for (int i = 0; i < ACTIONS; i++)
        add_row(options, ROW_KEY, i, NULL);
    add_row(options, ROW_HEADING, 0, N_("COLOURS"));
    for (int i = 0; i < STYLE_COUNT; i++)
        add_row(options, ROW_COLOR, i, NULL);
    if (options->selected >= options->count)
        options->selected = options->count - 1;
}

static void move_to(struct options *options, int row, int by)
{
    int way = by < 0 ? -1 : 1;
    row = row < 0 ? 0 : row >= options->count ? options->count - 1 : row;
    while (row >= 0 && row < options->count && options->rows[row].kind == ROW_HEADING)
        row += way;
    if (row >= 0 && row < options->count)
        options->selected = row;
}

static bool open(struct page *page, const void *argument, struct error *err)
{
    struct options *options = page->state;
    (void)argument;
    if (!page->screen->config)
        return error_set(err, ERROR_USAGE, _("there is no configuration here to be changed"));
    list_rows(options, page->screen->config);
    move_to(options, 0, 1);
    return true;
}

// ---- changing
// -------------------------------------------------------------------------------------------------

// The file as it is now: it may have been changed elsewhere since.
static void reload(struct config *config)
{
    config_free(config);
    config_load(config);
}

// After the text was changed: into the file, and onto the screen.
static void keep(struct page *page, bool changed)
{
    struct screen *screen = page->screen;
    struct error err = {0};
    if (!changed)
        error_no_memory(&err, "the configuration");
    if (!changed || !config_save(screen->config, &err))
        page_say(page, true, "%s", err.text);
    else if (screen->view.message[0] == 0)
        page_say(page, false, _("Saved in %s."), screen->config->path);
    config_apply_keys(screen->config);
    list_rows(page->state, screen->config);
    screen_choose_theme(screen);
}

static void apply(struct screen *screen, enum config_option option)
{
    const char *value = config_value(screen->config, option);
    enum graphics graphics;
    switch (option) {
    case CONFIG_THEME:
        theme_parse(value, &screen->theme_kind);
        break;
    case CONFIG_GRAPHICS:
        if (graphics_parse(value, &graphics))
            screen->graphics = terminal_graphics(&screen->terminal, graphics);
        break;
    case CONFIG_MOUSE:
        screen->mouse = !strcmp(value, "on");
        terminal_mouse(screen->mouse);
        break;
    case CONFIG_PLAY:
        screen->play_seconds = config_number(screen->config, option);
        break;
    case CONFIG_LANGUAGE:
    case CONFIG_POLICY:
    case CONFIG_BUDGET:
        view_say(&screen->view, false, _("Saved; it counts from the next start on."));
        break;
    case CONFIG_COUNT:
        break;
    }
}

static void set_option(struct page *page, enum config_option option, const char *value)
{
    struct config *config = page->screen->config;
    const struct config_row *row = config_row(option);
    if (!config_check(option, value)) {
        if (row->values[0])
            page_say(page, true, _("%s is a number from %g to %g, or %s; not '%.60s'."), row->name, row->low, row->high,
                     row->values, value);
        else
            page_say(page, true, _("%s is a number from %g to %g; not '%.60s'."), row->name, row->low, row->high, value);
        return;
    }
    reload(config);
    bool changed = config_set(config, option, value);
    if (changed)
        apply(page->screen, option);
    keep(page, changed);
}

// The choice before or after the present one, or a number a step away.
static void step_option(struct page *page, enum config_option option, int by)
{
    const struct config_row *row = config_row(option);
    const char *now = config_value(page->screen->config, option);
    char words[160], value[CONFIG_VALUE];
    const char *choices[16];
    int count = 0, at = 0;
    if (row->kind == CONFIG_NUMBER) {
        double number = config_number(page->screen->config, option), step = option == CONFIG_BUDGET ? 0.05 : 0.1;
        number = isnan(number) ? (by > 0 ? row->low : row->high) : number + by * step;
        number = fmin(fmax(number, row->low), row->high);
        snprintf(value, sizeof value, "%g", round(number * 1000) / 1000);
        set_option(page, option, value);
        return;
    }
    snprintf(words, sizeof words, "%s", row->values);
    for (char *rest = words, *word; (word = strsep(&rest, " "));)
        if (*word && count < 16) {
            at = strcmp(word, now) ? at : count;
            choices[count++] = word;
        }
    if (count > 0)
        set_option(page, option, choices[(at + by + count) % count]);
}

static void set_keys(struct page *page, enum action action, const int *keys, int count)
{
    struct config *config = page->screen->config;
    reload(config);
    keep(page, config_set_keys(config, action, keys, count));
}

// The key pressed goes to the selected action.
static void catch_key(struct page *page, int key)
{
    struct options *options = page->state;
    enum action action = (enum action)options->rows[options->selected].index;
    int keys[KEYS_PER_ACTION] = {0}, count = 0;
    char name[16];
    options->catching = false;
    key = key == '\r' || key == KEY_ENTER ? '\n' : key;
    key_write(key, name, sizeof name);
    if (key == 27 || key == 3) {
        page_say(page, false, _("The keys stay as they are."));
        return;
    }
    if (!name[0]) {
        page_say(page, true, _("This key cannot be given to an action."));
        return;
    }
    for (int k = 0; options->adding && k < KEYS_PER_ACTION && key_row(action)->keys[k]; k++)
        if (key_row(action)->keys[k] != key && key_row(action)->keys[k] != '\r' &&
            key_row(action)->keys[k] != KEY_ENTER && count < KEYS_PER_ACTION - 1)
            keys[count++] = key_row(action)->keys[k];
    keys[count++] = key;
    for (int a = 0; a < ACTIONS; a++) // who had it until now, on a page that both work on
        for (int k = 0; k < KEYS_PER_ACTION; k++)
            if (a != (int)action && key_row((enum action)a)->keys[k] == key &&
                key_row((enum action)a)->pages & key_row(action)->pages)
                page_say(page, false, _("Saved; '%s' was '%s' before."), name, action_name((enum action)a));
    set_keys(page, action, keys, count);
}

static bool key(struct page *page, wint_t key, bool is_code)
{
    struct options *options = page->state;
    if (!options->catching)
        return false;
    catch_key(page, is_code || key < 128 ? (int)key : 0);
    return true;
}

static void set_color(struct page *page, enum style style, const char *text)
{
    struct config *config = page->screen->config;
    reload(config);
    int faults = config->problem_count;
    bool changed = config_set_color(config, style, text);
    if (changed && config->problem_count > faults) { // what was typed is none: as before
        page_say(page, true, "%s", config->problems[config->problem_count - 1].text);
        reload(config);
        return;
    }
    keep(page, changed);
}

static void typed(struct page *page, int which, const char *text)
{
    struct options *options = page->state;
    const struct row *row = &options->rows[options->selected];
    if (which == PROMPT_VALUE && row->kind == ROW_OPTION)
        set_option(page, (enum config_option)row->index, text);
    else if (which == PROMPT_COLOR && row->kind == ROW_COLOR)
        set_color(page, (enum style)row->index, text);
}

static void change(struct page *page)
{
    struct options *options = page->state;
    const struct row *row = &options->rows[options->selected];
    if (row->kind == ROW_OPTION && config_row((enum config_option)row->index)->kind == CONFIG_NUMBER) {
        page_prompt(page, PROMPT_VALUE, _("Value: "),
                    config_value(page->screen->config, (enum config_option)row->index));
    } else if (row->kind == ROW_OPTION) {
        step_option(page, (enum config_option)row->index, 1);
    } else if (row->kind == ROW_KEY && row->index == ACTION_CANCEL) {
        page_say(page, false, _("^C always stops what is being computed: it cannot be changed."));
    } else if (row->kind == ROW_KEY) {
        options->catching = true;
        options->adding = false;
        page_say(page, false, _("Press the key that shall do this; Esc leaves it as it is."));
    } else if (row->kind == ROW_COLOR) {
        page_prompt(page, PROMPT_COLOR, _("Colour (0 to 255 or default, on 0 to 255, bold, underline): "), "");
    }
}

static void step(struct page *page, int by)
{
    struct options *options = page->state;
    const struct row *row = &options->rows[options->selected];
    if (row->kind == ROW_OPTION) {
        step_option(page, (enum config_option)row->index, by);
    } else if (row->kind == ROW_KEY && by > 0 && row->index != ACTION_CANCEL) {
        options->catching = options->adding = true;
        page_say(page, false, _("Press a further key that shall do this; Esc leaves it as it is."));
    }
}

// The line goes out of the file.
static void reset(struct page *page)
{
    struct options *options = page->state;
    const struct row *row = &options->rows[options->selected];
    struct config *config = page->screen->config;
    char name[64];
    if (row->kind == ROW_OPTION)
        snprintf(name, sizeof name, "%s", config_row((enum config_option)row->index)->name);
    else if (row->kind == ROW_KEY)
        snprintf(name, sizeof name, "key %s", action_name((enum action)row->index));
    else if (row->kind == ROW_COLOR)
        snprintf(name, sizeof name, "color %s", style_name((enum style)row->index));
    else
        return;
    reload(config);
    bool done = config_unset(config, name);
    if (done && row->kind == ROW_OPTION)
        apply(page->screen, (enum config_option)row->index);
    keep(page, done);
}

static bool act(struct page *page, enum action action)
{
    struct options *options = page->state;
    int leap = page->body.rows > 4 ? page->body.rows - 4 : 1;
    switch (action) {
    case ACTION_ROW_UP:
        move_to(options, options->selected - 1, -1);
        return true;
    case ACTION_ROW_DOWN:
        move_to(options, options->selected + 1, 1);
        return true;
    case ACTION_ROWS_UP:
        move_to(options, options->selected - leap, -1);
        return true;
    case ACTION_ROWS_DOWN:
        move_to(options, options->selected + leap, 1);
        return true;
    case ACTION_ROW_FIRST:
        move_to(options, 0, 1);
        return true;
    case ACTION_ROW_LAST:
        move_to(options, options->count - 1, -1);
        return true;
    case ACTION_VALUE_BEFORE:
        step(page, -1);
        return true;
    case ACTION_VALUE_NEXT:
        step(page, 1);
        return true;
    case ACTION_VALUE_CHANGE:
        change(page);
        return true;
    case ACTION_VALUE_RESET:
        reset(page);
        return true;
    default:
        return false;
    }
}

// ---- drawing
// --------------------------------------------------------------------------------------------------

static void draw_columns(const struct pane *pane, struct rect line, bool selected, const char *name, enum style style,
                         const char *value, const char *help)
{
    enum style text = selected ? STYLE_SELECTED : STYLE_TEXT;
    int wide = line.columns >= 100 ? 26 : 20;
    theme_set(pane->theme, text);
    for (int i = 0; selected && i < line.columns; i++)
        mvaddch(line.row, line.column + i, ' ');
    draw_text(pane, text, line.row, line.column, 2,
              !selected ? "  " : pane->theme->glyphs->unicode ? "▸ " : "> ");
    draw_text(pane, text, line.row, line.column + 2, 16, name);
    draw_text(pane, selected ? STYLE_SELECTED : style, line.row, line.column + 19, wide - 1, value);
    draw_text(pane, selected ? STYLE_SELECTED : STYLE_DIM, line.row, line.column + 19 + wide, line.columns - 19 - wide,
              help);
}

static void describe_color(const struct theme_override *override, char *out, size_t size)
{
    char front[16] = "", back[24] = "";
    if (override->front >= -1)
        snprintf(front, sizeof front, override->front < 0 ? "default " : "%d ", override->front);
    if (override->back >= -1)
        snprintf(back, sizeof back, override->back < 0 ? "on default " : "on %d ", override->back);
    snprintf(out, size, "%s%s%s%s", front, back, override->bold ? "bold " : "", override->underline ? "underline" : "");
}

static void draw_row(struct page *page, const struct pane *pane, struct rect line, int index)
{
    const struct options *options = page->state;
    const struct row *row = &options->rows[index];
    const struct config *config = page->screen->config;
    bool selected = index == options->selected;
    char text[80];
    if (row->kind == ROW_HEADING) {
        draw_text(pane, STYLE_TITLE, line.row, line.column, line.columns, _(row->heading));
    } else if (row->kind == ROW_FAULT) {
        const struct config_problem *problem = &config->problems[row->index];
        enum style style = selected ? STYLE_SELECTED : STYLE_WARN;
        int used = problem->line ? draw_format(pane, style, line.row, line.column + 2, line.columns - 2, _("line %d: "),
                                               problem->line)
                                 : 0;
        draw_text(pane, style, line.row, line.column + 2 + used, line.columns - 2 - used, problem->text);
    } else if (row->kind == ROW_OPTION) {
        enum config_option option = (enum config_option)row->index;
        bool own = config->values[option][0];
        draw_columns(pane, line, selected, config_row(option)->name, own ? STYLE_STRONG : STYLE_DIM,
                     config_value(config, option), _(config_row(option)->help));
    } else if (row->kind == ROW_KEY) {
        const struct key_row *key = key_row((enum action)row->index);
        draw_columns(pane, line, selected, action_name((enum action)row->index),
                     config->has_keys[row->index] ? STYLE_KEY : STYLE_DIM, key->written, _(key->help));
    } else {
        describe_color(&config->colors[row->index], text, sizeof text);
        draw_columns(pane, line, selected, style_name((enum style)row->index), (enum style)row->index,
                     config->colors[row->index].given ? text : _("as in the theme"), _(style_help((enum style)row->index)));
    }
}

// What the row's line may have cut.
static const char *full_text(const struct config *config, const struct row *row)
{
    switch (row->kind) {
    case ROW_OPTION: return _(config_row((enum config_option)row->index)->help);
    case ROW_KEY: return _(key_row((enum action)row->index)->help);
    case ROW_FAULT: return config->problems[row->index].text;
    default: return "";
    }
}

static void draw(struct page *page, const struct pane *pane)
{
    struct options *options = page->state;
    struct rect body = page->body;
    const char *path = page->screen->config->path;
    int room = body.rows - 1 - DETAIL_ROWS;
    draw_title(pane, body, _("CONFIGURATION"), path[0] ? path : _("nowhere to save them"), true);
    if (options->selected < options->first + 1)
        options->first = options->selected > 0 ? options->selected - 1 : 0; // a heading above stays in sight
    if (options->selected >= options->first + room)
        options->first = options->selected - room + 1;
    for (int i = 0; i < room && options->first + i < options->count; i++)
        draw_row(page, pane, (struct rect){body.row + 1 + i, body.column, 1, body.columns}, options->first + i);
    draw_wrapped(pane, STYLE_TEXT,
                 (struct rect){body.row + body.rows - DETAIL_ROWS, body.column + 2, DETAIL_ROWS, body.columns - 4},
                 full_text(page->screen->config, &options->rows[options->selected]));
}

static void status(struct page *page, char *out, size_t size)
{
    int faults = page->screen->config->problem_count;
    if (faults > 0)
        snprintf(out, size, ngettext_(faults, "%d fault in the file ", "%d faults in the file "), faults);
}

static void mouse(struct page *page, const struct page_mouse *event)
{
    struct options *options = page->state;
    int row = options->first + event->row - page->body.row - 1;
    if (event->wheel)
        move_to(options, options->selected + event->wheel, event->wheel);
    else if (event->pressed && rect_holds(page->body, event->row, event->column) && row >= 0 && row < options->count)
        move_to(options, row, 1);
}

static const char about[] =
    N_("What the screen is like when it starts: the options, which key does what, and the colours. Each change is "
       "written into the configuration file at once, where comments stay as they are. Bright values come from the "
       "file, dim ones are the program's own.");

const struct page_kind page_options = {
    .id = PAGE_OPTIONS,
    .size = sizeof(struct options),
    .about = about,
    .open = open,
    .status = status,
    .draw = draw,
    .act = act,
    .key = key,
    .mouse = mouse,
    .typed = typed,
    .exports = page_exports_frame,
};
