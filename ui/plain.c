#include "ui/plain.h"

#include "engine/prune/policy.h"
#include "ui/plain_tell.h"
#include "ui/titles.h"
#include "ui/view.h"
#include "ui/words.h"

#include <errno.h>
#include <math.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct plain {
    const struct backend *backend;
    struct view view;
    FILE *out;
    char error[480]; // the newest of the backend
    bool quit;
};

// ---- waiting for the backend
// ----------------------------------------------------------------------------------

// Waits for what the last command comes to: the whole run, or an error. Where that takes patience, a line says what is
// going on, once.
static void settle(struct plain *plain)
{
    const struct backend *backend = plain->backend;
    bool live = backend->abilities & BACKEND_ASK, told = false, arrived = false;
    plain->error[0] = 0;
    for (int waited = 0; !plain->error[0] && !(arrived && (view_is_whole(&plain->view) || !live)); waited++) {
        struct backend_news news = {0};
        struct pollfd wake = {.fd = backend->wake_fd, .events = POLLIN};
        poll(&wake, waited > 0, 50);
        backend->poll(backend->context, &news);
        bool new_trace = news.has_trace;
        if (news.has_error)
            snprintf(plain->error, sizeof plain->error, "%s", news.error);
        if (news.busy && !told && waited > 40 && news.progress[0]) {
            fprintf(plain->out, _("Please wait: %s.\n"), news.progress);
            fflush(plain->out);
            told = true;
        }
        view_take_news(&plain->view, &news);
        arrived |= new_trace;
        if (new_trace && !view_is_whole(&plain->view))
            backend->want_stage(backend->context, plain->view.trace.stage_total - 1);
    }
}

// ---- computing
// ------------------------------------------------------------------------------------------------

// What came of a command that computes.
static void tell_outcome(struct plain *plain)
{
    struct view *view = &plain->view;
    view->message[0] = 0;
    settle(plain);
    if (plain->error[0])
        fprintf(plain->out, "%s\n", plain->error);
    else if (view->message[0])
        fprintf(plain->out, "%s\n", view->message);
    view->change[0] = 0;
}

// ---- tokens
// ---------------------------------------------------------------------------------------------------

// Takes the number of one of several pictures from the start of a command's text; 0, the first, where there is none.
static int take_picture(const struct plain *plain, const char **text)
{
    int number, end = 0, count = plain->view.trace.picture_count;
    if (count < 2 || sscanf(*text, "%d %n", &number, &end) != 1 || end == 0 || number < 1 || number > count)
        return 0;
    *text += end;
    return number - 1;
}

// A word of the question, or a patch as "ROW COLUMN", with the number of the picture before it where there are two; false:
// there is none, which has been said.
static bool find_token(struct plain *plain, const char *text, int *stream, int *token)
{
    const struct view *view = &plain->view;
    int row, column, three, end = 0;
    bool numbered = sscanf(text, "%d %d %d", &row, &column, &three) == 3;
    int picture_number = numbered ? take_picture(plain, &text) : 0;
    const struct trace_picture *picture = &view->trace.pictures[picture_number];
    char name[TRACE_TEXT];
    if (sscanf(text, "%d %d%n", &row, &column, &end) == 2 && !text[end]) {
        if (row >= 1 && column >= 1 && row <= picture->grid_rows && column <= picture->grid_columns) {
            *stream = picture_number;
            *token = (row - 1) * picture->grid_columns + column;
            return true;
        }
        fprintf(plain->out, _("The picture has %d rows and %d columns of patches.\n"), picture->grid_rows,
                picture->grid_columns);
        return false;
    }
    for (int i = 0; i < view->trace.token_count; i++) {
        view_token_name(view, TRACE_TEXT_STREAM, i, name, sizeof name);
        if (*text && !strcasecmp(name, text)) {
            *stream = TRACE_TEXT_STREAM;
            *token = i;
            return true;
        }
    }
    fputs(_("Name a word of the question, or a patch by its row and column, as in: why 3 7\n"), plain->out);
    return false;
}

