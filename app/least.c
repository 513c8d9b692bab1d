#include "app/least.h"

#include "engine/prune/budget.h"
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
    struct budget_request request = {.share = (double)NAN,
                                     .tokens = trace->token_count,
                                     .trim_tokens = trace->trim_tokens,
                                     .trim_heads = trace->trim_heads};
    return policy_find(trace->policy, &request.policy) ? find_least(model, &request) : (double)NAN;
}

double least_of_question(const struct model *model, enum policy policy, const char *question)
{
    enum { MOST = 512 };
    struct token tokens[MOST];
    int most = model->config.max_tokens < MOST ? model->config.max_tokens : MOST;
    struct budget_request request = {
        .policy = policy, .share = (double)NAN, .trim_tokens = true, .trim_heads = true};
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
