// The forms of the world's questions and statements, and whether somebody else's words have one of them. Forms are compared
// as what is left of a text when its words are tokens (other words for the same are one), those that change nothing are
// left out and every name is any name: "please tell me how many dogs you see" is "how many NAME".
#include "engine/text/tokenizer.h"
#include "engine/world/ask.h"

#include <stdio.h>
#include <string.h>

enum { FORM_WORDS = 64, FORM_TEXT = 512 };

static const char name[] = "NAME", color[] = "COLOR"; // a colour is a name too: orange

struct form {
    const char *words[FORM_WORDS];
    int count;
};

struct question {
    const struct tokenizer *tokenizer;
    const char *any_name; // a word that is one
    struct form form;
};

// What makes a question longer, politer or a sentence, and says nothing about what is asked.
static bool is_filler(const char *word)
{
    static const char *const fillers[] = {"a",    "an",   "the",  "any",  "is",    "are",     "be",   "do",      "does", "can",
                                          "could", "you", "i",    "me",   "it",    "them",    "this", "that",    "there", "here",
                                          "please", "tell", "know", "want", "if",  "whether", "to",   "in",      "on",   "at",
                                          "of",   "picture", "see", "show", "have", "has",    "got",  "visible", "find", "located"};
    for (size_t i = 0; i < sizeof fillers / sizeof *fillers; i++)
        if (!strcmp(fillers[i], word))
            return true;
    return false;
}

// Those of kinds.txt: a tokenizer does not tell colours from other names.
static bool is_color(const char *word)
{
    static const char *const colors[] = {"red", "orange", "yellow", "green", "blue", "purple", "brown", "black", "white"};
    for (size_t i = 0; i < sizeof colors / sizeof *colors; i++)
        if (!strcmp(colors[i], word))
            return true;
    return false;
}

static void reduce(const struct tokenizer *tokenizer, const char *text, struct form *form)
{
    struct token tokens[FORM_WORDS];
    int count = tokenizer_encode(tokenizer, text, tokens, FORM_WORDS);
    form->count = 0;
    for (int t = 0; t < count; t++) {
        const char *word = tokenizer_text(tokenizer, tokens[t].id);
        if (tokens[t].from == tokens[t].to || word[0] == '#' || is_filler(word))
            continue;
        bool plain = tokens[t].unknown || world_is_question_word(word);
        form->words[form->count++] = !plain ? (is_color(word) ? color : name) : !strcmp(word, "which") ? "what" : word;
    }
}

static bool is_name(const struct form *form, int at)
{
    return at < form->count && (form->words[at] == name || form->words[at] == color);
}

static bool is_same(const struct form *form, const struct form *asked, bool colored)
{
    int at = 0;
    for (int i = 0; i < form->count; i++, at++) {
        if (is_name(form, i)) {
            at += colored && is_name(asked, at) && asked->words[at] == color && is_name(asked, at + 1);
            if (!is_name(asked, at))
                return false;
        } else if (at == asked->count || strcmp(form->words[i], asked->words[at]) != 0) {
            return false;
        }
    }
    return at == asked->count;
}

// Fills the template's first slot with all that it can say, and so on with what comes of that.
static bool fits(const struct question *question, const struct ask_forms *forms, const char *template)
{
    const char *slot = strchr(template, '$');
    if (!slot) {
        struct form form;
        reduce(question->tokenizer, template, &form);
        return is_same(&form, &question->form, forms->colored);
    }
    const char *(*fill)(int) = slot[1] == 'd'   ? forms->direction
                               : slot[1] == 'k' ? forms->number
                               : slot[1] == 'w' ? forms->where
                                                : NULL;
    const char *phrase = fill ? fill(0) : slot[1] == 'v' ? "is" : question->any_name;
    for (int i = 1; phrase; phrase = fill ? fill(i++) : NULL) {
        char text[FORM_TEXT];
        snprintf(text, sizeof text, "%.*s%s%s", (int)(slot - template), template, phrase, slot + 2);
        if (fits(question, forms, text))
            return true;
    }
    return false;
}

static bool fits_any(const struct question *question, const struct ask_forms *forms)
{
    for (; forms->templates; forms++)
        for (const char *const *template = forms->templates; *template; template++)
            if (**template && fits(question, forms, *template)) // not REWORDED
                return true;
    return false;
}

static const char *find_name(const struct tokenizer *tokenizer)
{
    for (int id = 0; id < tokenizer_size(tokenizer); id++) {
        const char *word = tokenizer_text(tokenizer, id);
        if (!strchr("<#", word[0]) && !world_is_question_word(word))
            return word;
    }
    return NULL;
}

bool world_has_form(const struct tokenizer *tokenizer, int pictures, const char *text)
{
    struct question question = {.tokenizer = tokenizer, .any_name = find_name(tokenizer)};
    reduce(tokenizer, text, &question.form);
    if (pictures > 1)
        return fits_any(&question, ask_statement_forms);
    return fits_any(&question, ask_things_forms) || fits_any(&question, ask_place_forms);
}
