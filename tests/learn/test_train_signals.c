// `trimscope train` that is ended from outside: it saves what it has learnt and can go on, with a screen and without.
#include "tests/support/cmocka_all.h"

#include "app/commands.h"
#include "engine/io/safetensors.h"
#include "tests/support/command.h"
#include "tests/support/scratch.h"
#include "tests/support/screen_term.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

// A small model that would train for hours, and would not save its state before a day has passed.
#define SMALL                                                                                                        \
    "--every", "86400", "--threads", "2", "total=100000000", "scenes=2", "questions=2", "width=16", "attention_heads=2",  \
        "image_layers=1", "text_layers=1", "fusion_layers=2", "image_ffn=16", "text_ffn=16", "image_fusion_ffn=16",    \
        "text_fusion_ffn=16"

struct call {
    const char *out;
    bool on_screen;
};

static int train(void *context)
{
    const struct call *call = context;
    const char *const words[] = {"train", "--out", call->out, SMALL, call->on_screen ? "--screen" : NULL, NULL};
    char *argv[sizeof words / sizeof *words] = {NULL};
    int argc = 0;
    for (; words[argc]; argc++)
        argv[argc] = strdup(words[argc]);
    return cmd_train(argc, argv);
}

static void start(struct screen_term *term, struct call *call, const char *shown)
{
    static const struct screen_term_options options = {.rows = 40, .columns = 120};
    screen_term_start(term, &options, train, call);
    if (screen_term_wait(term, shown))
        return;
    screen_term_dump(term);
    fail_msg("no \"%s\"", shown);
}

static void check_state(const char *out)
{
    char state[4096];
    struct error err = {0};
    snprintf(state, sizeof state, "%s.state", out);
    struct tensor_list *file = safetensors_open(state, &err);
    if (!file)
        fail_msg("%s", err.text);
    assert_non_null(tensor_list_find(file, "optimizer.moment1"));
    tensor_list_close(file);
}

static void check_goes_on(const char *out)
{
    struct command_output o = command_run(cmd_train, (const char *const[]){"train", "--out", out, SMALL, "--minutes", "1",
                                                                           "total=1", "--change", NULL});
    if (o.status || !strstr(o.out, "going on from"))
        fail_msg("status %d: %s%s", o.status, o.out, o.err);
    command_free(&o);
}

static void test_signals(void **state)
{
    (void)state;
    static const struct {
        int signal;
        bool on_screen;
        const char *shown;
    } cases[] = {{SIGTERM, true, " a second"}, {SIGHUP, false, "questions/s"},
                 {SIGPIPE, false, "questions/s"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char name[32];
        snprintf(name, sizeof name, "%zu.safetensors", i);
        struct call call = {scratch_path(name), cases[i].on_screen};
        struct screen_term term;
        start(&term, &call, cases[i].shown);
        kill(term.pid, cases[i].signal);
        int status = screen_term_finish(&term);
        if (!WIFEXITED(status) || WEXITSTATUS(status) != ERROR_CANCELLED)
            fail_msg("signal %d, screen %d: wait status %d", cases[i].signal, cases[i].on_screen, status);
        assert_true(screen_term_restored(&term));
        assert_false(term.alternate);
        screen_term_free(&term);
        check_state(call.out);
    }
}

// The terminal has been asked what it is, and has not answered: there is no screen yet.
static void test_early_signal(void **state)
{
    (void)state;
    static const struct screen_term_options silent = {.rows = 40, .columns = 120, .silent = true};
    struct call call = {scratch_path("early.safetensors"), true};
    struct screen_term term;
    screen_term_start(&term, &silent, train, &call);
    assert_int_equal(poll(&(struct pollfd){.fd = term.pty, .events = POLLIN}, 1, 20000), 1);
    kill(term.pid, SIGTERM);
    int status = screen_term_finish(&term);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == ERROR_CANCELLED);
    assert_true(screen_term_restored(&term));
    screen_term_free(&term);
    check_state(call.out);
}

// Nobody reads what it says any more.
static void test_closed_terminal(void **state)
{
    (void)state;
    struct call call = {scratch_path("closed.safetensors"), true};
    struct screen_term term;
    int status;
    start(&term, &call, " a second");
    close(term.tty);
    close(term.pty);
    term.pty = term.tty = -1;
    assert_int_equal(waitpid(term.pid, &status, 0), term.pid);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == ERROR_CANCELLED);
    screen_term_free(&term);
    check_state(call.out);
    check_goes_on(call.out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_signals),
        cmocka_unit_test(test_early_signal),
        cmocka_unit_test(test_closed_terminal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
