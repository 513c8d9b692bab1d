// Damaged, cut off, forged and foreign files: an error that says what is wrong, or a picture; never a crash.
#include "engine/io/picture.h"
#include "tests/support/cmocka_all.h"
#include "tests/support/scratch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FOLDER "tests/fixtures/picture/"

struct bytes {
    unsigned char *data;
    size_t size;
};

static struct bytes read_file(const char *path)
{
    FILE *stream = fopen(path, "rb");
    struct bytes b = {malloc(1 << 20), 0};
    if (!stream || !b.data)
        fail_msg("cannot read %s", path);
    b.size = fread(b.data, 1, 1 << 20, stream);
    fclose(stream);
    return b;
}

// Decodes a copy of exactly this size, so that the sanitizer sees the first byte read past it.
static bool decode(const unsigned char *data, size_t size, struct picture *picture, struct error *err)
{
    unsigned char *exact = malloc(size ? size : 1);
    assert_non_null(exact);
    memcpy(exact, data, size);
    *err = (struct error){0};
    bool ok = picture_decode(picture, exact, size, (struct picture_reading){0}, NULL, err);
    free(exact);
    if (!ok) {
        assert_int_equal(err->code, ERROR_INPUT);
        assert_null(picture->pixels);
        assert_null(strchr(err->text, '\n'));
    }
    return ok;
}

static void expect_error(const unsigned char *data, size_t size, const char *words)
{
    struct picture picture;
    struct error err;
    if (decode(data, size, &picture, &err))
        fail_msg("%zu bytes were taken for a picture; expected \"%s\"", size, words);
    if (!strstr(err.text, words))
        fail_msg("\"%s\" does not say \"%s\"", err.text, words);
}

static const char *const samples[] = {"s420.jpg",         "progressive.jpg",   "cmyk.jpg",
                                      "orientation6.jpg", "source.png",        "rgba16.png",
                                      "interlaced.png",   "palette_alpha.png", "lossy.webp",
                                      "lossless.webp",    "lossy_alpha.webp",  "lossless_alpha.webp"};
enum { SAMPLES = sizeof samples / sizeof samples[0] };

static struct bytes read_sample(int i)
{
    char path[128];
    snprintf(path, sizeof path, FOLDER "%s", samples[i]);
    return read_file(path);
}

// Every beginning of a file, short of the whole, is an error.
static void test_cut_off_anywhere(void **state)
{
    (void)state;
    for (int i = 0; i < SAMPLES; i++) {
        struct bytes b = read_sample(i);
        for (size_t size = 0; size < b.size; size++) {
            struct picture picture;
            struct error err;
            if (decode(b.data, size, &picture, &err))
                fail_msg("%s cut to %zu of %zu bytes was taken for whole", samples[i], size, b.size);
        }
        expect_error(b.data, b.size / 2, "cut off or damaged");
        free(b.data);
    }
}

static void test_large_files_cut_off_at_every_kilobyte(void **state)
{
    (void)state;
    struct picture noise, picture;
    assert_true(picture_alloc(&noise, 150, 130, 3, NULL));
    unsigned seed = 1;
    for (int i = 0; i < 150 * 130 * 3; i++)
        noise.pixels[i] = (unsigned char)((seed = seed * 1664525u + 1013904223u) >> 24);
    for (int png = 0; png < 2; png++) {
        struct error err;
        const char *path = scratch_path(png ? "noise.png" : "noise.jpg");
        assert_true(png ? picture_save_png(&noise, path, NULL) : picture_save_jpeg(&noise, path, 95, NULL));
        struct bytes b = read_file(path);
        assert_true(b.size > 20000);
        for (size_t size = 1024; size < b.size; size += 1024) {
            assert_false(decode(b.data, size, &picture, &err));
            assert_non_null(strstr(err.text, "cut off"));
        }
        free(b.data);
    }
    picture_free(&noise);
}

static void test_flipped_bits(void **state)
{
    (void)state;
    for (int i = 0; i < SAMPLES; i++) {
        struct bytes b = read_sample(i);
        for (size_t bit = 0; bit < b.size * 8; bit += 3) {
            struct picture picture;
            struct error err;
            b.data[bit / 8] ^= (unsigned char)(1u << bit % 8);
            if (decode(b.data, b.size, &picture, &err))
                picture_free(&picture);
            b.data[bit / 8] ^= (unsigned char)(1u << bit % 8);
        }
        free(b.data);
    }
}

