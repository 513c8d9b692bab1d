// The plain mode over pipes: what is said to which command.
#include "tests/support/cmocka_all.h"
#include "tests/support/fake_backend.h"
#include "tests/support/sample_trace.h"
#include "ui/plain.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct fake_backend fake;
static char said[1 << 16];

// Everything that is said to these commands; the backend is as fake_backend_init() leaves it.
static void talk(const char *commands)
{
    struct error err = {0};
    FILE *in = tmpfile(), *out = tmpfile();
    assert_true(in && out);
    fputs(commands, in);
    rewind(in);
    assert_true(plain_run(&fake.backend, in, out, false, &err));
    rewind(out);
    said[fread(said, 1, sizeof said - 1, out)] = 0;
    fclose(in);
    fclose(out);
}

static void begin(const char *commands)
{
    fake_backend_init(&fake);
    talk(commands);
}

static void expect(const char *text)
{
    if (!strstr(said, text))
        fail_msg("not said: %s\nbut: %s", text, said);
}

static void test_stages_are_told(void **state)
{
    (void)state;
    begin("");
    expect("Question: what color is the apple left of the lemon?\n");
    expect("Policy learned, budget 50 percent.\n");
    expect("Answer: 'red'");
    expect("Stage 1 of 13, embed text.\n");
    assert_null(strchr(said, 27)); // no escape sequence, no prompt
    assert_null(strstr(said, "> "));
    fake_backend_free(&fake);
    begin("next\n\nn\nprevious\ngo 13\nnext\nGO 1\np\ngo 77\ngo fusion 2\ngo IMG1\nquit\nnever read\n");
    expect("Stage 2 of 13, text 1.");
    expect("Stage 4 of 13");
    expect("Stage 13 of 13, answer.");
    expect("This is the last stage.");
    expect("This is the first stage.");
    expect("Stages have numbers from 1 to 13, and names");
    expect("fusion 2.");
    expect("Stage 5 of 13, image 1.");
    assert_null(strstr(said, "never"));
    fake_backend_free(&fake);
}

// Reads the rows back: "Row 3: columns 2 to 5, 9.", "Rows 1 to 2: none.", "Row 4: all columns."
static void expect_rows(const struct trace_tokens *tokens)
{
    bool told[SAMPLE_GRID][SAMPLE_GRID] = {{false}};
    int rows = 0;
    for (char *line = strstr(said, "\nRow"); line; line = strstr(line + 1, "\nRow")) {
        int first, last, length = 0;
        if (sscanf(line, "\nRows %d to %d: %n", &first, &last, &length) < 2)
            last = sscanf(line, "\nRow %d: %n", &first, &length) == 1 ? first : 0;
        assert_int_equal(first, rows + 1);
        assert_in_range(last, first, SAMPLE_GRID);
        rows = last;
        const char *at = line + length, *end = strchr(at, '.');
        if (!strncmp(at, "all", 3))
            memset(told[first - 1], 1, sizeof told[0] * (size_t)(last - first + 1));
        for (; at < end; at++) {
            int from, to, used;
            if (*at < '0' || *at > '9')
                continue;
            used = 0;
            if (sscanf(at, "%d to %d%n", &from, &to, &used) < 2)
                sscanf(at, "%d%n", &from, &used), to = from;
            for (int row = first; row <= last; row++)
                for (int c = from; c <= to; c++)
                    told[row - 1][c - 1] = true;
            at += used;
        }
    }
    assert_int_equal(rows, SAMPLE_GRID);
    for (int i = 0; i < SAMPLE_GRID * SAMPLE_GRID; i++)
        assert_int_equal(told[i / SAMPLE_GRID][i % SAMPLE_GRID], tokens->alive[i + 1]);
}

static void test_what_is_there(void **state)
{
    (void)state;
    struct trace trace;
    char line[80];
    begin("go 8\nwords\npatches\nheads\ncost\nanswer\ngo 1\ncost\n");
    sample_trace(&trace, "what color is the apple left of the lemon?", "learned", 0.5, NULL, 0, SAMPLE_STAGES);
    const struct trace_tokens *tokens = &trace.stages[7].tokens[0];
    int alive = 0;
    for (int i = 1; i < tokens->count; i++)
        alive += tokens->alive[i];
    snprintf(line, sizeof line, "%d of 144 patches are looked at.\n", alive);
    expect(line);
    expect_rows(tokens);
    trace_free(&trace);
    expect("Words that are read: ");
    expect("heads are live in the cross attention of the words.");
    expect("This stage spends ");
    expect("This stage is a look-up: it spends no FLOPs.");
    expect("1. 'yellow', ");
    expect("This is a lens");
    fake_backend_free(&fake);
}

static void test_why(void **state)
{
    (void)state;
    begin("last\nwhy apple\nwhy 1 1\nwhy 99 1\nwhy nobody\nwhy\n");
    expect("row 1, column 1 is dropped in ");
    expect("Its score in ");
    expect(" below the threshold.\n");
    expect("The picture has 12 rows and 12 columns of patches.");
    expect("Name a word of the question");
    fake_backend_free(&fake);
}

static void test_changes(void **state)
{
    (void)state;
    begin("go 8\nkeep 1 1\nundo\nundo\nredo\nbudget 0.3\nbudget 7\npolicy random\npolicy\nask what is it?\nis it red?\n"
          "open /no/such.png\nnonsense\nhelp\n");
    expect("row 1, column 1 forced to stay: the answer ");
    expect("Last change taken back: the answer ");
    expect("There is nothing to undo.");
    expect("Change made again: the answer ");
    expect("Policy learned, budget 30 %: the answer ");
    expect("A budget is a share");
    expect("Policy random, budget 30 %: the answer ");
    expect("cls-attention: ");
    expect("Question: what is it?");
    expect("Question: is it red?"); // "ask" may be left out
    expect("/no/such.png: no such file");
    expect("There is no command 'nonsense'; help lists them.");
    expect("keep WORD or ROW COLUMN (or k): force it to stay");
    assert_non_null(strstr(fake.log, "undo\nredo\npolicy learned 0.30\npolicy random 0.30\nask what is it?\nask is it red?\n"));
    fake_backend_free(&fake);
}

// A saved run: what needs the model says so, and is not in the list.
static void test_replay(void **state)
{
    (void)state;
    fake_backend_init(&fake);
    fake.backend.abilities = 0;
    fake.stages = SAMPLE_STAGES;
    talk("ask why?\nkeep 1 1\nhelp\n");
    expect("A saved run cannot do that");
    assert_null(strstr(said, "keep WORD"));
    expect("words (or w)");
    fake_backend_free(&fake);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_stages_are_told), cmocka_unit_test(test_what_is_there), cmocka_unit_test(test_why),
        cmocka_unit_test(test_changes),         cmocka_unit_test(test_replay),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