static void why(struct plain *plain, const char *text)
{
    int stream, token;
    if (find_token(plain, text, &stream, &token))
        plain_tell_token(&plain->view, stream, token, plain->out);
}

static void force(struct plain *plain, const char *text, bool keep)
{
    struct view *view = &plain->view;
    int stream, token, stage = view_stage(view);
    char name[TRACE_TEXT];
    if (!(view->abilities & BACKEND_INTERVENE)) {
        fputs(_("A saved run cannot do that: there is no model behind it.\n"), plain->out);
        return;
    }
    if (!find_token(plain, text, &stream, &token))
        return;
    view_token_name(view, stream, token, name, sizeof name);
    const struct trace_tokens *end = view_tokens(view, view->trace.stage_count - 1, stream);
    int died = end && token < end->count && !end->alive[token] ? end->dropped_at[token] : -1;
    if (keep && died < 0) {
        fprintf(plain->out, _("%s is never dropped: nothing to force.\n"), name);
        return;
    }
    struct intervention what = {.kind = keep ? INTERVENE_TOKEN_KEEP : INTERVENE_TOKEN_DROP,
                                .stage = keep ? died : stage,
                                .stream = stream,
                                .token = token};
    view->answer_before = view->trace.answer;
    snprintf(view->change, sizeof view->change, keep ? _("%s forced to stay") : _("%s forced to go"), name);
    plain->backend->intervene(plain->backend->context, &what);
    tell_outcome(plain);
}

// ---- commands
// -------------------------------------------------------------------------------------------------

static void go_to(struct plain *plain, int stage)
{
    struct view *view = &plain->view;
    int last = view->trace.stage_count - 1;
    if (stage < 0)
        fputs(_("This is the first stage.\n"), plain->out);
    else if (stage > last && plain->error[0])
        fprintf(plain->out, "%s\n", plain->error); // why it goes no further
    else if (stage > last)
        fputs(_("This is the last stage.\n"), plain->out);
    view->stage = stage < 0 ? 0 : stage > last ? last : stage;
    plain_tell_stage(&plain->view, plain->out);
}

static void change_policy(struct plain *plain, const char *name, double budget)
{
    struct view *view = &plain->view;
    view->answer_before = view->trace.answer;
    if (isnan(budget))
        snprintf(view->change, sizeof view->change, _("Policy %s"), title_policy(name));
    else
        snprintf(view->change, sizeof view->change, _("Policy %s, budget %.0f %%"), title_policy(name), 100 * budget);
    plain->backend->set_policy(plain->backend->context, name, budget);
    tell_outcome(plain);
}

static void set_policy(struct plain *plain, const char *text)
{
    enum policy policy;
    if (policy_find(text, &policy)) {
        change_policy(plain, text, plain->view.trace.budget);
        return;
    }
    if (*text)
        fprintf(plain->out, _("There is no policy '%.40s'.\n"), text);
    fputs(_("The policies are:\n"), plain->out);
    for (int p = 0; p < POLICY_COUNT; p++)
        fprintf(plain->out, _("%s: %s.\n"), policy_name((enum policy)p), _(policy_help((enum policy)p)));
}

static void set_budget(struct plain *plain, const char *text)
{
    char *end;
    double value = strtod(text, &end);
    char policy[TRACE_NAME];
    snprintf(policy, sizeof policy, "%s", plain->view.trace.policy);
    if (!strcmp(text, "trained"))
        change_policy(plain, policy, (double)NAN);
    else if (end == text || *end || !(value >= 0.05 && value <= 1))
        fputs(_("A budget is a share of the unpruned FLOPs from 0.05 to 1, or the word trained.\n"), plain->out);
    else
        change_policy(plain, policy, value);
}

static void ask(struct plain *plain, const char *text)
{
    if (!*text) {
        fputs(_("Write the question behind ask.\n"), plain->out);
        return;
    }
    plain->backend->ask(plain->backend->context, text);
    tell_outcome(plain);
    plain->view.stage = 0;
    plain_tell_input(&plain->view, plain->out);
}

