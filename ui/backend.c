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

size_t backend_picture_size(const struct backend_picture *picture)
{
    size_t rim = 2 * (size_t)picture->rim * (size_t)(picture->rim_sides ? picture->height : picture->width);
    return ((size_t)picture->width * (size_t)picture->height + rim) * 3;
}

bool backend_picture_copy(struct backend_picture *to, const struct backend_picture *from)
{
    size_t size = backend_picture_size(from);
    if (!from->rgb)
        return true;
    *to = *from;
    to->rgb = malloc(size);
    if (to->rgb)
        memcpy(to->rgb, from->rgb, size);
    return to->rgb;
}
