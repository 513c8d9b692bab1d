#include "ui/lesson_tour.h"

#include "engine/base/thread.h"
#include "ui/lesson_done.h"
#include "ui/words.h"

#include <dirent.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const double patience = 4; // seconds after which a run that does not come is not waited for
enum { BREAK_FROM = 60, BREAK_TO = 10, BREAK_STEP = 5, BREAK_RANDOM = 25 }; // budgets in per cent

static int compare_names(const void *a, const void *b)
{
    return strcmp(a, b);
}

// "01-redundancy.txt" and so on.
static bool is_lesson(const char *name)
{
    size_t length = strlen(name);
    return length < TOUR_NAME && name[0] >= '0' && name[0] <= '9' && length > 4 &&
           !strcmp(name + length - 4, ".txt");
}

static bool find_lessons(struct tour *tour, struct error *err)
{
    DIR *folder = opendir(tour->folder);
    if (!folder)
        return error_set(err, ERROR_INPUT, "there are no lessons in %s: install trimscope again",
                         tour->folder);
    for (struct dirent *entry; (entry = readdir(folder)) && tour->count < TOUR_MOST;)
        if (is_lesson(entry->d_name))
            strcpy(tour->names[tour->count++], entry->d_name);
    closedir(folder);
    qsort(tour->names, (size_t)tour->count, sizeof *tour->names, compare_names);
    return tour->count > 0 ||
           error_set(err, ERROR_INPUT, "there are no lessons in %s: install trimscope again", tour->folder);
}

static bool read_lesson(const struct tour *tour, int index, struct lesson *lesson, struct error *err)
{
    char path[TOUR_PATH + TOUR_NAME];
    snprintf(path, sizeof path, "%s/%s", tour->folder, tour->names[index]);
    return lesson_read(lesson, path, err);
}

bool tour_open(struct tour *tour, const char *assets, struct error *err)
{
    struct lesson lesson;
    *tour = (struct tour){.current = -1, .chosen = -1};
    snprintf(tour->folder, sizeof tour->folder, "%.*s/lessons/%s", TOUR_PATH - 32, assets,
             words_name(words_now()));
    snprintf(tour->pictures, sizeof tour->pictures, "%.*s/pictures", TOUR_PATH - 32, assets);
    if (!find_lessons(tour, err))
        return false;
    for (int i = 0; i < tour->count; i++) {
        if (!read_lesson(tour, i, &lesson, err))
            return false;
        snprintf(tour->titles[i], sizeof tour->titles[i], "%s", lesson.title);
        lesson_free(&lesson);
    }
    lesson_done_read(tour);
    return true;
}

void tour_close(struct tour *tour)
{
    lesson_free(&tour->lesson);
    kept_run_free(&tour->kept);
    *tour = (struct tour){.current = -1};
}

// ---- what is asked of the backend
// --------------------------------------------------------------------------------

static const char *picture_path(const struct view *view)
{
    const struct trace *trace = &view->trace;
    return view->has_trace && trace->picture_count > 0 && trace->pictures[0].path ? trace->pictures[0].path
                                                                                  : "";
}

static struct run_wish wish_of(const struct tour_wish *wish)
{
    return (struct run_wish){
        .pictures = {wish->path}, .question = wish->question, .policy = wish->policy, .budget = wish->budget};
}

static void ask_for(struct tour *tour, const struct view *view, const struct backend *backend)
{
    const struct run_wish wish = wish_of(&tour->wish);
    run_wish_ask(&wish, view_known(view), backend);
    tour->wish.since = clock_seconds();
}

// The run asked for is there and through; or it has not come for so long that it never will (an error was
// told).
static bool wish_came(const struct tour *tour, const struct view *view)
{
    const struct run_wish wish = wish_of(&tour->wish);
    if (!view_is_whole(view))
        return false;
    return run_wish_is(&wish, &view->trace) || (!view->busy && clock_seconds() > tour->wish.since + patience);
}

