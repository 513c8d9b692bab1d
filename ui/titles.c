#include "ui/titles.h"

#include "ui/measure.h"
#include "ui/words.h"

#include <stdio.h>
#include <string.h>

static const char *const policies[] = {
    Nin_("policy", "none"),          Nin_("policy", "learned"),       Nin_("policy", "learned-self"),
    Nin_("policy", "learned-fixed"), Nin_("policy", "cls-attention"), Nin_("policy", "cross-attention"),
    Nin_("policy", "text-similarity"), Nin_("policy", "merging"), Nin_("policy", "random"),
};
enum { POLICIES_TITLED = sizeof policies / sizeof *policies };

static const char *const types[] = {
    Nin_("question type", "exist"),          Nin_("question type", "exist-color"), Nin_("question type", "exist-category"),
    Nin_("question type", "color"),          Nin_("question type", "count"),       Nin_("question type", "count-category"),
    Nin_("question type", "position"),       Nin_("question type", "side"),        Nin_("question type", "relation"),
    Nin_("question type", "relation-check"), Nin_("question type", "category"),    Nin_("question type", "compare"),
};

static const char *const terms[] = {
    Nin_("loss", "answer"), Nin_("loss", "distill"), Nin_("loss", "patch"), Nin_("loss", "color"),
    Nin_("loss", "ground"), Nin_("loss", "where"),   Nin_("loss", "count"),
};

static const char *title(const char *const list[], size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++) {
        const char *own = strchr(list[i], '\004') + 1;
        if (!strcmp(own, name))
            return words_in(list[i], own);
    }
    return name;
}

const char *title_policy(const char *name)
{
    return title(policies, POLICIES_TITLED, name);
}

int title_policy_width(void)
{
    int width = 16;
    for (int i = 0; i < POLICIES_TITLED; i++) {
        int one = measure_width(title_policy(strchr(policies[i], '\004') + 1));
        width = one > width ? one : width;
    }
    return width;
}

const char *title_loss_term(const char *name)
{
    return title(terms, sizeof terms / sizeof *terms, name);
}

const char *title_question_type(const char *name)
{
    return title(types, sizeof types / sizeof *types, name);
}

void title_time_left(char *out, size_t size, double seconds)
{
    if (seconds >= 3600)
        snprintf(out, size, _("%dh%02dm left"), (int)(seconds / 3600), (int)(seconds / 60) % 60);
    else
        snprintf(out, size, _("%dm%02ds left"), (int)(seconds / 60), (int)seconds % 60);
}
