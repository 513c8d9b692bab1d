// Finding an action by a few letters of its name or of what it does, for the command palette.
#ifndef TRIMSCOPE_UI_FINDER_H
#define TRIMSCOPE_UI_FINDER_H

#include "ui/keys.h"

#include <wchar.h>

struct found {
    enum action action;
    int score;
    bool elsewhere; // it opens a page from the lowest one: back there first
};

// Fills `out` (ACTIONS of them) with the actions that are possible on a page and match each word of the text, the best
// first; returns how many. "" matches all, in the order of the table. A first word that is the whole name of an action
// which takes an argument matches that action alone.
int finder_search(enum page_id page, unsigned abilities, const char *text, struct found *out);

// Whether an action takes an argument here; if so what stands behind its name in the text ("" where nothing does).
bool finder_argument(enum action action, const char *text, const char **argument);

// How well the letters of `word` (in this order, anywhere) match a text: 0 not at all; letters in a row and at the
// starts of words count more.
int finder_score(const char *text, const char *word);

// Whether a text holds all words of what was typed, for short lists; `begins`: each at the start of a word.
bool finder_matches(const char *text, const char *typed, bool begins);

// A key typed to narrow a short list: letters, a space or '-' behind them, Backspace. False: another key.
bool finder_type(char *typed, size_t size, wint_t key, bool is_code);

// Fills `out` with the indices of those of `count` texts that hold what was typed: what begins with it first. Returns
// how many.
int finder_narrow(const char *(*text)(int index), int count, const char *typed, int *out);

// The action whose name is the first word of a text, wherever it works; ACTIONS: none.
enum action finder_named(const char *text);

// The action that opens a page: the one of the page's name. ACTIONS: none.
enum action finder_opener(enum page_id page);

#endif
