// trimscope import: a checkpoint of PyTorch, or somebody else's safetensors, into one weights file.
#include "app/assets.h"
#include "app/commands.h"
#include "app/import_report.h"
#include "app/options.h"
#include "app/progress.h"
#include "engine/base/file.h"
#include "engine/text/vocabulary.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct settings {
    struct option_list vocabulary;
    struct import_options options;
    long resolution;
};

static bool check_names(const char *from, const char *to, struct error *err)
{
    static const char ending[] = ".safetensors";
    size_t length = strlen(to), end = sizeof ending - 1;
    if (length <= end || strcmp(to + length - end, ending) != 0)
        return error_set(err, ERROR_USAGE, "the name of what is written must end in %s; found %s", ending, to);
    if (file_same(from, to))
        return error_set(err, ERROR_USAGE, "%s would be written over by itself; give another name", from);
    return true;
}

static bool check_task(const char *task, struct error *err)
{
    char known[120] = "";
    for (int t = 0; t < TASK_COUNT; t++) {
        const char *name = model_task_name((enum model_task)t);
        if (!task || !strcmp(task, name))
            return true;
        snprintf(known + strlen(known), sizeof known - strlen(known), "%s%s", t ? ", " : "", name);
    }
    return error_set(err, ERROR_USAGE, "there is no task %s; known are %s", task, known);
}

static bool show_progress(void *context, double done, double total)
{
    return progress_show_share(context, done / total);
}

// The folder of the person's own in which RoBERTa's vocabulary may lie. False: it does not.
static bool find_roberta(char folder[ASSETS_PATH])
{
    const char *data = getenv("XDG_DATA_HOME"), *home = getenv("HOME");
    int length = data && *data == '/' ? snprintf(folder, ASSETS_PATH, "%s/trimscope/roberta", data)
                                      : snprintf(folder, ASSETS_PATH, "%s/.local/share/trimscope/roberta", home ? home : "");
    return length < ASSETS_PATH && vocabulary_in_folder(VOCABULARY_ROBERTA, folder);
}

int cmd_import(int argc, char **argv)
{
    char roberta[ASSETS_PATH];
    struct settings s = {0};
    char folder[ASSETS_PATH], bert[ASSETS_PATH + 32];
    const char *arguments[2];
    int count, status;
    const struct option_row rows[] = {
        {"vocab", OPTION_LIST, &s.vocabulary, "FILE",
         N_("the vocabulary, or the folder that it is in; may be given several times. METER: RoBERTa's vocab.json and "
            "merges.txt, or fairseq's dict.txt, encoder.json and vocab.bpe. BLIP: BERT's vocab.txt (default: the bundled "
            "one)"),
         0, 0},
        {"answers", OPTION_TEXT, &s.options.answers, "FILE",
         N_("the answers in the order of the labels: one a line, a JSON list, or JSON with \"id2label\""), 0, 0},
        {"half", OPTION_FLAG, &s.options.half, NULL, N_("store the weights as fp16, half the size"), 0, 0},
        {"resolution", OPTION_NUMBER, &s.resolution, "N",
         N_("pixels of a side that pictures will have; the position tables are resized as the original code does"), 16,
         1024},
        {"task", OPTION_TEXT, &s.options.task, "TASK",
         N_("for a file that can do several: what it shall do, as retrieval (default: what its tensors show)"), 0, 0},
        {"trimmers", OPTION_TEXT, &s.options.trimmers, "FILE",
         N_("take the trimmers.* tensors of this file (names and shapes: names.md in share/doc/trimscope, engine/model in the "
            "sources)"), 0, 0},
        {"name", OPTION_TEXT, &s.options.name, "NAME", N_("of the model, as the screen shows it"), 0, 0},
        OPTION_ROW_END};
    const struct option_command command = {
        "import", N_("import FILE OUT.safetensors [options]"),
        N_("Makes a weights file of a published METER or BLIP checkpoint: what torch.save() or PyTorch Lightning has "
           "written (.ckpt, .pth), or safetensors. Architecture, task and sizes are recognised from names and shapes and "
           "printed, and what is left out is listed. Nothing that is in the file is ever run. OUT appears whole or not at "
           "all."),
        rows, 2, 2};
    if (!options_parse(&command, argc, argv, arguments, &count, &status))
        return status;
    struct error err = {0};
    struct progress progress;
    struct import *import = NULL;
    s.options.vocabulary = s.vocabulary.values;
    s.options.vocabulary_count = s.vocabulary.count;
    s.options.image_size = (int)s.resolution;
    if (assets_find(folder, NULL)) {
        snprintf(bert, sizeof bert, "%s/vocabularies/bert", folder);
        s.options.bert = bert;
    }
    if (find_roberta(roberta))
        s.options.roberta = roberta;
    bool ok = check_names(arguments[0], arguments[1], &err) && check_task(s.options.task, &err) &&
              (import = import_open(arguments[0], &s.options, &err)) != NULL;
    if (ok) {
        import_report_print(stdout, import_report(import));
        fflush(stdout);
        progress_begin(&progress, false);
        ok = import_write(import, arguments[1], show_progress, &progress, &err);
        progress_end(&progress);
    }
    if (ok)
        fprintf(stderr, _("wrote %s\n"), arguments[1]);
    else
        fprintf(stderr, "trimscope import: %s\n", err.text);
    import_close(import);
    return ok ? ERROR_NONE : (int)err.code;
}
