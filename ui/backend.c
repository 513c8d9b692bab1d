#include "ui/backend.h"

#include <stdlib.h>

void backend_news_free(struct backend_news *news)
{
    if (news->has_trace)
        trace_free(&news->trace);
    for (int i = 0; i < TRACE_PICTURES; i++)
        free(news->pictures[i].rgb);
    free(news->attention.weights);
    *news = (struct backend_news){0};
}
