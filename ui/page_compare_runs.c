// The runs of the comparison page: how they come and go, the list of what another one may differ in, and how they are
// kept while the page is closed.
#include "ui/page_compare.h"

#include "ui/finder.h"
#include "ui/lane.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

static int free_lane(const struct compare *c)
{
    for (int lane = 1; lane < COMPARE_RUNS; lane++) {
        bool used = false;
        for (int r = 0; r < c->count; r++)
            used |= c->runs[r].lane == lane;
        if (!used)
            return lane;
    }
    return 0;
}

static bool add_run(struct page *page)
{
    struct compare *c = compare_of(page);
    struct screen *screen = page->screen;
    int lane = free_lane(c);
    if (c->count == COMPARE_RUNS || lane == 0) {
        page_say(page, false, _("Four runs are the most that fit: remove one with x first."));
        return false;
    }
    struct compare_run *run = &c->runs[c->count];
    *run = (struct compare_run){.lane = lane};
    if (!lane_open(screen->backend, lane, &screen->view, &run->backend, &run->own)) {
        page_say(page, true, _("There is no memory for another run."));
        return false;
    }
    c->count++;
    compare_focus_run(page, c->count - 1);
    return true;
}

void compare_free_run(struct page *page, struct compare_run *run, bool lane)
{
    const struct backend *backend = page->screen->backend;
    if (lane && run->lane > 0)
        backend->close_lane(backend->context, run->lane);
    portrait_free(&run->portrait);
    image_free(&run->image);
    if (lane)
        view_free(&run->own);
}

void compare_remove_run(struct page *page, int run)
{
    struct compare *c = compare_of(page);
    int focus = c->focus > run || c->focus == c->count - 1 ? c->focus - 1 : c->focus;
    compare_focus_run(page, 0);
    compare_free_run(page, &c->runs[run], true);
    c->count--;
    memmove(&c->runs[run], &c->runs[run + 1], (size_t)(c->count - run) * sizeof *c->runs);
    c->runs[c->count] = (struct compare_run){.lane = 0};
    for (int r = 0; r < c->count; r++)
        c->runs[r].key = (struct compare_key){.count = 0}; // the marks are others now
    c->menu = c->count == 1;
    compare_focus_run(page, focus);
}

void compare_focus_run(struct page *page, int run)
{
    struct compare *c = compare_of(page);
    int word = compare_word_of(page, run);
    struct view *view = compare_view(page, run);
    c->focus = run;
    if (word < 0) { // its question does not have the word that the cursor was on
        view_find_word(view);
        word = view->word;
    }
    c->word = word;
    compare_link(page);
}

// ---- kept while the page is closed

static bool same_path(const char *a, const char *b)
{
    return a == b || (a && b && !strcmp(a, b));
}

static bool of_these_pictures(const struct compare *kept, const struct view *view)
{
    if (!view->has_trace || view->trace.picture_count != kept->picture_count)
        return false;
    for (int p = 0; p < kept->picture_count; p++)
        if (!same_path(kept->pictures[p], view->trace.pictures[p].path))
            return false;
    return true;
}

static void forget_names(struct compare *kept)
{
    for (int p = 0; p < TRACE_PICTURES; p++)
        free(kept->pictures[p]);
    kept->picture_count = 0;
    memset(kept->pictures, 0, sizeof kept->pictures);
}

void compare_forget(struct screen *screen)
{
    struct compare *kept = screen->compared;
    for (int r = 1; kept && r < kept->count; r++) {
        screen->backend->close_lane(screen->backend->context, kept->runs[r].lane);
        view_free(&kept->runs[r].own);
    }
    if (kept)
        forget_names(kept);
    free(kept);
    screen->compared = NULL;
}

bool compare_keep(struct page *page)
{
    struct compare *c = compare_of(page);
    const struct trace *trace = &page->screen->view.trace;
    struct compare *kept = c->count > 1 && page->screen->view.has_trace ? malloc(sizeof *kept) : NULL;
    if (!kept)
        return false;
    *kept = *c;
    kept->palette_count = 0;
    for (int r = 0; r < COMPARE_RUNS; r++) { // what was painted goes with the page
        kept->runs[r].portrait = (struct portrait){0};
        kept->runs[r].image = (struct image){0};
        kept->runs[r].key = (struct compare_key){.count = 0};
    }
    kept->picture_count = trace->picture_count;
    for (int p = 0; p < trace->picture_count; p++)
        kept->pictures[p] = trace->pictures[p].path ? strdup(trace->pictures[p].path) : NULL;
    page->screen->compared = kept;
    return true;
}

bool compare_take_kept(struct page *page)
{
    struct screen *screen = page->screen;
    struct compare *kept = screen->compared;
    if (!kept)
        return false;
    if (!of_these_pictures(kept, &screen->view)) {
        compare_forget(screen);
        return false;
    }
    forget_names(kept);
    *compare_of(page) = *kept;
    compare_of(page)->menu = compare_of(page)->pending = false;
    free(kept);
    screen->compared = NULL;
    return true;
}

