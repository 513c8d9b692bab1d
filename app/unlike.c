#include "app/unlike.h"

#include "engine/run/familiar.h"
#include "ui/words.h"

#include <math.h>
#include <stdio.h>

bool unlike_note(const struct model *model, const struct picture *picture, char text[UNLIKE_TEXT])
{
    struct familiarity familiarity;
    struct picture fitted;
    struct error err;
    text[0] = 0;
    if (!model->familiarity || !familiarity_from_json(&familiarity, model->familiarity, &err) ||
        !picture_fit(&fitted, picture, familiarity.side, PICTURE_CROP, &err))
        return false;
    double distance = familiarity_distance(&familiarity, &fitted);
    picture_free(&fitted);
    if (!(distance > 1)) // NaN: not measurable
        return false;
    snprintf(text, UNLIKE_TEXT,
             _("This picture is unlike the world that %s was trained on (distance %.1f, limit 1): its answer means little. "
               "For photographs, open a published METER checkpoint with --model."),
             model->config.name, distance);
    return true;
}
