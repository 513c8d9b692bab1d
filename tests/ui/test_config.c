// The configuration file: what it may say, how faults are named, what a change from within leaves alone.
#include "tests/support/cmocka_all.h"
#include "tests/support/scratch.h"
#include "ui/config.h"
#include "ui/names.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static struct config config;

static void read_text(const char *text)
{
    config_free(&config);
    config = (struct config){0};
    assert_true(config_read(&config, text, strlen(text)));
}

static void test_nothing_is_fine(void **state)
{
    (void)state;
    read_text("\n  # only a comment\n\n");
    assert_int_equal(config.problem_count, 0);
    assert_string_equal(config_value(&config, CONFIG_THEME), "auto");
    assert_true(isnan(config_number(&config, CONFIG_BUDGET)));
    assert_true(fabs(config_number(&config, CONFIG_PLAY) - 0.8) < 1e-12);
    for (int i = 0; i < CONFIG_COUNT; i++) // every default is right, and explained
        assert_true(config_check((enum config_option)i, config_row((enum config_option)i)->standard) &&
                    strlen(config_row((enum config_option)i)->help) > 10);
}

static void test_everything(void **state)
{
    (void)state;
    read_text("theme = contrast # why\ngraphics=blocks\r\n\tmouse = off\nplay-seconds = 1.5\nbudget = 0.4\n"
              "policy = learned-self\nlanguage = zh_CN\nkey ask = F2 ^A #\nkey more = ] + =\n"
              "color new-dead = 208 on 16 bold\n");
    if (config.problem_count)
        fail_msg("line %d: %s", config.problems[0].line, config.problems[0].text);
    assert_string_equal(config_value(&config, CONFIG_THEME), "contrast");
    assert_string_equal(config_value(&config, CONFIG_GRAPHICS), "blocks");
    assert_string_equal(config_value(&config, CONFIG_MOUSE), "off");
    assert_string_equal(config_value(&config, CONFIG_POLICY), "learned-self");
    assert_true(fabs(config_number(&config, CONFIG_BUDGET) - 0.4) < 1e-12);
    config_apply_keys(&config);
    assert_int_equal(key_action(PAGE_STEPPER, 'a'), ACTION_NONE);
    assert_int_equal(key_action(PAGE_STEPPER, 1), ACTION_ASK);
    assert_int_equal(key_action(PAGE_STEPPER, KEY_F(2)), ACTION_ASK);
    assert_string_equal(key_row(ACTION_ASK)->written, "F2 ^A");
    assert_int_equal(key_action(PAGE_STEPPER, '='), ACTION_MORE);
    assert_true(config.colors[STYLE_NEW_DEAD].given && config.colors[STYLE_NEW_DEAD].bold);
    assert_int_equal(config.colors[STYLE_NEW_DEAD].front, 208);
    assert_int_equal(config.colors[STYLE_NEW_DEAD].back, 16);
    key_reset();
    assert_int_equal(key_action(PAGE_STEPPER, 'a'), ACTION_ASK);
}

// Who takes a default key from another gets it; what was given twice in the file is a fault.
static void test_keys_taken_over(void **state)
{
    (void)state;
    read_text("key play = s\nkey theme = g\nkey graphics = g\n");
    assert_int_equal(config.problem_count, 2);
    assert_int_equal(config.problems[0].line, 3);
    assert_non_null(strstr(config.problems[0].text, "'g' has been given to 'theme' above."));
    assert_int_equal(config.problems[1].line, 1);
    assert_non_null(strstr(config.problems[1].text, "'s' was the last key of 'show-next'"));
    config_apply_keys(&config);
    assert_int_equal(key_action(PAGE_STEPPER, 's'), ACTION_PLAY);
    assert_int_equal(key_row(ACTION_SHOW_NEXT)->keys[0], 0);
    assert_int_equal(key_action(PAGE_STEPPER, 'g'), ACTION_THEME);
    read_text("key play = s\nkey show-next =\nkey ask = a F2\nkey quit = a\ncolor new-dead = 999 bold\n");
    assert_int_equal(config.problem_count, 2); // that nothing shows next is what the file says
    assert_int_equal(config.problems[0].line, 4);
    assert_false(config.has_keys[ACTION_QUIT]);
    assert_false(config.colors[STYLE_NEW_DEAD].given);
    config_apply_keys(&config);
    assert_int_equal(key_action(PAGE_STEPPER, 'q'), ACTION_QUIT);
    key_reset();
}

static void test_faults_are_named_with_their_line(void **state)
{
    (void)state;
    static const struct {
        const char *line, *says;
    } faults[] = {
        {"thme = dark", "There is no option 'thme'; 'theme' is probably meant."},
        {"colour-of-the-sea = blue", "There is no option 'colour-of-the-sea'."},
        {"theme = pink", "theme is one of: auto dark light contrast colorblind; not 'pink'."},
        {"budget = 0", "budget is a number from 0.05 to 1, or trained; not '0'."},
        {"play-seconds = fast", "play-seconds is a number from 0.1 to 10; not 'fast'."},
        {"play-seconds = nan", "play-seconds is a number from 0.1 to 10; not 'nan'."},
        {"key aks = z", "There is no action 'aks'; 'ask' is probably meant."},
        {"key ask = Lft", "'Lft' is no key that can be given to an action."},
        {"key ask = ^C", "'^C' is no key that can be given to an action."},
        {"key cancel = z", "^C always stops what is being computed"},
        {"color alve = 3", "There is no style 'alve'; 'alive' is probably meant."},
        {"color alive = 300", "'300' is no colour"},
        {"dark", "not 'dark'."},
        {"= dark", "A line is 'option = value'"},
        {"\x1b[31m = \x07", "There is no option"},
    };
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) {
        char text[200];
        snprintf(text, sizeof text, "# one\n\n%s\nmouse = off\n", faults[i].line);
        read_text(text);
        if (config.problem_count != 1 || config.problems[0].line != 3 ||
            !strstr(config.problems[0].text, faults[i].says) || strchr(config.problems[0].text, '\x1b'))
            fail_msg("%s: %d faults, line %d: %s", faults[i].line, config.problem_count, config.problems[0].line,
                     config.problems[0].text);
        assert_string_equal(config_value(&config, CONFIG_MOUSE), "off"); // the rest counts
    }
}

