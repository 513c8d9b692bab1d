#include "app/least.h"

#include "engine/prune/budget.h"
#include "engine/run/run.h"
#include "engine/run/trace.h"
#include "engine/text/tokenizer.h"
#include "ui/titles.h"
#include "ui/words.h"

#include <math.h>
#include <stdio.h>

static double find_least(const struct model *model, const struct budget_request *request)
{
    struct error unknown;
    double least;
    return budget_least(model, request, &least, &unknown) ? least : (double)NAN;
}

double least_of_trace(const struct model *model, const struct trace *trace)
{
    const struct trace_writing *writing = &trace->writing;
    struct budget_request request = {.share = (double)NAN,
                                     .tokens = trace->token_count,
                                     .trim_tokens = trace->trim_tokens,
                                     .trim_heads = trace->trim_heads,
                                     .text = flops_text(&model->config, &model->answer_pieces, writing->generate,
                                                        writing->candidates, writing->beams, writing->max_length)};
    return policy_find(trace->policy, &request.policy) ? find_least(model, &request) : (double)NAN;
}

double least_of_question(const struct model *model, const struct run_options *options, const char *question)
{
    enum { MOST = 512 };
    struct token tokens[MOST];
    int most = model->config.max_tokens < MOST ? model->config.max_tokens : MOST;
    struct budget_request request = {
        .policy = options->policy, .share = (double)NAN, .trim_tokens = options->trim_tokens, .trim_heads = options->trim_heads,
        .text = flops_text(&model->config, &model->answer_pieces, options->generate, options->candidates, options->beams,
                           options->max_length)};
    if (!model->tokenizer || (request.tokens = tokenizer_encode_question(model->tokenizer, question, tokens, most)) < 1)
        return (double)NAN;
    return find_least(model, &request);
}

void least_print(enum policy policy, double least)
{
    if (policy != POLICY_NONE && !isnan(least))
        printf(_("%s can spend %.3f of the dense multiply-adds at least in this model\n"),
               title_policy(policy_name(policy)), budget_told(least));
}
