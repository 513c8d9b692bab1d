#include "ui/lane.h"

#include <stdlib.h>
#include <string.h>

bool lane_open(const struct backend *backend, int index, const struct view *from, struct backend *lane, struct view *view)
{
    *view = (struct view){.abilities = from->abilities, .model = from->model, .assets = from->assets};
    view->has_trace = from->has_trace && trace_copy(&view->trace, &from->trace);
    bool done = view->has_trace == from->has_trace;
    for (int p = 0; p < TRACE_PICTURES; p++)
        done = done && backend_picture_copy(&view->pictures[p], &from->pictures[p]);
    if (!done) {
        view_free(view);
        return false;
    }
    *lane = backend->lane(backend->context, index);
    backend->open_lane(backend->context, index, 0);
    lane->want_stage(lane->context, TRACE_STAGES);
    return true;
}

static bool same_picture(const struct backend_picture *a, const struct backend_picture *b)
{
    return a->rgb && b->rgb && a->width == b->width && a->height == b->height &&
           !memcmp(a->rgb, b->rgb, (size_t)a->width * (size_t)a->height * 3);
}

bool lane_take_news(const struct backend *lane, struct view *view)
{
    struct backend_news news = {0};
    lane->poll(lane->context, &news);
    for (int p = 0; p < TRACE_PICTURES; p++)
        if (news.has_picture[p] && same_picture(&news.pictures[p], &view->pictures[p])) {
            free(news.pictures[p].rgb);
            news.pictures[p].rgb = NULL;
            news.has_picture[p] = false;
        }
    return view_take_news(view, &news);
}
