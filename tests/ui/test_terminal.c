// Answers of real terminals (recorded), and the terminal given back after every kind of end.
#include "tests/support/cmocka_all.h"
#include "tests/support/fake_backend.h"
#include "tests/support/screen_term.h"
#include "ui/screen.h"
#include "ui/terminal.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

static const struct terminal_window window = {.rows = 48, .columns = 160};

static struct terminal parse(const char *bytes, const struct terminal_window *size, bool complete)
{
    struct terminal terminal = {0};
    assert_int_equal(terminal_parse(&terminal, bytes, strlen(bytes), size), complete);
    return terminal;
}

static void test_xterm(void **state)
{
    (void)state;
    struct terminal t = parse("\033P>|XTerm(379)\033\\\033[6;19;10t\033[4;912;1600t\033[?1;0;1024S\033[?2;0;"
                              "1600;912S\033[?2;0;4096;4096S"
                              "\033[?2026;0$y\033]11;rgb:1010/1010/1414\033\\\033[?63;1;2;4;6;9;15;16;22;28c",
                              &window, true);
    assert_true(t.sixel);
    assert_true(t.deltas);
    assert_false(t.synchronized);
    assert_string_equal(t.version, "XTerm(379)");
    assert_int_equal(t.cell_width, 10);
    assert_int_equal(t.cell_height, 19);
    assert_string_equal(t.cell_source, "CSI 16t");
    assert_int_equal(t.most_width, 4096);
    assert_int_equal(t.registers, 1024);
    assert_true(t.has_background);
    assert_int_equal(t.background[0], 0x10);
    assert_int_equal(t.background[2], 0x14);
    assert_int_equal(t.typed_size, 0);
}

static void test_xterm_strict(void **state)
{
    (void)state;
    // No window queries: the geometry answers, if it is below the largest.
    struct terminal t = parse("\033P>|XTerm(379)\033\\\033[?1;0;256S\033[?2;0;960;864S\033[?2;0;1000;"
                              "1000S\033[?2026;0$y\033[?63;1;2;4c",
                              &(struct terminal_window){48, 96, 964, 868}, true);
    assert_int_equal(t.cell_width, 10);
    assert_int_equal(t.cell_height, 18);
    assert_string_equal(t.cell_source, "XTSMGRAPHICS");
    // At the largest it says nothing about the window; ioctl includes xterm's border.
    t = parse("\033[?2;0;1000;1000S\033[?2;0;1000;1000S\033[?63;4c",
              &(struct terminal_window){10, 100, 1004, 194}, true);
    assert_string_equal(t.cell_source, "TIOCGWINSZ");
    assert_int_equal(t.cell_width, 10);
    assert_int_equal(t.cell_height, 19);
    t = parse("\033[?63;1;2;4c", &window, true);
    assert_string_equal(t.cell_source, "a guess");
    assert_int_equal(t.most_width, 1000);
}

static void test_foot_mlterm_tmux(void **state)
{
    (void)state;
    struct terminal t =
        parse("\033P>|foot(1.13.1)\033\\\033[6;20;10t\033[4;960;1600t\033[?1;0;1024S\033[?2;0;10000;10000S"
              "\033[?2;0;10000;10000S\033[?2026;2$y\033]11;rgb:ff/ff/ff\033\\\033[?62;4;22c",
              &window, true);
    assert_true(t.sixel && t.deltas && t.synchronized);
    assert_int_equal(t.background[1], 0xFF);
    // mlterm answers errors about graphics; the order of answers must not slip.
    t = parse("\033P>|mlterm(3.9.0)\033\\\033[6;18;9t\033[?1;3S\033[?2;3S\033[?2;3S\033[?63;1;2;3;4;7;29c",
              &window, true);
    assert_true(t.sixel);
    assert_false(t.deltas);
    assert_int_equal(t.cell_width, 9);
    assert_int_equal(t.most_width, 1000);
    t = parse("\033P>|tmux 3.3a\033\\\033[?1;2c", &window, true);
    assert_false(t.sixel);
    // 14 and 42 are not 4.
    assert_false(parse("\033[?62;14;42c", &window, true).sixel);
    assert_true(parse("\033[?62;22;4c", &window, true).sixel);
    assert_false(parse("\033[?4c", &window, true).sixel); // the first number is the class
    assert_false(parse("\033P>|XTerm(278)\033\\\033[?62;4c", &window, true).deltas);
}

