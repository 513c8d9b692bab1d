#include "tests/support/screen_test.h"

#include "tests/support/cmocka_all.h"
#include "tests/support/fake_backend.h"
#include "ui/screen.h"

#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

struct screen_term term;

static bool was_asked(const char *log, const char *needed)
{
    char line[256];
    for (; needed && *needed; needed += strcspn(needed, "\n"), needed += *needed == '\n') {
        snprintf(line, sizeof line, "%.*s", (int)strcspn(needed, "\n"), needed);
        if (!strstr(log, line))
            return false;
    }
    return true;
}

int run_fake_screen(void *needed)
{
    static struct fake_backend fake;
    struct screen_options options = screen_options_default();
    struct error err = {0};
    fake_backend_init(&fake);
    bool fine = screen_run(&fake.backend, &options, &err), asked = was_asked(fake.log, needed);
    if (!asked)
        fprintf(stderr, "%s", fake.log);
    fake_backend_free(&fake);
    return !fine ? (int)err.code : asked ? 0 : 2;
}

void start_fake_screen(int rows, int columns, bool sixel, const char *needed)
{
    screen_term_start_xterm(&term, rows, columns, sixel, run_fake_screen, (void *)(uintptr_t)needed);
    expect("'red'"); // below the last stage: all are there
    screen_term_settle(&term, 100);
}

void expect(const char *text)
{
    if (!screen_term_wait(&term, text)) {
        screen_term_dump(&term);
        fail_msg("not on the screen: %s", text);
    }
}

void reject(const char *text)
{
    if (!screen_term_wait_gone(&term, text)) {
        screen_term_dump(&term);
        fail_msg("still on the screen: %s", text);
    }
}

void finish(const char *keys)
{
    screen_term_type(&term, keys);
    int status = screen_term_finish(&term);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
    assert_true(screen_term_restored(&term));
    assert_false(term.alternate);
    assert_true(term.cursor_visible);
    assert_false(term.mouse);
    screen_term_free(&term);
}
