#include "ui/bytes.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

char *bytes_reserve(struct bytes *bytes, size_t more)
{
    if (bytes->used + more > bytes->capacity) {
        size_t capacity = (bytes->used + more) * 2;
        char *data = realloc(bytes->data, capacity);
        if (!data) {
            bytes->failed = true;
            return NULL;
        }
        bytes->data = data;
        bytes->capacity = capacity;
    }
    return bytes->data + bytes->used;
}

void bytes_add(struct bytes *bytes, const char *data, size_t size)
{
    char *to = bytes_reserve(bytes, size);
    if (to) {
        memcpy(to, data, size);
        bytes->used += size;
    }
}

void bytes_format(struct bytes *bytes, const char *format, ...)
{
    char text[256];
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    if (length > 0)
        bytes_add(bytes, text, (size_t)length < sizeof text ? (size_t)length : sizeof text - 1);
}

void bytes_clear(struct bytes *bytes)
{
    bytes->used = 0;
    bytes->failed = false;
}

void bytes_free(struct bytes *bytes)
{
    free(bytes->data);
    *bytes = (struct bytes){0};
}
