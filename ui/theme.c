#include "ui/theme.h"

#include "ui/names.h"

#include <string.h>

static const struct glyphs unicode_glyphs = {
    .bar = "▄",
    .half_bar = "▖",
    .track = "▁",
    .live = "■",
    .dropped = "□",
    .rule = "─",
    .ellipsis = "…",
    .dot = "·",
    .up = "▲",
    .down = "▼",
    .unicode = true,
};

static const struct glyphs ascii_glyphs = {
    .bar = "#",
    .half_bar = "=",
    .track = "-",
    .live = "#",
    .dropped = ".",
    .rule = "-",
    .ellipsis = "~",
    .dot = "|",
    .up = "+",
    .down = "-",
    .unicode = false,
};

struct style_row {
    const char *name;
    short dark, light, contrast, safe, safe_light, dark_back, light_back, contrast_back, basic;
    attr_t attributes, plain;
};
#define STYLE_ROW(id, ...) {#id, __VA_ARGS__},
static const struct style_row styles[STYLE_COUNT] = {STYLES(STYLE_ROW)};
#undef STYLE_ROW

static const struct {
    const char *name, *help;
} themes[THEME_COUNT] = {
#define THEME_ROW(id, name, help) {name, help},
    THEMES(THEME_ROW)
#undef THEME_ROW
};

const char *theme_name(enum theme_kind kind)
{
    return kind == THEME_AUTO ? "auto" : themes[kind].name;
}

const char *theme_help(enum theme_kind kind)
{
    return themes[kind].help;
}

bool theme_parse(const char *name, enum theme_kind *kind)
{
    for (int k = THEME_AUTO; k < THEME_COUNT; k++)
        if (!strcmp(name, theme_name((enum theme_kind)k))) {
            *kind = (enum theme_kind)k;
            return true;
        }
    return false;
}

const char *style_name(enum style style)
{
    static char names[STYLE_COUNT][16];
    return name_lower(names[style], sizeof names[style], styles[style].name);
}

const char *style_help(enum style style)
{
    static const char *const helps[STYLE_COUNT] = {
        [STYLE_TEXT] = N_("text"),
        [STYLE_STRONG] = N_("what just happened, and what is chosen"),
        [STYLE_DIM] = N_("what stands beside"),
        [STYLE_TITLE] = N_("titles of panels"),
        [STYLE_RULE] = N_("the lines behind them"),
        [STYLE_BAR] = N_("the line at the top"),
        [STYLE_BAR_STRONG] = N_("its page and stage"),
        [STYLE_BAR_DIM] = N_("its labels"),
        [STYLE_BRAND] = N_("the program's name"),
        [STYLE_ALIVE] = N_("living words, patches and heads"),
        [STYLE_ALIVE_STRONG] = N_("living words of the question"),
        [STYLE_DEAD] = N_("what was dropped before"),
        [STYLE_NEW_DEAD] = N_("what this stage drops"),
        [STYLE_SPENT] = N_("bars of what was spent"),
        [STYLE_TRACK] = N_("what a bar leaves of its length"),
        [STYLE_ANSWER] = N_("the likeliest answer"),
        [STYLE_ANSWER_BAR] = N_("its bar"),
        [STYLE_CURSOR] = N_("the cursor"),
        [STYLE_NUMBER] = N_("numbers"),
        [STYLE_WARN] = N_("warnings and errors"),
        [STYLE_KEY] = N_("keys"),
        [STYLE_RAMP_0] = N_("the lowest scores in blocks and cells"),
        [STYLE_RAMP_1] = N_("low scores"),
        [STYLE_RAMP_2] = N_("scores below the middle"),
        [STYLE_RAMP_3] = N_("scores above the middle"),
        [STYLE_RAMP_4] = N_("high scores"),
        [STYLE_RAMP_5] = N_("the highest scores"),
        [STYLE_SELECTED] = N_("the line that is chosen"),
    };
    return helps[style];
}

enum style style_parse(const char *name)
{
    int style = 0;
    while (style < STYLE_COUNT && strcmp(name, style_name((enum style)style)))
        style++;
    return (enum style)style;
}

void theme_colors(enum theme_kind kind, bool dark, enum style style, short *front, short *back)
{
    const struct style_row *row = &styles[style];
    *back = dark ? row->dark_back : row->light_back;
    if (kind == THEME_CONTRAST) {
        *front = row->contrast;
        *back = row->contrast_back;
    } else if (kind == THEME_COLORBLIND) {
        *front = dark ? row->safe : row->safe_light;
    } else {
        *front = dark ? row->dark : row->light;
    }
}

short theme_basic_color(bool dark, enum style style)
{
    short color = styles[style].basic;
    return dark || (color != COLOR_CYAN && color != COLOR_YELLOW) ? color : color == COLOR_CYAN ? COLOR_BLUE : COLOR_RED;
}

static void theme_init_style(struct theme *theme, int id, const struct theme_override *override)
{
    const struct style_row *row = &styles[id];
    short front, back;
    theme_colors(theme->kind, theme->dark, (enum style)id, &front, &back);
    theme->pairs[id] = 0;
    theme->attributes[id] = row->plain;
    if (!theme->color)
        return;
    if (theme->colors >= 256) {
        theme->attributes[id] = row->attributes;
        if (theme->own && back == -1)
            back = theme->dark ? 16 : 231;
    } else { // the hue, and the marks of the colourless form
        front = theme_basic_color(theme->dark, (enum style)id);
        back = !theme->own ? -1 : theme->dark ? COLOR_BLACK : COLOR_WHITE;
        if (theme->own && front == -1)
            front = theme->dark ? COLOR_WHITE : COLOR_BLACK;
        if (!theme->dark) // such terminals draw bold brighter, which is paler there
            theme->attributes[id] &= ~A_BOLD;
    }
    if (override->given) {
        if (override->front > -2 && override->front < theme->colors)
            front = override->front;
        if (override->back > -2 && override->back < theme->colors)
            back = override->back;
        theme->attributes[id] = (override->bold ? A_BOLD : A_NORMAL) | (override->underline ? A_UNDERLINE : A_NORMAL);
    }
    init_pair((short)(id + 1), front, back);
    theme->pairs[id] = (short)(id + 1);
}

void theme_init(struct theme *theme, enum theme_kind kind, bool dark, bool own, bool color, bool unicode,
                const unsigned char background[3], const struct theme_override *overrides)
{
    static const struct theme_override none = {0};
    *theme = (struct theme){
        .kind = kind, .dark = dark, .own = own || kind == THEME_CONTRAST, .color = color, .glyphs = unicode ? &unicode_glyphs : &ascii_glyphs};
    theme->colors = color ? COLORS : 0;
    memcpy(theme->background, background, 3);
    memset(theme->ink, dark ? 235 : 30, 3);
    for (int id = 0; id < STYLE_COUNT; id++)
        theme_init_style(theme, id, overrides ? &overrides[id] : &none);
    cchar_t blank;
    if (setcchar(&blank, L" ", A_NORMAL, color && theme->own ? theme->pairs[STYLE_TEXT] : 0, NULL) == OK)
        bkgrndset(&blank);
}

void theme_set(const struct theme *theme, enum style style)
{
    attr_set(theme->attributes[style], theme->pairs[style], NULL);
}