static void test_typed_ahead(void **state)
{
    (void)state;
    struct terminal t = parse("q\033[A\033[?62;4cxy", &window, true);
    assert_int_equal(t.typed_size, 6);
    assert_memory_equal(t.typed, "q\033[Axy", 6);
    t = parse("\033[?62;4", &window, false);
    assert_false(t.answered);
}

static void test_hostile_answers(void **state)
{
    (void)state;
    struct terminal t = parse("\033[6;99999999999999;99999999999999t\033[4;-1;0t\033]11;rgb:zz/1/"
                              "1\033\\\033P>|\001\002evil\033\\\033[?;;;;;;;;;4c",
                              &window, true);
    assert_string_equal(t.version, "evil"); // it will be printed: no control characters
    assert_int_equal(t.cell_width, 10);
    assert_int_equal(t.cell_height, 20);
    assert_false(t.has_background);
}

// ---- ends
// -----------------------------------------------------------------------------------------------------

static int run_screen(void *context)
{
    static struct fake_backend fake;
    struct screen_options options = screen_options_default();
    struct error err = {0};
    (void)context;
    fake_backend_init(&fake);
    return screen_run(&fake.backend, &options, &err) ? 0 : (int)err.code;
}

// A backend that fails badly when it is asked a question. (A sanitizer would catch the first before the
// processor does.)
__attribute__((no_sanitize("undefined", "address"))) static void crash_by_segv(void *context,
                                                                               const char *question)
{
    (void)context;
    volatile int *nowhere = NULL;
    *nowhere = question[0];
}

static void crash_by_abort(void *context, const char *question)
{
    (void)context, (void)question;
    abort();
}

static void crash_by_exit(void *context, const char *question)
{
    (void)context, (void)question;
    exit(5);
}

static int run_crashing(void *context)
{
    static struct fake_backend fake;
    struct screen_options options = screen_options_default();
    struct error err = {0};
    fake_backend_init(&fake);
    memcpy(&fake.backend.ask, context, sizeof fake.backend.ask);
    return screen_run(&fake.backend, &options, &err) ? 0 : (int)err.code;
}

static void check_given_back(struct screen_term *term)
{
    assert_true(screen_term_restored(term));
    assert_false(term->alternate);
    assert_true(term->cursor_visible);
    assert_false(term->mouse);
    screen_term_free(term);
}

static void test_crashes(void **state)
{
    (void)state;
    void (*crashes[])(void *, const char *) = {crash_by_segv, crash_by_abort, crash_by_exit};
    for (size_t i = 0; i < sizeof crashes / sizeof *crashes; i++) {
        struct screen_term term;
        screen_term_start_xterm(&term, 24, 80, true, run_crashing, &crashes[i]);
        assert_true(screen_term_wait(&term, "stage 1 of 13"));
        assert_true(term.alternate);
        screen_term_type(&term, "axyz\r");
        int status = screen_term_finish(&term);
        if (i == 2)
            assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 5);
        else // a sanitizer may turn the signal into an exit status
            assert_true(WIFSIGNALED(status) || WEXITSTATUS(status) != 0);
        check_given_back(&term);
    }
}

static void test_signals(void **state)
{
    (void)state;
    static const int signals[] = {SIGTERM, SIGHUP, SIGINT, SIGQUIT, SIGUSR1,
                                  SIGSEGV, SIGBUS, SIGFPE, SIGILL,  SIGABRT};
    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++) {
        struct screen_term term;
        struct screen_term_options options = {.rows = 24, .columns = 80};
        screen_term_start(&term, &options, run_screen, NULL);
        assert_true(screen_term_wait(&term, "stage 1 of 13"));
        kill(term.pid, signals[i]);
        int status = screen_term_finish(&term);
        assert_true(WIFSIGNALED(status) || WEXITSTATUS(status) != 0);
        if (WIFSIGNALED(status))
            assert_int_equal(WTERMSIG(status), signals[i]);
        check_given_back(&term);
    }
}

