// A further run of the backend and what is seen of it, for pages that show several.
#ifndef TRIMSCOPE_UI_LANE_H
#define TRIMSCOPE_UI_LANE_H

#include "ui/view.h"

// Starts lane `index` as a copy of lane 0, and its view as a copy of what is seen of that, so that there is something to
// be seen at once. False: no memory.
bool lane_open(const struct backend *backend, int index, const struct view *from, struct backend *lane, struct view *view);

// Takes what the lane has to say, asking for the rest of its run. Pixels that are there already are no news. Returns
// whether anything to be seen changed.
bool lane_take_news(const struct backend *lane, struct view *view);

#endif
