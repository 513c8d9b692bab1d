#include "app/train_report.h"

#include "engine/base/thread.h"
#include "ui/titles.h"
#include "ui/words.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { TEXT = 1024, FALLBACK_COLUMNS = 80 };
static const double TERMINAL_SECONDS = 2, LOG_SECONDS = 20;

// Never a training seed that a person picks by chance.
static const uint64_t HELD_OUT_WORLD = 1000003;

struct train_report train_report_new(bool trim, int fusion_layers)
{
    return (struct train_report){.terminal = isatty(STDOUT_FILENO), .trim = trim, .layers = fusion_layers,
                                 .said = clock_seconds()};
}

struct text {
    char bytes[TEXT];
    size_t length;
};

static void append(struct text *text, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void append(struct text *text, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int n = vsnprintf(text->bytes + text->length, TEXT - text->length, format, args);
    va_end(args);
    if (n > 0)
        text->length += (size_t)n < TEXT - text->length ? (size_t)n : TEXT - text->length - 1;
}

static void append_time_left(struct text *text, double seconds)
{
    char left[64];
    title_time_left(left, sizeof left, seconds);
    append(text, "%s", left);
}

// What matters most first: a narrow terminal cuts the rest.
static void describe_short(struct text *text, const struct train_report *report, const struct train_progress *p)
{
    append(text, "%3.0f%%  ", 100 * (double)p->step / (double)p->steps);
    append_time_left(text, p->seconds_left);
    append(text, _("  loss %.3f  accuracy %.3f"), p->loss[TERM_ANSWER], p->accuracy);
    if (report->trim)
        append(text, _("  FLOPs share %.3f (target %.3f)"), p->share, p->target);
    append(text, _("  %.3g questions/s  step %ld of %ld"), p->questions_per_second, p->step, p->steps);
}

static void describe_long(struct text *text, const struct train_report *report, const struct train_progress *p)
{
    append(text, _("step %ld/%ld  questions %ld  accuracy %.3f  loss %.3f"), p->step, p->steps, p->questions, p->accuracy,
           p->loss[TERM_ANSWER]);
    if (isfinite(p->statement_accuracy))
        append(text, _("  statements %.3f"), p->statement_accuracy);
    for (int k = 1; k < TERMS; k++)
        if (p->loss[k] > 0)
            append(text, "  %s %.3f", objective_term_name((enum objective_term)k), p->loss[k]);
    if (report->trim) {
        append(text, _("  share %.3f (target %.3f)  alive"), p->share, p->target);
        for (int l = 0; l < report->layers; l++)
            append(text, " %.2f", p->alive[l]);
        append(text, _("  heads %.2f  words %.2f"), p->heads, p->words);
    }
    append(text, _("  norm %.2f  rate %.2g  %.3g questions/s  "), p->gradient_norm, p->rate, p->questions_per_second);
    append_time_left(text, p->seconds_left);
}

static int columns(void)
{
    struct winsize size;
    return ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 1 ? size.ws_col : FALLBACK_COLUMNS;
}

void train_report_flush(struct train_report *report, struct trainer *trainer)
{
    if (!report->steps || report->listener.step)
        return;
    struct train_progress progress = trainer_progress(trainer);
    struct text text = {.length = 0};
    if (report->terminal) {
        describe_short(&text, report, &progress);
        printf("\r%.*s\033[K", columns() - 1, text.bytes);
        report->line_open = true;
    } else {
        describe_long(&text, report, &progress);
        puts(text.bytes);
    }
    fflush(stdout);
    report->said = clock_seconds();
    report->steps = 0;
}

void train_report_step(struct train_report *report, struct trainer *trainer)
{
    if (report->listener.step) {
        report->listener.step(report->listener.context, trainer);
        return;
    }
    report->steps++;
    if (clock_seconds() - report->said > (report->terminal ? TERMINAL_SECONDS : LOG_SECONDS))
        train_report_flush(report, trainer);
}

void train_report_say(struct train_report *report, const char *format, ...)
{
    va_list args;
    if (report->listener.words) {
        char text[TEXT];
        va_start(args, format);
        vsnprintf(text, sizeof text, format, args);
        va_end(args);
        report->listener.words(report->listener.context, text);
        return;
    }
    if (report->line_open)
        putchar('\n');
    report->line_open = false;
    va_start(args, format);
    vprintf(format, args);
    va_end(args);
    putchar('\n');
    fflush(stdout);
}

void train_report_validation(struct train_report *report, struct trainer *trainer, int scenes)
{
    double share, lift;
    struct text text = {.length = 0};
    struct objective_sums sums = trainer_evaluate(trainer, HELD_OUT_WORLD, scenes, report->trim, &share, &lift);
    if (!sums.questions || trainer_stopped(trainer))
        return;
    append(&text, _("held-out: %d questions  accuracy %.4f"), sums.questions, (double)sums.right / sums.questions);
    if (sums.statements)
        append(&text, _("  %d statements %.4f"), sums.statements, (double)sums.statements_right / sums.statements);
    if (report->trim)
        append(&text, _("  share %.4f"), share);
    if (report->trim && isfinite(lift))
        append(&text, _("  lift %.2f"), lift);
    for (int f = 0; f < WORLD_FAMILY_COUNT; f++)
        if (sums.family_questions[f])
            append(&text, "  %s %.3f", world_family_name((enum world_family)f),
                   (double)sums.family_right[f] / sums.family_questions[f]);
    train_report_say(report, "%s", text.bytes);
}
