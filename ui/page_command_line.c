// The whole command that makes what the page below shows: on the terminal's clipboard, and in rows that can be selected
// and pasted, with nothing beside them.
#include "ui/base64.h"
#include "ui/command_lines.h"
#include "ui/page.h"
#include "ui/screen_state.h"
#include "ui/words.h"

#include <stdlib.h>
#include <string.h>

struct command_page {
    char *command;
    const char *about; // what it makes
    int first, rows; // the row at the top of those, and how many there are
};

// OSC 52 puts text on the clipboard of the terminal that the person sits at, over SSH, too. No terminal tells whether it
// did.
static void copy(struct page *page)
{
    const struct command_page *state = page->state;
    struct bytes out = {0};
    bytes_add(&out, "\033]52;c;", 7);
    base64_add(&out, (const unsigned char *)state->command, strlen(state->command));
    bytes_add(&out, "\033\\", 2);
    if (!out.failed)
        terminal_write(out.data, out.used);
    bytes_free(&out);
}

static bool open_page(struct page *page, const void *argument, struct error *err)
{
    struct command_page *state = page->state;
    (void)argument;
    struct page *before = page_top(page->screen); // this one is not on the stack yet
    state->command = page_make_command(before);
    state->about = before->kind->command_about ? before->kind->command_about : N_("makes what the page before shows");
    if (!state->command)
        return error_set(err, ERROR_USAGE, "%s", _("There is no command for what is shown here, or not yet."));
    page->screen->repaint = true; // blanks that were never written are not selected with the rows
    copy(page);
    return true;
}

static void close_page(struct page *page)
{
    struct command_page *state = page->state;
    free(state->command);
}

static int draw_help(const struct page *page, const struct pane *pane, struct rect rect)
{
    int used = draw_wrapped(pane, STYLE_TEXT, rect,
                            page->screen->terminal.tmux
                                ? _("It is on the clipboard where tmux passes it on (set -g set-clipboard on) and the terminal "
                                    "takes it (OSC 52).")
                                : _("It is on the clipboard where the terminal takes it from programs (OSC 52)."));
    rect.row += used;
    rect.rows -= used;
    if (rect.rows > 0)
        used += draw_wrapped(pane, STYLE_DIM, rect,
                             page->screen->mouse ? _("Or select the rows above, with Shift held down, and paste them as they "
                                                     "are: a backslash joins a row to the next.")
                                                 : _("Or select the rows above and paste them as they are: a backslash joins a "
                                                     "row to the next."));
    return used;
}

static void draw(struct page *page, const struct pane *pane)
{
    struct command_page *state = page->state;
    struct rect body = page->body;
    int room = body.rows - 8, index = 0;
    char *lines = command_lines(state->command, COLS), *rest = lines;
    draw_title(pane, (struct rect){body.row, body.column, 1, body.columns}, _("COMMAND"),
               _(state->about), true);
    if (!lines)
        return;
    state->rows = 1;
    for (const char *c = lines; *c; c++)
        state->rows += *c == '\n';
    int most = state->rows > room ? state->rows - room : 0;
    state->first = state->first < 0 ? 0 : state->first > most ? most : state->first;
    int row = body.row + 2;
    for (char *line; (line = strsep(&rest, "\n")); index++)
        if (index >= state->first && index < state->first + room)
            draw_text(pane, STYLE_STRONG, row++, 0, COLS, line);
    if (most > 0) {
        draw_format(pane, STYLE_DIM, row, body.column, body.columns, _("rows %d to %d of %d; arrows scroll"), state->first + 1,
                    state->first + room, state->rows);
        row++;
    }
    draw_help(page, pane, (struct rect){row + 1, body.column, body.row + body.rows - row - 1, body.columns});
    free(lines);
}

static bool act(struct page *page, enum action action)
{
    struct command_page *state = page->state;
    page_changed(page);
    switch (action) {
    case ACTION_UP: state->first--; return true;
    case ACTION_DOWN: state->first++; return true;
    case ACTION_COPY:
        copy(page);
        page_say(page, false, "%s", _("Copied again."));
        return true;
    default: return false;
    }
}

static void mouse(struct page *page, const struct page_mouse *event)
{
    struct command_page *state = page->state;
    state->first += event->wheel;
    page_changed(page);
}

static const char *explain(enum action action)
{
    return action == ACTION_UP     ? N_("scroll up")
           : action == ACTION_DOWN ? N_("scroll down")
           : action == ACTION_COPY ? N_("copy it again")
                                   : NULL;
}

const struct page_kind page_command_line = {
    .id = PAGE_COMMAND_LINE,
    .size = sizeof(struct command_page),
    .about = N_("The command that makes what the page before shows, your changes included, whole and ready to be pasted."),
    .open = open_page,
    .close = close_page,
    .draw = draw,
    .act = act,
    .mouse = mouse,
    .explain = explain,
    .exports = page_exports_frame,
};
