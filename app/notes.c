#include "app/notes.h"

#include "engine/base/memory.h"
#include "engine/base/text.h"
#include "engine/prune/policy.h"
#include "engine/text/tokenizer.h"
#include "engine/world/world.h"
#include "ui/figure.h"
#include "ui/words.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { QUOTE = 32 }; // bytes of a question's part in a sentence

static void note(struct notes *notes, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void note(struct notes *notes, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    if (notes->count < NOTES_MOST)
        vsnprintf(notes->sentences[notes->count++], sizeof notes->sentences[0], format, arguments);
    va_end(arguments);
}

// The start of `text`, harmless for a terminal; what is cut off is marked.
static const char *quote_start(const char *text, char out[QUOTE])
{
    size_t room = QUOTE - 4, length = strnlen(text, room + 1);
    bool whole = length <= room;
    while (!whole && room > 0 && ((unsigned char)text[room] & 0xC0) == 0x80)
        room--;
    snprintf(out, QUOTE, "%.*s%s", (int)(whole ? length : room), text, whole ? "" : "...");
    text_clean(out);
    return out;
}

// Punctuation is none, and nor is what stands at both ends.
static bool is_word(const char *question, const struct token *token)
{
    for (int i = token->from; i < token->to; i++)
        if (isalnum((unsigned char)question[i]) || (unsigned char)question[i] >= 0x80)
            return true;
    return false;
}

// How many words of the question the model reads, and how many of these it knows; -1 where that cannot be told.
static int count_words(const struct model *model, const char *question, int *known)
{
    struct token *tokens = model->tokenizer ? memory_alloc((size_t)model->config.max_tokens, sizeof *tokens) : NULL;
    int count = tokens ? model_encode_question(model, question, tokens) : 0, words = count > 0 ? 0 : -1;
    *known = 0;
    for (int t = 0; t < count; t++) {
        bool word = is_word(question, &tokens[t]);
        words += word;
        *known += word && !tokens[t].unknown;
    }
    memory_free(tokens);
    return words;
}

bool notes_reads_nothing(const struct model *model, const char *question)
{
    int known;
    return count_words(model, question, &known) >= 0 && !known;
}

static void note_words(struct notes *notes, const struct model *model, const char *question)
{
    int known, words = count_words(model, question, &known);
    if (!words)
        note(notes, "%s", _("There is no word in this question: the answer hangs on the picture alone."));
    else if (words > 0 && !known)
        note(notes, "%s", _("The model knows no word of this question: the answer hangs on the picture alone."));
    if (!text_is_utf8(question))
        note(notes, "%s", _("The question is not all UTF-8: what is not was passed over."));
}

static void note_cut(struct notes *notes, const struct model *model, const struct trace *trace)
{
    int most = model->config.max_tokens, cut = tokenizer_cut(model->tokenizer, trace->question, most);
    char rest[QUOTE];
    if (cut >= 0)
        note(notes, _("Too long: the model reads %d words or pieces of words; left out is what follows from '%s' on."),
             most - 2, quote_start(trace->question + cut, rest));
}

// Words that another one may have been meant by stand in a sentence each, all others in one behind them.
static void note_unknown(struct notes *notes, const struct model *model, const struct trace *trace)
{
    enum { ROOM = UNLIKE_TEXT - 100 }; // beside the rest of the sentence, in any language
    char others[ROOM] = "";
    int count = 0;
    for (int t = 0; t < trace->token_count; t++) {
        const struct trace_token *token = &trace->tokens[t];
        char word[QUOTE];
        if (!token->unknown)
            continue;
        const char *nearest =
            tokenizer_nearest(model->tokenizer, trace->question + token->from, (size_t)(token->to - token->from));
        trace_token_text(trace, t, word, sizeof word);
        if (nearest && notes->count < NOTES_MOST - TRACE_PICTURES - 1) {
            note(notes, _("The model does not know the word '%s': did you mean '%s'?"), word, nearest);
            continue;
        }
        size_t used = strlen(others);
        const char *between = count++ ? in_("list", ", ") : "";
        if (used + 2 * QUOTE < ROOM) {
            used += (size_t)snprintf(others + used, ROOM - used, "%s", between);
            snprintf(others + used, ROOM - used, _("'%s'"), word);
        } else if (others[used - 1] != '.') {
            strcpy(others + used, "...");
        }
    }
    if (count)
        note(notes, ngettext_(count, "The model does not know the word %s: it reads %s there.",
                              "The model does not know the words %s: it reads %s there."),
             others, tokenizer_text(model->tokenizer, tokenizer_special(model->tokenizer, TOKENIZER_UNKNOWN)));
}

// A model that knows what it was trained on learnt the world's language (questions of one's own leave it no such memory).
// Unknown words, and too many of them, are said already.
static void note_form(struct notes *notes, const struct model *model, const struct trace *trace)
{
    int known, words = count_words(model, trace->question, &known);
    if (!model->familiarity || words <= 0 || known < words ||
        tokenizer_cut(model->tokenizer, trace->question, model->config.max_tokens) >= 0 ||
        world_has_form(model->tokenizer, model->config.pictures, trace->question))
        return;
    if (model->config.pictures > 1)
        note(notes, _("%s learnt to judge statements such as '%s', and none like this one: its answer is a guess."),
             model->config.name, figure_general_question(model->config.pictures, 0));
    else
        note(notes, _("%s learnt no questions like this one: its answer is a guess."), model->config.name);
}

// What makes the pixels others than those that a published model's own code would have seen. A model that trimscope has
// trained itself (it knows what it was trained on) has no other code.
static void note_reading(struct notes *notes, const struct model *model, const struct trace_picture *picture,
                         const struct picture_origin *origin)
{
    char path[2 * QUOTE];
    if (model->familiarity)
        return;
    text_fit(path, sizeof path, picture->path ? picture->path : "");
    if (origin->orientation > 1 && !origin->as_stored)
        note(notes, _("%s was turned upright, as its EXIF data say; with --exact it stays as it is stored, as in the "
                      "model's own code."), path);
    if (origin->reduced)
        note(notes, _("%s was read at a reduced size, which gives slightly other pixels than reading all of its %.0f "
                      "megapixels, as --exact does."), path, origin->width * (double)origin->height / 1e6);
}

void notes_make(struct notes *notes, const struct model *model, const struct trace *trace,
                const struct picture *const pictures[], const struct picture_origin origins[])
{
    char unlike[UNLIKE_TEXT];
    notes->count = 0;
    if (!strncmp(trace->policy, policy_name(POLICY_LEARNED), strlen(policy_name(POLICY_LEARNED))) &&
        !model_trimmed_layers(&model->config))
        note(notes, _("This model has no trimmers, so that the policy %s drops nothing; %s and %s need none."), trace->policy,
             policy_name(POLICY_TEXT_SIMILARITY), policy_name(POLICY_CLS_ATTENTION));
    if (model->tokenizer && trace->question) {
        note_words(notes, model, trace->question);
        note_cut(notes, model, trace);
        note_unknown(notes, model, trace);
        note_form(notes, model, trace);
    }
    for (int p = 0; p < model->config.pictures; p++) {
        if (unlike_note(model, pictures[p], unlike))
            note(notes, "%s", unlike);
        note_reading(notes, model, &trace->pictures[p], &origins[p]);
    }
}

void notes_say(struct notes *said, const struct notes *more)
{
    for (int i = 0; i < more->count; i++) {
        int at = 0;
        while (at < said->count && strcmp(said->sentences[at], more->sentences[i]) != 0)
            at++;
        if (at < said->count)
            continue;
        fprintf(stderr, _("note: %s\n"), more->sentences[i]);
        note(said, "%s", more->sentences[i]);
    }
}

bool notes_suggest(const struct model *model, const struct trace *trace, char *out, size_t size)
{
    const char *question = trace->question ? trace->question : "";
    size_t used = 0, at = 0;
    bool mended = false;
    for (int t = 0; model->tokenizer && t < trace->token_count; t++) {
        const struct trace_token *token = &trace->tokens[t];
        size_t from = (size_t)token->from, length = (size_t)(token->to - token->from);
        const char *nearest = token->unknown ? tokenizer_nearest(model->tokenizer, question + from, length) : NULL;
        if (!nearest || from < at)
            continue;
        mended = true;
        used += (size_t)snprintf(out + used, size - used, "%.*s%s", (int)(from - at), question + at, nearest);
        if (used >= size)
            return false;
        at = from + length;
    }
    return mended && used + strlen(question + at) < size && strcpy(out + used, question + at);
}

void notes_join(const struct notes *notes, char *out, size_t size)
{
    out[0] = 0;
    for (int i = 0; i < notes->count; i++) {
        size_t used = strlen(out);
        snprintf(out + used, size - used, "%s%s", used ? in_("between sentences", " ") : "", notes->sentences[i]);
    }
}
