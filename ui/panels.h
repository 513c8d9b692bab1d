// The panels of the screen. Each draws itself into its rectangle of the layout from the view alone; the hit
// functions say what stands at a cell, for the mouse.
#ifndef TRIMSCOPE_UI_PANELS_H
#define TRIMSCOPE_UI_PANELS_H

#include "ui/draw.h"
#include "ui/terminal.h"

void panel_header(const struct pane *pane);
void panel_story(const struct pane *pane);
void panel_hints(const struct pane *pane);
// Messages, work going on, the command: one row. A message that is longer also takes that of the hints, where those are not
// a prompt (`most` 2). Returns the rows used.
int panel_note(const struct pane *pane, int most);

// A command (NULL: none) at the bottom of a rectangle, or what fits of it and the key that tells it whole. Returns the rows
// used.
int panel_command(const struct pane *pane, struct rect rect, const char *command);

// What the picture shows and how to read it: one row under the picture.
void panel_legend(const struct pane *pane, enum graphics graphics);

void panel_words(const struct pane *pane);
int panel_words_hit(const struct pane *pane, int row, int column); // token, -1: none

void panel_heads(const struct pane *pane);
bool panel_heads_hit(const struct pane *pane, int row, int column, struct head_place *place);
// The head beside `place` in a direction of the panel; false: there is none.
bool panel_heads_move(const struct view *view, struct head_place *place, int rows, int columns);

void panel_cost(const struct pane *pane);
void panel_cost_of_run(const struct pane *pane); // up to its end, whichever stage is shown; two rows
void panel_answer(const struct pane *pane);
void panel_inspect(const struct pane *pane);
// "alive", "dropped in fusion 2" (wide: in whole words), and a score as it is written everywhere.
void panel_token_state(const struct view *view, int stage, int stream, int token, bool wide, char *out, size_t size);
void panel_number(char *out, size_t size, float value);

// Names, counts and the marker under the film strip (its pictures are pixels, see scene.h).
void panel_strip(const struct pane *pane);
int panel_strip_hit(const struct pane *pane, int row, int column);           // stage, -1: none
int panel_strip_first(const struct layout *layout, const struct view *view); // the leftmost stage shown

#endif
