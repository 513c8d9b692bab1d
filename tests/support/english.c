#include "tests/support/english.h"

#include "app/bench.h"
#include "app/commands.h"
#include "app/options.h"
#include "engine/learn/settings.h"
#include "engine/world/world.h"
#include "ui/config.h"
#include "ui/export.h"
#include "ui/keys.h"
#include "ui/theme.h"

#include <cblas.h>
#include <ctype.h>
#include <stdio.h>
#include <string.h>

// Proper names; what is typed and stands in no table; units; the question that the tests ask and answers to it.
static const char *const names[] = {
    "FLOP", "FLOPs", "MFLOP", "kFLOP", "GFLOP", "SmartTrim", "EViT", "ToMe", "PyTorch", "Lightning", "RoBERTa", "fairseq", "snli", "caption", "retrieval", "BERT", "WordPiece", "vocab", "merges", "Transformers", "Hugging", "Face", "safetensors", "OpenBLAS", "softmax", "Debian",
    "GELU", "AdamW", "logistic", "logits", "Slurm", "asciinema", "JSON", "WebP", "stderr", "shell",
    "Ctrl", "CxR", "zstyle", "ONNX", "Runtime", "Tab", "Esc", "Enter", "Home", "End", "PgUp", "PgDn", "Del", "Space",
    "Delete", "Insert", "Backspace", "Hash", "Left", "Right", "Up", "Down", "bold", "underline", "default", "man", "bash",
    "zsh", "fish", "png", "svg", "ansi", "html", "json", "csv", "jsonl", "cast", "auto", "true", "false", "True", "False", "trained",
    "survivors", "self", "cross", "total", "score", "image", "text", "fusion", "msa", "mca", "patches", "words", "heads",
    "vqa", "avx", "base", "Haswell", "DYNAMIC", "none", "null", "picture", "question", "answer", "type", "needed", "others",
    "scene", "background", "kind", "objects", "color", "size", "turn", "questions", "meadow", "red", "seed", "world",
    "noto", "twemoji", "fluent", "openmoji", "emojione", "blob", "config", "file", "off", "on", "yes", "cat", "less", "home", "key", "state", "ids", "mask", "front", "back",
};

// What may stand beside other words: the program's own commands, the question that the tests ask, and answers to it.
static const char *const company[] = {
    "trimscope", "parallel", "what", "is", "over", "the", "nothing", "zebra",
    "in", "bottom", "right", "corner", "do", "you", "see", "on", "of", "xterm", "again", "first", "sheet",
    "nonsense",
};

struct wanted {
    const char *word;
    size_t length;
    bool found;
};

static bool same(const struct wanted *wanted, const char *name, size_t length)
{
    return length == wanted->length && !strncmp(name, wanted->word, length);
}

// A part of a name of several: "cross" of "cross-attention".
static bool has_part(const struct wanted *wanted, const char *name)
{
    while (*name) {
        size_t length = strcspn(name, "-_ /.|()");
        if (length && same(wanted, name, length))
            return true;
        name += length + (name[length] != 0);
    }
    return false;
}

static void look_in_options(const struct option_command *command, void *context)
{
    struct wanted *wanted = context;
    wanted->found |= has_part(wanted, command->name);
    for (const struct option_row *row = command->rows; row->name; row++)
        wanted->found |= has_part(wanted, row->name) || (row->argument && has_part(wanted, row->argument));
}

static bool is_in_tables(struct wanted *wanted)
{
    options_visit(cmd_screen, "", look_in_options, wanted);
    for (const struct command *c = command_list(); c->name && !wanted->found; c++)
        options_visit(c->run, c->name, look_in_options, wanted);
    for (int a = 0; a < ACTIONS && !wanted->found; a++)
        wanted->found = has_part(wanted, action_name((enum action)a));
    for (int s = 0; s < STYLE_COUNT && !wanted->found; s++)
        wanted->found = has_part(wanted, style_name((enum style)s));
    for (int f = 0; f < WORLD_FAMILY_COUNT && !wanted->found; f++)
        wanted->found = has_part(wanted, world_family_name((enum world_family)f));
    for (int i = 0; i < CONFIG_COUNT && !wanted->found; i++) {
        const struct config_row *row = config_row((enum config_option)i);
        wanted->found = has_part(wanted, row->name) || has_part(wanted, row->values);
    }
#define LOOK_AT_SETTING(kind, member, ...) wanted->found |= has_part(wanted, #member);
    TRAIN_SETTINGS(LOOK_AT_SETTING)
#undef LOOK_AT_SETTING
#define LOOK_AT_WHAT(id, name, ...) wanted->found |= has_part(wanted, name);
    EXPORT_WHATS(LOOK_AT_WHAT)
#undef LOOK_AT_WHAT
    char processor[BENCH_PROCESSOR];
    bench_processor_name(processor);
    wanted->found |= has_part(wanted, processor);
    wanted->found |= has_part(wanted, openblas_get_config()); // as doctor says it: names of processors
    return wanted->found;
}

