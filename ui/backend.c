#include "ui/backend.h"

#include <stdlib.h>

void backend_news_free(struct backend_news *news)
{
    if (news->has_trace)
        trace_free(&news->trace);
    for (int i = 0; i < TRACE_PICTURES; i++)
        free(news->pictures[i].rgb);
    free(news->attention.weights);
    backend_job_news_free(news->jobs);
    *news = (struct backend_news){0};
}
