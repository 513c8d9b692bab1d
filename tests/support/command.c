#include "tests/support/command.h"

#include "tests/support/scratch.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { WORDS = 32 };

struct redirect {
    int target, saved, file;
};

static struct redirect redirect_to(FILE *stream, int target, const char *name)
{
    fflush(stream);
    struct redirect r = {target, dup(target), open(scratch_path(name), O_RDWR | O_CREAT | O_TRUNC, 0600)};
    if (r.saved < 0 || r.file < 0 || dup2(r.file, target) < 0)
        abort();
    return r;
}

static char *redirect_end(FILE *stream, struct redirect r)
{
    fflush(stream);
    dup2(r.saved, r.target);
    close(r.saved);
    off_t size = lseek(r.file, 0, SEEK_END);
    char *text = malloc((size_t)size + 1);
    if (!text || pread(r.file, text, (size_t)size, 0) != size)
        abort();
    text[size] = '\0';
    close(r.file);
    return text;
}

struct command_output command_run(int (*command)(int argc, char **argv), const char *const words[])
{
    char *argv[WORDS + 1] = {NULL}, *kept[WORDS];
    int argc = 0;
    for (; words[argc] && argc < WORDS; argc++)
        argv[argc] = kept[argc] = strdup(words[argc]);
    struct redirect out = redirect_to(stdout, STDOUT_FILENO, "stdout");
    struct redirect err = redirect_to(stderr, STDERR_FILENO, "stderr");
    struct command_output output = {.status = command(argc, argv)};
    output.err = redirect_end(stderr, err);
    output.out = redirect_end(stdout, out);
    for (int i = 0; i < argc; i++)
        free(kept[i]);
    return output;
}

void command_free(struct command_output *output)
{
    free(output->out);
    free(output->err);
    *output = (struct command_output){0};
}
