// Cairo and Pango, loaded when the first PNG is drawn and not before: linking them would make every start of the
// program load thirty libraries. Their functions are called through the table.
#ifndef TRIMSCOPE_UI_PANGO_H
#define TRIMSCOPE_UI_PANGO_H

#include "engine/base/error.h"

#include <fontconfig/fontconfig.h>
#include <pango/pangocairo.h>

#define PANGO_FUNCTIONS(X)                                                                                   \
    X(cairo_clip)                                                                                            \
    X(FcFini)                                                                                                \
    X(cairo_create)                                                                                          \
    X(cairo_debug_reset_static_data)                                                                         \
    X(cairo_destroy)                                                                                         \
    X(cairo_fill)                                                                                            \
    X(cairo_font_options_create)                                                                             \
    X(cairo_font_options_destroy)                                                                            \
    X(cairo_font_options_set_antialias)                                                                      \
    X(cairo_font_options_set_hint_metrics)                                                                   \
    X(cairo_font_options_set_hint_style)                                                                     \
    X(cairo_get_source)                                                                                      \
    X(cairo_image_surface_create)                                                                            \
    X(cairo_image_surface_get_data)                                                                          \
    X(cairo_image_surface_get_stride)                                                                        \
    X(cairo_line_to)                                                                                         \
    X(cairo_move_to)                                                                                         \
    X(cairo_paint)                                                                                           \
    X(cairo_pattern_set_extend)                                                                              \
    X(cairo_pattern_set_filter)                                                                              \
    X(cairo_rectangle)                                                                                       \
    X(cairo_restore)                                                                                         \
    X(cairo_save)                                                                                            \
    X(cairo_scale)                                                                                           \
    X(cairo_set_line_width)                                                                                  \
    X(cairo_set_source_rgba)                                                                                 \
    X(cairo_set_source_surface)                                                                              \
    X(cairo_status)                                                                                          \
    X(cairo_stroke)                                                                                          \
    X(cairo_surface_destroy)                                                                                 \
    X(cairo_surface_flush)                                                                                   \
    X(cairo_surface_mark_dirty)                                                                              \
    X(cairo_surface_status)                                                                                  \
    X(cairo_translate)                                                                                       \
    X(g_object_unref)                                                                                        \
    X(pango_cairo_context_set_font_options)                                                                  \
    X(pango_cairo_create_layout)                                                                             \
    X(pango_cairo_font_map_set_default)                                                                      \
    X(pango_cairo_show_layout)                                                                               \
    X(pango_context_set_round_glyph_positions)                                                               \
    X(pango_font_description_free)                                                                           \
    X(pango_font_description_new)                                                                            \
    X(pango_font_description_set_absolute_size)                                                              \
    X(pango_font_description_set_family)                                                                     \
    X(pango_font_description_set_weight)                                                                     \
    X(pango_layout_get_baseline)                                                                             \
    X(pango_layout_get_context)                                                                              \
    X(pango_layout_get_size)                                                                                 \
    X(pango_layout_set_font_description)                                                                     \
    X(pango_layout_set_single_paragraph_mode)                                                                \
    X(pango_layout_set_text)

struct pango_functions {
#define PANGO_MEMBER(name) __typeof__(&name) name;
    PANGO_FUNCTIONS(PANGO_MEMBER)
#undef PANGO_MEMBER
};

// The table, NULL and *err where the libraries are missing. They stay loaded; what they keep of fonts goes when the program
// ends, by exit(), and no drawing may be going on then.
const struct pango_functions *pango_load(struct error *err);

#endif