static void wish_candidate(struct tour *tour, const struct view *view, const struct backend *backend)
{
    const struct lesson *lesson = &tour->lesson;
    struct tour_wish *wish = &tour->wish;
    bool reference = tour->phase == TOUR_REFERENCE;
    snprintf(wish->path, sizeof wish->path, "%.*s/%s", TOUR_PATH - 256, tour->pictures,
             lesson->pictures[tour->candidate]);
    snprintf(wish->question, sizeof wish->question, "%s", lesson->questions[tour->candidate]);
    snprintf(wish->policy, sizeof wish->policy, "%s",
             reference           ? "none"
             : tour->at_random   ? "random"
             : lesson->policy[0] ? lesson->policy
                                 : view->trace.policy);
    wish->budget = reference ? (double)NAN : lesson->breaks ? tour->budget_percent / 100.0 : lesson->budget;
    ask_for(tour, view, backend);
}

bool tour_begin(struct tour *tour, int lesson, struct view *view, const struct backend *backend,
                struct error *err)
{
    struct lesson read;
    if (!read_lesson(tour, lesson, &read, err))
        return false;
    if (!kept_run_take(&tour->kept, view)) {
        lesson_free(&read);
        return error_no_memory(err, "a lesson");
    }
    lesson_free(&tour->lesson);
    tour->lesson = read;
    tour->current = lesson;
    tour->chosen = -1;
    tour->noticed = tour->at_random = tour->answered = false;
    tour->candidate = 0;
    tour->budget_percent = BREAK_FROM;
    tour->memory = (struct lesson_memory){0};
    tour->phase = read.breaks ? TOUR_REFERENCE : TOUR_SETTING;
    view->change[0] = 0;
    view->playing = false;
    tour->wish = (struct tour_wish){.since = clock_seconds()};
    if (read.candidate_count > 0)
        wish_candidate(tour, view, backend);
    return true;
}

// ---- what is noticed
// ---------------------------------------------------------------------------------------------

static bool was_changed(const struct view *view, bool kept)
{
    const struct trace *trace = &view->trace;
    for (int i = 0; i < trace->intervention_count; i++) {
        enum intervention_kind kind = trace->interventions[i].kind;
        bool keeps = kind == INTERVENE_TOKEN_KEEP || kind == INTERVENE_HEAD_ON || kind == INTERVENE_REOPEN;
        if (keeps == kept)
            return true;
    }
    return false;
}

static bool notice(const struct tour *tour, const struct view *view)
{
    const struct lesson *lesson = &tour->lesson;
    const struct trace *trace = &view->trace;
    if (!view_is_whole(view))
        return false;
    switch (lesson->notice) {
    case LESSON_STAGE:
        return view_stage(view) == lesson_find_stage(trace, &lesson->notice_stage);
    case LESSON_CURSOR:
        return view->focus == lesson->notice_cursor;
    case LESSON_SHOW:
        return view->show == lesson->notice_show;
    case LESSON_POLICY:
        return !strcmp(trace->policy, lesson->notice_policy);
    case LESSON_DROP:
        return was_changed(view, false);
    case LESSON_KEEP:
        return was_changed(view, true);
    case LESSON_BUDGET:
        return isnan(trace->budget) != isnan(tour->wish.budget) ||
               fabs(trace->budget - tour->wish.budget) > 1e-9;
    case LESSON_QUESTION:
        return trace->question && strcmp(trace->question, tour->first_question) != 0;
    case LESSON_PICTURE:
        return strcmp(picture_path(view), tour->first_path) != 0;
    case LESSON_RESTORED:
        return tour->memory.unpruned[0] && !strcmp(trace->answer.text, tour->memory.unpruned);
    default:
        return false;
    }
}

static void remember_done(struct tour *tour)
{
    const struct lesson *lesson = &tour->lesson;
    bool tried = tour->noticed || lesson->notice == LESSON_NOTHING;
    if (tour->done[tour->current] || !tried || !(tour->answered || !lesson->check))
        return;
    tour->done[tour->current] = true;
    lesson_done_write(tour, NULL); // what cannot be remembered is shown as done until the program ends
}

static void set_cursor(const struct lesson *lesson, struct view *view)
{
    int stage = lesson->has_stage ? lesson_find_stage(&view->trace, &lesson->stage) : -1;
    if (stage >= 0)
        view->stage = stage;
    view->patch_chosen = view->word_chosen = false;
    view->focus = lesson->has_cursor ? lesson->cursor : FOCUS_STAGES;
    view->show = lesson->has_show ? lesson->show : SHOW_SURVIVORS;
    view_clamp(view);
    if (view->focus == FOCUS_PATCHES)
        view_find_patch(view);
    if (view->focus == FOCUS_WORDS)
        view_find_word(view);
    if (view->focus == FOCUS_HEADS && !view_first_head(view, view_stage(view), &view->head))
        view->focus = FOCUS_STAGES;
}

