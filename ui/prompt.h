// A line of text being typed: editing, history, completion.
#ifndef TRIMSCOPE_UI_PROMPT_H
#define TRIMSCOPE_UI_PROMPT_H

#include "ui/draw.h"

#include <wchar.h>

enum { PROMPT_LENGTH = 480, PROMPT_HISTORY = 64, PROMPT_BYTES = PROMPT_LENGTH * 4 + 1 };

// From PROMPT_PAGE on: the prompts of the page on top (page_prompt()).
enum prompt_kind { PROMPT_NONE, PROMPT_QUESTION, PROMPT_PATH, PROMPT_BUDGET, PROMPT_COMMAND, PROMPT_PAGE, PROMPT_KINDS = PROMPT_PAGE + 6 };

struct prompt {
    enum prompt_kind kind; // PROMPT_NONE: closed
    const char *label;     // written before the text
    char own_label[160];   // room for one that is made up for the occasion
    wchar_t text[PROMPT_LENGTH + 1];
    int length, cursor;
    bool suggested;                   // the text is only a proposal so far: the first character typed replaces it
    int history_at;                   // entry shown, counted back from the newest; -1: the line being typed
    wchar_t typed[PROMPT_LENGTH + 1]; // that line, while history is shown
    struct prompt_history {
        wchar_t *lines[PROMPT_HISTORY];
        int count;
    } history[PROMPT_KINDS];
};

enum prompt_event { PROMPT_EDITED, PROMPT_IGNORED, PROMPT_DONE, PROMPT_CLOSED, PROMPT_COMPLETE };

// With a text that is proposed, as by prompt_suggest(); a path is gone on with.
void prompt_open(struct prompt *prompt, enum prompt_kind kind, const char *text);
void prompt_close(struct prompt *prompt);
void prompt_free(struct prompt *prompt);
// Another page is on top: its prompts start without history; an open one of the page before closes.
void prompt_forget_page(struct prompt *prompt);

// A key: a character (is_code false) or a curses code. PROMPT_DONE and PROMPT_CLOSED leave the text to be
// read.
enum prompt_event prompt_key(struct prompt *prompt, wint_t key, bool is_code);

// The text as UTF-8; `out` has PROMPT_BYTES.
void prompt_text(const struct prompt *prompt, char *out);
void prompt_set(struct prompt *prompt, const char *text);
// A text that what is typed replaces; any other key makes it as good as typed.
void prompt_suggest(struct prompt *prompt, const char *text);

// Remembers the line in the history of its kind.
void prompt_remember(struct prompt *prompt);

// The letters before the cursor that may be the start of a word; returns their UTF-8 in `out` (PROMPT_BYTES).
void prompt_word(const struct prompt *prompt, char *out);
// Replaces those letters.
void prompt_replace_word(struct prompt *prompt, const char *word);

// Draws into the row and returns the column of the cursor.
int prompt_draw(const struct prompt *prompt, const struct pane *pane, struct rect rect);

#endif
