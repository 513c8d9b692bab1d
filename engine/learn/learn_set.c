#include "engine/learn/learn_set.h"

#include "engine/base/memory.h"
#include "engine/io/picture.h"
#include "engine/io/tensors.h"
#include "engine/model/labels.h"
#include "engine/model/question.h"
#include "engine/text/tokenizer.h"

#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct keyed {
    char *const *pictures;
    int question;
};

static int compare_pictures(char *const *x, char *const *y)
{
    int order = strcmp(x[0], y[0]);
    return order || !x[1] || !y[1] ? order : strcmp(x[1], y[1]);
}

static int by_picture(const void *a, const void *b)
{
    const struct keyed *x = a, *y = b;
    int order = compare_pictures(x->pictures, y->pictures);
    return order ? order : (x->question > y->question) - (x->question < y->question);
}

static bool check_readable(const struct learn_set *set, const struct keyed *asked, struct error *err)
{
    for (int p = 0; p < set->config.pictures; p++)
        if (access(asked->pictures[p], R_OK) != 0)
            return error_set(err, ERROR_INPUT, "cannot open %s: %s", asked->pictures[p], strerror(errno)) ||
                   question_set_blame(&set->questions, asked->question, err);
    return true;
}

static bool make_groups(struct learn_set *set, const struct keyed *sorted, struct error *err)
{
    for (int i = 0; i < set->questions.count; i++) {
        bool same = i && !compare_pictures(sorted[i].pictures, sorted[i - 1].pictures);
        set->order[i] = sorted[i].question;
        if (!same && !check_readable(set, &sorted[i], err))
            return false;
        if (!same)
            set->groups[set->group_count++].first = i;
        set->groups[set->group_count - 1].count++;
    }
    return true;
}

static bool group_questions(struct learn_set *set, struct error *err)
{
    size_t count = (size_t)set->questions.count;
    struct keyed *sorted = memory_alloc(count, sizeof *sorted);
    set->order = memory_alloc(count, sizeof *set->order);
    set->labels = memory_alloc(count, sizeof *set->labels);
    set->groups = memory_alloc(count, sizeof *set->groups);
    bool ok = (sorted && set->order && set->labels && set->groups) || error_no_memory(err, "the question set");
    for (size_t i = 0; ok && i < count; i++)
        sorted[i] = (struct keyed){set->questions.questions[i].pictures, (int)i};
    if (ok)
        qsort(sorted, count, sizeof *sorted, by_picture);
    ok = ok && make_groups(set, sorted, err);
    memory_free(sorted);
    return ok;
}

// The model's answers as a table from text to label.
static json_t *answer_table(const struct learn_set *set, const struct tensor_list *model)
{
    const char *own = tensor_list_metadata(model, "answers"), *text = own ? own : labels_published(&set->config);
    json_t *list = text ? json_loads(text, 0, NULL) : NULL, *table = json_object();
    for (size_t a = json_array_size(list); table && a-- > 0;) // of answers that stand twice the first counts
        if (json_is_string(json_array_get(list, a)))
            json_object_set_new(table, json_string_value(json_array_get(list, a)), json_integer((json_int_t)a));
    json_decref(list);
    return table;
}

// How long the model's own answers are, where it ranks them.
static bool measure_answers(struct learn_set *set, const struct tensor_list *model, struct error *err)
{
    const char *text = tensor_list_metadata(model, "answers");
    json_t *list = text && set->config.task == TASK_VQA ? json_loads(text, 0, NULL) : NULL;
    size_t count = json_array_size(list);
    const char **answers = memory_alloc(count + 1, sizeof *answers);
    struct answer_list pieces = {0};
    bool ok = answers != NULL;
    for (size_t a = 0; ok && a < count; a++) {
        const char *answer = json_string_value(json_array_get(list, a));
        answers[a] = answer ? answer : "";
    }
    ok = ok && (!count || question_answers(set->tokenizer, answers, (int)count, &pieces));
    set->writing = flops_text(&set->config, &pieces, false, 0, 0, 0);
    memory_free((void *)(size_t)pieces.ids);
    memory_free(answers);
    json_decref(list);
    return ok || error_no_memory(err, "the answers");
}

// The tokens of a question, at most config.max_tokens, or of what a caption begins with. 0: no memory.
static int question_tokens(const struct learn_set *set, int question, struct token *tokens)
{
    const char *text = set->questions.questions[question].text;
    bool begins = set->config.task == TASK_CAPTION && !*text;
    return question_encode(&set->config, set->tokenizer, begins ? MODEL_PROMPT : text, tokens);
}

