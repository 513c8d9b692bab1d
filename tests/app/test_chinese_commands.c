// Every command under --lang zh_CN: nothing that it prints for a person is left in English but names.
#include "tests/support/cmocka_all.h"

#include "app/assets.h"
#include "app/commands.h"
#include "app/language.h"
#include "tests/support/command.h"
#include "tests/support/english.h"
#include "tests/support/scratch.h"
#include "ui/plain.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char picture[] = "airplane.jpg", question[] = "what is over the heart";
static char set[4096], results[4096], others[4096], trace[4096];

static int speak_chinese(void **state)
{
    (void)state;
    struct error err;
    if (!language_use("zh_CN", &err))
        fail_msg("%s", err.text);
    return 0;
}

static void check(const char *name, const char *text)
{
    char word[64];
    const char *line;
    if (english_find(text, word, sizeof word, &line))
        fail_msg("%s leaves \"%s\" in English: %.*s", name, word, (int)strcspn(line, "\n"), line);
}

static void run(int status, const char *const words[])
{
    const struct command *command = command_find(words[0]);
    assert_non_null(command);
    struct command_output output = command_run(command->run, words);
    if (output.status != status)
        fail_msg("%s: status %d, %s", words[0], output.status, output.err);
    check(words[0], output.out);
    check(words[0], output.err);
    command_free(&output);
}
#define RUN(status, ...) run(status, (const char *const[]){__VA_ARGS__, NULL})

// The rule itself: what it must see, and what it must not.
static void test_the_rule(void **state)
{
    (void)state;
    static const char *const seen[] = {"阶段 patches alive", "答案: margin", "（with it）", "stages", "a line\n第二行 words kept here."};
    static const char *const unseen[] = {"策略 learned（可学习）", "--policy NAME  见 `this text`", "fusion2:image:57",
                                         "/srv/some/file.jsonl 共 12 kB", "MFLOP", "用 trimscope run 打开"};
    char word[64];
    const char *line;
    for (size_t i = 0; i < sizeof seen / sizeof *seen; i++)
        if (!english_find(seen[i], word, sizeof word, &line))
            fail_msg("not seen: %s", seen[i]);
    for (size_t i = 0; i < sizeof unseen / sizeof *unseen; i++)
        if (english_find(unseen[i], word, sizeof word, &line))
            fail_msg("\"%s\" is no English: %s", word, unseen[i]);
    struct command_output output = command_run(cmd_doctor, (const char *const[]){"doctor", NULL});
    assert_non_null(strstr(output.out, "终端"));
    command_free(&output);
    assert_true(language_use("en", NULL)); // the same output in English is seen as such
    output = command_run(cmd_doctor, (const char *const[]){"doctor", NULL});
    assert_true(english_find(output.out, word, sizeof word, &line));
    command_free(&output);
    speak_chinese(NULL);
}

static void test_help(void **state)
{
    (void)state;
    for (const struct command *c = command_list(); c->name; c++)
        RUN(0, c->name, "--help");
    RUN(0, "help");
}

static void test_one_picture(void **state)
{
    (void)state;
    RUN(0, "run", picture, question);
    RUN(0, "run", picture, "what is over the zebra", "--budget", "0.4");
    RUN(0, "why", picture, question, "--patch", "4,9");
    RUN(0, "why", picture, question, "--word", "heart");
    RUN(0, "why", picture, question, "--head", "fusion3:text:mca:1");
    RUN(0, "why", picture, question, "--budget", "0.33", "--restore");
    RUN(0, "compare", picture, question, "--with-policy", "random", "--with-budget", "0.4");
    RUN(0, "redundancy", "--picture", picture, "--question", question);
    RUN(0, "edit", picture, scratch_path("copy.jpg"), "--blur", "1,1,20,20", "--ask", question);
    RUN(0, "export", picture, question, "--to", scratch_path("run.html"));
    RUN(0, "doctor");
    RUN(0, "bench", "--rounds", "1", "--sample", "0", "attention");
}

static void test_sets(void **state)
{
    (void)state;
    snprintf(set, sizeof set, "%s/questions.jsonl", scratch_path("world"));
    snprintf(results, sizeof results, "%s", scratch_path("results.jsonl"));
    snprintf(others, sizeof others, "%s", scratch_path("others.jsonl"));
    RUN(0, "world", "3", scratch_path("world"), "--questions", "4");
    RUN(0, "eval", set, "--results", results, "--progress");
    RUN(0, "eval", set, "--results", others, "--policy", "random");
    RUN(0, "merge", results);
    RUN(0, "merge", results, "--against", others);
    RUN(0, "sweep", set, "--policies", "learned,none", "--budgets", "0.4,trained", "--progress");
    RUN(0, "redundancy", set);
}

static void test_what_goes_wrong(void **state)
{
    (void)state;
    RUN(1, "run", "nowhere.jpg", question);
    RUN(2, "run", picture, question, "--colour", "blue");
    RUN(2, "run", picture);
    RUN(1, "merge", "/nowhere.jsonl");
    RUN(2, "compare", picture, question);
    RUN(2, "why", picture, question);
    RUN(2, "export", picture, question, "--to", "run.doc");
    RUN(1, "replay", scratch_write("no.json", "{}", 2));
    RUN(2, "help", "nonsense");
}

// The plain mode says whole sentences.
static void test_plain(void **state)
{
    (void)state;
    struct command_output output = command_run(cmd_run, (const char *const[]){"run", picture, question, "--json", NULL});
    assert_int_equal(output.status, 0);
    snprintf(trace, sizeof trace, "%s", scratch_write("trace.json", output.out, strlen(output.out)));
    command_free(&output);
    static const char commands[] = "help\nnext\nwords\nlast\nanswer\npatches\nheads\ncost\nwhy 1 1\nwhy heart\nkeep 1 1\n"
                                   "go 9\nheads\nnonsense\nquit\n";
    FILE *saved = stdin;
    stdin = fmemopen((char *)(size_t)commands, sizeof commands - 1, "r");
    RUN(0, "replay", "--plain", trace);
    fclose(stdin);
    stdin = saved;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_rule), cmocka_unit_test(test_help),           cmocka_unit_test(test_one_picture),
        cmocka_unit_test(test_sets),     cmocka_unit_test(test_what_goes_wrong), cmocka_unit_test(test_plain),
    };
    return cmocka_run_group_tests(tests, speak_chinese, NULL);
}
