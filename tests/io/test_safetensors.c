// Files are laid out by hand from the format's description (huggingface/safetensors, README "Format"), so
// that reader and writer are not only tested against each other.
#include "engine/base/half.h"
#include "engine/io/safetensors.h"
#include "tests/support/cmocka_all.h"
#include "tests/support/scratch.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static const char *make_file(const char *header, const void *data, size_t size)
{
    unsigned char bytes[4096];
    uint64_t length = strlen(header);
    assert_true(8 + length + size <= sizeof bytes);
    memcpy(bytes, &length, 8);
    memcpy(bytes + 8, header, length);
    if (size)
        memcpy(bytes + 8 + length, data, size);
    return scratch_write("made.safetensors", bytes, 8 + length + size);
}

static void test_reads_every_type(void **state)
{
    (void)state;
    // Values and their bytes by IEEE 754 (bf16: the upper half of float32).
    static const unsigned char data[] = {
        0x00, 0x00, 0x80, 0x3f, 0x00, 0x00, 0x20, 0xc0, // F32 1, -2.5
        0x00, 0x3c, 0x01, 0x00, 0xff, 0x7b,             // F16 1, 2^-24, 65504
        0xc0, 0x3f,                                     // BF16 1.5
        0x9a, 0x99, 0x99, 0x99, 0x99, 0x99, 0xb9, 0x3f, // F64 0.1
        0xfd, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, // I64 -3
        0x40, 0xe2, 0x01, 0x00,                         // I32 123456
        0x00, 0x80,                                     // I16 -32768
        0x80, 0xff,                                     // I8 -128, U8 255
        0x01,                                           // BOOL true
    };
    const char *path = make_file("{\"__metadata__\":{\"format\":\"pt\"},"
                                 "\"f32\":{\"dtype\":\"F32\",\"shape\":[2,1],\"data_offsets\":[0,8]},"
                                 "\"f16\":{\"dtype\":\"F16\",\"shape\":[3],\"data_offsets\":[8,14]},"
                                 "\"bf16\":{\"dtype\":\"BF16\",\"shape\":[1],\"data_offsets\":[14,16]},"
                                 "\"f64\":{\"dtype\":\"F64\",\"shape\":[],\"data_offsets\":[16,24]},"
                                 "\"i64\":{\"dtype\":\"I64\",\"shape\":[1],\"data_offsets\":[24,32]},"
                                 "\"i32\":{\"dtype\":\"I32\",\"shape\":[1],\"data_offsets\":[32,36]},"
                                 "\"i16\":{\"dtype\":\"I16\",\"shape\":[1],\"data_offsets\":[36,38]},"
                                 "\"i8\":{\"dtype\":\"I8\",\"shape\":[1],\"data_offsets\":[38,39]},"
                                 "\"u8\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[39,40]},"
                                 "\"bool\":{\"dtype\":\"BOOL\",\"shape\":[1],\"data_offsets\":[40,41]},"
                                 "\"empty\":{\"dtype\":\"F32\",\"shape\":[0,3],\"data_offsets\":[41,41]}}   ",
                                 data, sizeof data);
    static const struct {
        const char *name;
        float values[3];
    } expected[] = {
        {"f32", {1, -2.5f}}, {"f16", {1, 0x1p-24f, 65504}},
        {"bf16", {1.5f}},    {"f64", {0.1f}},
        {"i64", {-3}},       {"i32", {123456}},
        {"i16", {-32768}},   {"i8", {-128}},
        {"u8", {255}},       {"bool", {1}},
        {"empty", {0}},
    };
    struct error err = {0};
    struct tensor_list *file = safetensors_open(path, &err);
    assert_string_equal(err.text, "");
    assert_int_equal(tensor_list_count(file), 11);
    assert_string_equal(tensor_list_at(file, 0)->name, "f32");
    assert_null(tensor_list_at(file, 11));
    assert_null(tensor_list_at(file, -1));
    assert_null(tensor_list_find(file, "__metadata__"));
    assert_null(tensor_list_find(file, ""));
    assert_null(tensor_list_find(file, "zzz"));
    assert_string_equal(tensor_list_metadata(file, "format"), "pt");
    assert_null(tensor_list_metadata(file, "none"));
    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++) {
        const struct tensor *tensor = tensor_list_find(file, expected[i].name);
        assert_non_null(tensor);
        assert_string_equal(tensor->name, expected[i].name);
        float values[3] = {0};
        assert_true(tensor->elements <= 3);
        tensor_floats(tensor, values);
        assert_memory_equal(values, expected[i].values, sizeof values);
    }
    assert_int_equal(tensor_list_find(file, "f64")->rank, 0);
    assert_int_equal(tensor_list_find(file, "empty")->shape[1], 3);
    tensor_list_close(file);
}

