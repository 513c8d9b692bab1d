// A question set: figures, and the table of its instances, while it is evaluated and afterwards.
#include "engine/base/thread.h"
#include "ui/export.h"
#include "ui/export_csv.h"
#include "ui/page_set_state.h"
#include "ui/screen_state.h"
#include "ui/words.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const double SORT_SECONDS = 0.25; // rows that keep coming are sorted in this often
enum { COMPARED_MOST = 10000 };          // questions whose comparison is so quick that nobody waits: about 30 ms

static void free_rows(struct results *rows)
{
    if (rows)
        results_free(rows);
    free(rows);
}

static void forget_rows(struct set_page *set)
{
    free_rows(set->rows);
    free(set->summary);
    set->rows = NULL;
    set->summary = NULL;
    set->answered = set->right = 0;
    set->shown.count = set->shown.right = 0;
    set_rows_put_beside(&set->shown, NULL, NULL, NULL);
    set->table.both = false;
}

// The job on what was asked for; what an earlier one brought is gone.
void set_page_start(struct page *page)
{
    struct set_page *set = page->state;
    struct backend_job job = {.kind = JOB_SET};
    page_cancel_job(page, set->job);
    forget_rows(set);
    set->error[0] = set->progress[0] = 0;
    set->table.selected = set->table.first = 0;
    job.set = (struct backend_set_request){.path = set->path, .results = set->kept, .budget = set->budget,
                                           .limit = set->limit};
    snprintf(job.set.policy, sizeof job.set.policy, "%s", set->policy);
    set->job = page_start_job(page, &job);
    page_changed(page);
}

// Results know the set that they come from: that is asked again.
static bool take_set_of_results(struct set_page *set)
{
    const struct results_header *header = &set->rows->header;
    char *path = header->model[0] ? strdup(header->set) : NULL;
    if (!path)
        return !header->model[0];
    free(set->path);
    free(set->kept);
    set->path = path;
    set->kept = NULL;
    set->limit = header->set_questions;
    return true;
}

void set_page_start_again(struct page *page)
{
    struct set_page *set = page->state;
    struct results *before = set->answered ? set->rows : NULL;
    if (set->rows && !take_set_of_results(set)) {
        page_say(page, true, "%s", _("There is not enough memory."));
        return;
    }
    if (before)
        set->rows = NULL;
    set_page_start(page);
    free_rows(set->before);
    set->before = before;
}

void set_page_start_when_known(struct page *page)
{
    struct set_page *set = page->state;
    const struct view *view = &page->screen->view;
    if (!set->policy[0] && view_known(view)) {
        snprintf(set->policy, sizeof set->policy, "%s", view->trace.policy);
        set->budget = view->trace.budget;
    }
    set->waiting = !set->policy[0];
    if (!set->waiting)
        set_page_start(page);
}

// Another run over this set beside the rows there are (it is the page's then).
static void put_beside(struct page *page, struct results *other)
{
    struct set_page *set = page->state;
    struct error err = {0};
    if (!set_rows_put_beside(&set->shown, set->rows, other, &err))
        page_say(page, true, "%s", err.text);
    set->table.both = set->shown.other.results;
    if (!set->table.both) {
        set->shown.filter.side = SET_EITHER;
        set->shown.column = set->shown.column == SET_OTHER ? SET_ID : set->shown.column;
    }
    set->stale = set->pairs_stale = true;
    set->sort_due = 0;
    page_changed(page);
}

static void start_beside(struct page *page)
{
    struct set_page *set = page->state;
    struct backend_job job = {.kind = JOB_SET};
    if (!set->rows || !set->beside)
        return;
    job.set = (struct backend_set_request){.path = set->beside, .budget = (double)NAN, .results_only = true};
    set->beside_job = page_start_job(page, &job);
    free(set->beside);
    set->beside = NULL;
}

void set_page_put_beside(struct page *page, const char *path)
{
    struct set_page *set = page->state;
    page_cancel_job(page, set->beside_job);
    set->beside_job = 0;
    free(set->beside);
    set->beside = *path ? strdup(path) : NULL;
    if (*path)
        start_beside(page);
    else if (set->rows)
        put_beside(page, NULL);
}

static void take_rows(struct page *page, struct backend_set_result *part)
{
    struct set_page *set = page->state;
    if (part->rows) {
        forget_rows(set);
        set->rows = part->rows;
        part->rows = NULL;
        if (set->before)
            put_beside(page, set->before);
        set->before = NULL;
        start_beside(page);
        for (int i = 0; i < set->rows->set.count; i++) {
            set->answered += set->rows->evaluations[i].done;
            set->right += set->rows->evaluations[i].done && set->rows->evaluations[i].correct;
        }
    }
    for (int i = 0; set->rows && i < part->count; i++) {
        struct evaluation *e = &set->rows->evaluations[part->places[i]];
        set->answered += !e->done;
        set->right += part->evaluations[i].correct - (e->done && e->correct);
        *e = part->evaluations[i];
    }
    if (part->summary) {
        free(set->summary);
        set->summary = part->summary;
        part->summary = NULL;
    }
    set->stale = set->pairs_stale = true;
}

static void take_beside(struct page *page, struct backend_job_news *news)
{
    struct set_page *set = page->state;
    if ((news->state == JOB_PART || news->state == JOB_DONE) && news->set.rows && set->rows) {
        put_beside(page, news->set.rows);
        news->set.rows = NULL;
    }
    if (news->state == JOB_FAILED)
        page_say(page, true, "%s", news->error);
    if (news->state != JOB_WORKING && news->state != JOB_PART)
        set->beside_job = 0;
}