// Rows of a written answer at most, its first one counted; begun: tokens of what a caption begins with.
static int most_rows(const struct learn_set *set, int begun)
{
    return set->config.task == TASK_CAPTION ? set->config.max_tokens - begun + 1 : WORDS_ANSWER;
}

// The words of an answer without the tokens at its ends; how many: 0, none; no longer an answer that fits where it was cut.
static int answer_words(const struct learn_set *set, int question, int words[WRITING_WORDS])
{
    struct token tokens[WRITING_WORDS + 2];
    const char *answer = set->questions.questions[question].answer;
    int count = *answer ? tokenizer_encode(set->tokenizer, answer, tokens, WRITING_WORDS + 2) - 2 : 0;
    for (int w = 0; w < count; w++)
        words[w] = tokens[w + 1].id;
    return count > 0 ? count : 0;
}

static bool find_labels(struct learn_set *set, const struct tensor_list *model, struct error *err)
{
    json_t *table = answer_table(set, model);
    int words[WRITING_WORDS];
    struct token *tokens = memory_alloc((size_t)set->config.max_tokens, sizeof *tokens);
    if (!table || !tokens) {
        json_decref(table);
        memory_free(tokens);
        return error_no_memory(err, "the answers");
    }
    if (set->config.task == TASK_VQA && model_writes(&set->config)) // to choose from, once it is trained: what choosing costs counts
        set->config.labels = (int)json_object_size(table);
    for (int i = 0; i < set->questions.count; i++) {
        const json_t *label = json_object_get(table, set->questions.questions[i].answer);
        set->labels[i] = label && json_integer_value(label) < set->config.labels ? (int)json_integer_value(label) : -1;
        if (model_writes(&set->config)) {
            int count = answer_words(set, i, words), most = most_rows(set, question_tokens(set, i, tokens));
            set->labels[i] = count > 0 && count < most ? 0 : -1;
        }
        set->labelled += set->labels[i] >= 0;
    }
    json_decref(table);
    memory_free(tokens);
    return true;
}

static bool check_pictures(const struct learn_set *set, struct error *err)
{
    for (int i = 0; i < set->questions.count; i++)
        if (set->config.pictures != (set->questions.questions[i].pictures[1] ? 2 : 1))
            return error_set(err, ERROR_INPUT, "the task %s needs %d picture(s); %d given", model_task_name(set->config.task),
                             set->config.pictures, 3 - set->config.pictures) ||
                   question_set_blame(&set->questions, i, err);
    return true;
}

bool learn_set_open(struct learn_set *set, const char *path, const struct model_config *config,
                    const struct tensor_list *model, struct error *err)
{
    *set = (struct learn_set){.config = *config};
    if (config->task == TASK_CAPTION && config->max_tokens > WRITING_WORDS)
        return error_set(err, ERROR_INPUT, "training supports captions of at most %d tokens; the model's have %d", WRITING_WORDS,
                         config->max_tokens);
    bool ok = question_tokenizer(&set->config, model, &set->tokenizer, err) &&
              (set->tokenizer ||
               error_set(err, ERROR_INPUT, "the model carries no tokenizer, so it cannot read questions"));
    ok = ok && question_set_read_unanswered(&set->questions, path, 0, err) && check_pictures(set, err) &&
         group_questions(set, err) && find_labels(set, model, err) && measure_answers(set, model, err);
    if (!ok)
        learn_set_close(set);
    return ok;
}

void learn_set_close(struct learn_set *set)
{
    question_set_free(&set->questions);
    tokenizer_free(set->tokenizer);
    memory_free(set->order);
    memory_free(set->labels);
    memory_free(set->groups);
    *set = (struct learn_set){0};
}

bool learn_set_sample_init(struct set_sample *sample, const struct learn_set *set)
{
    size_t side = (size_t)set->config.image_size;
    sample->picture_size = 3 * side * side;
    sample->pixels = memory_alloc((size_t)set->config.pictures * sample->picture_size, sizeof *sample->pixels);
    sample->ids = memory_alloc((size_t)(SET_QUESTIONS * set->config.max_tokens), sizeof *sample->ids);
    sample->writes = model_writes(&set->config);
    return sample->pixels && sample->ids;
}

