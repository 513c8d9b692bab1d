#include "app/weights.h"

#include "app/assets.h"

struct model *weights_open_model(const char *path, const struct model_options *options, struct error *err)
{
    char bundled[ASSETS_PATH];
    if (!path && !assets_model(bundled, err))
        return NULL;
    return model_open(path ? path : bundled, options, err);
}