static void put32(unsigned char *at, uint32_t value)
{
    for (int i = 0; i < 4; i++)
        at[i] = (unsigned char)(value >> (24 - 8 * i));
}

// PNG's checksum (ISO 3309).
static uint32_t checksum(const unsigned char *bytes, size_t size)
{
    uint32_t crc = 0xffffffffu;
    for (size_t i = 0; i < size * 8; i++) {
        crc ^= i % 8 == 0 ? bytes[i / 8] : 0;
        crc = crc >> 1 ^ (crc & 1 ? 0xedb88320u : 0);
    }
    return ~crc;
}

static unsigned char *find(struct bytes b, const char *what, size_t size)
{
    for (size_t i = 0; i + size <= b.size; i++)
        if (memcmp(b.data + i, what, size) == 0)
            return b.data + i;
    fail_msg("the sample has changed");
    return NULL;
}

static void test_forged_sizes(void **state)
{
    (void)state;
    struct bytes png = read_file(FOLDER "source.png"), jpeg = read_file(FOLDER "s420.jpg");
    static const struct {
        uint32_t width, height;
        const char *words;
    } sizes[] = {{30000, 30000, "400 megapixels"},   {2147483647, 2147483647, "400 megapixels"},
                 {19000, 19000, "cannot hold"},      {400000000, 1, "cannot hold"},
                 {4294967295u, 1, "cannot be read"}, {0, 29, "cannot be read"},
                 {41, 100, "Not enough image data"}};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        put32(png.data + 16, sizes[i].width);
        put32(png.data + 20, sizes[i].height);
        put32(png.data + 29, checksum(png.data + 12, 17));
        expect_error(png.data, png.size, sizes[i].words);
    }
    // JPEG's frame header: marker, length, precision, then height and width.
    unsigned char *frame = find(jpeg, "\xff\xc0\x00\x11\x08", 5);
    memset(frame + 5, 0xff, 4);
    expect_error(jpeg.data, jpeg.size, "65500");
    memcpy(frame + 5, "\xea\x60\xea\x60", 4);
    expect_error(jpeg.data, jpeg.size, "60000 x 60000 pixels, above the limit of 400 megapixels");
    memcpy(frame + 5, "\x40\x00\x40\x00", 4);
    expect_error(jpeg.data, jpeg.size, "cannot hold");
    free(png.data);
    free(jpeg.data);
}

static void test_foreign_files(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        size_t size;
        const char *words;
    } files[] = {
#define FILE_BYTES(text) text, sizeof text - 1
        {FILE_BYTES("GIF89a\1\0\1\0\0\0\0;"), "in the GIF format"},
        {FILE_BYTES("BM\x46\0\0\0\0\0\0\0\x36\0\0\0\x28\0\0\0\2\0\0\0\2\0\0\0"), "in the BMP format"},
        {FILE_BYTES("II*\0\x08\0\0\0"), "in the TIFF format"},
        {FILE_BYTES("MM\0*\0\0\0\x08"), "in the TIFF format"},
        {FILE_BYTES("\0\0\0\x18"
                    "ftypheic\0\0\0\0mif1heic"),
         "in the HEIC format"},
        {FILE_BYTES("\0\0\0\x1c"
                    "ftypavif\0\0\0\0avif"),
         "in the AVIF format"},
        {FILE_BYTES("BM is a word that begins a letter, not a bitmap"), "not a JPEG, PNG or WebP"},
        {FILE_BYTES("RIFF\x24\0\0\0WAVEfmt "), "not a JPEG, PNG or WebP"},
        {FILE_BYTES("x"), "not a JPEG, PNG or WebP"},
        {FILE_BYTES(""), "not a JPEG, PNG or WebP"},
        {FILE_BYTES("\xff\xd8\xff"), "cut off"},
        {FILE_BYTES("\x89PNG\r\n\x1a\n"), "cut off"},
        {FILE_BYTES("RIFF\4\0\0\0WEBP"), "damaged"},
    };
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++)
        expect_error((const unsigned char *)files[i].bytes, files[i].size, files[i].words);
    struct bytes animated = read_file(FOLDER "animated.webp");
    expect_error(animated.data, animated.size, "animated");
    free(animated.data);
}

