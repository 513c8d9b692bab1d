// Any bytes as a configuration: never a crash, each fault with a line that is there, and a change from within that can be
// read again and leaves every other line as it was.
#include "ui/config.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool holds)
{
    if (!holds)
        abort();
}

static int count_lines(const struct config *config)
{
    int lines = 1;
    for (size_t i = 0; i < config->size; i++)
        lines += config->text[i] == '\n';
    return lines;
}

static void check_state(const struct config *config)
{
    int lines = count_lines(config);
    for (int i = 0; i < config->problem_count && i < CONFIG_PROBLEMS; i++)
        check(config->problems[i].line >= 1 && config->problems[i].line <= lines && config->problems[i].text[0]);
    for (int i = 0; i < CONFIG_COUNT; i++)
        check(config_check((enum config_option)i, config_value(config, (enum config_option)i)));
}

// Keys that can be taken apart are written so that they can be read again.
static void check_keys(const struct config *config)
{
    config_apply_keys(config);
    for (int a = 0; a < ACTIONS; a++)
        for (int k = 0; k < KEYS_PER_ACTION; k++) {
            int key = key_row((enum action)a)->keys[k];
            char name[16];
            key_write(key, name, sizeof name);
            if (config->has_keys[a] && key && key != '\r' && name[0])
                check(key_parse(name, strlen(name)) == key);
        }
    check(key_row(ACTION_CANCEL)->keys[0] == 3);
    key_reset();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct config *config = calloc(1, sizeof *config);
    static const int keys[] = {'z', 27};
    if (!config || memchr(data, 0, size)) { // config_load() refuses those
        free(config);
        return 0;
    }
    check(config_read(config, (const char *)data, size));
    check_state(config);
    check_keys(config);
    int lines = count_lines(config);
    check(config_set(config, CONFIG_THEME, "light"));
    check(!strcmp(config_value(config, CONFIG_THEME), "light"));
    check(count_lines(config) >= lines && count_lines(config) <= lines + 2);
    check_state(config);
    check(config_set(config, CONFIG_THEME, "dark"));
    check(!strcmp(config_value(config, CONFIG_THEME), "dark"));
    check(config_set_keys(config, ACTION_ASK, keys, 2));
    check(config->has_keys[ACTION_ASK]);
    check(config_unset(config, "theme"));
    check(!config->values[CONFIG_THEME][0]);
    check_state(config);
    config_free(config);
    free(config);
    return 0;
}
