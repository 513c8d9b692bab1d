// What `trimscope bench` is built of: sides in turn, peers as child processes, the terminal that takes all bytes.
#include "tests/support/cmocka_all.h"

#include "app/bench_side.h"
#include "app/bench_terminal.h"

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

// ---- sides ------------------------------------------------------------------------------------------------------

struct script {
    const struct bench_time *times;
    int calls, *order, *length, id;
};

static bool scripted(void *context, struct bench_time *time, struct error *err)
{
    struct script *script = context;
    (void)err;
    script->order[(*script->length)++] = script->id;
    *time = script->times[script->calls++];
    return true;
}

static void test_sides_take_turns(void **state)
{
    (void)state;
    // The first of each warms up and does not count.
    static const struct bench_time a[] = {{99, 99}, {3, 30}, {1, 10}, {2, 20}, {9, 90}};
    static const struct bench_time b[] = {{99, 99}, {7, 1}, {5, 5}, {6, 2}, {8, 4}};
    for (int threads = 1; threads <= 2; threads++) {
        int order[16], length = 0;
        struct script scripts[2] = {{a, 0, order, &length, 0}, {b, 0, order, &length, 1}};
        struct bench_side sides[2] = {{.run = scripted, .context = &scripts[0]}, {.run = scripted, .context = &scripts[1]}};
        struct bench_side *list[] = {&sides[0], &sides[1]};
        const struct bench bench = {.threads = threads, .rounds = 4};
        assert_true(bench_sides(&bench, list, 2, NULL));
        assert_int_equal(length, 10);
        for (int i = 0; i < length; i++)
            assert_int_equal(order[i], i / 2 % 2 ? i % 2 : 1 - i % 2); // there and back
        assert_true(sides[0].seconds == (threads == 1 ? 25 : 2.5)); // CPU time with one thread, wall time with more
        assert_true(sides[1].seconds == (threads == 1 ? 3 : 6.5));
    }
}

static bool failing(void *context, struct bench_time *time, struct error *err)
{
    (void)context;
    (void)time;
    return error_set(err, ERROR_MACHINE, "it fell over");
}

static void test_a_side_that_fails(void **state)
{
    (void)state;
    struct error err = {0};
    struct bench_side side = {.run = failing}, *list[] = {&side};
    assert_false(bench_sides(&(struct bench){.threads = 1, .rounds = 1}, list, 1, &err));
    assert_string_equal(err.text, "it fell over");
}

// ---- peers ------------------------------------------------------------------------------------------------------

static bool start_shell(struct bench_peer *peer, const char *program, struct error *err)
{
    const char *const argv[] = {"sh", "-c", program, NULL};
    return bench_peer_start(peer, argv, err);
}

static void test_peer_runs(void **state)
{
    (void)state;
    struct bench_peer peer;
    struct bench_time time;
    struct error err = {0};
    char answer[64];
    assert_true(start_shell(&peer,
                            "echo ready Shell 1.0; while read line; do case $line in a) echo 1.5 0.25;; 'values a') echo 0.5 -2 "
                            "7e-1;; *) echo $line?;; "
                            "esac; done",
                            &err));
    assert_string_equal(peer.version, "Shell 1.0");
    struct bench_peer_run run = {&peer, "a"}, odd = {&peer, "b"};
    assert_true(bench_peer_side(&run, &time, &err));
    assert_true(time.wall == 1.5 && time.cpu == 0.25);
    assert_string_equal(bench_peer_ask(&peer, "what", answer, sizeof answer), "what?");
    float values[4] = {0};
    assert_int_equal(bench_peer_values(&peer, "a", values, 4), 3);
    assert_true(values[0] == 0.5f && values[1] == -2 && values[2] == 0.7f);
    assert_int_equal(bench_peer_values(&peer, "a", values, 2), 2);
    assert_int_equal(bench_peer_values(&peer, "b", values, 4), 0);
    assert_false(bench_peer_side(&odd, &time, &err));
    assert_non_null(strstr(err.text, "Shell 1.0"));
    assert_non_null(strstr(err.text, "b?"));
    assert_true(bench_peak_memory(peer.pid) > 0.1);
    bench_peer_stop(&peer);
    assert_int_equal(peer.pid, -1);
}

static void test_peers_that_are_not_there(void **state)
{
    (void)state;
    struct bench_peer peer;
    struct error err = {0};
    assert_false(start_shell(&peer, "echo missing frobnicator", &err));
    assert_string_equal(err.text, "not installed: frobnicator");
    assert_false(start_shell(&peer, "echo error out of luck", &err));
    assert_string_equal(err.text, "sh cannot run: error out of luck");
    assert_false(start_shell(&peer, "exit 3", &err));
    assert_string_equal(err.text, "sh cannot run");
    const char *const nowhere[] = {"/nowhere/at/all", NULL};
    assert_false(bench_peer_start(&peer, nowhere, &err));
    assert_int_equal(peer.pid, -1);
}

