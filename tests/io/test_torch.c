// Files that PyTorch wrote (tests/fixtures/containers; what is in them: reference/README.md) and files made by hand.
#include "engine/io/torch.h"
#include "engine/base/memory.h"
#include "tests/support/cmocka_all.h"
#include "tests/support/scratch.h"
#include "tests/support/torch_file.h"

#include <stdlib.h>
#include <string.h>

#define FOLDER "tests/fixtures/containers/"

static struct tensor_list *open_or_fail(const char *path)
{
    struct error err = {0};
    struct tensor_list *list = weights_open(path, &err);
    if (!list)
        fail_msg("%s", err.text);
    return list;
}

static void expect(const struct tensor_list *list, const char *name, enum tensor_type type, int rank,
                   const int64_t *shape, const float *values)
{
    const struct tensor *tensor = tensor_list_find(list, name);
    float found[32];
    if (!tensor)
        fail_msg("there is no %s", name);
    assert_int_equal(tensor->type, type);
    assert_int_equal(tensor->rank, rank);
    assert_true(tensor->elements <= 32);
    for (int i = 0; i < rank; i++)
        assert_int_equal(tensor->shape[i], shape[i]);
    tensor_floats(tensor, found);
    for (size_t i = 0; i < tensor->elements; i++)
        if (found[i] != values[i])
            fail_msg("%s[%zu] is %g; expected %g", name, i, (double)found[i], (double)values[i]);
}

static void check_all(const char *path, const char *container, const char *place, const char *calls)
{
    float counting[24], turned[24], halves[7];
    for (int i = 0; i < 24; i++) {
        counting[i] = (float)i;
        turned[i] = (float)(i % 4 * 6 + i / 4);
    }
    struct tensor_list *list = open_or_fail(path);
    assert_int_equal(tensor_list_count(list), 10);
    expect(list, "a.weight", TENSOR_F32, 2, (int64_t[]){4, 6}, counting);
    expect(list, "a.view_at_12", TENSOR_F32, 1, (int64_t[]){6}, counting + 12);
    expect(list, "a.shared", TENSOR_F32, 2, (int64_t[]){4, 6}, counting);
    expect(list, "b.int64", TENSOR_I64, 1, (int64_t[]){5}, counting);
    expect(list, "b.scalar", TENSOR_F32, 0, NULL, (float[]){0.07f});
    expect(list, "b.empty", TENSOR_F32, 2, (int64_t[]){0, 3}, NULL);
    expect(list, "b.transposed", TENSOR_F32, 2, (int64_t[]){6, 4}, turned);
    expect(list, "c.double", TENSOR_F64, 1, (int64_t[]){3}, (float[]){0, 0.5f, 1});
    expect(list, "c.bool", TENSOR_BOOL, 1, (int64_t[]){3}, (float[]){1, 0, 1});
    const struct tensor *half = tensor_list_find(list, "b.half");
    assert_int_equal(half->type, TENSOR_F16);
    assert_int_equal(half->elements, 7);
    tensor_floats(half, halves);
    for (int i = 0; i < 7; i++)
        assert_true(halves[i] > (float)(i - 3) * 2 / 3 - 1e-3f && halves[i] < (float)(i - 3) * 2 / 3 + 1e-3f);
    // Contiguous tensors are not copied, and those that share a storage still do.
    const struct tensor *weight = tensor_list_find(list, "a.weight");
    assert_ptr_equal(weight->data, tensor_list_find(list, "a.shared")->data);
    assert_ptr_equal((const char *)weight->data + 48, tensor_list_find(list, "a.view_at_12")->data);
    assert_string_equal(tensor_list_at(list, 0)->name, "a.weight");
    assert_string_equal(tensor_list_metadata(list, "container"), container);
    assert_string_equal(tensor_list_metadata(list, "place"), place);
    assert_null(tensor_list_metadata(list, "others"));
    const char *beside = tensor_list_metadata(list, "beside");
    assert_true(beside && (!strncmp(beside, "epoch", 5) || !strcmp(beside, "x")));
    if (calls)
        assert_string_equal(tensor_list_metadata(list, "calls"), calls);
    else
        assert_null(tensor_list_metadata(list, "calls"));
    tensor_list_close(list);
}

static void test_zip_of_lightning(void **state)
{
    (void)state;
    check_all(FOLDER "lightning_zip.ckpt", "zip", "state_dict", NULL);
}

static void test_legacy(void **state)
{
    (void)state;
    check_all(FOLDER "lightning_legacy.ckpt", "legacy", "state_dict", NULL);
}

static void test_zip_with_model_key(void **state)
{
    (void)state;
    check_all(FOLDER "model_key.pth", "zip", "model", NULL);
}

// The pickle wants posix.system() to touch a file: a name to be told, nothing more.
static const char made_by_call[] = "/tmp" "/PWNED";

static void test_a_call_is_told_and_not_made(void **state)
{
    (void)state;
    remove(made_by_call);
    check_all(FOLDER "hostile_reduce.ckpt", "zip", "state_dict", "posix.system");
    FILE *stream = fopen(made_by_call, "r");
    assert_null(stream);
}

// torch.save({'state_dict': {'w': ones(1)}, 'a' * 10: 1, 'b' * 240: 2, 'c': 3}): long names are shortened.
static void test_names_beside_the_tensors(void **state)
{
    (void)state;
    struct tensor_list *list = open_or_fail(FOLDER "long_names_beside.pth");
    const char *beside = tensor_list_metadata(list, "beside");
    assert_non_null(beside);
    assert_int_equal(strncmp(beside, "aaaaaaaaaa, bbbbb", 17), 0);
    assert_in_range(strlen(beside), 40, 80);
    assert_string_equal(beside + strlen(beside) - 4, "b, c");
    tensor_list_close(list);
}