// What PyTorch gives for tensor(value).half(): ties, overflow, the edge of the subnormals.
static void test_half_rounds_as_pytorch(void **state)
{
    (void)state;
    static const struct {
        float value;
        uint16_t half;
    } golden[] = {
        {0.0f, 0x0000},
        {-0.0f, 0x8000},
        {1.0f, 0x3c00},
        {0.1f, 0x2e66},
        {-0.333333f, 0xb555},
        {2049.0f, 0x6800},
        {2051.0f, 0x6802},
        {65504.0f, 0x7bff},
        {65519.0f, 0x7bff},
        {65520.0f, 0x7c00},
        {INFINITY, 0x7c00},
        {-INFINITY, 0xfc00},
        {0x1p-14f, 0x0400},
        {6.1e-5f, 0x03ff},
        {6.0e-5f, 0x03ef},
        {0x1p-24f, 0x0001},
        {0x1p-25f, 0x0000},
        {0x1.8p-24f, 0x0002},
        {0x1.000002p-25f, 0x0001},
        {1e-10f, 0x0000},
        {3.14159265f, 0x4248},
        {1023.75f, 0x6400},
        {0x1.ffep0f, 0x4000},
    };
    for (size_t i = 0; i < sizeof golden / sizeof *golden; i++)
        assert_int_equal(half_from_float(golden[i].value), golden[i].half);
    assert_true(isnan(half_to_float(half_from_float(NAN))));
}

#ifdef __FLT16_MAX__
// Where the compiler has the type, its own conversions are the reference: all halves, and floats around each.
static void test_half_equals_the_compilers(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < 65536; i++) {
        uint16_t bits = (uint16_t)i;
        _Float16 reference;
        memcpy(&reference, &bits, sizeof reference);
        float value = half_to_float(bits), wide = (float)reference;
        if (isnan(wide)) {
            assert_true(isnan(value));
            continue;
        }
        assert_memory_equal(&value, &wide, sizeof value);
        assert_int_equal(half_from_float(value), bits);
        for (int step = -2; step <= 2; step++) {
            uint32_t around;
            memcpy(&around, &value, sizeof around);
            around += 0x1000u + (uint32_t)step; // near the middle between two halves
            memcpy(&wide, &around, sizeof wide);
            if (isnan(wide))
                continue;
            _Float16 rounded = (_Float16)wide;
            uint16_t expected;
            memcpy(&expected, &rounded, sizeof expected);
            assert_int_equal(half_from_float(wide), expected);
        }
    }
}
#endif

static void test_writes_what_it_reads(void **state)
{
    (void)state;
    static const float a[3] = {1.5f, -0.1f, 1e-30f}, b[3] = {0.1f, -1, 3e-8f}, c[2] = {7, 8};
    const struct tensor_source sources[] = {
        {"half", TENSOR_F16, 1, {3}, b},
        {"full", TENSOR_F32, 2, {3, 1}, a},
        {"gr\xc3\xbc\xc3\x9f", TENSOR_F32, 1, {2}, c},
        {"none", TENSOR_F32, 2, {0, 4}, NULL},
        {"scalar", TENSOR_F32, 0, {0}, c + 1},
    };
    const struct metadata_pair metadata[] = {{"config", "{\"a\": \"\\\"\"}"}, {"empty", ""}};
    struct error err = {0};
    const char *path = scratch_write("written.safetensors", "old", 3);
    assert_true(safetensors_write(path, sources, 5, metadata, 2, &err));
    struct tensor_list *file = safetensors_open(path, &err);
    assert_string_equal(err.text, "");
    assert_int_equal(tensor_list_count(file), 5);
    assert_string_equal(tensor_list_metadata(file, "config"), metadata[0].value);
    assert_string_equal(tensor_list_metadata(file, "empty"), "");
    float out[3];
    const struct tensor *full = tensor_list_find(file, "full");
    assert_int_equal(full->shape[0] * 10 + full->shape[1], 31);
    assert_int_equal((uintptr_t)full->data % 64, 0);
    assert_memory_equal(full->data, a, sizeof a);
    const struct tensor *half = tensor_list_find(file, "half");
    assert_int_equal(half->type, TENSOR_F16);
    tensor_floats(half, out);
    assert_true(out[0] == 0x1.998p-4f && out[1] == -1 &&
                out[2] == 0x1p-25f * 2); // 0.1 and 3e-8 as PyTorch rounds
    tensor_floats(tensor_list_find(file, "gr\xc3\xbc\xc3\x9f"), out);
    assert_true(out[0] == 7 && out[1] == 8);
    tensor_floats(tensor_list_find(file, "scalar"), out);
    assert_true(out[0] == 8);
    assert_int_equal(tensor_list_find(file, "none")->elements, 0);
    // The official reader refuses gaps: the data must fill the file exactly.
    struct stat st;
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_size % 64, (3 * 4 + 2 * 4 + 4 + 3 * 2) % 64);
    tensor_list_close(file);
}