static void test_peer_that_dies(void **state)
{
    (void)state;
    struct bench_peer peer;
    struct bench_time time;
    struct error err = {0};
    assert_true(start_shell(&peer, "echo ready Shell; read line; exit 1", &err));
    struct bench_peer_run run = {&peer, "a"};
    assert_false(bench_peer_side(&run, &time, &err));
    assert_false(bench_peer_side(&run, &time, &err)); // writing to it fails too
    bench_peer_stop(&peer);
}

// ---- files and bars ---------------------------------------------------------------------------------------------

static void test_temporary_files_have_no_name(void **state)
{
    (void)state;
    char path[BENCH_PATH], target[256], text[8] = "";
    struct error err = {0};
    int file = bench_temporary(path, &err);
    assert_true(file >= 0);
    assert_int_equal(write(file, "abc", 3), 3);
    ssize_t length = readlink(path, target, sizeof target - 1);
    assert_true(length > 0);
    target[length] = '\0';
    assert_non_null(strstr(target, "(deleted)"));
    int again = open(path, O_RDONLY); // as a child would
    assert_int_equal(read(again, text, sizeof text), 3);
    assert_string_equal(text, "abc");
    close(again);
    close(file);
}

static void test_bars(void **state)
{
    (void)state;
    json_t *results = json_object();
    bench_bar(results, &(struct bench_bar){"more", "", 0.91, 0.9, false});
    bench_bar(results, &(struct bench_bar){"more", "", 0.89, 0.9, false});
    bench_bar(results, &(struct bench_bar){"less", " ms", 29, 30, true});
    bench_bar(results, &(struct bench_bar){"less", " ms", 31, 30, true});
    static const bool met[] = {true, false, true, false};
    json_t *bars = json_object_get(results, "bars");
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(json_is_true(json_object_get(json_array_get(bars, i), "met")), met[i]);
    json_decref(results);
}

// ---- the terminal -----------------------------------------------------------------------------------------------

static void start_in_terminal(struct bench_terminal *terminal, const char *program)
{
    struct error err = {0};
    const char *const argv[] = {"/bin/sh", "-c", program, NULL};
    if (!bench_terminal_start(terminal, argv, 48, 160, &err))
        fail_msg("%s", err.text);
}

static void test_terminal_counts_frames(void **state)
{
    (void)state;
    struct bench_terminal terminal;
    // An image whose data looks like the end of a frame, the real end in two pieces, and another frame.
    start_in_terminal(&terminal, "stty raw -echo; printf '\\033P0;1q[5n'; sleep 0.1; printf 'abc\\033\\\\\\033[5'; sleep 0.1; "
                                 "printf 'n'; sleep 0.3; printf 'x\\033[5n'; sleep 5");
    assert_true(bench_terminal_take(&terminal, 0, 1, 0.1, 5));
    assert_int_equal(terminal.frames, 1);
    assert_int_equal(terminal.images, 1);
    assert_int_equal(terminal.bytes, 9 + 5 + 4);
    assert_true(bench_terminal_take(&terminal, terminal.bytes + 1, 0, 0.1, 5));
    assert_int_equal(terminal.frames, 2);
    assert_int_equal(terminal.images, 1);
    assert_true(terminal.last_frame <= terminal.last);
    assert_true(bench_terminal_cpu(&terminal) >= 0);
    bench_terminal_stop(&terminal);
    assert_int_equal(terminal.master, -1);
}

// What the program reads back: the answer to DA1, asked last, comes last, and it offers sixel (attribute 4).
static void test_terminal_answers(void **state)
{
    (void)state;
    struct bench_terminal terminal;
    start_in_terminal(&terminal, "stty raw -echo; printf '\\033]11;?\\033\\\\\\033[16t\\033[c'; "
                                 "a=$(dd bs=1 count=60 2>/dev/null); "
                                 "case $a in *11';'rgb:*'[6;20;10t'*'[?63;1;2;4;'*c) printf 'right';; esac; sleep 5");
    const long asked = 8 + 5 + 3;
    assert_true(bench_terminal_take(&terminal, asked + 5, 0, 0.05, 4));
    assert_int_equal(terminal.bytes, asked + 5);
    bench_terminal_stop(&terminal);
}

static void test_terminal_that_closes(void **state)
{
    (void)state;
    struct bench_terminal terminal;
    start_in_terminal(&terminal, "exit 0");
    assert_false(bench_terminal_take(&terminal, 0, 1, 0.1, 5));
    bench_terminal_stop(&terminal);
}

int main(void)
{
    signal(SIGPIPE, SIG_IGN);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sides_take_turns),
        cmocka_unit_test(test_a_side_that_fails),
        cmocka_unit_test(test_peer_runs),
        cmocka_unit_test(test_peers_that_are_not_there),
        cmocka_unit_test(test_peer_that_dies),
        cmocka_unit_test(test_temporary_files_have_no_name),
        cmocka_unit_test(test_bars),
        cmocka_unit_test(test_terminal_counts_frames),
        cmocka_unit_test(test_terminal_answers),
        cmocka_unit_test(test_terminal_that_closes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