// One bit of a weight, and a key that leads to another storage of the same size: neither shows in any length.
static void test_damage_is_no_weight(void **state)
{
    (void)state;
    static const float counting[] = {0, 1, 2, 3, 4, 5, 6, 7};
    struct error err = {0};
    unsigned char *bytes, *at = NULL;
    size_t size;
    assert_true(file_read(FOLDER "lightning_zip.ckpt", 1 << 20, &bytes, &size, &err));
    for (size_t i = 0; !at && i + sizeof counting <= size; i++)
        at = memcmp(bytes + i, counting, sizeof counting) ? NULL : bytes + i;
    assert_non_null(at);
    for (int bit = 0; bit < 8; bit++) {
        at[5] ^= (unsigned char)(1 << bit);
        assert_null(weights_open(scratch_write("flipped.ckpt", bytes, size), &err));
        assert_non_null(strstr(err.text, "does not have the checksum"));
        at[5] ^= (unsigned char)(1 << bit);
    }
    tensor_list_close(open_or_fail(scratch_write("flipped.ckpt", bytes, size)));
    memory_free(bytes);
}

static void test_made_by_hand(void **state)
{
    (void)state;
    static const float values[] = {1, 2, 3, 4, 5, 6};
    static const struct tensor_source sources[] = {
        {.name = "w", .rank = 2, .shape = {2, 3}, .data = values},
        {.name = "b", .rank = 1, .shape = {3}, .data = values + 3},
        {.name = "s", .rank = 0, .data = values + 2},
    };
    static const char *const places[] = {"", "model", "state_dict"};
    for (int i = 0; i < 3; i++) {
        const char *path = scratch_path("hand.pth");
        torch_file_write(path, places[i], sources, 3, NULL);
        struct tensor_list *list = open_or_fail(path);
        assert_string_equal(tensor_list_metadata(list, "place"), places[i]);
        expect(list, "w", TENSOR_F32, 2, (int64_t[]){2, 3}, values);
        expect(list, "b", TENSOR_F32, 1, (int64_t[]){3}, values + 3);
        expect(list, "s", TENSOR_F32, 0, NULL, values + 2);
        // Data lies at multiples of 64 bytes of the file, as PyTorch puts it, so that it need not be copied.
        assert_int_equal((uintptr_t)tensor_list_find(list, "b")->data % 64, 0);
        tensor_list_close(list);
    }
}

static void test_zip64_fields(void **state)
{
    (void)state;
    char *bytes;
    size_t size;
    FILE *stream = open_memstream(&bytes, &size);
    struct zip_file zip;
    static const char pickle[] =
        "\x80\2}X\1\0\0\0tctorch._utils\n_rebuild_tensor_v2\n((X\7\0\0\0storagectorch\nLongStorage\n"
        "X\1\0\0\0000X\6\0\0\0cuda:3\x8a\1\2tQK\1K\1\x85K\1\x85\x89NtRs.";
    static const int64_t data[] = {7, -9};
    zip_file_begin(&zip, stream);
    zip.zip64 = true;
    zip_file_put(&zip, "my model/data.pkl", pickle, sizeof pickle - 1);
    zip_file_put(&zip, "my model/data/0", data, sizeof data);
    zip_file_end(&zip);
    fclose(stream);
    struct tensor_list *list = open_or_fail(scratch_write("zip64.pth", bytes, size));
    expect(list, "t", TENSOR_I64, 1, (int64_t[]){1}, (float[]){-9});
    tensor_list_close(list);
    free(bytes);
}

static void test_safetensors_by_the_same_door(void **state)
{
    (void)state;
    struct error err = {0};
    static const float value = 3;
    const struct tensor_source source = {"x", TENSOR_F32, 1, {1}, &value};
    const char *path = scratch_path("plain.safetensors");
    assert_true(safetensors_write(path, &source, 1, NULL, 0, &err));
    struct tensor_list *list = open_or_fail(path);
    expect(list, "x", TENSOR_F32, 1, (int64_t[]){1}, &value);
    tensor_list_close(list);
    assert_null(torch_open(path, &err));
    assert_non_null(strstr(err.text, "torch.save()"));
}

// Offsets, sizes and numbers of elements that no 32 bits hold; the file is a hole but for its end.
static void test_beyond_four_gigabytes(void **state)
{
    (void)state;
    static const float values[] = {1.5f, -2};
    const struct tensor_source tensors[] = {{.name = "large", .stored = TENSOR_F32, .rank = 2, .shape = {65536, 32769}},
                                            {"far", TENSOR_F32, 1, {2}, values}};
    const char *path = scratch_path("large.ckpt");
    torch_file_write(path, "state_dict", tensors, 2, NULL);
    struct tensor_list *list = open_or_fail(path);
    const struct tensor *large = tensor_list_find(list, "large"), *far = tensor_list_find(list, "far");
    assert_true(large->elements == (size_t)65536 * 32769);
    assert_true((const char *)far->data - (const char *)large->data >= (ptrdiff_t)(large->elements * sizeof(float)));
    assert_true(((const float *)large->data)[large->elements - 1] == 0);
    expect(list, "far", TENSOR_F32, 1, (int64_t[]){2}, values);
    tensor_list_close(list);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_zip_of_lightning),
        cmocka_unit_test(test_legacy),
        cmocka_unit_test(test_zip_with_model_key),
        cmocka_unit_test(test_a_call_is_told_and_not_made),
        cmocka_unit_test(test_damage_is_no_weight),
        cmocka_unit_test(test_made_by_hand), cmocka_unit_test(test_names_beside_the_tensors),
        cmocka_unit_test(test_zip64_fields),
        cmocka_unit_test(test_beyond_four_gigabytes),
        cmocka_unit_test(test_safetensors_by_the_same_door),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