static void test_refuses_to_write(void **state)
{
    (void)state;
    static const float big[1] = {70000}, one[1] = {1};
    const struct tensor_source overflow = {"w", TENSOR_F16, 1, {1}, big};
    const struct tensor_source twice[] = {{"w", TENSOR_F32, 1, {1}, one}, {"w", TENSOR_F32, 1, {1}, one}};
    const struct tensor_source integer = {"w", TENSOR_I64, 1, {1}, one};
    const struct tensor_source bad_name = {"\xff", TENSOR_F32, 1, {1}, one};
    const char *path = scratch_path("refused.safetensors");
    struct error err = {0};
    assert_false(safetensors_write(path, &overflow, 1, NULL, 0, &err));
    assert_non_null(strstr(err.text, "70000"));
    assert_false(safetensors_write(path, twice, 2, NULL, 0, &err));
    assert_non_null(strstr(err.text, "twice"));
    assert_false(safetensors_write(path, &integer, 1, NULL, 0, &err));
    assert_false(safetensors_write(path, &bad_name, 1, NULL, 0, &err));
    assert_non_null(strstr(err.text, "UTF-8"));
    assert_false(safetensors_write(scratch_path("no/such/folder"), twice, 1, NULL, 0, &err));
    struct stat st;
    assert_int_not_equal(stat(path, &st), 0);
}

static void test_refuses_bad_files(void **state)
{
    (void)state;
#define ENTRY(type, shape, range)                                                                            \
    "{\"w\":{\"dtype\":" type ",\"shape\":" shape ",\"data_offsets\":" range "}}"
    static const struct {
        const char *header, *says;
    } bad[] = {
        {"", "JSON"},
        {"[]", "not a JSON object"},
        {"{\"w\":1}", "not a JSON object"},
        {"{\"w\":{}} x", "JSON"},
        {"{\"a\\u0000b\":{}}", "JSON"},
        {ENTRY("\"F33\"", "[4]", "[0,16]"), "F33"},
        {ENTRY("4", "[4]", "[0,16]"), "dtype"},
        {ENTRY("\"F32\"", "4", "[0,16]"), "shape"},
        {ENTRY("\"F32\"", "[-4]", "[0,16]"), "dimension 0"},
        {ENTRY("\"F32\"", "[4.0]", "[0,16]"), "dimension 0"},
        {ENTRY("\"F32\"", "[1,1,1,1,1,1,1,1,4]", "[0,16]"), "9 dimensions"},
        {ENTRY("\"F32\"", "[4294967296,4294967296]", "[0,0]"), "more elements"},
        {ENTRY("\"F32\"", "[4611686018427387904]", "[0,0]"), "elements"}, // times 4 bytes is 0 modulo 2^64
        {ENTRY("\"F32\"", "[99999999999999999999]", "[0,16]"), "JSON"},
        {ENTRY("\"F32\"", "[5]", "[0,20]"), "cut short"},
        {ENTRY("\"F32\"", "[4]", "[16,0]"), "no place"},
        {ENTRY("\"F32\"", "[4]", "[-16,0]"), "no place"},
        {ENTRY("\"F32\"", "[4]", "[0,9223372036854775807]"), "cut short"},
        {ENTRY("\"F32\"", "[4]", "[0,12]"), "12 bytes"},
        {ENTRY("\"F32\"", "[4]", "[0]"), "pair"},
        {ENTRY("\"F32\"", "[4]", "[0,16,16]"), "pair"},
        {ENTRY("\"F32\"", "[4]", "[0,\"16\"]"), "pair"},
        {"{\"__metadata__\":[]}", "__metadata__"},
        {"{\"__metadata__\":{\"a\":1}}", "\"a\""},
        {"{\"w\":{\"dtype\":\"U8\",\"shape\":[8],\"data_offsets\":[0,8]},"
         "\"v\":{\"dtype\":\"U8\",\"shape\":[8],\"data_offsets\":[7,15]}}",
         "overlap"},
        {"{\"w\":{\"dtype\":\"U8\",\"shape\":[8],\"data_offsets\":[0,8]},"
         "\"w\":{\"dtype\":\"U8\",\"shape\":[8],\"data_offsets\":[8,16]}}",
         "duplicate"},
    };
    static const char data[16];
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        const char *path = make_file(bad[i].header, data, sizeof data);
        struct error err = {0};
        struct tensor_list *file = safetensors_open(path, &err);
        if (file || !strstr(err.text, bad[i].says) || !strstr(err.text, path) || err.code != ERROR_INPUT)
            fail_msg("header %s: %s", bad[i].header, file ? "accepted" : err.text);
    }
}

