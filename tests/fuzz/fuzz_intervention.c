// Any bytes as a change by hand, and as a question in a command line: a sentence, or a change of the run that reads back
// from how it is written; and a shell gets each word of the command as it is.
#include "engine/io/picture.h"
#include "engine/model/model.h"
#include "engine/run/command_text.h"
#include "engine/run/intervention_text.h"
#include "engine/run/run_private.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { TEXT = 512 };

static void check(bool holds)
{
    if (!holds)
        abort();
}

// A finished run of the bundled model.
static struct run *the_run(void)
{
    static struct run *run;
    static struct picture picture;
    struct run_options options = run_options_default();
    const struct picture *pictures[] = {&picture};
    if (run)
        return run;
    struct model *model = model_open("assets/model.safetensors", NULL, NULL);
    check(model && picture_load(&picture, "assets/pictures/airplane.jpg", (struct picture_reading){0}, NULL, NULL));
    run = run_new(model, pictures, 1, "what is over the heart?", &options, NULL);
    check(run);
    while (run_step(run, NULL))
        continue;
    check(run_finished(run));
    return run;
}

static void check_change(const struct run *run, const struct intervention *v)
{
    check(v->stage >= 0 && v->stage < run->stage_count && v->stream >= 0 && v->stream < TRACE_STREAMS);
    check(v->token >= 0 && v->token < run_stream_count(run, v->stream));
    check(v->head >= 0 && v->head < run->model->config.heads);
    char text[96];
    struct intervention again;
    struct error err = {0};
    check(intervention_write(run_trace(run), v, text, sizeof text));
    check(intervention_parse(run, v->kind, text, &again, &err));
    check(again.stream == v->stream && again.token == v->token && again.module == v->module && again.head == v->head);
}

// The next word as a shell reads it; false: there is none.
static bool next_word(const char **text, char out[TEXT * 4])
{
    size_t used = 0;
    bool quoted = false;
    *text += strspn(*text, " ");
    if (!**text)
        return false;
    for (; **text && (quoted || **text != ' '); (*text)++)
        if (**text == '\'')
            quoted = !quoted;
        else if (!quoted && **text == '\\')
            out[used++] = *++*text;
        else
            out[used++] = **text;
    out[used] = 0;
    check(!quoted);
    return true;
}

static void check_command(const struct run *run, char *question)
{
    struct trace asked = *run_trace(run);
    char word[TEXT * 4];
    bool found = false;
    asked.question = question;
    char *command = command_of_run(&asked, NULL, 0, question);
    check(command);
    int model = 0;
    for (const char *at = command; next_word(&at, word);)
        if (!strcmp(word, question))
            found = true, model++;
    check(found && model >= 2); // as --model, and as the question
    free(command);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct run *run = the_run();
    struct intervention change;
    struct error err = {0};
    char text[TEXT];
    if (size < 1)
        return 0;
    size_t length = size - 1 < sizeof text - 1 ? size - 1 : sizeof text - 1;
    memcpy(text, data + 1, length);
    text[length] = 0;
    enum intervention_kind kind = (enum intervention_kind)(data[0] % (INTERVENE_REOPEN + 1));
    if (intervention_parse(run, kind, text, &change, &err))
        check_change(run, &change);
    else
        check(err.code == ERROR_USAGE && err.text[0] && !strchr(err.text, '\n'));
    check_command(run, text);
    return 0;
}
