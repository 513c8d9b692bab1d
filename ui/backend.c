#include "ui/backend.h"

#include <stdlib.h>
#include <string.h>

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

bool backend_picture_copy(struct backend_picture *to, const struct backend_picture *from)
{
    size_t size = (size_t)from->width * (size_t)from->height * 3;
    if (!from->rgb)
        return true;
    *to = (struct backend_picture){from->width, from->height, malloc(size)};
    if (to->rgb)
        memcpy(to->rgb, from->rgb, size);
    return to->rgb;
}
