// Cut off, damaged and forged checkpoints: one sentence that says what is wrong, or tensors that can be read to their last
// element; never a crash, a call, or memory and time beyond bounds.
#include "engine/base/memory.h"
#include "engine/io/pickle.h"
#include "engine/io/torch.h"
#include "tests/support/cmocka_all.h"
#include "tests/support/memory_file.h"
#include "tests/support/torch_file.h"

#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#define FOLDER "tests/fixtures/containers/"

static const char *const samples[] = {"lightning_zip.ckpt", "lightning_legacy.ckpt", "model_key.pth",
                                      "hostile_reduce.ckpt"};

struct bytes {
    char *data;
    size_t size;
};

static struct bytes read_sample(const char *name)
{
    char path[128];
    snprintf(path, sizeof path, FOLDER "%s", name);
    FILE *stream = fopen(path, "rb");
    struct bytes b = {malloc(1 << 16), 0};
    assert_true(stream && b.data);
    b.size = fread(b.data, 1, 1 << 16, stream);
    fclose(stream);
    return b;
}

// Whether it was taken for whole; everything in it is read then.
static bool try(const void *data, size_t size, struct error *err)
{
    *err = (struct error){0};
    struct tensor_list *list = weights_open(memory_file(data, size), err);
    if (!list) {
        assert_int_equal(err->code, ERROR_INPUT);
        assert_true(err->text[0] && !strchr(err->text, '\n'));
        return false;
    }
    for (int i = 0; i < tensor_list_count(list); i++) {
        const struct tensor *tensor = tensor_list_at(list, i);
        assert_ptr_equal(tensor_list_find(list, tensor->name), tensor);
        assert_true(tensor->elements <= 1 << 20);
        float *values = memory_alloc(tensor->elements, sizeof *values);
        assert_non_null(values);
        tensor_floats(tensor, values);
        memory_free(values);
    }
    tensor_list_close(list);
    return true;
}

static void test_cut_off_anywhere(void **state)
{
    (void)state;
    struct error err;
    for (size_t i = 0; i < sizeof samples / sizeof *samples; i++) {
        struct bytes b = read_sample(samples[i]);
        assert_true(try(b.data, b.size, &err));
        for (size_t size = 1; size < b.size; size++)
            if (try(b.data, size, &err))
                fail_msg("%s cut to %zu of %zu bytes was taken for whole", samples[i], size, b.size);
        try(b.data, b.size / 2, &err);
        assert_non_null(strstr(err.text, "cut short"));
        free(b.data);
    }
}

static void test_every_bit_flipped(void **state)
{
    (void)state;
    struct error err;
    size_t refused = 0, all = 0;
    for (size_t i = 0; i < 2; i++) {
        struct bytes b = read_sample(samples[i]);
        for (size_t bit = 0; bit < 8 * b.size; bit += 3) {
            b.data[bit / 8] ^= (char)(1 << bit % 8);
            refused += !try(b.data, b.size, &err);
            all++;
            b.data[bit / 8] ^= (char)(1 << bit % 8);
        }
        free(b.data);
    }
    assert_true(refused > all / 3);
}

// --- forged pickles ------------------------------------------------------------------------------------------------

static struct bytes archive(const struct bytes *pickle, const void *storage, size_t size)
{
    struct bytes b;
    FILE *stream = open_memstream(&b.data, &b.size);
    struct zip_file zip;
    zip_file_begin(&zip, stream);
    zip_file_put(&zip, "a/data.pkl", pickle->data, pickle->size);
    zip_file_put(&zip, "a/data/0", storage, size);
    zip_file_end(&zip);
    fclose(stream);
    return b;
}

static void expect_error_of(struct bytes b, const char *words)
{
    struct error err;
    if (try(b.data, b.size, &err))
        fail_msg("it was taken for good; expected \"%s\"", words);
    if (!strstr(err.text, words))
        fail_msg("\"%s\" does not say \"%s\"", err.text, words);
    free(b.data);
}

