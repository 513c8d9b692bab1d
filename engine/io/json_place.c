#include "engine/io/json_place.h"

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

struct place place_member(const struct place *parent, const char *key)
{
    return (struct place){parent, NULL, key, 0, json_object_get(parent->value, key)};
}

struct place place_element(const struct place *parent, size_t index)
{
    return (struct place){parent, NULL, NULL, index, json_array_get(parent->value, index)};
}

static size_t write_path(const struct place *place, char *out, size_t size)
{
    if (!place->parent)
        return 0;
    size_t at = write_path(place->parent, out, size);
    int n = place->key ? snprintf(out + at, size - at, "%s%s", at ? "." : "", place->key)
                       : snprintf(out + at, size - at, "[%zu]", place->index);
    return n > 0 && (size_t)n < size - at ? at + (size_t)n : size - 1;
}

static const char *subject_of(const struct place *place)
{
    while (place->parent)
        place = place->parent;
    return place->subject;
}

static const char *describe(const json_t *value)
{
    if (!value)
        return "nothing";
    static const char *const names[] = {"an object", "a list", "a string", "a whole number", "a number",
                                        "true",      "false",  "null"};
    return names[json_typeof(value)];
}

bool place_refuse_found(const struct place *place, struct error *err, const char *expected, const char *found)
{
    char path[160] = "";
    write_path(place, path, sizeof path);
    if (!path[0])
        return error_set(err, ERROR_INPUT, "%s should be %s; found %s", subject_of(place), expected, found);
    return error_set(err, ERROR_INPUT, "%s's member \"%s\" should be %s; found %s", subject_of(place), path, expected,
                     found);
}

bool place_refuse(const struct place *place, struct error *err, const char *expected)
{
    return place_refuse_found(place, err, expected, describe(place->value));
}

static bool refuse_range(const struct place *place, struct error *err, const char *kind, double low, double high)
{
    char expected[120], found[40];
    snprintf(expected, sizeof expected, "%s from %g to %g", kind, low, high);
    snprintf(found, sizeof found, "%g", json_number_value(place->value));
    return place_refuse_found(place, err, expected, json_is_number(place->value) ? found : describe(place->value));
}

static bool refuse_length(const struct place *place, struct error *err, const char *expected)
{
    char found[60];
    snprintf(found, sizeof found, "a list of %zu", json_array_size(place->value));
    return place_refuse_found(place, err, expected, json_is_array(place->value) ? found : describe(place->value));
}

bool place_read_int(struct place place, int low, int high, int *out, struct error *err)
{
    json_int_t value = json_integer_value(place.value);
    *out = low;
    if (!json_is_integer(place.value) || value < low || value > high)
        return refuse_range(&place, err, "a whole number", low, high);
    *out = (int)value;
    return true;
}

// null or nothing is NaN.
bool place_read_number(struct place place, double low, double high, double *out, struct error *err)
{
    *out = (double)NAN;
    if (!place.value || json_is_null(place.value))
        return true;
    double value = json_number_value(place.value);
    if (!json_is_number(place.value) || !(value >= low && value <= high))
        return refuse_range(&place, err, "null or a number", low, high);
    *out = value;
    return true;
}

bool place_read_float(struct place place, float low, float high, float *out, struct error *err)
{
    double value;
    bool ok = place_read_number(place, (double)low, (double)high, &value, err);
    *out = (float)value;
    return ok;
}

bool place_read_bool(struct place place, bool *out, struct error *err)
{
    *out = json_is_true(place.value);
    return json_is_boolean(place.value) || place_refuse(&place, err, "true or false");
}

static bool refuse_string(const struct place *place, struct error *err, size_t limit)
{
    char expected[60], found[60];
    const char *text = json_string_value(place->value);
    snprintf(expected, sizeof expected, "a string of at most %zu bytes", limit);
    snprintf(found, sizeof found, "a string of %zu", text ? strlen(text) : 0);
    return place_refuse_found(place, err, expected, text ? found : describe(place->value));
}

bool place_read_text(struct place place, char *out, size_t size, struct error *err)
{
    const char *text = json_string_value(place.value);
    if (!text || strlen(text) >= size)
        return refuse_string(&place, err, size - 1);
    strcpy(out, text);
    return true;
}

bool place_read_string(struct place place, size_t limit, char **out, struct error *err)
{
    const char *text = json_string_value(place.value);
    if (!text || strlen(text) > limit)
        return refuse_string(&place, err, limit);
    *out = strdup(text);
    return *out || error_no_memory(err, subject_of(&place));
}

// The names come from a function that gives NULL for what is no value of the enum.
bool place_read_name(struct place place, const char *(*name)(int value), int *out, struct error *err)
{
    const char *text = json_string_value(place.value);
    char expected[120] = "one of";
    for (int i = 0; name(i); i++) {
        *out = i;
        if (text && !strcmp(text, name(i)))
            return true;
        strncat(expected, i > 0 ? ", " : " ", sizeof expected - strlen(expected) - 1);
        strncat(expected, name(i), sizeof expected - strlen(expected) - 1);
    }
    return place_refuse(&place, err, expected);
}

// How many elements a list has; refused when it is no list or longer than `limit`.
bool place_read_length(const struct place *place, size_t limit, size_t *length, struct error *err)
{
    *length = json_array_size(place->value);
    if (json_is_array(place->value) && *length <= limit)
        return true;
    char expected[60];
    snprintf(expected, sizeof expected, "a list of at most %zu elements", limit);
    return refuse_length(place, err, expected);
}

bool place_check_length(const struct place *place, int length, struct error *err)
{
    if (json_is_array(place->value) && json_array_size(place->value) == (size_t)length)
        return true;
    char expected[60];
    snprintf(expected, sizeof expected, "a list of %d elements", length);
    return refuse_length(place, err, expected);
}

bool place_check_members(const struct place *place, const char *const *known, struct error *err)
{
    if (!json_is_object(place->value))
        return place_refuse(place, err, "an object");
    json_t *object = (json_t *)(uintptr_t)place->value; // jansson's iterators are not const, but change nothing
    for (void *at = json_object_iter(object); at; at = json_object_iter_next(object, at)) {
        int i = 0;
        while (known[i] && strcmp(known[i], json_object_iter_key(at)) != 0)
            i++;
        if (known[i])
            continue;
        char path[160] = "";
        write_path(place, path, sizeof path);
        return error_set(err, ERROR_INPUT, "%s%s%s%s has an unknown member \"%.60s\"", subject_of(place),
                         path[0] ? "'s member \"" : "", path, path[0] ? "\"" : "", json_object_iter_key(at));
    }
    return true;
}