// A terminal that says nothing is waited for; it is not left raw by a signal meanwhile.
static void test_signals_while_asked(void **state)
{
    (void)state;
    static const int signals[] = {SIGTERM, SIGHUP, SIGINT, SIGABRT};
    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++) {
        struct screen_term term;
        struct screen_term_options options = {.rows = 24, .columns = 80, .silent = true};
        screen_term_start(&term, &options, run_screen, NULL);
        for (int wait = 0; wait < 2000 && screen_term_restored(&term); wait++)
            usleep(1000);
        assert_false(screen_term_restored(&term));
        kill(term.pid, signals[i]);
        int status = screen_term_finish(&term);
        assert_true(WIFSIGNALED(status) && WTERMSIG(status) == signals[i]);
        check_given_back(&term);
    }
}

// A frame whose answer is still on its way when the person leaves: the answer is not left to the shell.
static void test_answer_on_its_way(void **state)
{
    (void)state;
    struct screen_term term;
    struct termios raw;
    int left = -1;
    screen_term_start_xterm(&term, 24, 80, true, run_screen, NULL);
    assert_true(screen_term_wait(&term, "stage 1 of 13"));
    screen_term_settle(&term, 100);
    term.hold = true;
    screen_term_type(&term, "l");
    assert_true(screen_term_wait(&term, "stage 2 of 13"));
    screen_term_settle(&term, 20);
    screen_term_type(&term, "q");
    usleep(100000);
    screen_term_release(&term);
    assert_int_equal(screen_term_finish(&term), 0);
    raw = term.before;
    cfmakeraw(&raw); // so that what is no whole line counts
    assert_int_equal(tcsetattr(term.tty, TCSANOW, &raw), 0);
    assert_int_equal(ioctl(term.tty, FIONREAD, &left), 0);
    assert_int_equal(left, 0);
    tcsetattr(term.tty, TCSANOW, &term.before);
    check_given_back(&term);
}

// SIGSTOP cannot be caught; whoever continues the program has used the terminal meanwhile.
static void test_stopped_and_continued(void **state)
{
    (void)state;
    struct screen_term term;
    screen_term_start_xterm(&term, 24, 80, true, run_screen, NULL);
    assert_true(screen_term_wait(&term, "stage 1 of 13"));
    screen_term_settle(&term, 100);
    kill(term.pid, SIGSTOP);
    tcsetattr(term.tty, TCSANOW, &term.before);
    static const char rubbish[] = "\033[H\033[2Jsomething else";
    vterm_input_write(term.vterm, rubbish, sizeof rubbish - 1);
    kill(term.pid, SIGCONT);
    assert_true(screen_term_wait(&term, "stage 1 of 13"));
    screen_term_settle(&term, 100);
    assert_true(screen_term_wait_gone(&term, "something else"));
    unsigned char rgb[3];
    assert_true(screen_term_pixel(&term, 40, 60, rgb)); // the picture is back
    screen_term_type(&term, "l");
    assert_true(screen_term_wait(&term, "stage 2 of 13"));
    screen_term_type(&term, "q");
    int status = screen_term_finish(&term);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    check_given_back(&term);
}