static void test_refuses_false_sizes(void **state)
{
    (void)state;
    struct error err = {0};
    assert_null(safetensors_open(scratch_write("short", "\2\0\0", 3), &err));
    assert_non_null(strstr(err.text, "3 bytes"));
    assert_null(safetensors_open(scratch_write("long", "\3\0\0\0\0\0\0\0{}", 10), &err));
    assert_non_null(strstr(err.text, "cut short"));
    assert_null(safetensors_open(scratch_write("huge", "\377\377\377\377\377\377\377\377{}", 10), &err));
    assert_null(safetensors_open(scratch_write("empty", "", 0), &err));
    assert_null(safetensors_open(scratch_path("missing"), &err));
    assert_int_equal(err.code, ERROR_INPUT);
    struct tensor_list *nothing = safetensors_open(scratch_write("nothing", "\2\0\0\0\0\0\0\0{}", 10), &err);
    assert_non_null(nothing);
    assert_int_equal(tensor_list_count(nothing), 0);
    assert_null(tensor_list_find(nothing, "w"));
    tensor_list_close(nothing);
    size_t size = (9u << 20) + 8; // a header that is valid, but larger than any real one
    unsigned char *bytes = malloc(size);
    assert_non_null(bytes);
    memset(bytes, ' ', size);
    memcpy(bytes, "\0\0\220\0\0\0\0\0{}", 10);
    assert_null(safetensors_open(scratch_write("wide", bytes, size), &err));
    assert_non_null(strstr(err.text, "limit"));
    free(bytes);
}

// Offsets and sizes that no 32 bits hold; the data is a hole but for its end.
static void test_reads_beyond_four_gigabytes(void **state)
{
    (void)state;
    static const char header[] = "{\"large\":{\"dtype\":\"F16\",\"shape\":[65536,32769],\"data_offsets\":[0,4295098368]},"
                                 "\"far\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[4295098368,4295098372]}}";
    const float value = -2.5f;
    struct error err = {0};
    const char *path = make_file(header, NULL, 0);
    FILE *stream = fopen(path, "r+b");
    assert_non_null(stream);
    assert_int_equal(fseek(stream, 8 + (long)strlen(header) + 4295098368, SEEK_SET), 0);
    fwrite(&value, sizeof value, 1, stream);
    assert_int_equal(fclose(stream), 0);
    struct tensor_list *file = safetensors_open(path, &err);
    if (!file)
        fail_msg("%s", err.text);
    const struct tensor *large = tensor_list_find(file, "large"), *far = tensor_list_find(file, "far");
    float out;
    tensor_floats(far, &out);
    assert_true(out == value);
    assert_true(tensor_bytes(large) == 4295098368 && ((const uint16_t *)large->data)[large->elements - 1] == 0);
    tensor_list_close(file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reads_every_type),          cmocka_unit_test(test_half_rounds_as_pytorch),
#ifdef __FLT16_MAX__
        cmocka_unit_test(test_half_equals_the_compilers),
#endif
        cmocka_unit_test(test_writes_what_it_reads),      cmocka_unit_test(test_refuses_to_write),
        cmocka_unit_test(test_refuses_bad_files),         cmocka_unit_test(test_refuses_false_sizes),
        cmocka_unit_test(test_reads_beyond_four_gigabytes),
    };
    return cmocka_run_group_tests_name("safetensors", tests, NULL, NULL);
}
