#include "ui/pango.h"

#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

static struct pango_functions functions;

// Fontconfig keeps places instead of pointers, so that a leak checker takes its patterns for lost unless it is told to
// let go of them; Pango's fonts and Cairo's hold some of them.
static void release_fonts(void)
{
    functions.pango_cairo_font_map_set_default(NULL);
    functions.cairo_debug_reset_static_data();
    functions.FcFini();
}

const struct pango_functions *pango_load(struct error *err)
{
    static bool loaded;
    if (loaded)
        return &functions;
    void *library = dlopen("libpangocairo-1.0.so.0", RTLD_NOW | RTLD_LOCAL);
    if (!library) {
        error_set(err, ERROR_MACHINE,
                  "drawing a PNG needs Pango and Cairo, which are not installed here (on Debian: apt-get install "
                  "libpangocairo-1.0-0 fonts-dejavu-core); SVG works without");
        return NULL;
    }
    static const struct {
        const char *name;
        size_t offset;
    } rows[] = {
#define PANGO_ROW(name) {#name, offsetof(struct pango_functions, name)},
        PANGO_FUNCTIONS(PANGO_ROW)
#undef PANGO_ROW
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        void *function = dlsym(library, rows[i].name); // it looks into the libraries behind this one, too
        if (!function) {
            error_set(err, ERROR_MACHINE, "the installed Pango or Cairo is too old: it has no %s", rows[i].name);
            return NULL;
        }
        memcpy((char *)&functions + rows[i].offset, &function, sizeof function);
    }
    loaded = true;
    atexit(release_fonts);
    return &functions;
}
