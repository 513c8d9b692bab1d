#include "app/import_report.h"

#include "engine/model/parameters.h"
#include "ui/table.h"
#include "ui/words.h"

#include <stdlib.h>
#include <string.h>

static void print_container(struct table *table, const struct import_report *r)
{
    table_cell(table, "%s", _("file"));
    if (!strcmp(r->container, "safetensors"))
        table_cell(table, "safetensors");
    else if (*r->place)
        table_cell(table,
                   !strcmp(r->container, "zip") ? _("PyTorch (zip), tensors under \"%s\"")
                                                : _("PyTorch (before 1.6), tensors under \"%s\""),
                   r->place);
    else
        table_cell(table, "%s", !strcmp(r->container, "zip") ? _("PyTorch (zip)") : _("PyTorch (before 1.6)"));
    if (r->calls) {
        table_cell(table, "%s", _("not run"));
        table_cell(table, _("%s: the file asks for this to be called"), r->calls);
    }
    if (r->beside) {
        table_cell(table, "%s", _("not read"));
        table_cell(table, _("%s: stand beside \"%s\" in the file"), r->beside, r->place);
    }
}

static void print_task(struct table *table, const struct import_report *r)
{
    const struct model_config *c = r->config;
    const char *architecture = c->architecture == ARCHITECTURE_BLIP ? "BLIP" : "METER";
    table_cell(table, "%s", _("model"));
    table_cell(table, !strcmp(c->name, architecture) ? "%s" : "%s (%s)", c->name, architecture);
    table_cell(table, "%s", _("task"));
    if (c->labels)
        table_cell(table, ngettext_(c->labels, "%s, %d answer", "%s, %d answers"), model_task_name(c->task), c->labels);
    else
        table_cell(table, "%s", model_task_name(c->task));
    table_cell(table, "%s", _("pictures"));
    table_cell(table, _("%d x %d pixels, %d x %d patches of %d"), c->image_size, c->image_size, model_grid(c),
               model_grid(c), c->patch_size);
    if (r->file_grid != model_grid(c)) {
        table_cell(table, "%s", _("positions"));
        table_cell(table, _("resized from %d x %d patches"), r->file_grid, r->file_grid);
    }
}

static void print_stack(struct table *table, const char *what, int layers, int width, int heads, int ffn)
{
    if (!layers)
        return;
    table_cell(table, "%s", what);
    table_cell(table,
               ngettext_(layers, "%d layer of width %d, %d heads, FFN %d", "%d layers of width %d, %d heads, FFN %d"),
               layers, width, heads, ffn);
}

static void print_sizes(struct table *table, const struct import_report *r)
{
    const struct model_config *c = r->config;
    int trimmers = model_trimmed_layers(c);
    print_stack(table, _("image encoder"), c->image_layers, model_image_width(c), model_image_heads(c), c->image_ffn);
    print_stack(table, _("text encoder"), c->text_layers, c->width, c->heads, c->text_ffn);
    print_stack(table, _("fusion"), c->fusion_layers, c->width, c->heads, c->text_fusion_ffn);
    print_stack(table, _("decoder"), c->decoder_layers, c->width, c->heads, c->decoder_ffn);
    table_cell(table, "%s", _("words"));
    table_cell(table, _("a table of %d, up to %d tokens"), c->vocabulary, c->max_tokens);
    table_cell(table, "%s", _("trimmers"));
    if (trimmers)
        table_cell(table, ngettext_(trimmers, "in %d layer", "in %d layers"), trimmers);
    else
        table_cell(table, "%s", _("none: the policies that need no training work"));
    table_cell(table, "%s", _("parameters"));
    table_cell(table, ngettext_(r->tensors, "%.1f million in %d tensor", "%.1f million in %d tensors"),
               (double)model_parameter_count(c) / 1e6, r->tensors);
}

enum { PADDED_ROWS = 128 }; // a word table may have more rows than tokens to come to a round number

static void print_words(struct table *table, const struct import_report *r)
{
    const struct model_config *c = r->config;
    table_cell(table, "%s", _("tokenizer"));
    if (r->tokens && c->vocabulary - r->tokens > PADDED_ROWS)
        table_cell(table, _("%d tokens, in the file; the table has %d rows: is this the model's own vocabulary?"), r->tokens,
                   c->vocabulary);
    else if (r->tokens)
        table_cell(table, ngettext_(r->tokens, "%d token, in the file", "%d tokens, in the file"), r->tokens);
    else
        table_cell(table, "%s", _("none: give --vocab, or questions cannot be asked"));
    if (c->task == TASK_CAPTION || c->task == TASK_RETRIEVAL)
        return;
    table_cell(table, "%s", _("answers"));
    if (r->answers)
        table_cell(table, ngettext_(r->answers, "%d answer, in the file", "%d answers, in the file"), r->answers);
    else if (c->task != TASK_VQA)
        table_cell(table, "%s", _("those of the task"));
    else
        table_cell(table, "%s",
                   model_writes(c) ? _("none: give --answers to choose among them, or it writes its own")
                                   : _("none: give --answers, or they are numbers"));
}

static const char *what_is_left(enum leftover_kind kind)
{
    static const char *const texts[] = {
        [LEFTOVER_UNKNOWN] = N_("not known"),
        [LEFTOVER_CLIP_TEXT] = N_("of CLIP's text encoder, not used"),
        [LEFTOVER_POOLER] = N_("RoBERTa's own pooler, not used"),
        [LEFTOVER_COUNTING] = N_("0, 1, 2, ...: not needed"),
        [LEFTOVER_HEAD] = N_("of another task"),
        [LEFTOVER_TIED] = N_("the word table once more"),
        [LEFTOVER_MOMENTUM] = N_("slow copies, for training"),
        [LEFTOVER_TRAINING] = N_("for training"),
        [LEFTOVER_STACK] = N_("of another task"),
    };
    return _(texts[kind]);
}

static void print_leftovers(struct table *table, const struct import_report *r)
{
    for (int i = 0; i < r->leftover_count; i++) {
        const struct leftover *left = &r->leftovers[i];
        char size[32];
        if (left->bytes < 100000)
            snprintf(size, sizeof size, "%.1f kB", (double)left->bytes / 1e3);
        else
            snprintf(size, sizeof size, "%.1f MB", (double)left->bytes / 1e6);
        table_cell(table, "%s", i ? "" : _("left out"));
        // TRANSLATORS: names of tensors, how many there are, their size, why they are not needed
        table_cell(table, ngettext_(left->tensors, "%s: %d tensor, %s, %s", "%s: %d tensors, %s, %s"), left->names,
                   left->tensors, size, what_is_left(left->kind));
    }
}

void import_report_print(FILE *out, const struct import_report *report)
{
    static const struct table_column columns[] = {{"", -14}, {"", -1}};
    struct table table;
    table_begin(&table, out, columns, 2);
    print_container(&table, report);
    print_task(&table, report);
    print_sizes(&table, report);
    if (report->twins) {
        table_cell(&table, "%s", _("copied"));
        table_cell(&table, "%s", _("cross-attention, once for each picture, as BLIP's code does"));
    }
    print_words(&table, report);
    print_leftovers(&table, report);
}