// What hangs together without blanks and without Chinese: a word, an option, a path, a number.
static size_t piece_length(const char *text)
{
    size_t length = 0;
    while ((unsigned char)text[length] > ' ' && (unsigned char)text[length] < 0x80 && !strchr("(),;|", text[length]))
        length++;
    return length;
}

// Things of the world are answers of the bundled model, which names other ones whenever it is trained again.
static bool is_thing(const char *word, size_t length)
{
    static char table[1 << 16];
    if (!table[0]) {
        FILE *file = fopen("assets/world/kinds.txt", "r");
        size_t used = file ? fread(table + 1, 1, sizeof table - 2, file) : 0;
        table[0] = '\n';
        table[used + 1] = 0;
        if (file)
            fclose(file);
    }
    for (const char *at = table; (at = strchr(at, '\n')); at++)
        if ((!strncmp(at + 1, word, length) && at[1 + length] == ' ') ||
            (!strncmp(at + 1, "color ", 6) && !strncmp(at + 7, word, length) && at[7 + length] == '\n'))
            return true;
    return false;
}

static bool may_have_company(const char *word, size_t length)
{
    if (is_thing(word, length))
        return true;
    for (size_t i = 0; i < sizeof company / sizeof *company; i++)
        if (strlen(company[i]) == length && !strncmp(company[i], word, length))
            return true;
    return false;
}

// Names stand alone in Chinese: two of them with a blank between are a piece of a sentence.
static bool starts_phrase(const char *piece, size_t length)
{
    size_t next = piece[length] == ' ' ? piece_length(piece + length + 1) : 0;
    const char *second = piece + length + 1;
    if (next < 2 || may_have_company(piece, length) || may_have_company(second, next))
        return false;
    for (size_t i = 0; i < length; i++)
        if (!islower((unsigned char)piece[i]))
            return false;
    for (size_t i = 0; i < next; i++)
        if (!islower((unsigned char)second[i]))
            return false;
    return length >= 2;
}

static bool is_name(const char *word, size_t length)
{
    struct wanted wanted = {word, length, false};
    bool capitals = true;
    for (size_t i = 0; i < length; i++)
        capitals = capitals && isupper((unsigned char)word[i]);
    if (capitals)
        return true;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (same(&wanted, names[i], strlen(names[i])))
            return true;
    return may_have_company(word, length) || is_in_tables(&wanted);
}

static bool is_prose(const char *piece, size_t length)
{
    if (length > 2 && !strncmp(piece, "--", 2)) // an option
        return false;
    for (size_t i = 0; i < length; i++)
        if (strchr("/._=<>{}[]\"$&*#~@\\+%", piece[i]) || isdigit((unsigned char)piece[i])) {
            bool end = i + 1 == length && strchr(".\"]", piece[i]); // of a sentence
            if (!end)
                return false;
        }
    return true;
}

bool english_find(const char *text, char *word, size_t size, const char **line)
{
    *line = text;
    for (const char *p = text; *p;) {
        size_t length = piece_length(p);
        if (*p == '`') { // code
            const char *end = strchr(p + 1, '`');
            p = end ? end + 1 : p + 1;
            continue;
        }
        if (*p == '\n')
            *line = p + 1;
        if (starts_phrase(p, length)) {
            snprintf(word, size, "%.*s", (int)(length + 1 + piece_length(p + length + 1)), p);
            return true;
        }
        for (size_t i = 0; i < length && is_prose(p, length);) {
            size_t letters = 0;
            while (i + letters < length && isalpha((unsigned char)p[i + letters]))
                letters++;
            if (letters >= 3 && !is_name(p + i, letters)) {
                snprintf(word, size, "%.*s", (int)letters, p + i);
                return true;
            }
            i += letters ? letters : 1;
        }
        p += length ? length : 1;
    }
    return false;
}
