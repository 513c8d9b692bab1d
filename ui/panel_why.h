// Why something was kept or dropped, what would have been otherwise, and sets that the answer hangs on: the panel of the
// page "why".
#ifndef TRIMSCOPE_UI_PANEL_WHY_H
#define TRIMSCOPE_UI_PANEL_WHY_H

#include "ui/draw.h"

struct panel_why {
    const struct backend_why *why; // NULL: not known yet
    bool stale;                    // it is about what the cursor was on before
    bool set_shown;                // sets instead of the one decision
    enum explain_search search;
    unsigned over;
    bool searching;
    char progress[120];
    float done;                    // NaN: unknown
    const struct explain_set *set; // NULL: none
    bool applied;                  // the run on the screen has the set's changes
};

void panel_why(const struct pane *pane, struct rect rect, const struct panel_why *panel);

// What the searches try, in words.
const char *panel_why_over(unsigned over);

#endif
