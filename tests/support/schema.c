#include "tests/support/schema.h"

#include <stdio.h>
#include <string.h>

struct check {
    const json_t *root;
    char *problem;
    size_t size;
};

static bool validate(const struct check *check, const json_t *schema, const json_t *value, const char *path);

static bool refuse(const struct check *check, const char *path, const char *keyword)
{
    snprintf(check->problem, check->size, "%s violates %s", *path ? path : "the root", keyword);
    return false;
}

static bool is_type(const json_t *value, const char *type)
{
    return (!strcmp(type, "object") && json_is_object(value)) || (!strcmp(type, "array") && json_is_array(value)) ||
           (!strcmp(type, "string") && json_is_string(value)) || (!strcmp(type, "null") && json_is_null(value)) ||
           (!strcmp(type, "boolean") && json_is_boolean(value)) ||
           (!strcmp(type, "integer") && json_is_integer(value)) ||
           (!strcmp(type, "number") && json_is_number(value));
}

static bool check_type(const json_t *types, const json_t *value)
{
    if (json_is_string(types))
        return is_type(value, json_string_value(types));
    for (size_t i = 0; i < json_array_size(types); i++)
        if (is_type(value, json_string_value(json_array_get(types, i))))
            return true;
    return false;
}

static bool check_members(const struct check *check, const json_t *properties, const json_t *value, const char *path)
{
    const char *key;
    json_t *item;
    if (json_is_object(value))
        json_object_foreach((json_t *)(size_t)value, key, item)
        {
            char inner[256];
            const json_t *schema = json_object_get(properties, key);
            snprintf(inner, sizeof inner, "%s.%s", path, key);
            if (schema && !validate(check, schema, item, inner))
                return false;
        }
    return true;
}

static bool check_known(const json_t *properties, const json_t *value)
{
    const char *key;
    json_t *item;
    if (json_is_object(value))
        json_object_foreach((json_t *)(size_t)value, key, item)
            if (!json_object_get(properties, key))
                return false;
    return true;
}

static bool check_required(const json_t *required, const json_t *value)
{
    for (size_t i = 0; json_is_object(value) && i < json_array_size(required); i++)
        if (!json_object_get(value, json_string_value(json_array_get(required, i))))
            return false;
    return true;
}

static bool check_items(const struct check *check, const json_t *schema, const json_t *value, const char *path)
{
    for (size_t i = 0; i < json_array_size(value); i++) {
        char inner[256];
        snprintf(inner, sizeof inner, "%s[%zu]", path, i);
        if (!validate(check, schema, json_array_get(value, i), inner))
            return false;
    }
    return true;
}

static bool check_any(const struct check *check, const json_t *schemas, const json_t *value, const char *path)
{
    for (size_t i = 0; i < json_array_size(schemas); i++)
        if (validate(check, json_array_get(schemas, i), value, path))
            return true;
    return false;
}

static bool check_enum(const json_t *values, const json_t *value)
{
    for (size_t i = 0; i < json_array_size(values); i++)
        if (json_equal(json_array_get(values, i), value))
            return true;
    return false;
}

static const json_t *resolve(const struct check *check, const json_t *reference)
{
    static const char prefix[] = "#/$defs/";
    const char *text = json_string_value(reference);
    return text && !strncmp(text, prefix, sizeof prefix - 1)
               ? json_object_get(json_object_get(check->root, "$defs"), text + sizeof prefix - 1)
               : NULL;
}

// Characters, not bytes.
static size_t text_length(const json_t *value)
{
    size_t length = 0;
    for (const char *s = json_string_value(value); s && *s; s++)
        length += ((unsigned char)*s & 0xc0) != 0x80;
    return length;
}

static bool check_keyword(const struct check *check, const json_t *schema, const char *key, const json_t *rule,
                          const json_t *value, const char *path)
{
    static const char *const notes[] = {"$schema", "$defs", "title", "description"};
    for (size_t i = 0; i < sizeof notes / sizeof *notes; i++)
        if (!strcmp(key, notes[i]))
            return true;
    if (!strcmp(key, "properties"))
        return check_members(check, rule, value, path);
    if (!strcmp(key, "items"))
        return check_items(check, rule, value, path);
    if (!strcmp(key, "$ref"))
        return resolve(check, rule) ? validate(check, resolve(check, rule), value, path)
                                    : refuse(check, path, "$ref to nowhere");
    double number = json_number_value(value), limit = json_number_value(rule);
    size_t bound = (size_t)json_integer_value(rule);
    bool ok;
    if (!strcmp(key, "type"))
        ok = check_type(rule, value);
    else if (!strcmp(key, "const"))
        ok = json_equal(rule, value);
    else if (!strcmp(key, "enum"))
        ok = check_enum(rule, value);
    else if (!strcmp(key, "required"))
        ok = check_required(rule, value);
    else if (!strcmp(key, "additionalProperties") && json_is_false(rule))
        ok = check_known(json_object_get(schema, "properties"), value);
    else if (!strcmp(key, "anyOf"))
        ok = check_any(check, rule, value, path);
    else if (!strcmp(key, "minimum"))
        ok = !json_is_number(value) || number >= limit;
    else if (!strcmp(key, "maximum"))
        ok = !json_is_number(value) || number <= limit;
    else if (!strcmp(key, "minItems"))
        ok = !json_is_array(value) || json_array_size(value) >= bound;
    else if (!strcmp(key, "maxItems"))
        ok = !json_is_array(value) || json_array_size(value) <= bound;
    else if (!strcmp(key, "maxLength"))
        ok = text_length(value) <= bound;
    else
        ok = false;
    return ok || refuse(check, path, key);
}

static bool validate(const struct check *check, const json_t *schema, const json_t *value, const char *path)
{
    const char *key;
    json_t *rule;
    json_object_foreach((json_t *)(size_t)schema, key, rule)
        if (!check_keyword(check, schema, key, rule, value, path))
            return false;
    return true;
}

bool schema_validate(const json_t *schema, const json_t *value, char *problem, size_t size)
{
    struct check check = {schema, problem, size};
    problem[0] = '\0';
    return validate(&check, schema, value, "");
}
