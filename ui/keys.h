// One table of everything a key can do, and on which page: the enum, the dispatch, the help and the footer hints come from it.
#ifndef TRIMSCOPE_UI_KEYS_H
#define TRIMSCOPE_UI_KEYS_H

#include "ui/backend.h"
#include "ui/words.h"

#include <stddef.h>

enum key_group { KEYS_STEP, KEYS_LOOK, KEYS_CHANGE, KEYS_ASK, KEYS_PROGRAM, KEY_GROUPS };
const char *key_group_title(enum key_group group);

// Where a hint is worth a place in the footer, by focus; ANYWHERE hints come after those of the focus, and
// ALWAYS ones have their place at the right.
// Within a kind the order is that of KEYS. HINT_ROOM ones only fill what is left in a wide window.
// HINT_LIST is no row's: something is chosen from a list, and other keys mean nothing until then.
enum key_hint { HINT_NONE, HINT_STAGES, HINT_CURSOR, HINT_ANYWHERE, HINT_ROOM, HINT_ALWAYS, HINT_LIST };

// Pages (ui/page.h): id, name, title. The first is the lowest one.
#define PAGES(X)                                                                                             \
    X(STEPPER, stepper, N_("Stepper")) \
    X(COMPARE, compare, N_("Side by side"))                                                                  \
    X(FIGURE, figure, N_("What each question keeps"))                                                        \
    X(OPTIONS, options, N_("Options")) \
    X(EXPORT, export, N_("Export"))                                                                          \
    X(WHY, why, N_("Why"))                                                                                   \
    X(SET, set, N_("Question set")) \
    X(SWEEP, sweep, N_("Sweep")) \
    X(REDUNDANCY, redundancy, N_("Redundancy")) \
    X(HEADS, heads, N_("Heads")) \
    X(COMPOSE, compose, N_("Compose")) \
    X(EDIT, edit, N_("Edit a copy")) \
    X(LESSON, lesson, N_("Lessons")) \
    X(TRAIN, train, N_("Training")) \
    X(COMMAND_LINE, command_line, N_("Command"))

#define PAGE_ENUM(id, name, title) PAGE_##id,
enum page_id { PAGES(PAGE_ENUM) PAGE_COUNT };
#undef PAGE_ENUM

// Where a row works.
#define ON(page) (1U << PAGE_##page)
#define EVERYWHERE (~0U)
#define ON_RUNS (ON(STEPPER) | ON(COMPARE)) // on what shows runs stage by stage
#define ON_PUSHED (~ON(STEPPER)) // on all pages that are opened above another

// On what a command makes that is told below it.
#define ON_WITH_COMMAND (ON_RUNS | ON(FIGURE) | ON(WHY) | ON(HEADS) | ON(REDUNDANCY) | ON(EDIT) | ON(LESSON))

#define ON_EASELS (ON(COMPOSE) | ON(EDIT)) // on what changes pictures