void learn_set_sample_free(struct set_sample *sample)
{
    memory_free(sample->pixels);
    memory_free(sample->ids);
    *sample = (struct set_sample){0};
}

static int common_divisor(int a, int b)
{
    while (b) {
        int rest = a % b;
        a = b;
        b = rest;
    }
    return a;
}

// A round goes through the groups in steps of a size that shares no divisor with their number: each comes once, and
// nothing has to be remembered.
int learn_set_turn(const struct learn_set *set, uint64_t seed, uint64_t index)
{
    struct random random;
    int n = set->group_count, step;
    random_init(&random, seed, index / (uint64_t)n * 2 + 1);
    do
        step = 1 + (int)random_below(&random, (uint32_t)n);
    while (common_divisor(step, n) != 1);
    uint64_t start = random_below(&random, (uint32_t)n);
    return (int)((start + index % (uint64_t)n * (uint64_t)step) % (uint64_t)n);
}

static bool draw_picture(const struct learn_set *set, const char *path, real *pixels, struct error *err)
{
    struct picture picture, fitted = {0};
    const struct picture_reading reading = {.least_side = set->config.image_size};
    if (!picture_load(&picture, path, reading, NULL, err))
        return false;
    bool ok = picture_fit(&fitted, &picture, set->config.image_size, model_fitting(&set->config), err);
    if (ok)
        picture_normalize_clip(&fitted, pixels);
    picture_free(&picture);
    picture_free(&fitted);
    return ok;
}

// tokens: the question's, or what a caption begins with.
static void add_answer(const struct learn_set *set, int question, const struct token *tokens, int count,
                       struct writing *writing)
{
    int words[WRITING_WORDS], said = answer_words(set, question, words);
    int first = set->config.task == TASK_CAPTION ? tokens[count - 1].id : set->config.token_start;
    writing_add(writing, first, most_rows(set, count), set->labels[question] >= 0 ? words : NULL, said);
}

bool learn_set_draw(const struct learn_set *set, int group, int want, struct random *random, struct set_sample *sample,
                    struct error *err)
{
    struct set_group g = set->groups[group];
    int count = g.count < want ? g.count : want, stride = set->config.max_tokens, longest = 0;
    int from = random && g.count > want ? (int)random_below(random, (uint32_t)g.count) : 0;
    struct token *tokens = memory_alloc((size_t)stride, sizeof *tokens);
    if (!tokens)
        return error_no_memory(err, "the questions");
    int first = set->order[g.first];
    writing_start(&sample->writing, set->config.token_end);
    bool ok = true;
    for (int p = 0; ok && p < set->config.pictures; p++)
        ok = draw_picture(set, set->questions.questions[first].pictures[p],
                          sample->pixels + (size_t)p * sample->picture_size, err) ||
             question_set_blame(&set->questions, first, err);
    for (int q = 0; ok && q < count; q++) {
        int which = set->order[g.first + (from + q) % g.count];
        int n = question_tokens(set, which, tokens);
        ok = n > 0 || error_no_memory(err, "the questions");
        for (int t = 0; t < stride; t++)
            sample->ids[q * stride + t] = t < n ? tokens[t].id : tokenizer_special(set->tokenizer, TOKENIZER_PAD);
        sample->text_count[q] = n;
        sample->answers[q] = set->labels[which];
        if (ok && sample->writes)
            add_answer(set, which, tokens, n, &sample->writing);
        longest = n > longest ? n : longest;
    }
    memory_free(tokens);
    if (!ok)
        return false;
    for (int q = 1; q < count; q++) // no padding beyond the longest
        memmove(sample->ids + q * longest, sample->ids + q * stride, (size_t)longest * sizeof *sample->ids);
    sample->questions = count;
    sample->text_stride = longest;
    return true;
}

struct net_batch learn_set_batch(struct set_sample *sample, int picture)
{
    struct net_batch batch = {.questions = sample->questions, .text_stride = sample->text_stride,
                              .pixels = sample->pixels + (size_t)picture * sample->picture_size, .picture = picture,
                              .ids = sample->ids, .text_count = sample->text_count};
    if (sample->writes) {
        batch.answer_rows = writing_lay_out(&sample->writing);
        batch.answer_ids = sample->writing.ids;
    }
    return batch;
}

const int *learn_set_wanted(const struct set_sample *sample)
{
    return sample->writes ? sample->writing.wanted : sample->answers;
}
