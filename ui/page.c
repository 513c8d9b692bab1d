// The stack of pages.
#include "ui/page.h"

#include "ui/export.h"
#include "ui/screen_state.h"

#include "engine/base/thread.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

static const struct page_kind *const kinds[PAGE_COUNT] = {
#define PAGE_KIND(id, name, title) &page_##name,
    PAGES(PAGE_KIND)
#undef PAGE_KIND
};

const struct page_kind *page_kind_of(enum page_id id)
{
    return kinds[id];
}

struct page *page_top(const struct screen *screen)
{
    return screen->pages[screen->page_count - 1];
}

bool page_is_lowest(const struct page *page)
{
    return page == page->screen->pages[0];
}

static void page_free(struct page *page)
{
    if (page)
        free(page->state);
    free(page);
}

bool page_push(struct screen *screen, const struct page_kind *kind, const void *argument)
{
    struct error err = {0};
    if (screen->page_count == PAGE_STACK) {
        view_say(&screen->view, true, _("Too many pages are open: go back with Esc first."));
        return false;
    }
    struct page *page = calloc(1, sizeof *page);
    void *state = page ? calloc(1, kind->size + 1) : NULL;
    if (!state) {
        error_no_memory(&err, "another page");
        view_say(&screen->view, true, "%s", err.text);
        free(page);
        return false;
    }
    *page = (struct page){.kind = kind, .screen = screen, .state = state, .body = screen->layout.body};
    if (kind->open && !kind->open(page, argument, &err)) {
        view_say(&screen->view, true, "%s", err.text);
        for (int i = 0; i < SCREEN_JOBS; i++)
            if (screen->jobs[i].page == page)
                page_cancel_job(page, screen->jobs[i].id);
        page_free(page);
        return false;
    }
    screen->pages[screen->page_count++] = page;
    screen->view.playing = false;
    popup_close(&screen->popup);
    prompt_forget_page(&screen->prompt);
    screen->page_turned = screen->dirty = true;
    return true;
}

static void close_top(struct screen *screen)
{
    struct page *page = page_top(screen);
    for (int i = 0; i < SCREEN_JOBS; i++)
        if (screen->jobs[i].page == page)
            page_cancel_job(page, screen->jobs[i].id);
    if (page->kind->close)
        page->kind->close(page);
    screen->page_count--;
    page_free(page);
}

void page_pop(struct screen *screen)
{
    if (screen->page_count <= 1)
        return;
    close_top(screen);
    popup_close(&screen->popup);
    prompt_forget_page(&screen->prompt);
    screen->page_turned = screen->dirty = true;
}

void page_free_all(struct screen *screen)
{
    while (screen->page_count > 0)
        close_top(screen);
}

struct page_target screen_target(struct screen *screen)
{
    struct page *page = screen->page_count > 0 ? page_top(screen) : NULL;
    if (page && page->kind->target)
        return page->kind->target(page);
    return (struct page_target){screen->backend, &screen->view};
}

char *page_make_command(struct page *page)
{
    char *own = page->kind->command ? page->kind->command(page) : NULL;
    const char *of_run = page->screen->view.command;
    bool shows_run = ON_WITH_COMMAND >> page->kind->id & 1 && page->kind->id != PAGE_EDIT && page->kind->id != PAGE_REDUNDANCY;
    if (page->kind->id == PAGE_LESSON && page->kind->hints(page) == HINT_LIST)
        shows_run = false;
    shows_run = shows_run && !view_awaits(&page->screen->view);
    return own ? own : shows_run && of_run ? strdup(of_run) : NULL;
}

unsigned page_exports_frame(struct page *page)
{
    (void)page;
    return 1U << EXPORT_FRAME;
}

void page_changed(struct page *page)
{
    page->screen->dirty = true;
}

void page_wait_for(struct page *page, int id, double seconds)
{
    struct screen *screen = page->screen;
    screen->awaited_job = id;
    if (id && screen->draw_at <= 0) // keys that come fast do not put it off again and again
        screen->draw_at = clock_seconds() + seconds;
}

void page_say(struct page *page, bool is_error, const char *format, ...)
{
    struct view *view = &page->screen->view;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(view->message, sizeof view->message, format, arguments);
    va_end(arguments);
    view->message_is_error = is_error;
    page->screen->dirty = true;
}

void page_prompt(struct page *page, int which, const char *label, const char *text)
{
    struct prompt *prompt = &page->screen->prompt;
    popup_close(&page->screen->popup);
    prompt_open(prompt, (enum prompt_kind)(PROMPT_PAGE + which), text);
    prompt->label = label;
    page->screen->dirty = true;
}

// ---- jobs
// -----------------------------------------------------------------------------------------------------

int page_start_job(struct page *page, const struct backend_job *job)
{
    struct screen *screen = page->screen;
    int place = 0;
    while (place < SCREEN_JOBS && screen->jobs[place].id)
        place++;
    if (!(screen->view.abilities & BACKEND_JOBS)) {
        page_say(page, false, _("A saved run cannot do that: there is no model behind it."));
        return 0;
    }
    int id = place < SCREEN_JOBS ? screen->backend->start_job(screen->backend->context, job) : 0;
    if (id)
        screen->jobs[place] = (struct screen_job){id, page};
    else
        page_say(page, true, _("Too much is waiting to be computed: stop it with ^C, or wait."));
    return id;
}

void page_cancel_job(struct page *page, int id)
{
    struct screen *screen = page->screen;
    for (int i = 0; id && i < SCREEN_JOBS; i++)
        if (screen->jobs[i].id == id && screen->jobs[i].page == page) {
            screen->backend->cancel_job(screen->backend->context, id);
            screen->jobs[i] = (struct screen_job){0};
        }
}

// What a page that is gone had asked for is nobody's any more.
static void deliver(struct screen *screen, struct backend_job_news *news)
{
    for (int i = 0; i < SCREEN_JOBS; i++) {
        struct screen_job job = screen->jobs[i];
        if (job.id != news->id)
            continue;
        if (news->state != JOB_WORKING && news->state != JOB_PART) {
            screen->jobs[i] = (struct screen_job){0};
            if (screen->awaited_job == news->id)
                screen->draw_at = 0;
        }
        if (job.page->kind->job)
            job.page->kind->job(job.page, news);
        screen->dirty = true;
        return;
    }
}

void page_take_jobs(struct screen *screen, struct backend_job_news *news)
{
    for (struct backend_job_news *one = news; one; one = one->next)
        deliver(screen, one);
    backend_job_news_free(news);
}

void page_take_news(struct screen *screen)
{
    for (int i = 0; i < screen->page_count; i++)
        if (screen->pages[i]->kind->news)
            screen->pages[i]->kind->news(screen->pages[i]);
}
