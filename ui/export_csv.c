#include "ui/export_csv.h"

#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// Quoted where it must be: RFC 4180, and line breaks of every kind.
static void put_field(struct bytes *out, const char *text)
{
    if (!strpbrk(text, ",\"\r\n")) {
        bytes_add(out, text, strlen(text));
        return;
    }
    bytes_add(out, "\"", 1);
    for (; *text; text++)
        bytes_add(out, *text == '"' ? "\"\"" : text, *text == '"' ? 2 : 1);
    bytes_add(out, "\"", 1);
}

// The fewest digits that read back the same; what is no number is left out.
static void put_float(struct bytes *out, float value)
{
    char text[40] = "";
    for (int digits = 6; digits <= 9 && isfinite(value); digits++) {
        snprintf(text, sizeof text, "%.*g", digits, (double)value);
        if (strtof(text, NULL) == value)
            break;
    }
    bytes_format(out, ",%s", text);
}

static void put_place(struct bytes *out, const struct trace *trace, int stage, int stream)
{
    bytes_format(out, "%d,", stage + 1);
    put_field(out, trace->stages[stage].name);
    bytes_format(out, ",%s,", trace_stream_name(stream));
}

static void put_token(struct bytes *out, const struct trace *trace, int stage, int stream, int token)
{
    const struct trace_tokens *tokens = &trace->stages[stage].tokens[stream];
    put_place(out, trace, stage, stream);
    bytes_format(out, "%d,", token);
    if (stream == TRACE_TEXT_STREAM) {
        put_field(out, token < trace->token_count ? trace->tokens[token].text : "");
        bytes_format(out, ",,");
    } else {
        int columns = trace->pictures[stream].grid_columns;
        if (token == 0)
            bytes_format(out, "CLS,,");
        else
            bytes_format(out, ",%d,%d", (token - 1) / columns + 1, (token - 1) % columns + 1);
    }
    put_float(out, tokens->self_score[token]);
    put_float(out, tokens->cross_score[token]);
    put_float(out, tokens->score[token]);
    put_float(out, tokens->keep[token]);
    put_float(out, isnan(tokens->score[token]) ? NAN : trace_threshold(trace, stage, stream));
    bytes_format(out, ",%d,", tokens->alive[token] != 0);
    if (tokens->dropped_at[token] >= 0)
        bytes_format(out, "%d", tokens->dropped_at[token] + 1);
    int hand = trace_token_by_hand(trace, stage, stream, token);
    bytes_format(out, ",%s\r\n", hand > 0 ? "keep" : hand < 0 ? "drop" : "");
}

static void put_scores(const void *context, struct bytes *out)
{
    const struct trace *trace = context;
    bytes_format(out, "stage,name,stream,token,text,row,column,self,cross,score,keep,threshold,alive,dropped_at,forced\r\n");
    for (int stage = 0; stage < trace->stage_count; stage++)
        for (int stream = 0; stream < TRACE_STREAMS; stream++)
            for (int token = 0; token < trace->stages[stage].tokens[stream].count; token++)
                put_token(out, trace, stage, stream, token);
}

static void put_heads(const void *context, struct bytes *out)
{
    const struct trace *trace = context;
    bytes_format(out, "stage,name,stream,module,head,score,threshold,on,forced\r\n");
    for (int stage = 0; stage < trace->stage_count; stage++)
        for (int stream = 0; stream < TRACE_STREAMS; stream++)
            for (int module = 0; module < MODULES; module++) {
                const struct trace_heads *heads = &trace->stages[stage].heads[stream][module];
                for (int head = 0; head < heads->count; head++) {
                    put_place(out, trace, stage, stream);
                    bytes_format(out, "%s,%d", attention_module_name((enum attention_module)module), head + 1);
                    put_float(out, heads->score[head]);
                    put_float(out, isnan(heads->score[head]) ? NAN : (float)(0 - trace->shift));
                    int hand = trace_head_by_hand(trace, stage, stream, module, head);
                    bytes_format(out, ",%d,%s\r\n", heads->on[head] != 0, hand > 0 ? "on" : hand < 0 ? "off" : "");
                }
            }
}

static void put_number(struct bytes *out, double value)
{
    if (isfinite(value))
        bytes_format(out, ",%.9g", value);
    else
        bytes_add(out, ",", 1);
}

// ---- tables of a question set

struct table {
    const struct results *results;
    const int *order;
    int count;
};

static void put_question(struct bytes *out, const struct table *table, int place)
{
    const struct question *q = &table->results->set.questions[place];
    const struct evaluation *e = &table->results->evaluations[place];
    bytes_format(out, "%d", table->results->ids ? table->results->ids[place] : place);
    for (int p = 0; p < QUESTION_PICTURES; p++) {
        bytes_add(out, ",", 1);
        put_field(out, q->pictures[p] ? q->pictures[p] : "");
    }
    const char *const texts[] = {q->text, q->type, q->answer, e->done ? e->answer : ""};
    for (int i = 0; i < 4; i++) {
        bytes_add(out, ",", 1);
        put_field(out, texts[i] ? texts[i] : "");
    }
    if (!e->done) { // not answered yet
        bytes_format(out, ",,,,,\r\n");
        return;
    }
    bytes_format(out, ",%d", e->correct);
    put_number(out, (double)e->p);
    put_number(out, e->share);
    put_number(out, e->spent);
    put_number(out, e->ms);
    bytes_add(out, "\r\n", 2);
}

static void put_table(const void *context, struct bytes *out)
{
    const struct table *table = context;
    bytes_format(out, "id,picture,picture2,question,type,truth,answer,right,p,share,macs,ms\r\n");
    for (int i = 0; i < table->count; i++)
        put_question(out, table, table->order ? table->order[i] : i);
}

struct points {
    const struct sweep_point *list;
    int count;
};

static void put_points(const void *context, struct bytes *out)
{
    const struct points *points = context;
    bytes_format(out, "policy,budget,questions,accuracy,accuracy_low,accuracy_high,share,ms,front_flops,front_ms\r\n");
    for (int i = 0; i < points->count; i++) {
        const struct sweep_point *p = &points->list[i];
        if (!p->done)
            continue;
        put_field(out, policy_name(p->policy));
        put_number(out, p->budget);
        bytes_format(out, ",%d", p->summary.questions);
        put_number(out, p->summary.accuracy.value);
        put_number(out, p->summary.accuracy.low);
        put_number(out, p->summary.accuracy.high);
        put_number(out, p->summary.share.value);
        put_number(out, p->summary.ms);
        bytes_format(out, ",%d,%d\r\n", p->front_flops, p->front_ms);
    }
}

// With a point in numbers, whatever the person's locale writes there: commas part the fields.
static void in_plain_locale(void (*put)(const void *context, struct bytes *out), const void *trace, struct bytes *out)
{
    locale_t plain = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    if (plain == (locale_t)0) {
        out->failed = true;
        return;
    }
    locale_t previous = uselocale(plain);
    put(trace, out);
    uselocale(previous);
    freelocale(plain);
}

void export_csv_scores(const struct trace *trace, struct bytes *out)
{
    in_plain_locale(put_scores, trace, out);
}

void export_csv_heads(const struct trace *trace, struct bytes *out)
{
    in_plain_locale(put_heads, trace, out);
}

void export_csv_questions(const struct results *results, const int *order, int count, struct bytes *out)
{
    struct table table = {results, order, count};
    in_plain_locale(put_table, &table, out);
}

void export_csv_points(const struct sweep_point *list, int count, struct bytes *out)
{
    struct points points = {list, count};
    in_plain_locale(put_points, &points, out);
}
