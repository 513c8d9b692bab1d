// The colours: high contrast is high, and what means something can be told apart by colour-blind people.
#include "tests/support/cmocka_all.h"
#include "ui/theme.h"

#include <math.h>

// sRGB of a colour of the 256, linear; -1 is the background.
static void color_linear(short color, bool dark, double rgb[3])
{
    static const int steps[] = {0, 95, 135, 175, 215, 255};
    for (int i = 0; i < 3; i++) {
        int value = color < 0       ? (dark ? 0 : 255)
                    : color >= 232 ? 8 + 10 * (color - 232)
                                   : steps[(color - 16) / (i == 0 ? 36 : i == 1 ? 6 : 1) % 6];
        double v = value / 255.0;
        rgb[i] = v <= 0.04045 ? v / 12.92 : pow((v + 0.055) / 1.055, 2.4);
    }
}

static double luminance(const double rgb[3])
{
    return 0.2126 * rgb[0] + 0.7152 * rgb[1] + 0.0722 * rgb[2];
}

// Contrast as WCAG counts it.
static double contrast(enum theme_kind kind, bool dark, enum style style)
{
    short front, back;
    double a[3], b[3];
    theme_colors(kind, dark, style, &front, &back);
    color_linear(front, !dark, a); // the terminal's own text is the other end
    color_linear(back, dark, b);
    double one = luminance(a), two = luminance(b);
    return (fmax(one, two) + 0.05) / (fmin(one, two) + 0.05);
}

static bool is_ramp(int style)
{
    return style >= STYLE_RAMP_0 && style <= STYLE_RAMP_5; // the picture's own colours, see paint_ramp()
}

static void test_contrast(void **state)
{
    (void)state;
    for (int style = 0; style < STYLE_COUNT; style++) {
        if (is_ramp(style))
            continue;
        if (!(contrast(THEME_CONTRAST, true, (enum style)style) >= 7 || style == STYLE_TRACK))
            fail_msg("%s has a contrast of %.1f", style_name((enum style)style),
                     contrast(THEME_CONTRAST, true, (enum style)style));
    }
    // What is only drawn (bars) needs 3; rules and what a bar leaves of its length say nothing that no number says.
    static const enum style drawn[] = {STYLE_SPENT, STYLE_ANSWER_BAR}, ornament[] = {STYLE_RULE, STYLE_TRACK};
    static const struct {
        enum theme_kind kind;
        bool dark;
    } themes[] = {{THEME_DARK, true}, {THEME_LIGHT, false}, {THEME_COLORBLIND, true}, {THEME_COLORBLIND, false}};
    for (size_t t = 0; t < sizeof themes / sizeof *themes; t++)
        for (int i = 0; i < STYLE_COUNT; i++) {
            enum style style = (enum style)i;
            double least = 4.5, found = contrast(themes[t].kind, themes[t].dark, style);
            for (int d = 0; d < 2; d++)
                least = style == ornament[d] ? 0 : style == drawn[d] ? 3 : least;
            if (!is_ramp(i) && found < least)
                fail_msg("%s in theme %s: contrast %.1f", style_name(style), theme_name(themes[t].kind), found);
        }
}

// The eight colours as xterm has them, on black and on white.
static void test_eight_colors(void **state)
{
    (void)state;
    static const unsigned char rgb[8][3] = {{0, 0, 0},   {205, 0, 0},   {0, 205, 0},   {205, 205, 0},
                                            {0, 0, 238}, {205, 0, 205}, {0, 205, 205}, {229, 229, 229}};
    for (int dark = 0; dark < 2; dark++)
        for (int i = 0; i < STYLE_COUNT; i++) {
            short color = theme_basic_color(dark, (enum style)i);
            double linear[3];
            if (color < 0 || is_ramp(i))
                continue;
            for (int c = 0; c < 3; c++)
                linear[c] = pow((rgb[color][c] / 255.0 + 0.055) / 1.055, 2.4);
            double one = luminance(linear), two = dark ? 0 : 1;
            double found = (fmax(one, two) + 0.05) / (fmin(one, two) + 0.05);
            if (found < 4.5)
                fail_msg("%s in 8 colours: contrast %.1f", style_name((enum style)i), found);
        }
}

// What people see who lack one kind of cone (Machado, Oliveira and Fernandes 2009, severity 1), as CIE L*a*b*.
static void seen(const double matrix[9], short color, bool dark, double lab[3])
{
    double rgb[3], as[3], xyz[3];
    static const double to_xyz[9] = {0.4124, 0.3576, 0.1805, 0.2126, 0.7152, 0.0722, 0.0193, 0.1192, 0.9505};
    static const double white[3] = {0.9505, 1, 1.089};
    color_linear(color, dark, rgb);
    for (int i = 0; i < 3; i++)
        as[i] = fmax(0, matrix[3 * i] * rgb[0] + matrix[3 * i + 1] * rgb[1] + matrix[3 * i + 2] * rgb[2]);
    for (int i = 0; i < 3; i++) {
        double v = (to_xyz[3 * i] * as[0] + to_xyz[3 * i + 1] * as[1] + to_xyz[3 * i + 2] * as[2]) / white[i];
        xyz[i] = v > 0.008856 ? cbrt(v) : 7.787 * v + 16.0 / 116;
    }
    lab[0] = 116 * xyz[1] - 16;
    lab[1] = 500 * (xyz[0] - xyz[1]);
    lab[2] = 200 * (xyz[1] - xyz[2]);
}

static void test_colour_blind(void **state)
{
    (void)state;
    static const double sights[3][9] = {
        {0.152286, 1.052583, -0.204868, 0.114503, 0.786281, 0.099216, -0.003882, -0.048116, 1.051998}, // protanopia
        {0.367322, 0.860646, -0.227968, 0.280085, 0.672501, 0.047413, -0.011820, 0.042940, 0.968881},  // deuteranopia
        {1, 0, 0, 0, 1, 0, 0, 0, 1},
    };
    static const enum style pairs[][2] = {{STYLE_ALIVE, STYLE_NEW_DEAD}, {STYLE_ALIVE, STYLE_DEAD},
                                          {STYLE_NEW_DEAD, STYLE_DEAD},  {STYLE_SPENT, STYLE_ANSWER_BAR},
                                          {STYLE_TEXT, STYLE_WARN},      {STYLE_KEY, STYLE_ANSWER}};
    for (int dark = 0; dark < 2; dark++)
        for (int sight = 0; sight < 3; sight++)
            for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
                short front[2], back;
                double lab[2][3], distance = 0;
                for (int k = 0; k < 2; k++) {
                    theme_colors(THEME_COLORBLIND, dark, pairs[i][k], &front[k], &back);
                    seen(sights[sight], front[k], dark, lab[k]);
                }
                for (int k = 0; k < 3; k++)
                    distance += (lab[0][k] - lab[1][k]) * (lab[0][k] - lab[1][k]);
                if (sqrt(distance) < 25) // ten times what can just be told apart
                    fail_msg("%s and %s, sight %d, %s: distance %.1f", style_name(pairs[i][0]), style_name(pairs[i][1]),
                             sight, dark ? "dark" : "light", sqrt(distance));
            }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_contrast), cmocka_unit_test(test_eight_colors),
        cmocka_unit_test(test_colour_blind),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
