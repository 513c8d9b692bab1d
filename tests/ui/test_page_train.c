// Training on the screen: what the trainer tells is drawn, pictures come and go, and leaving the page ends the program.
#include "tests/support/cmocka_all.h"
#include "tests/support/fake_backend.h"
#include "tests/support/sample_trace.h"
#include "tests/support/screen_test.h"
#include "ui/page.h"
#include "ui/screen.h"
#include "ui/train_feed.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SIDE = 96, NEWS = 6 };

struct fake_trainer {
    int told, asked; // asked: pictures wanted
    bool trim;
};

static void fill_point(struct train_point *point, int step)
{
    *point = (struct train_point){.step = step, .steps = 10, .questions = 48 * step, .accuracy = 0.5 + 0.1 * step, .share = 0.9,
                                  .target = 0.625, .questions_per_second = 123, .seconds_left = 4000};
    point->loss[0] = 1.0 / step;
    point->loss[1] = 0.125;
    point->type_accuracy[0] = 0.75;
    point->type_accuracy[1] = (double)NAN;
    point->alive[0] = 0.8125;
    point->budget[0] = 0.4375;
    point->alive[1] = point->budget[1] = 0.25;
}

static void fill_look(struct train_news *news, const char *question)
{
    sample_trace(&news->look, question, "learned", (double)NAN, NULL, 0, 99);
    news->picture = (struct backend_picture){.width = SIDE, .height = SIDE, .rgb = malloc(SIDE * SIDE * 3)};
    memset(news->picture.rgb, 0x60, SIDE * SIDE * 3);
    snprintf(news->truth, sizeof news->truth, "no such answer");
    news->has_look = true;
}

static bool poll(void *context, struct train_news *news)
{
    struct fake_trainer *trainer = context;
    if (trainer->asked > 0) {
        trainer->asked--;
        fill_look(news, "what else is there?");
        return true;
    }
    int told = trainer->told++;
    if (told >= 1 && told <= 3) {
        news->has_point = true;
        fill_point(&news->point, told);
    } else if (told == 4) {
        fill_look(news, "what color is the apple?");
    } else if (told == 5) {
        news->has_words = news->ended = true;
        snprintf(news->words, sizeof news->words, "wrote pruned.safetensors");
    }
    return told >= 1 && told < NEWS; // the first time nothing is known yet
}

static void next_look(void *context)
{
    ((struct fake_trainer *)context)->asked++;
}

static int run_screen(void *context)
{
    static struct fake_backend fake;
    struct fake_trainer *trainer = context;
    const struct train_feed feed = {.context = trainer, .trim = trainer->trim, .terms = 2, .types = 2,
                                    .command = "trimscope train --screen",
                                    .layers = 2, .term_names = {"answer", "distill"}, .type_names = {"exist", "count"},
                                    .poll = poll, .next_look = next_look};
    struct screen_options options = screen_options_default();
    struct error err = {0};
    fake_backend_init(&fake);
    options.page = &page_train;
    options.page_argument = &feed;
    bool fine = screen_run(&fake.backend, &options, &err);
    fake_backend_free(&fake);
    return fine ? 0 : (int)err.code;
}

static void start(struct fake_trainer *trainer, int rows, int columns)
{
    screen_term_start_xterm(&term, rows, columns, true, run_screen, trainer);
}

static void test_all_that_is_told_is_shown(void **state)
{
    (void)state;
    struct fake_trainer trainer = {.trim = true};
    start(&trainer, 40, 130);
    expect("wrote pruned.safetensors");
    expect("complete");
    expect("144 questions, 123 a second");
    expect("0.333"); // the newest loss
    expect("80.0 %");
    expect("75.0 %");
    expect("0.90 | 0.62");
    expect("0.81 | 0.44");
    expect("what color is the apple?");
    expect("wrong");
    expect("$ trimscope train --screen");
    unsigned char rgb[3];
    int painted = 0;
    screen_term_settle(&term, 200);
    for (int y = 0; y < term.rows * TERM_CELL_HEIGHT; y++)
        for (int x = 0; x < term.columns * TERM_CELL_WIDTH; x++)
            painted += screen_term_pixel(&term, x, y, rgb);
    assert_true(painted > SIDE * SIDE);
    screen_term_type(&term, "n");
    expect("what else is there?");
    finish("q"); // at once: the stepper below is not stopped at
}

static void test_the_dense_stage_has_no_budgets(void **state)
{
    (void)state;
    struct fake_trainer trainer = {.trim = false};
    start(&trainer, 24, 80);
    expect("Accuracy by type");
    expect("what color is");
    reject("asked for");
    screen_term_resize(&term, 30, 100);
    expect("what color is the apple?");
    finish("\x03");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_all_that_is_told_is_shown),
        cmocka_unit_test(test_the_dense_stage_has_no_budgets),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
