// The whole command: broken into rows that a shell reads as the same words, on a page of its own, and on the clipboard.
#include "tests/support/cmocka_all.h"
#include "tests/support/screen_test.h"
#include "ui/command_lines.h"
#include "ui/measure.h"

#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// What a shell makes of the words of a command: each in brackets.
static void ask_shell(const char *command, char *out, size_t size)
{
    char script[8192];
    snprintf(script, sizeof script, "trimscope() { printf '[%%s]' \"$@\"; }\n%s\n", command);
    setenv("COMMAND_LINE_TEST", script, 1);
    FILE *shell = popen("sh -c \"$COMMAND_LINE_TEST\"", "r");
    assert_non_null(shell);
    size_t used = fread(out, 1, size - 1, shell);
    out[used] = 0;
    assert_int_equal(pclose(shell), 0);
}

static const char *const commands[] = {
    "trimscope run airplane.jpg 'what is over the heart'",
    "trimscope run 'a picture.jpg' 'it'\\''s what'\\'''\\'''\\''s over \"the\" $HEART; \\ and `more`?' --budget 0.5 --keep "
    "fusion2:image:57 --head-off fusion3:text:mca:1",
    "trimscope compare /a/very/long/path/to/a/folder/that/is/wider/than/a/row/of/a/screen/picture.jpg '图里有几只狗？数一数再回答我' "
    "--with-question 'where?'",
    "trimscope run '' ''",
};

static void test_rows_are_the_same_words(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
        char whole[4096], broken[4096];
        ask_shell(commands[i], whole, sizeof whole);
        assert_true(strlen(whole) > 4);
        for (int columns = COMMAND_LINES_LEAST; columns < 200; columns += columns < 90 ? 1 : 13) {
            char *lines = command_lines(commands[i], columns), *rest;
            assert_non_null(lines);
            ask_shell(lines, broken, sizeof broken);
            assert_string_equal(broken, whole);
            rest = lines;
            for (char *line; (line = strsep(&rest, "\n"));) {
                assert_true(measure_width(line) <= columns);
                assert_true(!rest || line[strlen(line) - 1] == '\\');
            }
            free(lines);
        }
    }
}

// What fits is left as it is; rows are broken between words where that is possible.
static void test_breaks(void **state)
{
    (void)state;
    char *lines = command_lines(commands[0], 80);
    assert_string_equal(lines, commands[0]);
    free(lines);
    lines = command_lines(commands[0], 30);
    assert_string_equal(lines, "trimscope run airplane.jpg \\\n  'what is over the heart'");
    free(lines);
    lines = command_lines("trimscope run 'what is over the heart of the lake'", 30);
    assert_string_equal(lines, "trimscope run 'what is over '\\\n'the heart of the lake'");
    free(lines);
}

// The text that the terminal was asked to put on its clipboard, as base64.
static const char *find_clipboard(void)
{
    term.log[term.log_used < sizeof term.log ? term.log_used : sizeof term.log - 1] = 0;
    return strstr(term.log, "\033]52;c;");
}

static void test_page(void **state)
{
    (void)state;
    char row[700];
    int at, column;
    start_fake_screen(24, 80, true, NULL);
    screen_term_type(&term, "v\r");
    expect("where is the ball?");
    screen_term_type(&term, "\r");
    expect("where is the ball ›");
    expect("y: whole"); // the line below is cut
    assert_null(find_clipboard());
    screen_term_type(&term, "y");
    expect("makes what the page before shows");
    assert_non_null(find_clipboard());
    assert_memory_equal(find_clipboard() + 7, "dHJpbXNjb3BlIGNvbXBhcmUg", 24); // "trimscope compare "
    expect("trimscope compare sample.png"); // a frame may be read in parts
    expect("joins a row to the next");
    assert_true(screen_term_find(&term, "trimscope compare sample.png", &at, &column));
    assert_int_equal(column, 0); // nothing stands beside what is selected
    screen_term_row(&term, at, row, sizeof row);
    assert_int_equal(row[strcspn(row, "\\") + 1 + strspn(row + strcspn(row, "\\") + 1, " ")], 0);
    expect("--with-question 'where is the ball?'");
    screen_term_type(&term, "q");
    expect("Side by side");
    screen_term_type(&term, "q");
    expect("QUESTION");
    reject("y: whole"); // it fits
    screen_term_type(&term, "y");
    expect("trimscope run sample.png 'what color is the apple left of the lemon?' --budget ");
    finish("qq");
}

int main(void)
{
    setlocale(LC_CTYPE, "C.UTF-8");
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_rows_are_the_same_words), cmocka_unit_test(test_breaks),
                                       cmocka_unit_test(test_page)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
