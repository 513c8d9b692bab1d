// The files that `trimscope world` writes.
#include "app/commands.h"
#include "engine/base/file.h"
#include "engine/base/memory.h"
#include "engine/io/picture.h"
#include "tests/support/cmocka_all.h"
#include "tests/support/scratch.h"

#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

// Runs the command with its words after "world", stderr going to a file, and returns the exit status.
static int run(const char *a, const char *b, const char *c, const char *d, char message[512])
{
    char *words[] = {strdup("world"),      a ? strdup(a) : NULL, b ? strdup(b) : NULL,
                     c ? strdup(c) : NULL, d ? strdup(d) : NULL, NULL};
    char *argv[6];
    memcpy(argv, words, sizeof argv); // getopt reorders
    int argc = 0;
    while (argv[argc])
        argc++;
    const char *log = scratch_path("stderr");
    fflush(stderr);
    int file = open(log, O_RDWR | O_CREAT | O_TRUNC, 0600), saved = dup(STDERR_FILENO);
    dup2(file, STDERR_FILENO);
    int status = cmd_world(argc, argv);
    fflush(stderr);
    dup2(saved, STDERR_FILENO);
    close(saved);
    ssize_t n = pread(file, message, 511, 0);
    message[n > 0 ? n : 0] = '\0';
    close(file);
    for (int i = 0; i < 5; i++)
        free(words[i]);
    return status;
}

static char *slurp(const char *folder, const char *name, size_t *size)
{
    char path[1024];
    unsigned char *data;
    snprintf(path, sizeof path, "%s/%s", folder, name);
    assert_true(file_read(path, 1 << 24, &data, size, NULL));
    return (char *)data;
}

static void check_boxes(const json_t *boxes)
{
    size_t i;
    json_t *box;
    assert_true(json_is_array(boxes));
    json_array_foreach(boxes, i, box)
    {
        int x0, y0, x1, y1;
        assert_int_equal(json_unpack(box, "[iiii!]", &x0, &y0, &x1, &y1), 0);
        assert_true(0 <= x0 && x0 < x1 && x1 <= 192 && 0 <= y0 && y0 < y1 && y1 <= 192);
    }
}

// Returns the number of lines; each must be a question with a picture that can be read.
static int check_lines(const char *folder, char *lines)
{
    int count = 0;
    for (char *line = lines, *end; (end = strchr(line, '\n')); line = end + 1, count++) {
        const char *name, *question, *answer, *type;
        json_t *needed, *others, *root = json_loadb(line, (size_t)(end - line), 0, NULL);
        assert_non_null(root);
        assert_int_equal(json_unpack(root, "{ss ss ss ss so so !}", "picture", &name, "question", &question,
                                     "answer", &answer, "type", &type, "needed", &needed, "others", &others),
                         0);
        check_boxes(needed);
        check_boxes(others);
        assert_in_range(json_array_size(needed) + json_array_size(others), 2, 9);
        char path[1024];
        struct picture picture;
        snprintf(path, sizeof path, "%s/%s", folder, name);
        assert_true(picture_load(&picture, path, (struct picture_reading){0}, NULL, NULL));
        assert_true(picture.width == 192 && picture.height == 192 && picture.channels == 3);
        picture_free(&picture);
        json_decref(root);
    }
    return count;
}

static void test_writes_pictures_and_questions(void **state)
{
    (void)state;
    char message[512], one[512], two[512];
    size_t sizes[2];
    snprintf(one, sizeof one, "%s", scratch_path("one"));
    snprintf(two, sizeof two, "%s", scratch_path("two"));
    assert_int_equal(run("70", one, "--seed=9", "--threads=3", message), 0);
    char said[600];
    snprintf(said, sizeof said, "wrote 70 pictures and their questions: %s/questions.jsonl\n", one);
    assert_string_equal(message, said); // no progress where nobody watches
    assert_int_equal(run("70", two, "--seed=9", "--threads=1", message), 0);
    char *lines[2] = {slurp(one, "questions.jsonl", &sizes[0]), slurp(two, "questions.jsonl", &sizes[1])};
    assert_string_equal(lines[0], lines[1]);
    assert_in_range(check_lines(one, lines[0]), 70 * 7, 70 * 8);
    char *pictures[2] = {slurp(one, "000069.jpg", &sizes[0]), slurp(two, "000069.jpg", &sizes[1])};
    assert_int_equal(sizes[0], sizes[1]);
    assert_memory_equal(pictures[0], pictures[1], sizes[0]);
    for (int i = 0; i < 2; i++) {
        memory_free(lines[i]);
        memory_free(pictures[i]);
    }
}

static void test_pictures_are_the_scenes_that_were_asked_about(void **state)
{
    (void)state;
    char message[512], other[512];
    size_t sizes[2];
    snprintf(other, sizeof other, "%s", scratch_path("other"));
    assert_int_equal(run("3", other, "--seed=10", "--questions=2", message), 0);
    char *lines = slurp(other, "questions.jsonl", &sizes[0]), *different;
    assert_int_equal(check_lines(other, lines), 6);
    assert_int_equal(run("3", other, "--seed=11", NULL, message), ERROR_USAGE); // what is there is not written over by chance
    assert_non_null(strstr(message, "--overwrite"));
    assert_int_equal(run("3", other, "--seed=11", "--overwrite", message), 0);
    different = slurp(other, "questions.jsonl", &sizes[1]);
    assert_string_not_equal(lines, different);
    memory_free(lines);
    memory_free(different);
}