static void open_picture(struct plain *plain, const char *text)
{
    int slot = take_picture(plain, &text);
    plain->backend->open_picture(plain->backend->context, slot, text, false);
    tell_outcome(plain);
    if (!plain->error[0])
        plain_tell_input(&plain->view, plain->out);
}

static void undo(struct plain *plain, const char *text)
{
    struct view *view = &plain->view;
    (void)text;
    if (view->trace.intervention_count == 0) {
        fputs(_("There is nothing to undo.\n"), plain->out);
        return;
    }
    view->answer_before = view->trace.answer;
    snprintf(view->change, sizeof view->change, "%s", _("Last change taken back"));
    plain->backend->undo(plain->backend->context);
    tell_outcome(plain);
}

static void redo(struct plain *plain, const char *text)
{
    struct view *view = &plain->view;
    (void)text;
    view->answer_before = view->trace.answer;
    snprintf(view->change, sizeof view->change, "%s", _("Change made again"));
    plain->backend->redo(plain->backend->context);
    tell_outcome(plain);
}

static void next(struct plain *plain, const char *text)
{
    (void)text;
    go_to(plain, view_stage(&plain->view) + 1);
}

static void previous(struct plain *plain, const char *text)
{
    (void)text;
    go_to(plain, view_stage(&plain->view) - 1);
}

static void first(struct plain *plain, const char *text)
{
    (void)text;
    go_to(plain, 0);
}

static void last(struct plain *plain, const char *text)
{
    (void)text;
    go_to(plain, plain->view.trace.stage_count - 1);
}

static void go(struct plain *plain, const char *text)
{
    int stage = view_find_stage(&plain->view.trace, text);
    if (stage < 0)
        fprintf(plain->out, _("Stages have numbers from 1 to %d, and names: go 3, go fusion 1\n"), plain->view.trace.stage_count);
    else
        go_to(plain, stage);
}

static void keep(struct plain *plain, const char *text)
{
    force(plain, text, true);
}

static void drop(struct plain *plain, const char *text)
{
    force(plain, text, false);
}

static void leave(struct plain *plain, const char *text)
{
    (void)text;
    plain->quit = true;
}

static void tell_all(struct plain *plain, const char *text)
{
    (void)text;
    plain_tell_input(&plain->view, plain->out);
    plain_tell_stage(&plain->view, plain->out);
}

#define TELL(name, function)                                                                                 \
    static void name(struct plain *plain, const char *text)                                                  \
    {                                                                                                        \
        (void)text;                                                                                          \
        function(&plain->view, plain->out);                                                                                     \
    }
TELL(words, plain_tell_words)
TELL(patches, plain_tell_patches)
TELL(heads, plain_tell_heads)
TELL(answer, plain_tell_answers)
TELL(cost, plain_tell_cost)
#undef TELL

static void help(struct plain *plain, const char *text);

static const struct {
    const char *name, *shortly, *argument; // "" or by Nin_()
    void (*run)(struct plain *plain, const char *text);
    unsigned needs;
    const char *help;
} commands[] = {
    {"next", "n", "", next, 0, N_("the next stage; an empty line does the same")},
    {"previous", "p", "", previous, 0, N_("the stage before")},
    {"first", "f", "", first, 0, N_("the first stage")},
    {"last", "l", "", last, 0, N_("the last stage: the answer")},
    {"go", "g", Nin_("argument", "STAGE"), go, 0, N_("a stage by its number or name")},
    {"again", "r", "", tell_all, 0, N_("the question, the picture and this stage again")},
    {"answer", "a", "", answer, 0, N_("what the model would answer at this stage")},
    {"words", "w", "", words, 0, N_("which words are read, and which were dropped")},
    {"patches", "t", "", patches, 0, N_("which patches of the picture are looked at, row by row")},
    {"heads", "h", "", heads, 0, N_("how many attention heads are computed")},
    {"cost", "c", "", cost, 0, N_("what this stage spends")},
    {"why", "y", Nin_("argument", "WORD or ROW COLUMN"), why, 0, N_("the score of a word or patch, and where it was dropped")},
    {"keep", "k", Nin_("argument", "WORD or ROW COLUMN"), keep, BACKEND_INTERVENE, N_("force it to stay, and hear what changes")},
    {"drop", "d", Nin_("argument", "WORD or ROW COLUMN"), drop, BACKEND_INTERVENE, N_("force it to go from this stage on")},
    {"undo", "u", "", undo, BACKEND_INTERVENE, N_("take the last change back")},
    {"redo", "", "", redo, BACKEND_INTERVENE, N_("make the change again that was taken back")},
    {"ask", "?", Nin_("argument", "QUESTION"), ask, BACKEND_ASK, N_("another question")},
    {"open", "o", Nin_("argument", "PICTURE"), open_picture, BACKEND_OPEN, N_("another picture, by its file")},
    {"policy", "", Nin_("argument", "NAME"), set_policy, BACKEND_POLICY, N_("how to prune; without a name: which there are")},
    {"budget", "b", Nin_("argument", "SHARE"), set_budget, BACKEND_POLICY, N_("what may be spent, as a share of the unpruned FLOPs")},
    {"help", "", "", help, 0, N_("this list")},
    {"quit", "q", "", leave, 0, N_("the end")},
};

