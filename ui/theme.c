#include "ui/theme.h"

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
    short dark, light, dark_back, light_back, basic;
    attr_t attributes, plain;
};
#define STYLE_ROW(id, dark, light, dark_back, light_back, basic, attributes, plain)                          \
    {dark, light, dark_back, light_back, basic, attributes, plain},
static const struct style_row styles[STYLE_COUNT] = {STYLES(STYLE_ROW)};
#undef STYLE_ROW

static void theme_init_style(struct theme *theme, int id)
{
    const struct style_row *row = &styles[id];
    theme->pairs[id] = 0;
    theme->attributes[id] = row->plain;
    if (!theme->color)
        return;
    short pair = (short)(id + 1);
    if (theme->colors >= 256) {
        init_pair(pair, theme->dark ? row->dark : row->light, theme->dark ? row->dark_back : row->light_back);
        theme->attributes[id] = row->attributes;
    } else {
        init_pair(pair, row->basic, -1); // the hue, and the marks of the colourless form
    }
    theme->pairs[id] = pair;
}

void theme_init(struct theme *theme, bool dark, bool color, bool unicode, const unsigned char background[3])
{
    *theme =
        (struct theme){.dark = dark, .color = color, .glyphs = unicode ? &unicode_glyphs : &ascii_glyphs};
    theme->colors = color ? COLORS : 0;
    memcpy(theme->background, background, 3);
    memset(theme->ink, dark ? 235 : 30, 3);
    for (int id = 0; id < STYLE_COUNT; id++)
        theme_init_style(theme, id);
}

void theme_set(const struct theme *theme, enum style style)
{
    attr_set(theme->attributes[style], theme->pairs[style], NULL);
}
