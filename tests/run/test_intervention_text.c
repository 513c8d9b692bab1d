// Interventions in words and back, and a command line that a shell reads as it was meant.
#include "tests/support/cmocka_all.h"

#include "engine/model/model.h"
#include "engine/run/command_text.h"
#include "engine/run/intervention_text.h"
#include "engine/run/run.h"
#include "tests/support/tiny.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct model *model, *pair;

static int make_models(void **state)
{
    (void)state;
    struct tiny_options tiny = tiny_everything();
    model = tiny_model(&tiny);
    tiny.task = TASK_NLVR2;
    pair = tiny_model(&tiny);
    return 0;
}

static int drop_models(void **state)
{
    (void)state;
    model_free(model);
    model_free(pair);
    return 0;
}

static struct intervention parse(const struct run *run, enum intervention_kind kind, const char *text)
{
    struct intervention v;
    struct error err = {0};
    if (!intervention_parse(run, kind, text, &v, &err))
        fail_msg("%s: %s", text, err.text);
    return v;
}

static void expect_error(const struct run *run, enum intervention_kind kind, const char *text, const char *what)
{
    struct intervention v;
    struct error err = {0};
    assert_false(intervention_parse(run, kind, text, &v, &err));
    assert_int_equal(err.code, ERROR_USAGE);
    if (!strstr(err.text, what))
        fail_msg("%s: \"%s\" does not say \"%s\"", text, err.text, what);
}

static void test_parse(void **state)
{
    (void)state;
    struct run *run = tiny_run(model, NULL, 0); // what color is the dog?
    struct intervention v = parse(run, INTERVENE_TOKEN_KEEP, "fusion2:image:9");
    assert_string_equal(run_trace(run)->policy, "learned");
    assert_int_equal(v.stage, 7);
    assert_int_equal(v.stream, 0);
    assert_int_equal(v.token, 9);
    assert_int_equal(parse(run, INTERVENE_TOKEN_DROP, "fusion2:image:2,3").token, 9);
    assert_int_equal(parse(run, INTERVENE_TOKEN_DROP, "embed:image:36").stage, 3);
    assert_int_equal(parse(run, INTERVENE_TOKEN_DROP, "embed:text:1").stage, 0);
    v = parse(run, INTERVENE_TOKEN_KEEP, "text1:text:DOG");
    assert_int_equal(v.stage, 1);
    assert_int_equal(v.token, 5);
    v = parse(run, INTERVENE_HEAD_OFF, "fusion3:text:mca:4");
    assert_int_equal(v.stage, 8);
    assert_int_equal(v.module, MODULE_MCA);
    assert_int_equal(v.head, 3);
    assert_int_equal(parse(run, INTERVENE_REOPEN, "image2").stage, 5);
    run_free(run);
}

static void test_errors(void **state)
{
    (void)state;
    struct run *run = tiny_run(model, NULL, 0);
    expect_error(run, INTERVENE_TOKEN_KEEP, "", "expected STAGE:STREAM:TOKEN");
    expect_error(run, INTERVENE_TOKEN_KEEP, "fusion2", "expected STAGE:STREAM:TOKEN");
    expect_error(run, INTERVENE_TOKEN_KEEP, "fusion2:image:3:4", "expected STAGE:STREAM:TOKEN");
    expect_error(run, INTERVENE_TOKEN_KEEP, "fusion4:image:3", "fusion1, fusion2, fusion3, answer");
    expect_error(run, INTERVENE_TOKEN_KEEP, "answer:image:3", "no stage \"answer\"");
    expect_error(run, INTERVENE_TOKEN_KEEP, "text1:image:3", "no stage \"text1\" of the image");
    expect_error(run, INTERVENE_TOKEN_KEEP, "fusion2:image2:3", "no stream \"image2\"");
    expect_error(run, INTERVENE_TOKEN_KEEP, "fusion2:image:0", "from 1 to 36");
    expect_error(run, INTERVENE_TOKEN_KEEP, "fusion2:image:37", "from 1 to 36");
    expect_error(run, INTERVENE_TOKEN_KEEP, "fusion2:image:7,1", "6 rows of 6");
    expect_error(run, INTERVENE_TOKEN_KEEP, "fusion2:image:99999999999999999999", "from 1 to 36");
    expect_error(run, INTERVENE_TOKEN_KEEP, "fusion2:text:zebra", "no word \"zebra\"");
    expect_error(run, INTERVENE_HEAD_ON, "fusion2:text:mca", "expected STAGE:STREAM:MODULE:HEAD");
    expect_error(run, INTERVENE_HEAD_ON, "fusion2:text:mca2:1", "expected msa (self) or mca (cross)");
    expect_error(run, INTERVENE_HEAD_ON, "fusion2:text:mca:0", "from 1 to 4");
    expect_error(run, INTERVENE_HEAD_ON, "text1:text:mca:1", "has no mca");
    char longer[400];
    memset(longer, 'x', sizeof longer - 1);
    longer[sizeof longer - 1] = 0;
    expect_error(run, INTERVENE_REOPEN, longer, "expected STAGE");
    run_free(run);
}

