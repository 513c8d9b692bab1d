// Which lessons the person has done, remembered in $XDG_STATE_HOME/trimscope/lessons: a name in each line.
#ifndef TRIMSCOPE_UI_LESSON_DONE_H
#define TRIMSCOPE_UI_LESSON_DONE_H

#include "ui/lesson_tour.h"

// Sets tour->done. What cannot be read is not done.
void lesson_done_read(struct tour *tour);
// Writes them, whole or not at all. False and *err when that is impossible.
bool lesson_done_write(const struct tour *tour, struct error *err);

#endif
