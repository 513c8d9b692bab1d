// From words to the ids that a model wants, and BLIP's answers as ids to choose from.
#include "engine/model/question.h"

#include "engine/io/tensors.h"
#include "engine/text/tokenizer.h"

#include <string.h>

bool model_set_answers(struct model *model, const struct answer_list *answers)
{
    size_t count = (size_t)answers->count, pieces = (size_t)answers->start[count];
    int *copy = memory_alloc(pieces + count + 1, sizeof *copy);
    if (!copy)
        return false;
    memcpy(copy, answers->ids, pieces * sizeof *copy);
    memcpy(copy + pieces, answers->start, (count + 1) * sizeof *copy);
    memory_free((void *)(size_t)model->answer_pieces.ids);
    model->answer_pieces = (struct answer_list){answers->count, copy, copy + pieces};
    return true;
}

bool question_answers(const struct tokenizer *tokenizer, const char *const *answers, int count, struct answer_list *list)
{
    size_t most = (size_t)count * ANSWER_PIECES;
    struct token tokens[ANSWER_PIECES + 1];
    int *ids = memory_alloc(most + (size_t)count + 1, sizeof *ids), *start = ids ? ids + most : NULL, used = 0;
    bool ok = ids != NULL;
    for (int a = 0; ok && a < count; a++) {
        int pieces = tokenizer_encode(tokenizer, answers[a], tokens, ANSWER_PIECES + 1);
        ok = pieces > 1;
        start[a] = used;
        for (int i = 1; ok && i < pieces; i++)
            ids[used++] = tokens[i].id;
        start[a + 1] = used;
    }
    if (!ok)
        memory_free(ids);
    *list = ok ? (struct answer_list){count, ids, start} : (struct answer_list){0};
    return ok;
}

// The answers of a BLIP model as pieces of words.
static bool split_answers(struct model *model, struct error *err)
{
    struct answer_list answers;
    bool ok = question_answers(model->tokenizer, (const char *const *)model->answers, model->config.labels, &answers);
    ok = ok && (answers.count == 0 || model_set_answers(model, &answers));
    memory_free((void *)(size_t)answers.ids);
    return ok || error_no_memory(err, "the answers");
}

// What the evaluation code of the published models does to a text before its tokenizer (vlm_spec §3.5, §4.3).
static void set_rule(struct tokenizer *tokenizer, const struct model_config *config)
{
    bool blip = config->architecture == ARCHITECTURE_BLIP;
    if (!blip && config->task == TASK_SNLI)
        tokenizer_set_rule(tokenizer, TEXT_RULE_STRIP, 0);
    else if (blip && config->task == TASK_VQA)
        tokenizer_set_rule(tokenizer, TEXT_RULE_QUESTION, 50);
    else if (blip && config->task == TASK_NLVR2)
        tokenizer_set_rule(tokenizer, TEXT_RULE_CAPTION, 40);
    else if (blip && config->task == TASK_RETRIEVAL)
        tokenizer_set_rule(tokenizer, TEXT_RULE_CAPTION, 30);
}

// The ids that the tokenizer has for BLIP's tokens.
static void use_tokenizer(struct model_config *c, const struct tokenizer *t)
{
    if (c->architecture == ARCHITECTURE_METER)
        return;
    c->token_cls = tokenizer_special(t, TOKENIZER_START);
    c->token_end = tokenizer_special(t, TOKENIZER_END);
    if (tokenizer_special(t, TOKENIZER_DECODE) >= 0)
        c->token_start = tokenizer_special(t, TOKENIZER_DECODE);
    if (tokenizer_special(t, TOKENIZER_ENCODE) >= 0)
        c->token_encode = tokenizer_special(t, TOKENIZER_ENCODE);
}

bool question_tokenizer(struct model_config *config, const struct tensor_list *file, struct tokenizer **tokenizer,
                        struct error *err)
{
    const char *text = tensor_list_metadata(file, "tokenizer");
    *tokenizer = NULL;
    if (!text)
        return true;
    *tokenizer = tokenizer_from_json(text, err);
    if (!*tokenizer)
        return error_prefix(err, "metadata tokenizer");
    int size = tokenizer_size(*tokenizer);
    if (size > config->vocabulary) {
        tokenizer_free(*tokenizer);
        *tokenizer = NULL;
        return error_set(err, ERROR_INPUT, "the tokenizer has %d tokens, but the word table only %d rows", size,
                         config->vocabulary);
    }
    set_rule(*tokenizer, config);
    use_tokenizer(config, *tokenizer);
    return true;
}

bool question_prepare(struct model *model, struct error *err)
{
    return !model->answers || model->config.architecture != ARCHITECTURE_BLIP || model->config.task != TASK_VQA ||
           split_answers(model, err);
}

int question_encode(const struct model_config *c, const struct tokenizer *tokenizer, const char *question,
                    struct token *out)
{
    int count = tokenizer_encode_question(tokenizer, question, out, c->max_tokens);
    if (count < 2 || c->architecture != ARCHITECTURE_BLIP)
        return count;
    out[0].id = c->task == TASK_CAPTION ? c->token_start : c->token_encode;
    if (c->task != TASK_CAPTION)
        return count;
    // The text goes on after the prompt, so it has no end; a word at least must have room.
    return count - 1 < c->max_tokens - 1 ? count - 1 : c->max_tokens - 1;
}

int model_encode_question(const struct model *model, const char *question, struct token *out)
{
    return question_encode(&model->config, model->tokenizer, question, out);
}