// Everything that can be done is written, read again as the same, and gives the same run.
static void check_round_trip(const struct model *of, uint64_t seed)
{
    struct run *run = tiny_run(of, NULL, seed);
    tiny_finish(run);
    const struct trace *trace = run_trace(run);
    int written = 0;
    for (int i = 0; i < trace->stage_count; i++)
        for (int s = 0; s < TRACE_STREAMS; s++)
            for (int t = 1; trace->stages[i].kind != STAGE_ANSWER && t < trace->stages[i].tokens[s].count; t++) {
                struct intervention v = {.kind = INTERVENE_TOKEN_KEEP, .stage = i, .stream = s, .token = t}, back;
                char text[96];
                assert_true(intervention_write(trace, &v, text, sizeof text));
                back = parse(run, v.kind, text);
                assert_int_equal(back.stage, i);
                assert_int_equal(back.stream, s);
                assert_int_equal(back.token, t);
                v = (struct intervention){.kind = INTERVENE_REOPEN, .stage = i};
                assert_true(intervention_write(trace, &v, text, sizeof text));
                if (trace->stages[i].kind != STAGE_EMBED)
                    assert_int_equal(parse(run, v.kind, text).stage, i);
                written++;
            }
    assert_true(written > 100);
    run_free(run);
}

static void test_round_trip(void **state)
{
    (void)state;
    check_round_trip(model, 1);
    check_round_trip(pair, 2);
}

// What a shell makes of the command, one argument a line.
static void shell(const char *command, char *out, size_t size)
{
    char script[4096];
    assert_int_equal(strncmp(command, "trimscope ", 10), 0);
    snprintf(script, sizeof script, "printf '%%s\\n' %s", command + 10);
    FILE *pipe = popen(script, "r");
    assert_non_null(pipe);
    size_t used = fread(out, 1, size - 1, pipe);
    out[used] = 0;
    assert_int_equal(pclose(pipe), 0);
}

static void test_command(void **state)
{
    (void)state;
    char lines[4096];
    struct run *run = tiny_run(model, NULL, 0);
    struct intervention list[2] = {{.kind = INTERVENE_TOKEN_KEEP, .stage = 7, .stream = 0, .token = 9},
                                   {.kind = INTERVENE_HEAD_OFF, .stage = 8, .stream = TRACE_TEXT_STREAM, .module = MODULE_MCA}};
    assert_true(run_describe_picture(run, 0, "it's $HOME/a b.jpg", &(struct picture_origin){.width = 1, .height = 1}, NULL));
    assert_true(run_intervene(run, &list[0]) >= 0);
    assert_null(command_of_run(run_trace(run), NULL, 0, NULL)); // the stage has no name yet
    tiny_finish(run);
    char *command = command_of_run(run_trace(run), &list[1], 1, NULL);
    shell(command, lines, sizeof lines);
    assert_string_equal(lines, "run\nit's $HOME/a b.jpg\nwhat color is the dog?\n--keep\nfusion2:image:9\n--head-off\n"
                               "fusion3:text:mca:1\n");
    free(command);
    command = command_of_screen(run_trace(run), 8, NULL);
    shell(command, lines, sizeof lines);
    assert_string_equal(lines, "it's $HOME/a b.jpg\nwhat color is the dog?\n--keep\nfusion2:image:9\n--stage\n9\n");
    free(command);
    assert_null(command_of_redundancy(run_trace(run), NULL, NULL)); // it takes no changes
    command = command_of_redundancy(run_trace(run), "-my set.jsonl", "my model");
    shell(command, lines, sizeof lines);
    assert_string_equal(lines, "redundancy\n--model\nmy model\n--\n-my set.jsonl\n");
    free(command);
    // What would be taken for an option stands behind "--".
    assert_true(run_ask(run, "-rf `ls`; \"dog\"", NULL));
    tiny_finish(run);
    command = command_of_run(run_trace(run), NULL, 0, "my model");
    shell(command, lines, sizeof lines);
    assert_string_equal(lines, "run\n--model\nmy model\n--\nit's $HOME/a b.jpg\n-rf `ls`; \"dog\"\n");
    free(command);
    command = command_of_redundancy(run_trace(run), NULL, NULL);
    shell(command, lines, sizeof lines);
    assert_string_equal(lines, "redundancy\n--picture\nit's $HOME/a b.jpg\n--question\n-rf `ls`; \"dog\"\n");
    free(command);
    // Pictures that were read in another way are read so again.
    assert_true(run_describe_picture(run, 0, "a.jpg", &(struct picture_origin){.width = 1, .height = 1, .as_stored = true},
                                     NULL));
    command = command_of_run(run_trace(run), NULL, 0, NULL);
    assert_string_equal(command, "trimscope run --exact -- a.jpg '-rf `ls`; \"dog\"'");
    free(command);
    run_free(run);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parse),
        cmocka_unit_test(test_errors),
        cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_command),
    };
    return cmocka_run_group_tests_name("intervention text", tests, make_models, drop_models);
}
