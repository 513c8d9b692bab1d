// The headers are what numpy.save() writes (numpy.lib.format), the floats IEEE 754.
#include "engine/io/npy.h"
#include "tests/support/cmocka_all.h"
#include "tests/support/scratch.h"

#include <string.h>

// Writes a file of the given version whose header is `header`, padded as NumPy pads it.
static const char *make_file(int version, const char *header, const void *data, size_t size)
{
    unsigned char bytes[512] = "\x93NUMPY";
    size_t start = version == 1 ? 10 : 12, length = (start + strlen(header) + 1 + 63) / 64 * 64 - start;
    bytes[6] = (unsigned char)version;
    memset(bytes + start, ' ', length);
    memcpy(bytes + start, header, strlen(header));
    bytes[start + length - 1] = '\n';
    bytes[8] = (unsigned char)length;
    bytes[9] = (unsigned char)(length >> 8);
    if (size)
        memcpy(bytes + start + length, data, size);
    return scratch_write("array.npy", bytes, start + length + size);
}

static void test_reads(void **state)
{
    (void)state;
    static const unsigned char floats[] = {0, 0, 0x80, 0x3f, 0, 0, 0x20, 0xc0, 0xcd, 0xcc, 0xcc, 0x3d};
    static const unsigned char doubles[] = {0x9a, 0x99, 0x99, 0x99, 0x99, 0x99, 0xb9, 0x3f};
    static const unsigned char integers[] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2, 1, 0, 0, 0, 0, 0, 0};
    struct npy npy;
    struct error err = {0};
    float out[3];
    assert_true(npy_open(&npy, make_file(1, "{'descr': '<f4', 'fortran_order': False, 'shape': (3, 1), }", floats, 12),
                         &err));
    assert_int_equal(npy.type, NPY_F32);
    assert_int_equal(npy.rank, 2);
    assert_int_equal(npy.shape[0] * 10 + npy.shape[1], 31);
    assert_int_equal(npy.elements, 3);
    npy_floats(&npy, out);
    assert_true(out[0] == 1 && out[1] == -2.5f && out[2] == 0.1f);
    assert_true(npy_value(&npy, 1) == -2.5);
    npy_close(&npy);
    assert_true(npy_open(&npy, make_file(2, "{'descr': '<f8', 'fortran_order': False, 'shape': (), }", doubles, 8), &err));
    assert_int_equal(npy.rank, 0);
    assert_true(npy_value(&npy, 0) == 0.1);
    npy_close(&npy);
    assert_true(npy_open(&npy, make_file(3, "{'shape': (2,), 'fortran_order': True, 'descr': '<i8'}", integers, 16), &err));
    assert_true(npy_value(&npy, 0) == -1 && npy_value(&npy, 1) == 258);
    npy_close(&npy);
    assert_true(npy_open(&npy, make_file(1, "{'descr': '<i4', 'fortran_order': False, 'shape': (2, 2), }", integers, 16),
                         &err));
    assert_true(npy_value(&npy, 1) == -1 && npy_value(&npy, 2) == 258);
    npy_close(&npy);
    assert_true(npy_open(&npy, make_file(1, "{'descr': '|u1', 'fortran_order': False, 'shape': (0, 7), }", "", 0), &err));
    assert_int_equal(npy.elements, 0);
    npy_close(&npy);
    assert_true(npy_open(&npy, make_file(1, "{'descr': '|b1', 'fortran_order': False, 'shape': (2,), }", "\1\0", 2), &err));
    assert_true(npy_value(&npy, 0) == 1 && npy_value(&npy, 1) == 0);
    npy_close(&npy);
}

static void test_refuses(void **state)
{
    (void)state;
    static const struct {
        const char *header, *says;
    } bad[] = {
        {"", "header"},
        {"{'descr': '<f4', 'fortran_order': False, }", "header"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (2, 2), 'more': 1}", "header"},
        {"{'descr': '<f4', 'descr': '<f4', 'fortran_order': False, 'shape': (2, 2)}", "header"},
        {"{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (4,), }", "header"},
        {"{'descr': '<f4', 'fortran_order': 0, 'shape': (4,), }", "header"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (4), }", "header"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (-4,), }", "header"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (4, 2", "header"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (4,)} x", "header"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999999999999,), }", "header"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (4294967296, 4294967296), }", "header"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (4611686018427387908,), }", "16 bytes follow"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (1,1,1,1,1,1,1,1,4), }", "header"},
        {"{'descr': '<f4', 'fortran_order': True, 'shape': (2, 2), }", "Fortran"},
        {"{'descr': '>f4', 'fortran_order': False, 'shape': (4,), }", "\">f4\""},
        {"{'descr': '|O', 'fortran_order': False, 'shape': (2,), }", "\"|O\""},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (5,), }", "16 bytes follow"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (3,), }", "16 bytes follow"},
    };
    static const char data[16];
    struct npy npy;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct error err = {0};
        if (npy_open(&npy, make_file(1, bad[i].header, data, sizeof data), &err) || !strstr(err.text, bad[i].says) ||
            err.code != ERROR_INPUT || npy.map.data)
            fail_msg("%s: %s", bad[i].header, err.text);
    }
    struct error err = {0};
    assert_false(npy_open(&npy, scratch_write("a", "\x93NUMPY\1\0\xff\xff{}", 12), &err));
    assert_non_null(strstr(err.text, "cut short"));
    assert_false(npy_open(&npy, scratch_write("b", "\x93NUMPY\2\0\xff\xff\xff\xff", 12), &err));
    assert_non_null(strstr(err.text, "cut short"));
    assert_false(npy_open(&npy, scratch_write("c", "\x93NUMPY\4\0\2\0{}", 12), &err));
    assert_non_null(strstr(err.text, "version is 4"));
    assert_false(npy_open(&npy, scratch_write("d", "\x93NUMPX\1\0\2\0{}", 12), &err));
    assert_non_null(strstr(err.text, "not an .npy file"));
    assert_false(npy_open(&npy, scratch_write("e", "\x93NUMPY\1\0", 8), &err));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_reads), cmocka_unit_test(test_refuses)};
    return cmocka_run_group_tests_name("npy", tests, NULL, NULL);
}