static void expect_error(const char *pickle, size_t size, const char *words)
{
    static const float storage[6];
    struct bytes copy = {malloc(size), size};
    memcpy(copy.data, pickle, size);
    expect_error_of(archive(&copy, storage, sizeof storage), words);
    free(copy.data);
}
#define EXPECT_ERROR(pickle, words) expect_error(pickle, sizeof(pickle) - 1, words)

// {"t": a tensor of a storage of 6 floats}; the pieces are opcodes.
#define TENSOR(class, key, elements, offset, shape, strides)                                                           \
    "\x80\2}X\1\0\0\0tctorch._utils\n_rebuild_tensor_v2\n((X\7\0\0\0storage" class key                                 \
        "X\3\0\0\0cpu" elements "tQ" offset shape strides "\x89NtRs."
#define FLOATS "ctorch\nFloatStorage\n"
#define KEY    "X\1\0\0\0000"
#define HUGE   "\x8a\x08\xff\xff\xff\xff\xff\xff\xff\x7f" // 2^63 - 1

static void test_absurd_sizes(void **state)
{
    (void)state;
    EXPECT_ERROR(TENSOR(FLOATS, KEY, HUGE, "K\0", "K\6\x85", "K\1\x85"), "should hold 9223372036854775807 F32");
    EXPECT_ERROR(TENSOR(FLOATS, KEY, "K\7", "K\0", "K\6\x85", "K\1\x85"), "should hold 7 F32");
    EXPECT_ERROR(TENSOR(FLOATS, KEY, "K\6", HUGE, "K\6\x85", "K\1\x85"), "reach beyond the 6 elements");
    EXPECT_ERROR(TENSOR(FLOATS, KEY, "K\6", "K\1", "K\6\x85", "K\1\x85"), "reach beyond the 6 elements");
    EXPECT_ERROR(TENSOR(FLOATS, KEY, "K\6", "K\0", "K\7\x85", "K\1\x85"), "reach beyond the 6 elements");
    EXPECT_ERROR(TENSOR(FLOATS, KEY, "K\6", "K\0", "K\2\x85", HUGE "\x85"), "reach beyond the 6 elements");
    EXPECT_ERROR(TENSOR(FLOATS, KEY, "K\6", "K\0", "K\6\x85", "K\2\x85"), "reach beyond the 6 elements");
    EXPECT_ERROR(TENSOR(FLOATS, KEY, "K\6", "K\0", HUGE HUGE "\x86", "K\1K\1\x86"), "more elements than");
    EXPECT_ERROR(TENSOR(FLOATS, KEY, "K\6", "J\xff\xff\xff\xff", "K\6\x85", "K\1\x85"), "no whole numbers");
    EXPECT_ERROR(TENSOR(FLOATS, KEY, "K\6", "K\0", "K\6\x85", "K\1K\1\x86"), "two tuples of one length");
    EXPECT_ERROR(TENSOR(FLOATS, KEY, "K\6", "K\0", "(K\1K\1K\1K\1K\1K\1K\1K\1K\1t", "(K\1K\1K\1K\1K\1K\1K\1K\1K\1t"),
                 "it has 9 dimensions");
    EXPECT_ERROR(TENSOR("ctorch\nComplexFloatStorage\n", KEY, "K\6", "K\0", "K\6\x85", "K\1\x85"),
                 "torch.ComplexFloatStorage, which is not supported");
    EXPECT_ERROR(TENSOR(FLOATS, "X\1\0\0\0001", "K\6", "K\0", "K\6\x85", "K\1\x85"), "data/1 is not in the archive");
    EXPECT_ERROR(TENSOR("N", KEY, "K\6", "K\0", "K\6\x85", "K\1\x85"), "has no class");
}

// A stride of 0 makes 2^20 elements of one; what it takes is bounded by the size of the file.
static void test_copies_are_bounded(void **state)
{
    (void)state;
    EXPECT_ERROR(TENSOR(FLOATS, KEY, "K\6", "K\0", "J\0\0\x10\0\x85", "K\0\x85"), "more room than the whole file");
}