static void test_loading_names_the_file(void **state)
{
    (void)state;
    struct picture picture;
    struct error err;
    char expected[512];
    const char *path = scratch_write("letter.jpg", "Dear all,", 9);
    assert_false(picture_load(&picture, path, (struct picture_reading){0}, NULL, &err));
    snprintf(expected, sizeof expected, "%s is not a JPEG, PNG or WebP picture", path);
    assert_string_equal(err.text, expected);
    assert_false(picture_load(&picture, scratch_path("nowhere.png"), (struct picture_reading){0}, NULL, &err));
    assert_non_null(strstr(err.text, "nowhere.png"));
    assert_false(picture_load(&picture, FOLDER, (struct picture_reading){0}, NULL, &err));
    assert_non_null(strstr(err.text, "folder"));
    assert_false(picture_load(&picture, scratch_write("empty.png", "", 0), (struct picture_reading){0}, NULL, &err));
    assert_non_null(strstr(err.text, "empty"));
}

// The 41 x 29 sample with an EXIF block put after its first marker: upright it is 29 x 41 if the block is
// heeded.
static void check_exif(const char *tiff, size_t size, int expected_width)
{
    struct bytes jpeg = read_file(FOLDER "s420.jpg");
    unsigned char *with = malloc(jpeg.size + size + 10);
    struct picture picture;
    struct error err;
    assert_non_null(with);
    memcpy(with, "\xff\xd8\xff\xe1", 4);
    with[4] = (unsigned char)((size + 8) >> 8);
    with[5] = (unsigned char)(size + 8);
    memcpy(with + 6, "Exif\0\0", 6);
    memcpy(with + 12, tiff, size);
    memcpy(with + 12 + size, jpeg.data + 2, jpeg.size - 2);
    if (!decode(with, jpeg.size + size + 10, &picture, &err))
        fail_msg("%s", err.text);
    assert_int_equal(picture.width, expected_width);
    picture_free(&picture);
    free(with);
    free(jpeg.data);
}

static void test_exif_blocks(void **state)
{
    (void)state;
    enum { TURNED = 29, AS_STORED = 41 };
#define BLOCK(text) text, sizeof text - 1
    check_exif(BLOCK("II*\0\x08\0\0\0\1\0\x12\1\3\0\1\0\0\0\6\0\0\0"), TURNED);
    check_exif(BLOCK("MM\0*\0\0\0\x08\0\1\1\x12\0\3\0\0\0\1\0\6\0\0"), TURNED);
    check_exif(BLOCK("MM\0*\0\0\0\x08\0\1\1\x12\0\4\0\0\0\1\0\0\0\6"), TURNED);
    check_exif(BLOCK("II*\0\x08\0\0\0\2\0\0\1\3\0\1\0\0\0\1\0\0\0\x12\1\3\0\1\0\0\0\x08\0\0\0"), TURNED);
    // Out of range, of a wrong type, cut off, a directory past the end or of absurd length, not TIFF at all.
    check_exif(BLOCK("II*\0\x08\0\0\0\1\0\x12\1\3\0\1\0\0\0\x09\0\0\0"), AS_STORED);
    check_exif(BLOCK("II*\0\x08\0\0\0\1\0\x12\1\2\0\1\0\0\0\6\0\0\0"), AS_STORED);
    check_exif(BLOCK("II*\0\x08\0\0\0\1\0\x12\1\3\0\1\0\0\0"), AS_STORED);
    check_exif(BLOCK("II*\0\xff\xff\xff\xff\1\0\x12\1\3\0\1\0\0\0\6\0\0\0"), AS_STORED);
    check_exif(BLOCK("II*\0\x08\0\0\0\xff\xff"), AS_STORED);
    check_exif(BLOCK("JJ*\0\x08\0\0\0\1\0\x12\1\3\0\1\0\0\0\6\0\0\0"), AS_STORED);
    check_exif(BLOCK("II"), AS_STORED);
    check_exif(BLOCK(""), AS_STORED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cut_off_anywhere), cmocka_unit_test(test_large_files_cut_off_at_every_kilobyte),
        cmocka_unit_test(test_flipped_bits),     cmocka_unit_test(test_forged_sizes),
        cmocka_unit_test(test_foreign_files),    cmocka_unit_test(test_loading_names_the_file),
        cmocka_unit_test(test_exif_blocks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
