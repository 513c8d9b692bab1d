// The article's figure of progressive trimming for papers and slides: a row for each run, a column for each stage, what
// survives clear and what was dropped greyed, the words dropped by then struck, and the answer at the end. Real text,
// sizes in points.
#ifndef TRIMSCOPE_UI_EXPORT_FIGURE_H
#define TRIMSCOPE_UI_EXPORT_FIGURE_H

#include "engine/base/error.h"
#include "ui/bytes.h"
#include "ui/figure.h"

struct export_figure_options {
    int columns;   // stages at most, 0: as many as there is room for
    bool dark;     // for dark slides
    double points; // width on paper, 0: 510 (18 cm, a page's text in two columns)
};

// The whole file, added to `out`: SVG, or a PNG of 300 dots per inch.
bool export_figure_svg(const struct figure *figure, const struct export_figure_options *options, struct bytes *out,
                       struct error *err);
bool export_figure_png(const struct figure *figure, const struct export_figure_options *options, struct bytes *out,
                       struct error *err);

#endif