static void test_what_holds_itself(void **state)
{
    (void)state;
    EXPECT_ERROR("\x80\2}q\0X\5\0\0\0modelh\0s.", "there is no tensor"); // {"model": itself}
    EXPECT_ERROR("\x80\2}q\0h\0h\0s.", "there is no tensor");            // {itself: itself}
    EXPECT_ERROR("\x80\2]q\0h\0a.", "no dictionary of tensors");         // [itself]
    EXPECT_ERROR("\x80\2]q\0h\0\x85h\0h\0Ra.", "the arguments of a call are no tuple");
    EXPECT_ERROR("\x80\2}q\0X\1\0\0\0tctorch._utils\n_rebuild_parameter\nh\0\x85Rs.", "there is no tensor");
}

static void test_broken_pickles(void **state)
{
    (void)state;
    EXPECT_ERROR("\x80\2.", "a value is taken that is not there");
    EXPECT_ERROR("\x80\2(N0t1.", "a mark is missing");
    EXPECT_ERROR("\x80\2N(0.", "a value is taken that is not there"); // below a mark
    EXPECT_ERROR("\x80\2h\5.", "refers to a value that it does not have");
    EXPECT_ERROR("\x80\2Nr\xff\xff\xff\x7f.", "numbers a value higher");
    EXPECT_ERROR("\x80\2}(NNNu.", "a key has no value");
    EXPECT_ERROR("\x80\2N(NNu.", "put into what holds none");
    EXPECT_ERROR("\x80\2X\xff\xff\xff\xffhello", "cut short within a value");
    EXPECT_ERROR("\x80\2cposix", "cut short within a name");
    EXPECT_ERROR("\x80\2iposix\nsystem\n.", "the opcode 0x69 at byte 2"); // INST would be a call, too
    EXPECT_ERROR("\x80\2\x82\1.", "the opcode 0x82");                     // an extension's code
    EXPECT_ERROR("\x80\2NN\x93.", "a class has no name");
    EXPECT_ERROR("\x80\2}", "cut short within a value");
    EXPECT_ERROR("\x80\2X\3\0\0\0abc.", "no dictionary of tensors");
}

static double seconds_of(const struct rusage *usage)
{
    return (double)(usage->ru_utime.tv_sec + usage->ru_stime.tv_sec) +
           1e-6 * (double)(usage->ru_utime.tv_usec + usage->ru_stime.tv_usec);
}

// One opcode after the other: the reader stops at its limit, at once and with little memory.
static void test_deep_and_endless_pickles(void **state)
{
    (void)state;
    enum { SIZE = 8 << 20 };
    static const struct {
        const char *start, *opcode, *words;
    } cases[] = {
        {")", "\x85", "more than 1048576 opcodes"}, // ((((…
        {"N", "(", "nests values more than 256 deep"}, {"", "}", "more than 1048576 opcodes"},
        {"N", "2", "more than 1048576 opcodes"},       {"(", "N", "more than 1048576 opcodes"},
    };
    struct rusage before, after;
    getrusage(RUSAGE_SELF, &before);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *pickle = malloc(SIZE);
        assert_non_null(pickle);
        memset(pickle, *cases[i].opcode, SIZE);
        memcpy(pickle, cases[i].start, strlen(cases[i].start));
        expect_error(pickle, SIZE, cases[i].words);
        free(pickle);
    }
    getrusage(RUSAGE_SELF, &after);
    assert_true(seconds_of(&after) - seconds_of(&before) < 20); // of the processor: the machine may be busy
#ifndef __SANITIZE_ADDRESS__ // which keeps freed memory for a while
    assert_true(after.ru_maxrss - before.ru_maxrss < 200 * 1024);
#endif
}

// --- forged archives -----------------------------------------------------------------------------------------------

static const char whole[] = TENSOR(FLOATS, KEY, "K\6", "K\0", "K\6\x85", "K\1\x85");

// An archive that `change` has spoilt before its directory was written.
static struct bytes spoilt(void (*change)(struct zip_file *zip))
{
    static const float storage[6];
    struct bytes b;
    FILE *stream = open_memstream(&b.data, &b.size);
    struct zip_file zip;
    zip_file_begin(&zip, stream);
    zip_file_put(&zip, "a/data.pkl", whole, sizeof whole - 1);
    zip_file_put(&zip, "a/data/0", storage, sizeof storage);
    change(&zip);
    zip_file_end(&zip);
    fclose(stream);
    return b;
}

