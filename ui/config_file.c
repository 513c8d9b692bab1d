// Where the configuration is, and how it gets there and back.
#include "engine/base/file.h"
#include "engine/base/memory.h"
#include "ui/config.h"
#include "ui/words.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

bool config_find_path(char path[CONFIG_PATH])
{
    const char *xdg = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");
    int length = -1;
    if (xdg && xdg[0] == '/') // a relative one counts as none, says the specification
        length = snprintf(path, CONFIG_PATH, "%s/trimscope/config", xdg);
    else if (home && home[0] == '/')
        length = snprintf(path, CONFIG_PATH, "%s/.config/trimscope/config", home);
    if (length > 0 && length < CONFIG_PATH)
        return true;
    path[0] = 0;
    return false;
}

void config_load(struct config *config)
{
    unsigned char *text = NULL;
    size_t size = 0;
    struct error err = {0};
    *config = (struct config){0};
    if (!config_find_path(config->path) || (access(config->path, F_OK) < 0 && errno == ENOENT))
        return;
    struct stat status;
    bool empty = stat(config->path, &status) == 0 && S_ISREG(status.st_mode) && status.st_size == 0;
    bool ok = empty || file_read(config->path, CONFIG_MOST, &text, &size, &err);
    if (ok && size && memchr(text, 0, size))
        ok = error_set(&err, ERROR_INPUT, _("%s holds bytes that are no text; it is not read"), config->path);
    if (ok && !config_read(config, size ? (const char *)text : "", size))
        ok = error_no_memory(&err, config->path);
    memory_free(text);
    if (ok)
        return;
    config->problem_count = 1;
    snprintf(config->problems[0].text, sizeof config->problems[0].text, "%.190s", err.text);
    config->path[0] = 0; // what could not be read must not be written over
}

// The folders that the path needs.
static bool make_folders(const char *path, struct error *err)
{
    char folder[CONFIG_PATH];
    snprintf(folder, sizeof folder, "%s", path);
    for (char *slash = strchr(folder + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = 0;
        if (mkdir(folder, 0777) < 0 && errno != EEXIST)
            return error_set(err, ERROR_MACHINE, _("cannot make the folder %s: %s"), folder, strerror(errno));
        *slash = '/';
    }
    return true;
}

bool config_save(const struct config *config, struct error *err)
{
    struct file_writer writer;
    if (!config->path[0])
        return error_set(err, ERROR_INPUT, _("there is no configuration file to write: it could not be read, or neither "
                                             "XDG_CONFIG_HOME nor HOME says where it is"));
    if (!make_folders(config->path, err))
        return false;
    // A link, as people keep their settings elsewhere, stays one.
    char *real = realpath(config->path, NULL);
    bool ok = file_writer_open(&writer, real ? real : config->path, err);
    if (ok) {
        fwrite(config->text, 1, config->size, writer.stream); // what goes wrong is told by the commit
        ok = file_writer_commit(&writer, err);
    }
    free(real);
    return ok;
}
