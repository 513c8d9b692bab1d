// Runs a fuzz target without libFuzzer: over every file named (folders: the files in them), and over seeded
// mutations of each, so that a smoke run needs no clang.
//     fuzz_X [-m MUTATIONS] FILE|FOLDER ...
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint64_t random_state;

static size_t random_below(size_t bound)
{
    random_state += 0x9e3779b97f4a7c15u;
    uint64_t z = random_state;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return bound ? (z ^ z >> 31) % bound : 0;
}

// One change of the kinds that find bugs: a flipped bit, an extreme byte, a lost or doubled stretch, a lost
// end.
static size_t mutate(uint8_t *data, size_t size)
{
    static const uint8_t extremes[] = {0, 1, 0x7f, 0x80, 0xff};
    if (size < 2)
        return size;
    size_t at = random_below(size), length = 1 + random_below(size - at < 16 ? size - at : 16);
    switch (random_below(8)) {
    case 0:
        return at;
    case 1:
        memmove(data + at, data + at + length, size - at - length);
        return size - length;
    case 2:
        memmove(data + random_below(size - length + 1), data + at, length);
        return size;
    case 3:
    case 4:
        data[at] = extremes[random_below(sizeof extremes)];
        return size;
    default:
        data[at] ^= (uint8_t)(1u << random_below(8));
        return size;
    }
}

// Each input lies in a block of exactly its size: the sanitizer then sees the first byte read past it.
static void run_copy(const uint8_t *data, size_t size, unsigned changes)
{
    uint8_t *work = malloc(size + 1), *exact;
    if (!work)
        abort();
    memcpy(work, data, size);
    while (changes--)
        size = mutate(work, size);
    exact = malloc(size ? size : 1);
    if (!exact)
        abort();
    memcpy(exact, work, size);
    LLVMFuzzerTestOneInput(exact, size);
    free(exact);
    free(work);
}

static int run_file(const char *path, unsigned long mutations)
{
    FILE *stream = fopen(path, "rb");
    struct stat st;
    if (!stream || fstat(fileno(stream), &st) != 0) {
        perror(path);
        return 1;
    }
    size_t size = (size_t)st.st_size;
    uint8_t *data = malloc(size + 1);
    if (!data || fread(data, 1, size, stream) != size) {
        perror(path);
        return 1;
    }
    fclose(stream);
    random_state = size;
    run_copy(data, size, 0);
    for (unsigned long i = 0; i < mutations; i++)
        run_copy(data, size, 1 + (unsigned)random_below(4));
    free(data);
    return 0;
}

static int run_path(const char *path, unsigned long mutations)
{
    DIR *folder = opendir(path);
    if (!folder)
        return run_file(path, mutations);
    int failed = 0;
    for (struct dirent *entry; (entry = readdir(folder));) {
        char file[4096];
        if (entry->d_name[0] == '.')
            continue;
        snprintf(file, sizeof file, "%s/%s", path, entry->d_name);
        failed |= run_path(file, mutations);
    }
    closedir(folder);
    return failed;
}

int main(int argc, char **argv)
{
    unsigned long mutations = 0;
    int first = 1, failed = 0;
    if (argc > 2 && strcmp(argv[1], "-m") == 0) {
        mutations = strtoul(argv[2], NULL, 10);
        first = 3;
    }
    if (first >= argc) {
        fprintf(stderr, "usage: %s [-m MUTATIONS] FILE|FOLDER ...\n", argv[0]);
        return 2;
    }
    for (int i = first; i < argc; i++)
        failed |= run_path(argv[i], mutations);
    return failed;
}
