#include "app/sides.h"

#include "app/assets.h"
#include "app/prepare.h"
#include "app/screen_picture.h"
#include "app/writing_options.h"
#include "engine/io/picture.h"
#include "engine/model/model.h"
#include "engine/prune/calibration.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static bool load(struct sides *sides, int index, const struct side *side, const struct model *model,
                 struct run_options *options, struct error *err)
{
    struct picture pictures[TRACE_PICTURES] = {{0}};
    const struct picture *list[TRACE_PICTURES];
    struct picture_origin origins[TRACE_PICTURES];
    struct picture_reading reading = run_reading(model, options->exact, 0);
    int needed = model->config.pictures;
    bool ok = true;
    for (int p = 0; p < TRACE_PICTURES; p++)
        list[p] = &pictures[p];
    char bundled[ASSETS_PATH];
    for (int p = needed; ok && p < TRACE_PICTURES; p++)
        ok = !side->pictures[p] || error_set(err, ERROR_USAGE, "the task %s takes no second picture",
                                             model_task_name(model->config.task));
    for (int p = 0; ok && p < needed; p++)
        ok = picture_load(&pictures[p], assets_picture(side->pictures[p], bundled), reading, &origins[p], err);
    if (ok)
        ok = (sides->runs[index] = run_new(model, list, needed, side->question, options, err)) != NULL;
    for (int p = 0; ok && p < needed; p++) {
        const struct trace_picture *shape = &run_trace(sides->runs[index])->pictures[p];
        ok = run_describe_picture(sides->runs[index], p, side->pictures[p], &origins[p], err) &&
             screen_picture_make(&sides->pictures[index][p], &pictures[p], shape, err);
    }
    if (ok) {
        struct notes notes;
        notes_make(&notes, model, run_trace(sides->runs[index]), list, origins);
        notes_say(&sides->said, &notes);
    }
    ok = ok && prepare_changes(sides->runs[index], &side->changes, err);
    for (int p = 0; p < TRACE_PICTURES; p++)
        picture_free(&pictures[p]);
    return ok;
}

bool sides_run(struct sides *sides, const struct side *list, int count, const struct model *model,
               struct thread_pool *pool, struct error *err)
{
    *sides = (struct sides){.count = count};
    for (int r = 0; r < count; r++) {
        struct run_options options = run_options_default();
        options.policy = list[r].policy;
        options.budget = list[r].budget;
        options.exact = list[r].exact;
        options.pool = pool;
        if (list[r].writing)
            writing_settings_apply(list[r].writing, &options);
        if (!load(sides, r, &list[r], model, &options, err))
            return error_prefix(err, "run %c", 'A' + r);
        while (run_step(sides->runs[r], err))
            continue;
        if (!run_finished(sides->runs[r]))
            return false;
    }
    return true;
}

void sides_free(struct sides *sides)
{
    for (int r = 0; r < sides->count; r++) {
        run_free(sides->runs[r]);
        for (int p = 0; p < TRACE_PICTURES; p++)
            free(sides->pictures[r][p].rgb);
    }
    *sides = (struct sides){0};
}

void sides_show_comparison(const struct sides *sides, struct comparison *out)
{
    *out = (struct comparison){.count = sides->count};
    for (int r = 0; r < sides->count; r++)
        out->runs[r] = run_trace(sides->runs[r]);
}

void sides_show_figure(const struct sides *sides, struct figure *out)
{
    *out = (struct figure){.count = sides->count};
    for (int r = 0; r < sides->count; r++)
        out->rows[r] = (struct figure_row){run_trace(sides->runs[r]), sides->pictures[r]};
}

// Its length without the question mark and spaces at its end, which say nothing.
static size_t bare_length(const char *question)
{
    size_t length = strlen(question);
    while (length > 0 && strchr("? .", question[length - 1]))
        length--;
    return length;
}

static bool is_new(const struct side *list, int count, const char *question)
{
    size_t length = bare_length(question);
    for (int r = 0; r < count; r++)
        if (bare_length(list[r].question) == length && !strncasecmp(list[r].question, question, length))
            return false;
    return true;
}

static int count_pictures(const struct side *side)
{
    return side->pictures[1] ? 2 : 1;
}

int sides_make_figure(struct side list[FIGURE_ROWS], const struct side *first, const char *const more[], int more_count,
                      const struct model *model, struct sides_questions *room)
{
    int guided = FIGURE_ROWS - 1, count = 0;
    list[count] = *first;
    // Without trimmers the patches that are like the words take the place of guidance, and the picture's own CLS of none.
    bool trained = model_trimmed_layers(&model->config) > 0;
    list[count].changes.count = 0;
    list[count++].policy = trained ? POLICY_LEARNED : POLICY_TEXT_SIMILARITY;
    for (int i = 0; i < more_count && count < guided; i++) {
        list[count] = list[0];
        list[count++].question = more[i];
    }
    int pictures = count_pictures(first);
    int bundled = scenes_questions(first->pictures[0], first->pictures[1], room->text, SIDES_QUESTIONS);
    for (int i = 0; i < bundled && count < guided; i++)
        if (is_new(list, count, room->text[i])) {
            list[count] = list[0];
            list[count++].question = room->text[i];
        }
    for (int i = 0; count < guided && figure_general_question(pictures, i); i++)
        if (is_new(list, count, figure_general_question(pictures, i))) {
            list[count] = list[0];
            list[count++].question = figure_general_question(pictures, i);
        }
    list[count] = list[0];
    list[count].policy = trained ? POLICY_LEARNED_SELF : POLICY_CLS_ATTENTION;
    double share;
    if (isnan(list[count].budget) && calibration_share(model, 0, &share))
        list[count].budget = share;
    count++;
    return count;
}

void sides_note_general(const struct side list[], int count)
{
    for (int r = 0; r < count; r++)
        for (int i = 0; figure_general_question(count_pictures(&list[r]), i); i++)
            if (list[r].question == figure_general_question(count_pictures(&list[r]), i)) {
                fprintf(stderr, _("note: no questions are known about this picture, so that general ones fill the figure; "
                                  "--with-question asks your own\n"));
                return;
            }
}
