// Vocabulary files and answer lists. The first byte chooses what is read: 'a' a list of answers, 'b' BERT's vocabulary,
// 'r' RoBERTa's; the rest is the file, or two or three with 0 bytes between them. What is accepted must work: the
// tokenizer that it describes reads a text, and the answers are as many as were counted.
#include "engine/text/answers.h"
#include "engine/text/tokenizer.h"
#include "engine/text/vocabulary.h"
#include "tests/support/scratch.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool holds)
{
    if (!holds)
        abort();
}

enum { FILES = 3 };

// File `index` of a call; the same ones in every call.
static const char *put(int index, const uint8_t *data, size_t size)
{
    static const char *paths[FILES];
    static const char *const names[FILES] = {"one", "two", "three"};
    if (!paths[index])
        paths[index] = scratch_path(names[index]);
    FILE *stream = fopen(paths[index], "wb");
    check(stream && fwrite(data, 1, size, stream) == size && fclose(stream) == 0);
    return paths[index];
}

static void use_answers(const uint8_t *data, size_t size)
{
    struct error err = {0};
    int count = -1;
    char *json = answers_read(put(0, data, size), 0, &count, &err);
    check(json ? count >= 1 && json[0] == '[' : err.code == ERROR_INPUT && err.text[0]);
    free(json);
}

static void use_tokenizer(const char *json)
{
    static const char text[] = "What's a b ab [SEP]<mask> caf\xc3\xa9 \xe6\x97\xa5?";
    struct error err = {0};
    struct tokenizer *tokenizer = tokenizer_from_json(json, &err);
    struct token tokens[40];
    int ids[40];
    check(tokenizer != NULL); // vocabulary_read() has tried it
    int count = tokenizer_encode(tokenizer, text, tokens, 40);
    check(count >= 2);
    for (int t = 0; t < count; t++) {
        ids[t] = tokens[t].id;
        check(ids[t] >= 0 && ids[t] < tokenizer_size(tokenizer));
        check(tokens[t].from >= 0 && tokens[t].from <= tokens[t].to && tokens[t].to <= (int)sizeof text - 1);
    }
    char *decoded = tokenizer_decode(tokenizer, ids, count);
    check(decoded != NULL);
    free(decoded);
    tokenizer_free(tokenizer);
}

static void use_vocabulary(enum vocabulary_kind kind, const uint8_t *data, size_t size)
{
    const char *paths[FILES];
    struct error err = {0};
    int count = 0;
    while (count < FILES) {
        const uint8_t *end = count < FILES - 1 && size ? memchr(data, 0, size) : NULL;
        size_t length = end ? (size_t)(end - data) : size;
        paths[count] = put(count, data, length);
        count++;
        if (!end)
            break;
        data += length + 1;
        size -= length + 1;
    }
    char *json = vocabulary_read(kind, paths, count, &err);
    if (json)
        use_tokenizer(json);
    else
        check(err.code == ERROR_INPUT && err.text[0]);
    free(json);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1)
        return 0;
    if (data[0] == 'a')
        use_answers(data + 1, size - 1);
    else
        use_vocabulary(data[0] == 'b' ? VOCABULARY_BERT : VOCABULARY_ROBERTA, data + 1, size - 1);
    return 0;
}