static int run_job(void *context)
{
    // A shell with job control in small: the screen in a process group of its own, stopped and continued.
    // Both sides give the terminal to the child, so that neither can be too late (a background job that touches it stops).
    signal(SIGTTOU, SIG_IGN);
    pid_t child = fork();
    if (child == 0) {
        setpgid(0, 0);
        tcsetpgrp(STDIN_FILENO, getpid());
        signal(SIGTTOU, SIG_DFL);
        _exit(run_screen(context));
    }
    setpgid(child, child);
    tcsetpgrp(STDIN_FILENO, child);
    int status;
    waitpid(child, &status, WUNTRACED);
    if (!WIFSTOPPED(status))
        return 9;
    struct termios now;
    tcgetattr(STDIN_FILENO, &now);
    if (!(now.c_lflag & ICANON) || !(now.c_lflag & ECHO))
        return 8; // the shell would have no usable terminal
    tcsetpgrp(STDIN_FILENO, getpgrp());
    if (write(STDOUT_FILENO, "SHELL PROMPT", 12) < 0)
        return 7;
    char key;
    while (read(STDIN_FILENO, &key, 1) == 1 && key != '\n')
        continue;
    tcsetpgrp(STDIN_FILENO, child);
    kill(-child, SIGCONT);
    waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 6;
}

static void test_suspend_key(void **state)
{
    (void)state;
    struct screen_term term;
    screen_term_start_xterm(&term, 24, 80, true, run_job, NULL);
    assert_true(screen_term_wait(&term, "stage 1 of 13"));
    screen_term_settle(&term, 100);
    screen_term_type(&term, "\032");
    assert_true(screen_term_wait(&term, "SHELL PROMPT"));
    assert_false(term.alternate);
    assert_true(term.cursor_visible);
    screen_term_type(&term, "fg\n");
    assert_true(screen_term_wait(&term, "stage 1 of 13"));
    screen_term_settle(&term, 100);
    assert_true(term.alternate);
    unsigned char rgb[3];
    assert_true(screen_term_pixel(&term, 40, 60, rgb));
    screen_term_type(&term, "l");
    assert_true(screen_term_wait(&term, "stage 2 of 13"));
    screen_term_type(&term, "q");
    int status = screen_term_finish(&term);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
    check_given_back(&term);
}

static void test_hang_up(void **state)
{
    (void)state;
    struct screen_term term;
    struct screen_term_options options = {.rows = 24, .columns = 80};
    screen_term_start(&term, &options, run_screen, NULL);
    assert_true(screen_term_wait(&term, "stage 1 of 13"));
    close(term.tty);
    close(term.pty); // the window is closed
    int status = 0;
    pid_t ended = 0;
    for (int i = 0; i < 300 && !ended; i++) {
        ended = waitpid(term.pid, &status, WNOHANG);
        usleep(10000);
    }
    if (!ended)
        kill(term.pid, SIGKILL);
    assert_int_equal(ended, term.pid);
    term.pty = term.tty = -1;
    screen_term_free(&term);
}

static int run_without_terminal(void *context)
{
    setenv("TERM", context, 1);
    return run_screen(NULL);
}

static void test_no_terminal(void **state)
{
    (void)state;
    static char terms[][20] = {"dumb", "", "terminal-of-2099"};
    for (int i = 0; i < 3; i++) {
        struct screen_term term;
        struct screen_term_options options = {.rows = 24, .columns = 80};
        screen_term_start(&term, &options, run_without_terminal, terms[i]);
        int status = screen_term_finish(&term);
        assert_true(WIFEXITED(status));
        assert_int_equal(WEXITSTATUS(status), ERROR_USAGE);
        assert_int_equal(term.log_used, 0); // not one byte of escape garbage
        screen_term_free(&term);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_xterm),
        cmocka_unit_test(test_xterm_strict),
        cmocka_unit_test(test_foot_mlterm_tmux),
        cmocka_unit_test(test_typed_ahead),
        cmocka_unit_test(test_hostile_answers),
        cmocka_unit_test(test_crashes),
        cmocka_unit_test(test_signals),
        cmocka_unit_test(test_signals_while_asked),
        cmocka_unit_test(test_answer_on_its_way),
        cmocka_unit_test(test_stopped_and_continued),
        cmocka_unit_test(test_suspend_key),
        cmocka_unit_test(test_hang_up),
        cmocka_unit_test(test_no_terminal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
