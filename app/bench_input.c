// What the peers of a full-size model read besides its weights. BLIP's candidates go through their decoder as one sequence
// with a mask that keeps them apart: the same products as in our ragged pass, without a pad.
#include "app/bench_model.h"

#include "engine/base/memory.h"
#include "engine/io/safetensors.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

enum { TENSORS = 10 };

struct input {
    struct tensor_source tensors[TENSORS];
    float *data[TENSORS];
    int count;
};

// A new tensor of zeros; NULL: no memory.
static float *add(struct input *input, const char *name, int rank, const int64_t shape[])
{
    size_t elements = 1;
    for (int i = 0; i < rank; i++)
        elements *= (size_t)shape[i];
    float *data = memory_alloc(elements, sizeof *data); // cleared
    struct tensor_source *t = &input->tensors[input->count];
    *t = (struct tensor_source){.name = name, .stored = TENSOR_F32, .rank = rank, .data = data};
    memcpy(t->shape, shape, (size_t)rank * sizeof *shape);
    input->data[input->count++] = data;
    return data;
}

static int inner_pieces(const struct answer_list *answers, int a)
{
    return answers->start[a + 1] - answers->start[a] - 1; // what follows the last one, [SEP], is not asked
}

// The sequence: [DEC], then the pieces of each candidate but its last.
struct sequence {
    float *pieces, *places, *next, *mask, *of; // mask (n, n), of (candidates, n)
    int n;
};

static void put_piece(const struct sequence *s, int row, int candidate, int begin, int place, const int *ids)
{
    s->pieces[row] = (float)ids[place - 1];
    s->next[row] = (float)ids[place];
    s->places[row] = (float)place;
    s->of[candidate * s->n + row] = 1;
    for (int key = 0; key < s->n; key++)
        s->mask[row * s->n + key] = key == 0 || (key >= begin && key <= row) ? 0 : -1e9f;
}

static void fill_sequence(const struct sequence *s, const struct model *model, const struct bench_results *results,
                          float *first, float *published, int longest)
{
    const struct answer_list *answers = &model->answer_pieces;
    s->pieces[0] = (float)model->config.token_start;
    for (int key = 1; key < s->n; key++)
        s->mask[key] = -1e9f;
    for (int c = 0, row = 1; c < results->candidates; c++) {
        const int *ids = answers->ids + answers->start[results->top[c]];
        int inner = inner_pieces(answers, results->top[c]), begin = row;
        first[c] = (float)ids[0];
        for (int place = 1; place <= inner; place++)
            put_piece(s, row++, c, begin, place, ids);
        published[c * longest] = s->pieces[0];
        for (int i = 0; i <= inner; i++)
            published[c * longest + 1 + i] = (float)ids[i];
    }
}

static bool add_candidates(struct input *input, const struct model *model, const struct bench_results *results)
{
    const struct answer_list *answers = &model->answer_pieces;
    int n = 1, longest = bench_longest_answer(model);
    for (int c = 0; c < results->candidates; c++)
        n += inner_pieces(answers, results->top[c]);
    struct sequence s = {.n = n};
    s.pieces = add(input, "index.pieces", 2, (int64_t[]){1, n});
    s.places = add(input, "index.places", 2, (int64_t[]){1, n});
    s.next = add(input, "index.next", 1, (int64_t[]){n});
    s.mask = add(input, "input.mask", 2, (int64_t[]){n, n});
    s.of = add(input, "input.of", 2, (int64_t[]){results->candidates, n});
    float *first = add(input, "index.first", 1, (int64_t[]){results->candidates});
    float *published = add(input, "index.answers", 2, (int64_t[]){results->candidates, longest});
    for (int i = 0; i < input->count; i++)
        if (!input->data[i])
            return false;
    fill_sequence(&s, model, results, first, published, longest);
    return true;
}

int bench_longest_answer(const struct model *model)
{
    int longest = 0;
    for (int a = 0; a < model->answer_pieces.count; a++) {
        int inner = inner_pieces(&model->answer_pieces, a);
        longest = inner > longest ? inner : longest;
    }
    return longest + 2; // [DEC] and [SEP]
}

static int write_input(const struct input *input, char path[BENCH_PATH], struct error *err)
{
    char folder[BENCH_PATH], name[BENCH_PATH + 24];
    int file = -1;
    if (!bench_folder(folder, err))
        return -1;
    snprintf(name, sizeof name, "%s/input.safetensors", folder);
    if (safetensors_write(name, input->tensors, input->count, NULL, 0, err))
        file = bench_take_over(name, O_RDONLY, path, err);
    rmdir(folder);
    return file;
}

int bench_model_input(const struct bench_model *model, const struct bench_results *results, char path[BENCH_PATH],
                      struct error *err)
{
    struct input input = {.count = 0};
    int side = model->model->config.image_size, file = -1;
    float *pixels = add(&input, "input.pixels", 4, (int64_t[]){1, 3, side, side});
    float *ids = add(&input, "index.ids", 2, (int64_t[]){1, model->words});
    bool room = pixels && ids && (!results->candidates || add_candidates(&input, model->model, results));
    if (room) {
        memcpy(pixels, model->pixels, 3 * (size_t)(side * side) * sizeof *pixels);
        for (int t = 0; t < model->words; t++)
            ids[t] = (float)model->ids[t];
        file = write_input(&input, path, err);
    } else {
        error_no_memory(err, "the input of the peers");
    }
    for (int i = 0; i < input.count; i++)
        memory_free(input.data[i]);
    return file;
}
