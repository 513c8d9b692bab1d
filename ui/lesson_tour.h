// The lessons of a folder, which of them the person has done, and the lesson that is going on: what it asks of the
// backend, and what it notices. How it looks is ui/page_lesson.c's.
#ifndef TRIMSCOPE_UI_LESSON_TOUR_H
#define TRIMSCOPE_UI_LESSON_TOUR_H

#include "ui/kept_run.h"
#include "ui/lesson.h"
#include "ui/lesson_values.h"

enum { TOUR_MOST = 24, TOUR_NAME = 64, TOUR_PATH = 4096, TOUR_TEXT = 1024 };

// Where the lesson is: waiting for its run, looking for the unpruned answer and then for the budget at which it breaks,
// or in the person's hands.
enum tour_phase { TOUR_IDLE, TOUR_SETTING, TOUR_REFERENCE, TOUR_BREAKING, TOUR_READY };

// What was asked of the backend last.
struct tour_wish {
    char path[TOUR_PATH], question[TOUR_TEXT], policy[TRACE_NAME];
    double budget, since;
};

struct tour {
    char folder[TOUR_PATH], pictures[TOUR_PATH];
    char names[TOUR_MOST][TOUR_NAME]; // of the files, in order; the same in every language
    char titles[TOUR_MOST][TOUR_NAME * 2];
    bool done[TOUR_MOST];
    int count;
    int current; // -1: none
    struct lesson lesson;
    enum tour_phase phase;
    struct kept_run kept; // what the person had before the first lesson
    struct tour_wish wish;
    int candidate, budget_percent;
    bool at_random; // no budget breaks the lesson's policy: random dropping will
    struct lesson_memory memory;
    char first_path[TOUR_PATH], first_question[TOUR_TEXT]; // when the lesson was set up
    bool noticed;
    char noticed_text[TOUR_TEXT];
    int chosen;          // -1: no answer yet
    bool answered;       // rightly
};

// Lists the lessons below `assets` in the person's language, and what is done of them.
bool tour_open(struct tour *tour, const char *assets, struct error *err);
void tour_close(struct tour *tour);

// Begins a lesson: reads it and asks the backend for what it shows. What the person had is kept the first time.
bool tour_begin(struct tour *tour, int lesson, struct view *view, const struct backend *backend, struct error *err);

// To be called whenever the view or its cursor has changed, and now and then while the phase is not TOUR_READY.
void tour_watch(struct tour *tour, struct view *view, const struct backend *backend);

// Answers the question at the end. tour_right() is the index of the right choice.
void tour_choose(struct tour *tour, int choice, const struct view *view);
int tour_right(const struct tour *tour, const struct view *view);

// Gives back what the person had before.
void tour_leave(struct tour *tour, struct view *view, const struct backend *backend);

#endif
