#include "app/commands.h"
#include "app/language.h"
#include "engine/base/error.h"
#include "engine/base/version.h"
#include "engine/math/blas.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

// What shall run: a command by its name, or the screen when the first word is a file, an option or missing.
static bool wants_screen(int argc, char **argv)
{
    return argc < 2 || argv[1][0] == '-' || access(argv[1], F_OK) == 0 || strchr(argv[1], '/') || strchr(argv[1], '.');
}

// What OpenBLAS decides when it is loaded can only be changed before (blas.h). The commands that live on it start the
// program anew; where that fails, they go on as they are.
static void restart_for_blas(const char *command, char **argv)
{
    if ((!strcmp(command, "train") || !strcmp(command, "bench")) && blas_wants_restart() &&
        setenv(BLAS_CORE_VARIABLE, BLAS_CORE_VALUE, 0) == 0)
        execv("/proc/self/exe", argv);
}

// A standard stream that was closed would be the next file that is opened, and messages would be written into it. It is
// opened the wrong way round, so that using it fails as it would have closed.
static void fill_standard_streams(void)
{
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
        if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY) < 0)
            _exit(ERROR_MACHINE);
}

// Results that did not get out are a failure, whatever the command thought.
static int finish(int status)
{
    bool failed = ferror(stdout);
    if ((fflush(stdout) == 0 && !failed) || status)
        return status;
    if (failed) { // stdio has forgotten why: the next write will meet the same
        errno = EIO;
        while (write(STDOUT_FILENO, "\n", 1) < 0 && errno == EINTR)
            continue;
    }
    fprintf(stderr, _("trimscope: cannot write the output: %s\n"), strerror(errno));
    return ERROR_MACHINE;
}

static int run_main(int argc, char **argv)
{
    const char *name = argc > 1 ? argv[1] : "";
    if (!strcmp(name, "--version")) {
        printf("trimscope %s\n", version_text());
        return 0;
    }
    const struct command *command = command_find(name);
    if (command) {
        restart_for_blas(name, argv);
        return command->run(argc - 1, argv + 1);
    }
    if (wants_screen(argc, argv)) {
        int status = cmd_screen(argc, argv);
        if (!strcmp(name, "--help")) {
            putchar('\n');
            command_print_all(stdout);
        }
        return status;
    }
    struct error err;
    error_set(&err, ERROR_USAGE, "\"%s\" is neither a command nor a picture", name);
    fprintf(stderr, "trimscope: %s\n", err.text);
    command_print_all(stderr);
    return ERROR_USAGE;
}

int main(int argc, char **argv)
{
    fill_standard_streams();
    signal(SIGXFSZ, SIG_IGN); // a file that may not grow is an error like a full disk
    struct error err = {0};
    if (!language_begin(&argc, argv, &err)) {
        fprintf(stderr, "trimscope: %s\n", err.text);
        return (int)err.code;
    }
    return finish(run_main(argc, argv));
}