static void become_ready(struct tour *tour, struct view *view)
{
    const struct trace *trace = &view->trace;
    tour->phase = TOUR_READY;
    tour->wish.budget = trace->budget;
    tour->memory.before = trace->answer;
    tour->memory.budget_before = trace->budget;
    tour->memory.share_before =
        trace->dense_macs > 0 ? 100 * trace->spent_macs / trace->dense_macs : (double)NAN;
    snprintf(tour->first_path, sizeof tour->first_path, "%s", picture_path(view));
    snprintf(tour->first_question, sizeof tour->first_question, "%s", trace->question ? trace->question : "");
    set_cursor(&tour->lesson, view);
}

// Lower budgets, then other candidates, then random dropping: until the answer is another one. Returns
// whether there is something more to be tried.
static bool try_next(struct tour *tour, const struct view *view)
{
    tour->budget_percent -= BREAK_STEP;
    bool possible = !(tour->budget_percent / 100.0 < view->least); // a policy cannot drop all
    if (possible && tour->budget_percent >= (tour->at_random ? BREAK_RANDOM : BREAK_TO))
        return true;
    tour->budget_percent = BREAK_FROM;
    tour->phase = TOUR_REFERENCE;
    if (++tour->candidate < tour->lesson.candidate_count)
        return true;
    tour->candidate = 0;
    if (tour->at_random)
        return false;
    return tour->at_random = true;
}

static void search(struct tour *tour, struct view *view, const struct backend *backend)
{
    const struct trace *trace = &view->trace;
    if (tour->phase == TOUR_REFERENCE) {
        snprintf(tour->memory.unpruned, sizeof tour->memory.unpruned, "%s", trace->answer.text);
        tour->phase = TOUR_BREAKING;
        wish_candidate(tour, view, backend);
    } else if (strcmp(trace->answer.text, tour->memory.unpruned) != 0 || !try_next(tour, view)) {
        become_ready(tour, view);
    } else {
        wish_candidate(tour, view, backend);
    }
}

void tour_watch(struct tour *tour, struct view *view, const struct backend *backend)
{
    if (tour->current < 0 || tour->phase == TOUR_IDLE)
        return;
    if (view->change[0]) // told once the run is through, and then forgotten there
        snprintf(tour->memory.change, sizeof tour->memory.change, "%s", view->change);
    bool setup = tour->lesson.candidate_count > 0;
    if (tour->phase != TOUR_READY && !(setup ? wish_came(tour, view) : view_is_whole(view)))
        return;
    if (tour->phase == TOUR_SETTING)
        become_ready(tour, view);
    else if (tour->phase != TOUR_READY)
        search(tour, view, backend);
    if (tour->phase != TOUR_READY || !notice(tour, view))
        return;
    tour->noticed = true;
    lesson_fill(tour->lesson.noticed, view, &tour->memory, tour->noticed_text, sizeof tour->noticed_text);
    remember_done(tour);
}

int tour_right(const struct tour *tour, const struct view *view)
{
    const struct lesson *lesson = &tour->lesson;
    if (lesson->compare[0]) {
        double numbers[2];
        for (int i = 0; i < 2; i++) {
            int value = lesson_value_find(lesson->compare[i], strlen(lesson->compare[i]));
            numbers[i] = lesson_value_number((enum lesson_value)value, view, &tour->memory);
        }
        return numbers[0] > numbers[1] ? 0 : 1;
    }
    for (int i = 0; i < lesson->choice_count; i++)
        if (lesson->choices[i].right)
            return i;
    return -1;
}

void tour_choose(struct tour *tour, int choice, const struct view *view)
{
    if (tour->phase != TOUR_READY || choice >= tour->lesson.choice_count || !view->has_trace)
        return;
    tour->chosen = choice;
    tour->answered |= choice == tour_right(tour, view);
    remember_done(tour);
}

void tour_leave(struct tour *tour, struct view *view, const struct backend *backend)
{
    if (!kept_run_give_back(&tour->kept, view, backend))
        return;
    tour->current = -1;
    tour->phase = TOUR_IDLE;
}