// ---- the list of what to compare with

// A question known about the pictures that no run asks yet, as a proposal.
static bool propose_question(struct page *page, char *out, size_t size)
{
    const struct backend *backend = page->screen->backend;
    const struct view *first = &page->screen->view;
    for (int i = 0; first->has_trace && backend->known_question(backend->context, &first->trace, i, out, size); i++) {
        bool asked = false;
        for (int r = 0; r < compare_of(page)->count; r++) {
            const struct view *view = compare_view(page, r);
            asked |= view->has_trace && !strcmp(view->trace.question, out);
        }
        if (!asked)
            return true;
    }
    return false;
}

static void set_policy(struct page *page, const char *policy, double budget)
{
    struct compare *c = compare_of(page);
    const struct backend *backend = &c->runs[c->focus].backend;
    backend->set_policy(backend->context, policy, budget);
}

const char *compare_menu_text(int choice)
{
#define MENU_TEXT(id, text) text,
    static const char *const texts[COMPARE_MENU_COUNT] = {COMPARE_MENU(MENU_TEXT)};
#undef MENU_TEXT
    return _(texts[choice]);
}

int compare_menu_entries(const struct compare *c, int out[COMPARE_MENU_COUNT])
{
    return finder_narrow(compare_menu_text, COMPARE_MENU_COUNT, c->typed, out);
}

// Whether run A is what an entry of the list would make.
static bool is_first(const struct page *page, enum compare_choice choice, double budget)
{
    const struct view *view = &page->screen->view;
    const char *policy = choice == COMPARE_MENU_NONE ? "none" : choice == COMPARE_MENU_SELF ? "learned-self" : "";
    bool as_trained = choice == COMPARE_MENU_SELF && isnan(budget); // the entry gives it a share
    return view->has_trace && !as_trained && view->trace.intervention_count == 0 && !strcmp(view->trace.policy, policy);
}

void compare_choose(struct page *page, int entry)
{
    struct screen *screen = page->screen;
    const struct backend *backend = screen->backend;
    int entries[COMPARE_MENU_COUNT];
    if (entry >= compare_menu_entries(compare_of(page), entries))
        return;
    enum compare_choice choice = (enum compare_choice)entries[entry];
    char question[PROMPT_BYTES];
    bool proposed = choice == COMPARE_MENU_QUESTION && propose_question(page, question, sizeof question);
    double budget = screen->view.trace.budget;
    compare_of(page)->menu = false;
    compare_of(page)->typed[0] = 0;
    compare_of(page)->selected = 0;
    if (is_first(page, choice, budget)) {
        page_say(page, false, "%s", _("Run A is that already."));
        compare_of(page)->menu = compare_of(page)->count == 1;
        return;
    }
    if (!add_run(page))
        return;
    compare_of(page)->pending = choice <= COMPARE_MENU_PICTURE; // until what follows is answered
    switch (choice) {
    case COMPARE_MENU_QUESTION:
        screen_open_prompt(screen, PROMPT_QUESTION);
        if (proposed)
            prompt_suggest(&screen->prompt, question);
        break;
    case COMPARE_MENU_POLICY:
        popup_open(&screen->popup, POPUP_POLICY, screen_target(screen).view);
        break;
    case COMPARE_MENU_BUDGET:
        screen_open_prompt(screen, PROMPT_BUDGET);
        break;
    case COMPARE_MENU_PICTURE:
        screen_open_prompt(screen, PROMPT_PATH);
        break;
    case COMPARE_MENU_SELF: // its threshold was not trained: the share makes it comparable
        set_policy(page, "learned-self", isnan(budget) ? backend->learned_share(backend->context) : budget);
        break;
    case COMPARE_MENU_NONE:
        set_policy(page, "none", (double)NAN);
        break;
    case COMPARE_MENU_COUNT:
        break;
    }
}

// Letters narrow the list, as they do in the palette; a space does between words.
bool compare_menu_key(struct page *page, wint_t key, bool is_code)
{
    struct compare *c = compare_of(page);
    if (!c->menu)
        return false;
    page_changed(page);
    if (!finder_type(c->typed, sizeof c->typed, key, is_code))
        return false;
    c->selected = 0;
    return true;
}

// Keys while the list is open; false: they mean what they mean without it.
bool compare_menu_act(struct page *page, enum action action)
{
    struct compare *c = compare_of(page);
    int entries[COMPARE_MENU_COUNT];
    int count = compare_menu_entries(c, entries);
    switch (action) {
    case ACTION_UP:
    case ACTION_DOWN:
        c->selected = count ? (c->selected + (action == ACTION_UP ? count - 1 : 1)) % count : 0;
        return true;
    case ACTION_CHOOSE:
        compare_choose(page, c->selected);
        return true;
    case ACTION_ESCAPE:
        if (c->typed[0]) {
            c->typed[0] = 0;
            return true;
        }
        c->menu = false;
        return c->count > 1; // alone: there is nothing to compare, back
    default:
        return false;
    }
}
