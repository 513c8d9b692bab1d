#include "engine/text/text_file.h"

#include "engine/base/file.h"
#include "engine/base/memory.h"
#include "engine/base/text.h"

#include <stdint.h>
#include <string.h>

static const size_t FILE_LIMIT = (size_t)16 << 20; // the largest vocabularies have a few megabytes
enum { LINES_MOST = 1 << 20 };

static bool check_utf8(const struct text_file *file, const char *path, struct error *err)
{
    size_t line = 1;
    uint32_t code;
    for (size_t at = 0; at < file->length;) {
        int size = text_decode(file->text + at, &code);
        if (!code || !size)
            return error_set(err, ERROR_INPUT, "%s is no text in UTF-8: see byte %zu, in line %zu", path,
                             (size_t)(file->text - (char *)file->bytes) + at + 1, line);
        line += code == '\n';
        at += (size_t)size;
    }
    return true;
}

bool text_file_open(struct text_file *file, const char *path, struct error *err)
{
    size_t size;
    *file = (struct text_file){0};
    if (!file_read(path, FILE_LIMIT, &file->bytes, &size, err))
        return false;
    size_t mark = size >= 3 && memcmp(file->bytes, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;
    file->text = (char *)file->bytes + mark;
    file->length = size - mark;
    if (check_utf8(file, path, err))
        return true;
    text_file_close(file);
    return false;
}

void text_file_close(struct text_file *file)
{
    memory_free(file->bytes);
    memory_free(file->lines);
    *file = (struct text_file){0};
}

bool text_file_is_json(const struct text_file *file)
{
    static const char space[] = " \t\r\n";
    const char *first = file->text + strspn(file->text, space);
    const char *second = *first ? first + 1 + strspn(first + 1, space) : first;
    return (*first == '{' || *first == '[') && (*second == '"' || *second == ']' || *second == '}');
}

bool text_file_split(struct text_file *file, const char *path, struct error *err)
{
    size_t count = 1;
    for (size_t i = 0; i < file->length; i++)
        count += file->text[i] == '\n' || file->text[i] == '\r';
    file->lines = memory_alloc(count < LINES_MOST ? count : LINES_MOST, sizeof *file->lines);
    if (!file->lines)
        return error_no_memory(err, path);
    char *end = file->text + file->length;
    for (char *line = file->text; line < end;) {
        char *stop = line + strcspn(line, "\r\n");
        if (stop - line > TEXT_FILE_LINE)
            return error_set(err, ERROR_INPUT, "%s: line %zu has %zu bytes; expected %d at most", path,
                             file->line_count + 1, (size_t)(stop - line), TEXT_FILE_LINE);
        if (file->line_count == LINES_MOST)
            return error_set(err, ERROR_INPUT, "%s has more than %d lines, which is all that can be read", path, LINES_MOST);
        file->lines[file->line_count++] = line;
        line = stop[0] == '\r' && stop[1] == '\n' ? stop + 2 : stop + 1;
        *stop = '\0';
    }
    return true;
}