static void job(struct page *page, struct backend_job_news *news)
{
    struct set_page *set = page->state;
    if (set->beside_job && news->id == set->beside_job)
        take_beside(page, news);
    if (news->id != set->job)
        return;
    if (news->state == JOB_WORKING) {
        snprintf(set->progress, sizeof set->progress, "%s", news->progress);
    }
    if (news->state == JOB_PART || news->state == JOB_DONE)
        take_rows(page, &news->set);
    if (news->state == JOB_FAILED)
        snprintf(set->error, sizeof set->error, "%s", news->error);
    if (news->state == JOB_CANCELLED)
        page_say(page, false, "%s", set->kept ? _("Stopped: what was answered stays, and the next start goes on from there.")
                                              : _("Stopped: what was answered stays on the screen."));
    if (news->state != JOB_WORKING && news->state != JOB_PART) {
        set->job = 0;
        set->sort_due = 0;
        set->stale = set->pairs_stale = true; // what takes longer is told now
    }
    page_changed(page);
}

static void compare_pairs(struct set_page *set)
{
    set->compared = (struct results_comparison){.questions = 0};
    set->pairs_stale = false;
    if (!set->shown.other.results)
        return;
    set->pairs = set_rows_count_pairs(&set->shown, set->rows);
    if (!set->job && set->rows->set.count <= COMPARED_MOST)
        results_compare(set->shown.other.results, set->rows, NULL, &set->compared, NULL);
}

void set_page_sort(struct page *page)
{
    struct set_page *set = page->state;
    int place = set->table.selected > 0 && set->table.selected < set->shown.count
                    ? set->shown.order[set->table.selected]
                    : -1;
    if (!set->rows)
        return;
    if (!set_rows_update(&set->shown, set->rows))
        page_say(page, true, "%s", _("There is no memory to sort the rows."));
    if (set->pairs_stale)
        compare_pairs(set);
    int found = place >= 0 ? set_rows_find(&set->shown, place) : 0;
    set->table.selected = found >= 0 ? found : 0;
    set_table_scroll(&set->table, set->shown.count);
    set->stale = false;
    set->sort_due = clock_seconds() + SORT_SECONDS;
    page_changed(page);
}

static double tick(struct page *page, double now)
{
    struct set_page *set = page->state;
    if (set->stale && now >= set->sort_due)
        set_page_sort(page);
    return set->stale ? set->sort_due : 0;
}

static void news(struct page *page)
{
    struct set_page *set = page->state;
    if (set->waiting)
        set_page_start_when_known(page);
}

static void status(struct page *page, char *out, size_t size)
{
    const struct set_page *set = page->state;
    if (set->job && set->progress[0])
        snprintf(out, size, "%s ", set->progress);
    else if (set->rows)
        snprintf(out, size, ngettext_(set->answered, "%d question ", "%d questions "), set->answered);
}

static bool open(struct page *page, const void *argument, struct error *err)
{
    const struct set_page_request *request = argument;
    struct set_page *set = page->state;
    set->path = request->path ? strdup(request->path) : NULL;
    set->kept = request->results ? strdup(request->results) : NULL;
    if ((request->path && !set->path) || (request->results && !set->kept)) {
        free(set->path);
        return error_no_memory(err, "the page");
    }
    snprintf(set->policy, sizeof set->policy, "%s", request->policy ? request->policy : "");
    set->budget = request->budget;
    set->limit = request->limit;
    if (request->beside)
        set->beside = strdup(request->beside);
    if (!request->ask)
        set_page_start_when_known(page);
    return true;
}

static void close(struct page *page)
{
    struct set_page *set = page->state;
    struct screen *screen = page->screen;
    if (kept_run_give_back(&set->own, &screen->view, screen->backend)) {
        screen_await_run(screen);
        view_say(&screen->view, false, "%s", _("What the stepper had before the table is back."));
    }
    forget_rows(set);
    set_rows_free(&set->shown);
    free_rows(set->before);
    free(set->path);
    free(set->kept);
    free(set->beside);
}

static const char about[] = N_(
    /* xgettext:no-c-format */
    "Every question of a set, asked under one policy and budget. The histogram shows that easy questions cost less: "
    "each column counts the questions that spent such a share of the unpruned model's FLOPs. Bars show how often "
    "questions of a type are answered rightly; the thinner ends are 95 % intervals, by bootstrap over "
    "pictures. Enter steps through the question that the cursor is on. p and b evaluate the set again with another "
    "policy or budget; the run before then stands beside, as another file of results does with v, and d shows the questions "
    "that only one of the two answers rightly.");

static unsigned exports(struct page *page)
{
    (void)page;
    return 1U << EXPORT_FRAME | 1U << EXPORT_TABLE;
}

// The rows that the filter leaves, in their order.
static void table(struct page *page, struct bytes *out)
{
    const struct set_page *set = page->state;
    static const struct results none;
    export_csv_questions(set->rows ? set->rows : &none, set->shown.order, set->rows ? set->shown.count : 0, out);
}

const struct page_kind page_set = {
    .id = PAGE_SET,
    .size = sizeof(struct set_page),
    .about = about,
    .open = open,
    .close = close,
    .status = status,
    .draw = set_page_draw,
    .act = set_page_act,
    .mouse = set_page_mouse,
    .typed = set_page_typed,
    .typing = set_page_typing,
    .untyped = set_page_untyped,
    .tick = tick,
    .news = news,
    .job = job,
    .explain = set_page_explain,
    .exports = exports,
    .table = table,
};
