// The manual page and the completions say what the tables say.
#include "tests/support/cmocka_all.h"
#include "tests/support/command.h"

#include "app/commands.h"
#include "app/manual.h"
#include "app/options.h"
#include "tests/support/scratch.h"
#include "ui/config.h"
#include "ui/keys.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static char text[1 << 19];

static const char *write_to(const char *name, void (*write)(FILE *out))
{
    const char *path = scratch_path(name);
    FILE *file = fopen(path, "w+");
    assert_non_null(file);
    write(file);
    rewind(file);
    size_t size = fread(text, 1, sizeof text - 1, file);
    assert_true(size < sizeof text - 1);
    text[size] = 0;
    fclose(file);
    return path;
}

static int count_options;

static void find_options(const struct option_command *command, void *context)
{
    for (const struct option_row *row = command->rows; row->name; row++, count_options++) {
        char name[80];
        const char *dashes = row->kind == OPTION_WORD ? "" : context;
        snprintf(name, sizeof name, "%s%s", dashes, row->name);
        if (!strstr(text, name))
            fail_msg("%s: %s is missing", command->name, name);
    }
}

static void find_all_options(const char *dashes)
{
    char copy[8];
    snprintf(copy, sizeof copy, "%s", dashes);
    count_options = 0;
    options_visit(cmd_screen, "", find_options, copy);
    for (const struct command *c = command_list(); c->name; c++)
        options_visit(c->run, c->name, find_options, copy);
    assert_true(count_options > 60);
}

// Runs a shell on a file; skipped where the shell is not there.
static void check_with(const char *program, const char *command)
{
    char line[1200];
    snprintf(line, sizeof line, "command -v %s >/dev/null 2>&1 || exit 77; %s", program, command);
    int status = system(line);
    assert_true(WIFEXITED(status));
    if (WEXITSTATUS(status) != 0 && WEXITSTATUS(status) != 77)
        fail_msg("%s is not content: %s", program, command);
}

static void test_manual(void **state)
{
    (void)state;
    char command[400];
    const char *path = write_to("trimscope.1", manual_write);
    char *to = text;
    for (const char *from = text; (*to = *from); from++) // hyphens are written "\\-", so that they can be copied
        to += from[0] != '\\' || from[1] != '-';
    find_all_options("--");
    for (const struct command *c = command_list(); c->name; c++) {
        snprintf(command, sizeof command, ".SS \"trimscope %s", c->name);
        assert_non_null(strstr(text, command));
    }
    for (int a = 0; a < ACTIONS; a++) {
        snprintf(command, sizeof command, "(%s)\n", action_name((enum action)a));
        assert_non_null(strstr(text, command));
    }
    for (int i = 0; i < CONFIG_COUNT; i++)
        assert_non_null(strstr(text, config_row((enum config_option)i)->standard));
    snprintf(command, sizeof command, "test -z \"$(man --warnings -E UTF-8 -l -Tutf8 '%s' 2>&1 >/dev/null)\"", path);
    check_with("man", command);
}

static void test_bash(void **state)
{
    (void)state;
    char command[1000];
    const char *path = write_to("bash", completions_write_bash);
    find_all_options("--");
    static const struct {
        const char *words, *found;
    } cases[] = {
        {"trimscope ev", "eval"},           {"trimscope run --pol", "--policy"},
        {"trimscope --policy rand", "random"}, {"trimscope --theme cont", "contrast"},
        {"trimscope help fi", "fish"},         {"trimscope run --lang z", "zh_CN"},
        {"trimscope airpl", "airplane.jpg"},   {"trimscope why airpl", "airplane.jpg"},
        {"trimscope bench attent", "attention"}, {"trimscope compare --with-policy cls", "cls-attention"},
        {"trimscope export --what fig", "figure"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        snprintf(command, sizeof command,
                 "bash -c '. \"%s\"; COMP_WORDS=(%s); COMP_CWORD=$((${#COMP_WORDS[@]} - 1)); _trimscope; "
                 "[[ ${COMPREPLY[0]} == \"%s\" ]]'",
                 path, cases[i].words, cases[i].found);
        check_with("bash", command);
    }
}

static void test_zsh_and_fish(void **state)
{
    (void)state;
    char command[400];
    const char *path = write_to("zsh", completions_write_zsh);
    find_all_options("--");
    snprintf(command, sizeof command, "zsh -n '%s'", path);
    check_with("zsh", command);
    path = write_to("fish", completions_write_fish);
    find_all_options("-l ");
    snprintf(command, sizeof command, "fish -n '%s'", path);
    check_with("fish", command);
}

static void test_help(void **state)
{
    (void)state;
    static const struct {
        const char *words[3];
        int status;
        const char *out, *err;
    } cases[] = {
        {{"help", NULL}, 0, "redundancy", ""},
        {{"help", "run", NULL}, 0, "usage: trimscope run", ""},
        {{"help", "man", NULL}, 0, ".TH TRIMSCOPE 1", ""},
        {{"help", "fish", NULL}, 0, "complete -c trimscope", ""},
        {{"help", "nonsense", NULL}, 2, "", "there is no command nonsense"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct command_output output = command_run(cmd_help, cases[i].words);
        assert_int_equal(output.status, cases[i].status);
        assert_non_null(strstr(output.out, cases[i].out));
        assert_non_null(strstr(output.err, cases[i].err));
        command_free(&output);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_manual),
        cmocka_unit_test(test_bash),
        cmocka_unit_test(test_zsh_and_fish),
        cmocka_unit_test(test_help),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