// id, keys (curses codes, at most 6), how they are written, pages, group, ability needed (0: none), footer hint,
// footer word, help.
#define KEYS(X)                                                                                             \
    X(LEFT, K(KEY_LEFT, 'h'), "← h", ON_RUNS | ON(FIGURE) | ON(WHY), STEP, 0, NONE, "", N_("previous stage; with a cursor: left")) \
    X(RIGHT, K(KEY_RIGHT, 'l'), "→ l", ON_RUNS | ON(FIGURE) | ON(WHY), STEP, 0, STAGES, N_("step"),                                \
      N_("next stage; with a cursor: right"))                                                                   \
    X(UP, K(KEY_UP, 'k'), "↑ k", ON_RUNS | ON(FIGURE) | ON(WHY) | ON(SET) | ON(SWEEP) | ON(COMMAND_LINE), STEP, 0, NONE, "", N_("previous stage; with a cursor: up"))       \
    X(DOWN, K(KEY_DOWN, 'j'), "↓ j", ON_RUNS | ON(FIGURE) | ON(WHY) | ON(SET) | ON(SWEEP) | ON(COMMAND_LINE), STEP, 0, NONE, "", N_("next stage; with a cursor: down"))     \
    X(PREVIOUS, K(',', KEY_PPAGE), ", PgUp", ON_RUNS | ON(FIGURE) | ON(WHY) | ON(SET) | ON(SWEEP), STEP, 0, NONE, "",                                \
      N_("previous stage, wherever the cursor is"))                                                             \
    X(NEXT, K('.', KEY_NPAGE), ". PgDn", ON_RUNS | ON(FIGURE) | ON(WHY) | ON(SET) | ON(SWEEP), STEP, 0, CURSOR, N_("step"),                              \
      N_("next stage, wherever the cursor is"))                                                                 \
    X(FIRST, K(KEY_HOME, '0', '^'), "Home 0", ON_RUNS | ON(FIGURE) | ON(WHY) | ON(SET) | ON(SWEEP), STEP, 0, NONE, "", N_("first stage"))                \
    X(LAST, K(KEY_END, '$', 'G'), "End $", ON_RUNS | ON(FIGURE) | ON(WHY) | ON(SET) | ON(SWEEP), STEP, 0, NONE, "", N_("last stage: the answer"))        \
    X(PLAY, K(' '), "space", ON_RUNS, STEP, 0, STAGES, N_("play"),                                          \
      N_("play the stages one after the other, or pause"))                                                      \
    X(RUN_ADD, K('+'), "+", ON(COMPARE), CHANGE, 0, ANYWHERE, N_("add…"), N_("add a run…"))                  \
    X(RUN_REMOVE, K('x'), "x", ON(COMPARE), CHANGE, 0, ROOM, N_("remove"), N_("remove the chosen run"))  \
    X(RUN_NEXT, K('n', KEY_BTAB), "n S-Tab", ON(COMPARE), LOOK, 0, ANYWHERE, N_("next run"),                 \
      N_("choose the next run: the one that keys change"))                                                   \
    X(RUN_LESS, K('[', '-'), "[ -", ON(COMPARE), CHANGE, 0, NONE, "",                                        \
      N_("budget of the chosen run down by 0.05"))                                                           \
    X(RUN_MORE, K(']'), "]", ON(COMPARE), CHANGE, 0, NONE, "", N_("budget of the chosen run up by 0.05"))    \
    X(MARKS, K('d'), "d", ON(COMPARE), LOOK, 0, ANYWHERE, N_("marks"),                                       \
      N_("mark the patches that only some runs keep, or not"))                                               \
    X(FOCUS_NEXT, K('\t'), "Tab", ON_RUNS | ON(WHY), LOOK, 0, ANYWHERE, N_("cursor"),                                 \
      N_("cursor to: patches, words, heads, none"))                                                             \
    X(FOCUS_PREVIOUS, K(KEY_BTAB), "S-Tab", ON(STEPPER) | ON(WHY), LOOK, 0, NONE, "", N_("the same, backwards"))          \
    X(SHOW_NEXT, K('s'), "s", ON_RUNS, LOOK, 0, ANYWHERE, N_("show"),                                       \
      N_("what the picture shows: next of 1 to 5"))                                                             \
    X(SHOW_SURVIVORS, K('1'), "1", ON_RUNS, LOOK, 0, NONE, "", N_("survivors: dropped patches are dimmed")) \
    X(SHOW_SELF, K('2'), "2", ON_RUNS, LOOK, 0, NONE, "",                                               \
      N_("self scores: what matters within its own modality"))                                                  \
    X(SHOW_CROSS, K('3'), "3", ON_RUNS, LOOK, 0, NONE, "",                                              \
      N_("cross scores: what matters to the other modality"))                                                   \
    X(SHOW_TOTAL, K('4'), "4", ON_RUNS, LOOK, 0, NONE, "", N_("total scores, against the threshold"))       \
    X(SHOW_ATTENTION, K('5'), "5", ON(STEPPER), LOOK, BACKEND_ATTENTION, NONE, "",                          \
      N_("attention of the chosen word, patch or head"))                                                        \
    X(CHOOSE, K('\n', '\r', KEY_ENTER), "Enter", ON_RUNS, LOOK, BACKEND_ATTENTION, NONE, "",            \
      N_("show the attention of what the cursor is on"))                                                        \
    X(KEEP, K('f'), "f", ON(STEPPER) | ON(WHY), CHANGE, BACKEND_INTERVENE, CURSOR, N_("force stay"),                      \
      N_("force the patch or word to stay, the head on"))                                                       \
    X(DROP, K('x'), "x", ON(STEPPER) | ON(WHY), CHANGE, BACKEND_INTERVENE, CURSOR, N_("force go"),                        \
      N_("force the patch or word to go, the head off"))                                                        \
    X(REOPEN, K('R'), "R", ON(STEPPER), CHANGE, BACKEND_INTERVENE, NONE, "",                                \
      N_("reopen everything from this stage on"))                                                               \
    X(UNDO, K('u'), "u", ON(STEPPER) | ON(WHY), CHANGE, BACKEND_INTERVENE, CURSOR, N_("undo"),                            \
      N_("take the last change back"))                                                                          \
    X(REDO, K('U', 18), "U ^R", ON(STEPPER) | ON(WHY), CHANGE, BACKEND_INTERVENE, NONE, "",                   \
      N_("make the last change taken back again"))                                                          \
    X(ACCEPT, K('\n', '\r', KEY_ENTER), "Enter", ON(WHY), CHANGE, BACKEND_INTERVENE, CURSOR,                \
      N_("make it so"), N_("make the what-if, or the set that was found, one change of the run"))             \
    X(WHY, K('w'), "w", ON(STEPPER) | ON(WHY), LOOK, BACKEND_JOBS, CURSOR, N_("why"),                        \
      N_("why the patch, word or head was kept or dropped; what if not…"))                                  \
    X(RESTORE, K('W'), "W", ON(STEPPER) | ON(WHY), LOOK, BACKEND_JOBS, CURSOR, N_("back?"),                  \
      N_("search what must come back for the unpruned model's answer…"))                                     \
    X(BREAK, K('B'), "B", ON(WHY), LOOK, BACKEND_JOBS, CURSOR, N_("lose?"),                                  \
      N_("search what the answer hangs on: without it, it is another one"))                                  \
    X(OVER, K('o'), "o", ON(WHY), LOOK, 0, CURSOR, N_("try"),                                                \
      N_("what the searches try: everything, patches, words or heads"))                                     \
    X(POLICY, K('p'), "p", ON_RUNS | ON(SET), CHANGE, BACKEND_POLICY, ROOM, N_("policy…"),                          \
      N_("choose the pruning policy…"))                                                                         \
    X(BUDGET, K('b'), "b", ON_RUNS | ON(SET), CHANGE, BACKEND_POLICY, ROOM, N_("budget…"),                          \
      N_("type the budget: share of the unpruned FLOPs, a mean over questions…"))                                                      \
    X(LESS, K('[', '-'), "[ -", ON(STEPPER), CHANGE, BACKEND_POLICY, NONE, "", N_("budget down by 0.05"))       \
    X(MORE, K(']', '+', '='), "] +", ON(STEPPER), CHANGE, BACKEND_POLICY, NONE, "", N_("budget up by 0.05"))    \
    X(ASK, K('a', '/'), "a /", ON_RUNS | ON(FIGURE), ASK, BACKEND_ASK, ANYWHERE, N_("ask…"), N_("ask another question…"))    \
    X(OPEN, K('o'), "o", ON_RUNS, ASK, BACKEND_OPEN, ANYWHERE, N_("open…"), N_("open another picture…"))        \
    X(SET, K('S'), "S", ON(STEPPER) | ON(SET) | ON(SWEEP), ASK, BACKEND_JOBS, NONE, "",                      \
      N_("a question set or a file of results as a table…"))                                                 \
    X(TABLE_OPEN, K('\n', '\r', KEY_ENTER), "Enter", ON(SET) | ON(SWEEP), LOOK, 0, ANYWHERE, N_("open"),     \
      N_("step through the question chosen; Esc comes back here"))                                           \
    X(TABLE_LEFT, K(KEY_LEFT, 'h'), "← h", ON(SET), LOOK, 0, ANYWHERE, N_("sort"), N_("sort by the column before"))\
    X(TABLE_RIGHT, K(KEY_RIGHT, 'l'), "→ l", ON(SET), LOOK, 0, NONE, "", N_("sort by the next column"))      \
    X(TABLE_REVERSE, K(' '), "space", ON(SET), LOOK, 0, ANYWHERE, N_("reverse"), N_("sort the other way round"))\
    X(TABLE_FILTER, K('/'), "/", ON(SET), LOOK, 0, ANYWHERE, N_("filter…"),                                  \
      N_("only rows that hold a text: in question, truth, answer or picture…"))                              \
    X(TABLE_TYPE, K('y'), "y", ON(SET), LOOK, 0, ANYWHERE, N_("type"), N_("only rows of the next type, at last all"))\
    X(TABLE_WRONG, K('w'), "w", ON(SET), LOOK, 0, ANYWHERE, N_("wrong"),                                     \
      N_("only what was answered wrongly, then rightly, then all"))                                          \
    X(TABLE_SIDE, K('d'), "d", ON(SET), LOOK, 0, ROOM, N_("differences"),                                        \
      N_("what only one of two runs answers rightly: this, the other, all again"))                     \
    X(TABLE_BESIDE, K('v'), "v", ON(SET), LOOK, BACKEND_JOBS, ROOM, N_("beside…"),                              \
      N_("another run over this set beside it: a file of results…"))                                         \
    X(TABLE_FIGURES, K('\t'), "Tab", ON(SET), LOOK, 0, ANYWHERE, N_("figures"),                              \
      N_("figures or table, where there is no room for both"))                                               \
    X(SWEEP, K('P'), "P", ON(SET), LOOK, BACKEND_JOBS, ANYWHERE, N_("sweep"),                                \
      N_("policies times budgets over this set: the Pareto front"))                                          \
    X(SWEEP_AXIS, K('x'), "x", ON(SWEEP), LOOK, 0, ANYWHERE, N_("FLOPs or time"),                            \
      N_("accuracy against FLOPs, or against measured time"))                                                \
    X(LESSONS, K('L'), "L", ON(STEPPER), ASK, 0, ANYWHERE, N_("lessons"), N_("lessons: a guided tour"))        \
    X(LESSON_NEXT, K(' '), "space", ON(LESSON), STEP, 0, STAGES, N_("go on"), N_("go on in the lesson, then to the next one")) \
    X(LESSON_BACK, K('b', KEY_BACKSPACE, 127), "b", ON(LESSON), STEP, 0, STAGES, N_("go back"), N_("back in the lesson, then to the one before")) \
    X(LESSON_A, K('A'), "A", ON(LESSON), ASK, 0, NONE, "", N_("the first answer to the lesson's question"))    \
    X(LESSON_B, K('B'), "B", ON(LESSON), ASK, 0, NONE, "", N_("the second answer"))                            \
    X(LESSON_C, K('C'), "C", ON(LESSON), ASK, 0, NONE, "", N_("the third answer"))                             \
    X(LESSON_D, K('D'), "D", ON(LESSON), ASK, 0, NONE, "", N_("the fourth answer"))                            \
    X(COMPARE, K('v'), "v", ON(STEPPER), LOOK, BACKEND_COMPARE, ROOM, N_("compare"),                       \
      N_("runs side by side: another question, policy, budget or picture"))                                  \
    X(FIGURE, K('V'), "V", ON_RUNS, LOOK, BACKEND_COMPARE, NONE, "",                                         \
      N_("what three questions keep, and one without guidance, by stage"))                                   \
    X(LOOK_NEXT, K('n', ' '), "n", ON(TRAIN), LOOK, 0, ANYWHERE, N_("next picture"), N_("another validation picture")) \
    X(EXPORT, K('E'), "E", EVERYWHERE, PROGRAM, 0, ROOM, N_("export…"),                                     \
      N_("write to a file: screen, run as a page, figure, scores…"))                       \
    X(EXPORT_UP, K(KEY_UP, 'k'), "↑ k", ON(EXPORT), PROGRAM, 0, NONE, "", N_("what to export: the one above")) \
    X(EXPORT_DOWN, K(KEY_DOWN, 'j', '\t'), "↓ j", ON(EXPORT), PROGRAM, 0, STAGES, N_("choose"),             \
      N_("what to export: the one below"))                                                                  \
    X(EXPORT_WRITE, K('\n', '\r', KEY_ENTER), "Enter", ON(EXPORT), PROGRAM, 0, STAGES, N_("name it…"),      \
      N_("type the file's name and write it…"))                                                             \
    X(COPY, K('y'), "y", ON_WITH_COMMAND | ON(COMMAND_LINE), PROGRAM, 0, ROOM, N_("copy"),                   \
      N_("the whole command that makes this: copied, and on a page of its own"))                            \
    X(CANCEL, K(3), "^C", EVERYWHERE, ASK, 0, NONE, "", N_("stop what is being computed; when idle: quit"))     \
    X(OPTIONS, K('O'), "O", EVERYWHERE & ~ON(OPTIONS), PROGRAM, 0, NONE, "",                                \
      N_("options, keys and colours, kept in a file"))                                                      \
    X(ROW_UP, K(KEY_UP, 'k'), "↑ k", ON(OPTIONS), STEP, 0, NONE, "", N_("the row above"))                   \
    X(ROW_DOWN, K(KEY_DOWN, 'j'), "↓ j", ON(OPTIONS), STEP, 0, NONE, "", N_("the row below"))               \
    X(ROWS_UP, K(KEY_PPAGE), "PgUp", ON(OPTIONS), STEP, 0, NONE, "", N_("a page of rows up"))               \
    X(ROWS_DOWN, K(KEY_NPAGE), "PgDn", ON(OPTIONS), STEP, 0, NONE, "", N_("a page of rows down"))           \
    X(ROW_FIRST, K(KEY_HOME, 'g'), "Home g", ON(OPTIONS), STEP, 0, NONE, "", N_("the first row"))           \
    X(ROW_LAST, K(KEY_END, 'G'), "End G", ON(OPTIONS), STEP, 0, NONE, "", N_("the last row"))               \
    X(VALUE_BEFORE, K(KEY_LEFT, 'h'), "← h", ON(OPTIONS), CHANGE, 0, NONE, "", N_("the value before"))      \
    X(VALUE_NEXT, K(KEY_RIGHT, 'l'), "→ l", ON(OPTIONS), CHANGE, 0, NONE, "",                               \
      N_("the next value; on a row of keys: one more key"))                                                 \
    X(VALUE_CHANGE, K('\n', '\r', KEY_ENTER), "Enter", ON(OPTIONS), CHANGE, 0, ANYWHERE, N_("change"),            \
      N_("change what the cursor is on"))                                                                   \
    X(VALUE_RESET, K('d', KEY_DC), "d Del", ON(OPTIONS), CHANGE, 0, ANYWHERE, N_("default"),                      \
      N_("back to the program's own value"))                                                                \
    X(GRAPHICS, K('g'), "g", EVERYWHERE & ~ON(OPTIONS), PROGRAM, 0, NONE, "",                                              \
      N_("draw the picture as sixel, blocks or ascii"))                                                         \
    X(THEME, K('t'), "t", EVERYWHERE, PROGRAM, 0, NONE, "", N_("next theme: dark, light, contrast, colorblind"))                        \
    X(MOUSE, K('m'), "m", EVERYWHERE, PROGRAM, 0, NONE, "",                                                 \
      N_("mouse on or off (off: the terminal selects text)"))                                                   \
    X(REDRAW, K(12), "^L", EVERYWHERE, PROGRAM, 0, NONE, "", N_("draw everything again"))                       \
    X(SUSPEND, K(26), "^Z", EVERYWHERE, PROGRAM, 0, NONE, "", N_("back to the shell for a while"))              \
    X(ESCAPE, K(27), "Esc", EVERYWHERE, PROGRAM, 0, NONE, "", N_("close, or take the cursor away"))             \
    X(PALETTE, K(':', 16), ": ^P", EVERYWHERE, PROGRAM, 0, ANYWHERE, N_("commands"),                        \
      N_("find any action by a few letters, and run it"))                                                   \
    X(HELP, K('?', KEY_F(1)), "? F1", EVERYWHERE, PROGRAM, 0, ALWAYS, N_("help"), N_("this help"))                  \
    X(QUIT, K('q', 'Q'), "q", ON(STEPPER), PROGRAM, 0, ALWAYS, N_("quit"), N_("quit"))                              \
    X(BACK, K('q', 'Q'), "Esc q", ON_PUSHED, PROGRAM, 0, ALWAYS, N_("back"), N_("back to the page before"))  \
    X(REDUNDANCY, K('r'), "r", ON(STEPPER), LOOK, 0, NONE, "", \
      N_("how alike tokens and heads are in each layer"))                                                   \
    X(FIGURE_SOURCE, K('\t', 's', ' '), "Tab s", ON(REDUNDANCY), LOOK, BACKEND_JOBS, ANYWHERE,              \
      N_("input/set"), N_("this input, or a set of questions"))                                            \
    X(FIGURE_HEADS, K(KEY_UP, KEY_DOWN, 'j', 'k'), "↑ ↓", ON(REDUNDANCY), LOOK, 0, NONE, "",                \
      N_("tokens or heads, where there is room for one of them"))                                           \
    X(FIGURE_SET, K('o'), "o", ON(REDUNDANCY), ASK, BACKEND_JOBS, ANYWHERE, N_("set…"),                     \
      N_("measure another question set…")) \
    X(COMPOSE, K('c'), "c", ON(STEPPER), ASK, BACKEND_JOBS, ROOM, N_("compose"), N_("put a scene together and ask about it")) \
    X(EDIT, K('e'), "e", ON(STEPPER), ASK, BACKEND_JOBS, NONE, "", N_("blank, blur or move a part of the picture, in a copy")) \
    X(HEADS, K('A'), "A", ON(STEPPER), LOOK, BACKEND_ATTENTION | BACKEND_JOBS, NONE, "", N_("where each head looks, over picture and words")) \
    X(HEADS_LEFT, K(KEY_LEFT, 'h'), "← h", ON(HEADS), LOOK, 0, NONE, "", N_("the head before")) \
    X(HEADS_RIGHT, K(KEY_RIGHT, 'l'), "→ l", ON(HEADS), LOOK, 0, ANYWHERE, N_("head"), N_("the next head, or all together")) \
    X(HEADS_STREAM, K('\t', KEY_UP, KEY_DOWN, 'j', 'k'), "Tab ↑ ↓", ON(HEADS), LOOK, 0, ANYWHERE, N_("picture/words"), N_("heads of the picture, or of the words")) \
    X(HEADS_QUERY_BACK, K('[', 'N'), "[", ON(HEADS), LOOK, 0, NONE, "", N_("look from the living token before; for a written word, layer")) \
    X(HEADS_QUERY, K(']', 'n'), "] n", ON(HEADS), LOOK, 0, ANYWHERE, N_("look from"), N_("look from the next living token; for a written word, layer")) \
    X(HEADS_CLS, K('c', '0'), "c 0", ON(HEADS), LOOK, 0, ANYWHERE, N_("CLS"), N_("look from CLS, or from where the stepper's cursor is")) \
    X(HEADS_EARLIER, K(',', KEY_PPAGE), ", PgUp", ON(HEADS), STEP, 0, NONE, "", N_("previous stage")) \
    X(HEADS_LATER, K('.', KEY_NPAGE), ". PgDn", ON(HEADS), STEP, 0, ANYWHERE, N_("stage"), N_("next stage")) \
    X(EASEL_LEFT, K(KEY_LEFT, 'h'), "← h", ON_EASELS, CHANGE, 0, NONE, "", N_("move to the left, half a patch")) \
    X(EASEL_RIGHT, K(KEY_RIGHT, 'l'), "→ l", ON_EASELS, CHANGE, 0, ANYWHERE, N_("move"), N_("move to the right")) \
    X(EASEL_UP, K(KEY_UP, 'k'), "↑ k", ON_EASELS, CHANGE, 0, NONE, "", N_("move up")) \
    X(EASEL_DOWN, K(KEY_DOWN, 'j'), "↓ j", ON_EASELS, CHANGE, 0, NONE, "", N_("move down")) \
    X(EASEL_FINE_LEFT, K(KEY_SLEFT, 'H'), "S-← H", ON_EASELS, CHANGE, 0, NONE, "", N_("move to the left by one pixel")) \
    X(EASEL_FINE_RIGHT, K(KEY_SRIGHT, 'L'), "S-→ L", ON_EASELS, CHANGE, 0, NONE, "", N_("move to the right by one pixel")) \
    X(EASEL_FINE_UP, K(KEY_SR, 'K'), "S-↑ K", ON_EASELS, CHANGE, 0, NONE, "", N_("move up by one pixel")) \
    X(EASEL_FINE_DOWN, K(KEY_SF, 'J'), "S-↓ J", ON_EASELS, CHANGE, 0, NONE, "", N_("move down by one pixel")) \
    X(EASEL_UNDO, K('u'), "u", ON_EASELS, CHANGE, 0, ANYWHERE, N_("undo"), N_("take the last change back")) \
    X(EASEL_REDO, K('U', 18), "U ^R", ON_EASELS, CHANGE, 0, NONE, "", N_("make it again")) \
    X(EASEL_ASK, K('a', '/'), "a /", ON_EASELS, ASK, 0, ANYWHERE, N_("ask…"), N_("ask another question…")) \
    X(EASEL_SAVE, K('w'), "w", ON_EASELS, ASK, 0, ANYWHERE, N_("save…"), N_("save as a file…")) \
    X(EASEL_STEPPER, K('\n', '\r', KEY_ENTER), "Enter", ON(COMPOSE), ASK, 0, NONE, "", N_("step through the saved scene")) \
    X(EASEL_PLAIN, K('s', ' '), "s", ON_EASELS, LOOK, 0, NONE, "", N_("the picture alone, or with what survives")) \
    X(EASEL_BACK, K(','), ",", ON_EASELS, LOOK, 0, NONE, "", N_("what survives a stage earlier")) \
    X(EASEL_FORTH, K('.'), ".", ON_EASELS, LOOK, 0, NONE, "", N_("what survives a stage later")) \
    X(SCENE_ADD, K('n', KEY_IC), "n", ON(COMPOSE), CHANGE, 0, ANYWHERE, N_("add…"), N_("add an object by its name…")) \
    X(SCENE_NEXT, K('\t'), "Tab", ON(COMPOSE), LOOK, 0, ANYWHERE, N_("next"), N_("choose the next object")) \
    X(SCENE_PREVIOUS, K(KEY_BTAB), "S-Tab", ON(COMPOSE), LOOK, 0, NONE, "", N_("choose the object before")) \
    X(SCENE_SMALLER, K('-'), "-", ON(COMPOSE), CHANGE, 0, NONE, "", N_("smaller")) \
    X(SCENE_LARGER, K('+', '='), "+", ON(COMPOSE), CHANGE, 0, ANYWHERE, N_("scale"), N_("larger")) \
    X(SCENE_TURN_LEFT, K('<'), "<", ON(COMPOSE), CHANGE, 0, NONE, "", N_("turn to the left")) \
    X(SCENE_TURN_RIGHT, K('>'), ">", ON(COMPOSE), CHANGE, 0, NONE, "", N_("turn to the right")) \
    X(SCENE_COLOR, K('y'), "y", ON(COMPOSE), CHANGE, 0, NONE, "", N_("the next colour, where there are several")) \
    X(SCENE_FRONT, K('f'), "f", ON(COMPOSE), CHANGE, 0, NONE, "", N_("bring to the front")) \
    X(SCENE_REMOVE, K('x', KEY_DC), "x Del", ON(COMPOSE), CHANGE, 0, ANYWHERE, N_("delete"), N_("delete the chosen object")) \
    X(SCENE_GROUND, K('b'), "b", ON(COMPOSE), CHANGE, 0, NONE, "", N_("another kind of background")) \
    X(SCENE_VARY, K('v'), "v", ON(COMPOSE), CHANGE, 0, NONE, "", N_("another background of its kind")) \
    X(SCENE_CLUTTER, K('d'), "d", ON(COMPOSE), CHANGE, 0, NONE, "", N_("strew small shapes over the background, or not")) \
    X(SCENE_QUESTION, K('z'), "z", ON(COMPOSE), ASK, 0, ANYWHERE, N_("question"), N_("a question of the world, with its true answer")) \
    X(SCENE_OPEN, K('o'), "o", ON(COMPOSE), ASK, 0, NONE, "", N_("open a saved scene…")) \
    X(EDIT_WIDER, K('>', '+', '='), "> +", ON(EDIT), CHANGE, 0, ANYWHERE, N_("size"), N_("the rectangle wider and higher")) \
    X(EDIT_NARROWER, K('<', '-'), "< -", ON(EDIT), CHANGE, 0, NONE, "", N_("the rectangle narrower and lower")) \
    X(EDIT_STEP, K('z'), "z", ON(EDIT), LOOK, 0, NONE, "", N_("steps of a patch, or of a quarter of one")) \
    X(EDIT_BLANK, K('b'), "b", ON(EDIT), CHANGE, 0, ANYWHERE, N_("blank"), N_("fill the rectangle with grey")) \
    X(EDIT_MEAN, K('n'), "n", ON(EDIT), CHANGE, 0, NONE, "", N_("fill it with the mean colour of the rest")) \
    X(EDIT_BLUR, K('r'), "r", ON(EDIT), CHANGE, 0, ANYWHERE, N_("blur"), N_("smear it until no shape is left")) \
    X(EDIT_MOVE, K('c'), "c", ON(EDIT), CHANGE, 0, ANYWHERE, N_("carry"), N_("take it up; arrows carry it, Enter puts it down")) \
    X(EDIT_GROUP, K('\t'), "Tab", ON(EDIT), LOOK, 0, ANYWHERE, N_("next"), N_("the rectangle around the next group of surviving patches")) \
    X(EDIT_DROP, K('\n', '\r', KEY_ENTER), "Enter", ON(EDIT), CHANGE, 0, ANYWHERE, N_("put down"), N_("put down what was taken up, or step through the saved copy"))