static void help(struct plain *plain, const char *text)
{
    (void)text;
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
        if ((plain->view.abilities & commands[i].needs) != commands[i].needs)
            continue;
        const char *argument = commands[i].argument;
        fputs(commands[i].name, plain->out);
        if (argument[0])
            fprintf(plain->out, " %s", words_in(argument, strchr(argument, '\004') + 1));
        if (commands[i].shortly[0])
            fprintf(plain->out, _(" (or %s)"), commands[i].shortly);
        fprintf(plain->out, _(": %s.\n"), _(commands[i].help));
    }
}

static void obey(struct plain *plain, char *line)
{
    line += strspn(line, " \t");
    size_t length = strlen(line);
    while (length > 0 && strchr(" \t\r\n", line[length - 1]))
        line[--length] = 0;
    size_t size = strcspn(line, " \t");
    const char *rest = line + size + strspn(line + size, " \t");
    if (size == 0) {
        next(plain, "");
        return;
    }
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
        bool whole = strlen(commands[i].name) == size && !strncasecmp(commands[i].name, line, size);
        bool shortly = strlen(commands[i].shortly) == size && !strncasecmp(commands[i].shortly, line, size);
        if (!whole && !shortly)
            continue;
        if ((plain->view.abilities & commands[i].needs) != commands[i].needs)
            fputs(_("A saved run cannot do that: there is no model behind it.\n"), plain->out);
        else
            commands[i].run(plain, rest);
        return;
    }
    if (line[length - 1] == '?') { // a question, though "ask" was left out
        if (plain->view.abilities & BACKEND_ASK)
            ask(plain, line);
        else
            fputs(_("A saved run cannot do that: there is no model behind it.\n"), plain->out);
        return;
    }
    fprintf(plain->out, _("There is no command '%.*s'; help lists them.\n"), (int)(size < 40 ? size : 40), line);
}

bool plain_run(const struct backend *backend, FILE *in, FILE *out, bool prompted, struct error *err)
{
    struct plain *plain = calloc(1, sizeof *plain);
    char *line = NULL;
    size_t capacity = 0;
    if (!plain)
        return error_no_memory(err, "the plain mode");
    plain->backend = backend;
    plain->out = out;
    plain->view.abilities = backend->abilities;
    settle(plain);
    bool begun = plain->view.has_trace ||
                 error_set(err, ERROR_INPUT, "%s", plain->error[0] ? plain->error : "there is no run to be told");
    if (begun) {
        if (plain->error[0])
            fprintf(out, "%s\n", plain->error);
        tell_all(plain, "");
        fputs(_("An empty line goes on to the next stage; help lists the commands.\n"), out);
    }
    while (begun && !plain->quit) {
        if (prompted)
            fputs("> ", out);
        fflush(out);
        if (getline(&line, &capacity, in) < 0)
            break;
        obey(plain, line);
    }
    fflush(out);
    free(line);
    view_free(&plain->view);
    free(plain);
    return begun;
}