static void test_changes_leave_the_rest_alone(void **state)
{
    (void)state;
    read_text("# mine\ntheme=dark   # for the lab\nthme = x\n\nkey  ask = a\nno end");
    assert_true(config_set(&config, CONFIG_THEME, "contrast"));
    assert_string_equal(config.text, "# mine\ntheme= contrast   # for the lab\nthme = x\n\nkey  ask = a\nno end");
    assert_true(config_set(&config, CONFIG_THEME, "light"));
    assert_true(config_set_keys(&config, ACTION_ASK, (const int[]){'z', KEY_LEFT}, 2));
    assert_true(config_set(&config, CONFIG_BUDGET, "0.5"));
    assert_string_equal(config.text, "# mine\ntheme= light   # for the lab\nthme = x\n\nkey  ask = z Left\nno end\n"
                                     "budget = 0.5\n");
    assert_true(config_unset(&config, "key ask"));
    assert_true(config_set_color(&config, STYLE_ALIVE, "33 bold"));
    assert_string_equal(config.text, "# mine\ntheme= light   # for the lab\nthme = x\n\nno end\nbudget = 0.5\n"
                                     "color alive = 33 bold\n");
    assert_int_equal(config.problem_count, 2);
    assert_false(config.has_keys[ACTION_ASK]);
}

static void test_file(void **state)
{
    (void)state;
    char folder[300], real[300];
    struct error err = {0};
    struct stat status;
    snprintf(folder, sizeof folder, "%s", scratch_path("xdg"));
    setenv("XDG_CONFIG_HOME", folder, 1);
    config_free(&config);
    config_load(&config);
    assert_int_equal(config.problem_count, 0);
    assert_true(config_set(&config, CONFIG_MOUSE, "off"));
    assert_true(config_save(&config, &err)); // makes both folders
    config_free(&config);
    config_load(&config);
    assert_string_equal(config_value(&config, CONFIG_MOUSE), "off");
    // A link stays one: the file behind it is written.
    snprintf(real, sizeof real, "%s", scratch_path("dotfile"));
    assert_int_equal(rename(config.path, real), 0);
    assert_int_equal(symlink(real, config.path), 0);
    assert_true(config_set(&config, CONFIG_MOUSE, "on"));
    assert_true(config_save(&config, &err));
    assert_int_equal(lstat(config.path, &status), 0);
    assert_true(S_ISLNK(status.st_mode));
    config_free(&config);
    config_load(&config);
    assert_string_equal(config_value(&config, CONFIG_MOUSE), "on");
    // What is no text is not read, and never written over.
    FILE *file = fopen(real, "wb");
    assert_int_equal(fwrite("mouse = off\n\0\n", 1, 14, file), 14);
    fclose(file);
    config_free(&config);
    config_load(&config);
    assert_int_equal(config.problem_count, 1);
    assert_int_equal(config.problems[0].line, 0);
    assert_false(config_save(&config, &err));
    config_free(&config);
}

static void test_where_it_is(void **state)
{
    (void)state;
    char path[CONFIG_PATH];
    setenv("HOME", "/users/ada", 1);
    setenv("XDG_CONFIG_HOME", "/elsewhere", 1);
    assert_true(config_find_path(path));
    assert_string_equal(path, "/elsewhere/trimscope/config");
    setenv("XDG_CONFIG_HOME", "relative", 1);
    assert_true(config_find_path(path));
    assert_string_equal(path, "/users/ada/.config/trimscope/config");
    unsetenv("XDG_CONFIG_HOME");
    unsetenv("HOME");
    assert_false(config_find_path(path));
}

static void test_names(void **state)
{
    (void)state;
    for (int a = 0; a < ACTIONS; a++)
        assert_int_equal(action_parse(action_name((enum action)a)), a);
    for (int s = 0; s < STYLE_COUNT; s++)
        assert_int_equal(style_parse(style_name((enum style)s)), s);
    assert_string_equal(action_name(ACTION_FOCUS_NEXT), "focus-next");
    assert_int_equal(name_distance("ask", "aks"), 1); // neighbours swapped
    assert_int_equal(name_distance("theme", "thme"), 1);
    assert_int_equal(name_distance("", "abc"), 3);
    assert_int_equal(name_distance("same", "same"), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nothing_is_fine),
        cmocka_unit_test(test_everything),
        cmocka_unit_test(test_keys_taken_over),
        cmocka_unit_test(test_faults_are_named_with_their_line),
        cmocka_unit_test(test_changes_leave_the_rest_alone),
        cmocka_unit_test(test_file),
        cmocka_unit_test(test_where_it_is),
        cmocka_unit_test(test_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
