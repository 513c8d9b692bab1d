// The figure page as data, for whoever draws it elsewhere (an export).
#ifndef TRIMSCOPE_UI_PAGE_FIGURE_H
#define TRIMSCOPE_UI_PAGE_FIGURE_H

#include "ui/figure.h"
#include "ui/page.h"

// The rows that have been computed so far; borrowed from the page.
void page_figure_take(const struct page *page, struct figure *out);

#endif
