#include "ui/base64.h"

void base64_add(struct bytes *out, const unsigned char *data, size_t size)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    char *to = bytes_reserve(out, (size + 2) / 3 * 4);
    if (!to)
        return;
    for (size_t i = 0; i < size; i += 3) {
        unsigned three = (unsigned)data[i] << 16 | (i + 1 < size ? (unsigned)data[i + 1] << 8 : 0) |
                         (i + 2 < size ? data[i + 2] : 0);
        *to++ = digits[three >> 18];
        *to++ = digits[three >> 12 & 63];
        *to++ = i + 1 < size ? digits[three >> 6 & 63] : '=';
        *to++ = i + 2 < size ? digits[three & 63] : '=';
    }
    out->used += (size + 2) / 3 * 4;
}