static void nothing(struct zip_file *zip)
{
    (void)zip;
}

static void use_zip64(struct zip_file *zip)
{
    zip->zip64 = true;
}

static void compress(struct zip_file *zip)
{
    zip->entries[1].method = 8;
}

static void encrypt(struct zip_file *zip)
{
    zip->entries[1].flags |= 1;
}

static void double_name(struct zip_file *zip)
{
    zip_file_put(zip, "a/data/0", "other", 5);
}

static void second_pickle(struct zip_file *zip)
{
    zip_file_put(zip, "b/data.pkl", whole, sizeof whole - 1);
}

static void grow_over_the_next(struct zip_file *zip)
{
    zip->entries[0].size += 100;
}

static void grow_over_the_end(struct zip_file *zip)
{
    zip->zip64 = true;
    zip->entries[1].size = UINT64_MAX - 8;
}

static void point_beyond(struct zip_file *zip)
{
    zip->zip64 = true;
    zip->entries[1].header = UINT64_MAX - 8;
}

static void point_at_another(struct zip_file *zip)
{
    zip->entries[1].header = zip->entries[0].header;
}

static void test_forged_archives(void **state)
{
    (void)state;
    struct error err;
    struct bytes good = spoilt(nothing);
    if (!try(good.data, good.size, &err))
        fail_msg("%s", err.text);
    free(good.data);
    expect_error_of(spoilt(compress), "a/data/0 is compressed");
    expect_error_of(spoilt(encrypt), "a/data/0 is encrypted");
    expect_error_of(spoilt(double_name), "two entries called a/data/0");
    expect_error_of(spoilt(second_pickle), "two data.pkl");
    expect_error_of(spoilt(grow_over_the_next), "a/data.pkl and a/data/0 overlap");
    expect_error_of(spoilt(grow_over_the_end), "not where the archive's directory says");
    expect_error_of(spoilt(point_beyond), "not where the archive's directory says");
    expect_error_of(spoilt(point_at_another), "not where the archive's directory says");
}

// The ZIP64 end record is 98 bytes before the end, its locator 42, the end record 22.
static void spoil_end(size_t back, const char *with, size_t size, const char *words)
{
    struct bytes b = spoilt(back == 22 - 10 ? nothing : use_zip64);
    memcpy(b.data + b.size - back, with, size);
    expect_error_of(b, words);
}

static void test_forged_ends(void **state)
{
    (void)state;
    static const char most[] = "\xff\xff\xff\xff\xff\xff\xff\x7f", full[] = "\xff\xff\xff\xff\xff\xff\xff\xff";
    spoil_end(98 - 24, most, 8, "several parts");        // entries on this disk are not all entries
    spoil_end(98 - 40, most, 8, "does not fit into it"); // the directory's size
    spoil_end(98 - 48, most, 8, "does not fit into it"); // its place
    spoil_end(42 - 8, full, 8, "not where its locator says");
    spoil_end(22 - 10, "\7", 1, "contradict each other");
    spoil_end(22 - 20, "\1", 1, "has no end");
    struct bytes b = spoilt(nothing);
    memcpy(b.data + b.size - 98 + 24, most, 8);
    memcpy(b.data + b.size - 98 + 32, most, 8);
    memcpy(b.data + b.size - 22 + 10, full, 2);
    expect_error_of(b, "claims 9223372036854775807 entries");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cut_off_anywhere),
        cmocka_unit_test(test_every_bit_flipped),
        cmocka_unit_test(test_absurd_sizes),
        cmocka_unit_test(test_copies_are_bounded),
        cmocka_unit_test(test_what_holds_itself),
        cmocka_unit_test(test_broken_pickles),
        cmocka_unit_test(test_deep_and_endless_pickles),
        cmocka_unit_test(test_forged_archives),
        cmocka_unit_test(test_forged_ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