#define KEY_ENUM(id, keys, written, pages, group, needs, hint, word, help) ACTION_##id,
enum action { ACTION_NONE = -1, KEYS(KEY_ENUM) ACTIONS };
#undef KEY_ENUM

enum { KEYS_PER_ACTION = 6 };
struct key_row {
    int keys[KEYS_PER_ACTION]; // curses codes, 0-terminated where fewer
    const char *written;       // as the help writes them
    unsigned pages;            // bits by enum page_id
    enum key_group group;
    unsigned needs; // abilities of the backend, 0: always possible
    enum key_hint hint;
    const char *word; // for the footer
    const char *help;
    const char *identifier; // "FOCUS_NEXT"; see action_name()
};

// How the configuration calls an action: "focus-next"; and back, ACTIONS where there is none of that name.
const char *action_name(enum action action);
enum action action_parse(const char *name);

// A key as the configuration writes it: "a", "^P", "Left", "F5", "Space"; and back, 0 where there is no such key.
void key_write(int key, char *out, size_t size);
int key_parse(const char *text, size_t length);

// Gives an action other keys (none: count 0). Where others had them on a page that both work on, they lose them. ^C
// stays what it is. Help and hints show the new ones. key_reset() brings all defaults back.
void key_bind(enum action action, const int *keys, int count);
void key_reset(void);

// The row of an action, 0 .. ACTIONS-1.
const struct key_row *key_row(enum action action);
// As it is without a configuration.
const struct key_row *key_default(enum action action);

// The keys of a row as the screen writes them, in the person's language; and the first of them. `out` is returned.
const char *key_shown(const struct key_row *row, char *out, size_t size);
const char *key_shown_first(const struct key_row *row, char *out, size_t size);

// What a key does on a page, ACTION_NONE for nothing.
enum action key_action(enum page_id page, int key);
bool key_works_on(enum action action, enum page_id page);

// "stepper", and the title for the header.
const char *page_name(enum page_id page);
const char *page_title(enum page_id page);

#endif
