#include "ui/names.h"

#include <string.h>

enum { NAME_LONGEST = 63 };

const char *name_lower(char *out, size_t size, const char *identifier)
{
    size_t used = 0;
    for (; identifier[used] && used + 1 < size; used++) {
        char c = identifier[used];
        out[used] = c == '_' ? '-' : c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
    }
    out[used] = 0;
    return out;
}

static int least(int a, int b)
{
    return a < b ? a : b;
}

int name_distance(const char *a, const char *b)
{
    int rows[3][NAME_LONGEST + 1]; // the last three rows of the table
    int m = (int)strnlen(a, NAME_LONGEST), n = (int)strnlen(b, NAME_LONGEST);
    for (int j = 0; j <= n; j++)
        rows[0][j] = j;
    for (int i = 1; i <= m; i++) {
        int *now = rows[i % 3], *before = rows[(i + 2) % 3], *first = rows[(i + 1) % 3];
        now[0] = i;
        for (int j = 1; j <= n; j++) {
            int change = before[j - 1] + (a[i - 1] != b[j - 1]);
            now[j] = least(change, least(before[j], now[j - 1]) + 1);
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                now[j] = least(now[j], first[j - 2] + 1);
        }
    }
    return rows[m % 3][n];
}
