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
    bytes_format(out, "%d,", stage);
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
    bytes_format(out, ",%d,", tokens->alive[token] != 0);
    if (tokens->dropped_at[token] >= 0)
        bytes_format(out, "%d", tokens->dropped_at[token]);
    bytes_add(out, "\r\n", 2);
}

static void put_scores(const struct trace *trace, struct bytes *out)
{
    bytes_format(out, "stage,name,stream,token,text,row,column,self,cross,score,keep,alive,dropped_at\r\n");
    for (int stage = 0; stage < trace->stage_count; stage++)
        for (int stream = 0; stream < TRACE_STREAMS; stream++)
            for (int token = 0; token < trace->stages[stage].tokens[stream].count; token++)
                put_token(out, trace, stage, stream, token);
}

static void put_heads(const struct trace *trace, struct bytes *out)
{
    bytes_format(out, "stage,name,stream,module,head,score,on\r\n");
    for (int stage = 0; stage < trace->stage_count; stage++)
        for (int stream = 0; stream < TRACE_STREAMS; stream++)
            for (int module = 0; module < MODULES; module++) {
                const struct trace_heads *heads = &trace->stages[stage].heads[stream][module];
                for (int head = 0; head < heads->count; head++) {
                    put_place(out, trace, stage, stream);
                    bytes_format(out, "%s,%d", attention_module_name((enum attention_module)module), head);
                    put_float(out, heads->score[head]);
                    bytes_format(out, ",%d\r\n", heads->on[head] != 0);
                }
            }
}

// With a point in numbers, whatever the person's locale writes there: commas part the fields.
static void in_plain_locale(void (*put)(const struct trace *trace, struct bytes *out), const struct trace *trace,
                            struct bytes *out)
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