// Mean of all bytes of the first picture in a folder, and the size of its file.
static double first_picture(const char *folder, size_t *size)
{
    char path[1024];
    struct picture picture;
    memory_free(slurp(folder, "000000.jpg", size));
    snprintf(path, sizeof path, "%s/000000.jpg", folder);
    assert_true(picture_load(&picture, path, (struct picture_reading){0}, NULL, NULL));
    double sum = 0;
    for (int i = 0; i < 192 * 192 * 3; i++)
        sum += picture.pixels[i];
    picture_free(&picture);
    return sum / (192 * 192 * 3);
}

static void test_worse_pictures_ask_the_same(void **state)
{
    (void)state;
    char message[512], folder[512];
    size_t sizes[3], bytes;
    snprintf(folder, sizeof folder, "%s", scratch_path("worse"));
    assert_int_equal(run("1", folder, "--seed=9", NULL, message), 0);
    double usual = first_picture(folder, &sizes[0]);
    char *asked = slurp(folder, "questions.jsonl", &bytes);
    snprintf(folder, sizeof folder, "%s", scratch_path("coarse"));
    assert_int_equal(run("1", folder, "--seed=9", "--quality=50", message), 0);
    double coarse = first_picture(folder, &sizes[1]);
    assert_true(sizes[1] < sizes[0] / 2 && coarse > usual - 2 && coarse < usual + 2);
    snprintf(folder, sizeof folder, "%s", scratch_path("dark"));
    assert_int_equal(run("1", folder, "--seed=9", "--brightness=80", message), 0);
    double dark = first_picture(folder, &sizes[2]) / usual;
    assert_true(dark > 0.78 && dark < 0.82);
    char *now = slurp(folder, "questions.jsonl", &bytes);
    assert_string_equal(now, asked);
    memory_free(now);
    memory_free(asked);
}

static void assert_refused(int status, const char *a, const char *b, const char *c, const char *part)
{
    char message[512];
    assert_int_equal(run(a, b, c, NULL, message), status);
    const char *end = strchr(message, '\n');
    assert_true(end && end[1] == '\0'); // one sentence
    if (!strstr(message, part))
        fail_msg("\"%s\" lacks \"%s\"", message, part);
}

static void test_refuses(void **state)
{
    (void)state;
    char file[512], below[600];
    snprintf(file, sizeof file, "%s", scratch_write("file", "x", 1));
    snprintf(below, sizeof below, "%s/deep/er", scratch_path("absent"));
    assert_refused(2, "0", file, NULL, "from 1 to 1000000, not \"0\"");
    assert_refused(2, "12x", file, NULL, "not \"12x\"");
    assert_refused(2, "99999999999999999999", file, NULL, "from 1 to");
    assert_refused(2, "-3", file, NULL, "there is no option");
    assert_refused(2, "3", NULL, NULL, "world N DIR");
    assert_refused(2, "3", file, "--seed=red", "--seed takes a number");
    assert_refused(2, "3", file, "--seed=-1", "--seed takes a number");
    assert_refused(2, "3", file, "--threads=0", "--threads takes a number from 1 to 256");
    assert_refused(2, "3", file, "--questions=13", "--questions takes a number from 1 to 12");
    assert_refused(2, "3", file, "--red", "there is no option --red");
    assert_refused(2, "3", file, "--seed", "there is no value after --seed");
    assert_refused(1, "3", file, NULL, "cannot write");
    assert_refused(1, "3", below, NULL, "cannot make the folder");
}

static void test_writes_pairs_and_statements(void **state)
{
    (void)state;
    char message[512], folder[512];
    snprintf(folder, sizeof folder, "%s", scratch_path("pairs"));
    assert_int_equal(run("6", folder, "--pairs", "--style=twemoji", message), 0);
    size_t size;
    char *lines = slurp(folder, "questions.jsonl", &size);
    int count = 0;
    for (char *line = lines, *end; (end = strchr(line, '\n')); line = end + 1, count++) {
        const char *names[2], *statement, *answer, *type;
        json_t *root = json_loadb(line, (size_t)(end - line), 0, NULL);
        assert_int_equal(json_unpack(root, "{s[ss] ss ss ss !}", "picture", &names[0], &names[1], "question", &statement,
                                     "answer", &answer, "type", &type), 0);
        assert_true(!strcmp(answer, "True") || !strcmp(answer, "False"));
        for (int s = 0; s < 2; s++) {
            char path[1024];
            struct picture picture;
            snprintf(path, sizeof path, "%s/%s", folder, names[s]);
            assert_true(picture_load(&picture, path, (struct picture_reading){0}, NULL, NULL));
            assert_int_equal(picture.width, 192);
            picture_free(&picture);
        }
        json_decref(root);
    }
    assert_in_range(count, 30, 48);
    memory_free(lines);
    assert_int_equal(run("2", folder, "--style=noto,cartoon", NULL, message), ERROR_USAGE);
    assert_non_null(strstr(message, "no drawing style \"cartoon\""));
    assert_int_equal(run("2", folder, "--style=", NULL, message), ERROR_USAGE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_writes_pictures_and_questions),
        cmocka_unit_test(test_worse_pictures_ask_the_same),
        cmocka_unit_test(test_pictures_are_the_scenes_that_were_asked_about),
        cmocka_unit_test(test_writes_pairs_and_statements),
        cmocka_unit_test(test_refuses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
