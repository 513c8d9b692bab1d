// A trace as JSON. Written by hand and not through a JSON library's tree: floats get the fewest digits that read back
// the same, and a large trace needs no second copy.
#include "engine/run/trace.h"

#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// Length of the UTF-8 character at `s`, 0 when there is none (Unicode, table 3-7).
static int utf8_length(const unsigned char *s)
{
    if (s[0] < 0x80)
        return 1;
    int length = s[0] >= 0xf0 ? 4 : s[0] >= 0xe0 ? 3 : 2;
    if (s[0] < 0xc2 || s[0] > 0xf4)
        return 0;
    unsigned char low = s[0] == 0xe0 ? 0xa0 : s[0] == 0xf0 ? 0x90 : 0x80;
    unsigned char high = s[0] == 0xed ? 0x9f : s[0] == 0xf4 ? 0x8f : 0xbf;
    if (s[1] < low || s[1] > high)
        return 0;
    for (int i = 2; i < length; i++)
        if ((s[i] & 0xc0) != 0x80)
            return 0;
    return length;
}

// A byte that is not UTF-8 is replaced by one byte, so that positions in the text stay right.
static void put_string(FILE *out, const char *text)
{
    putc('"', out);
    for (const unsigned char *s = (const unsigned char *)(text ? text : ""); *s;) {
        int length = utf8_length(s);
        if (length == 0)
            putc('?', out);
        else if (*s == '"' || *s == '\\')
            fprintf(out, "\\%c", *s);
        else if (*s < 0x20 || *s == 0x7f)
            fprintf(out, "\\u%04x", *s);
        else
            fwrite(s, 1, (size_t)length, out);
        s += length ? length : 1;
    }
    putc('"', out);
}

// The fewest digits that give the same number again.
static void put_double(FILE *out, double value)
{
    char text[40];
    if (!isfinite(value)) {
        fputs("null", out);
        return;
    }
    for (int digits = 15; digits <= 17; digits++) {
        snprintf(text, sizeof text, "%.*g", digits, value);
        if (strtod(text, NULL) == value)
            break;
    }
    fputs(text, out);
}

static void put_float(FILE *out, float value)
{
    char text[40];
    if (!isfinite(value)) {
        fputs("null", out);
        return;
    }
    for (int digits = 6; digits <= 9; digits++) {
        snprintf(text, sizeof text, "%.*g", digits, (double)value);
        if (strtof(text, NULL) == value)
            break;
    }
    fputs(text, out);
}

static void put_probability(FILE *out, float value)
{
    put_float(out, value > 1 ? 1 : value < 0 ? 0 : value); // NaN stays NaN
}

static void put_member(FILE *out, const char *key, double value)
{
    fprintf(out, "\"%s\": ", key);
    put_double(out, value);
}

static void put_floats(FILE *out, const char *key, const float *values, int count,
                       void (*put)(FILE *out, float value))
{
    fprintf(out, "\"%s\": [", key);
    for (int i = 0; i < count; i++) {
        if (i > 0)
            putc(',', out);
        put(out, values[i]);
    }
    fputs("]", out);
}

static void put_flags(FILE *out, const char *key, const uint8_t *values, int count)
{
    fprintf(out, "\"%s\": [", key);
    for (int i = 0; i < count; i++)
        fprintf(out, "%s%d", i > 0 ? "," : "", values[i] != 0);
    fputs("]", out);
}

static void put_tokens(FILE *out, const struct trace_tokens *tokens)
{
    if (tokens->count == 0) {
        fputs("null", out);
        return;
    }
    putc('{', out);
    put_flags(out, "alive", tokens->alive, tokens->count);
    fputs(",\n        ", out);
    put_floats(out, "self", tokens->self_score, tokens->count, put_float);
    fputs(",\n        ", out);
    put_floats(out, "cross", tokens->cross_score, tokens->count, put_float);
    fputs(",\n        ", out);
    put_floats(out, "score", tokens->score, tokens->count, put_float);
    fputs(",\n        ", out);
    put_floats(out, "keep", tokens->keep, tokens->count, put_probability);
    fputs(",\n        \"dropped_at\": [", out);
    for (int i = 0; i < tokens->count; i++)
        if (tokens->dropped_at[i] < 0)
            fprintf(out, "%snull", i > 0 ? "," : "");
        else
            fprintf(out, "%s%d", i > 0 ? "," : "", tokens->dropped_at[i]);
    fputs("]}", out);
}

// The modules of one stream. MSA and MCA are always named; a second MCA only where there is one.
static void put_heads(FILE *out, const struct trace_heads heads[MODULES])
{
    putc('{', out);
    for (int m = 0; m < MODULES; m++) {
        if (m == MODULE_MCA2 && heads[m].count == 0)
            continue;
        fprintf(out, "%s\"%s\": ", m > 0 ? ", " : "", attention_module_name((enum attention_module)m));
        if (heads[m].count == 0) {
            fputs("null", out);
            continue;
        }
        putc('{', out);
        put_floats(out, "score", heads[m].score, heads[m].count, put_float);
        fputs(", ", out);
        put_flags(out, "on", heads[m].on, heads[m].count);
        putc('}', out);
    }
    putc('}', out);
}

// One picture is written as it is, two as a list.
static void put_streams(FILE *out, const struct trace *trace, const struct stage *stage)
{
    bool two = trace->picture_count > 1;
    fputs("\n      \"image\": ", out);
    for (int i = 0; i < (two ? 2 : 1); i++) {
        fputs(two ? (i ? ", " : "[") : "", out);
        put_tokens(out, &stage->tokens[i]);
    }
    fputs(two ? "],\n      \"text\": " : ",\n      \"text\": ", out);
    put_tokens(out, &stage->tokens[TRACE_TEXT_STREAM]);
    fputs(",\n      \"heads\": {\"image\": ", out);
    for (int i = 0; i < (two ? 2 : 1); i++) {
        fputs(two ? (i ? ", " : "[") : "", out);
        put_heads(out, stage->heads[i]);
    }
    fputs(two ? "], \"text\": " : ", \"text\": ", out);
    put_heads(out, stage->heads[TRACE_TEXT_STREAM]);
    putc('}', out);
}

static void put_macs(FILE *out, const struct trace_macs *macs)
{
    fputs("\"macs\": {", out);
    put_member(out, "dense", macs->dense);
    fputs(", ", out);
    put_member(out, "spent", macs->spent);
    fputs(", \"by\": {", out);
    for (int i = 0; i < MAC_KINDS; i++) {
        fputs(i > 0 ? ", " : "", out);
        put_member(out, mac_kind_name((enum mac_kind)i), macs->by[i]);
    }
    fputs("}, ", out);
    put_member(out, "cumulative_spent", macs->cumulative_spent);
    fputs(", ", out);
    put_member(out, "cumulative_dense", macs->cumulative_dense);
    putc('}', out);
}

static void put_answer(FILE *out, const struct trace_answer *answer)
{
    fputs("{\"text\": ", out);
    put_string(out, answer->text);
    fputs(", \"p\": ", out);
    put_probability(out, answer->p);
    putc('}', out);
}

static void put_name_or_null(FILE *out, const char *key, const char *name)
{
    fprintf(out, name ? "\"%s\": \"%s\"" : "\"%s\": null", key, name);
}

static void put_stage(FILE *out, const struct trace *trace, const struct stage *stage)
{
    fputs("    {\"name\": ", out);
    put_string(out, stage->name);
    fprintf(out, ", \"kind\": \"%s\", ", stage_kind_name(stage->kind));
    put_member(out, "layer", stage->layer < 0 ? (double)NAN : stage->layer);
    fputs(", ", out);
    put_name_or_null(out, "stream", trace_stream_name(stage->stream));
    putc(',', out);
    put_streams(out, trace, stage);
    fputs(",\n      ", out);
    put_macs(out, &stage->macs);
    fputs(",\n      ", out);
    put_member(out, "ms", stage->ms);
    fputs(", \"redundancy\": {\"image\": ", out);
    put_float(out, stage->redundancy_image);
    fputs(", \"text\": ", out);
    put_float(out, stage->redundancy_text);
    fputs(", \"heads\": ", out);
    put_float(out, stage->redundancy_heads);
    fputs(", \"image_heads\": ", out);
    put_float(out, stage->redundancy_heads_of[0]);
    fputs(", \"text_heads\": ", out);
    put_float(out, stage->redundancy_heads_of[1]);
    fputs("},\n      \"answers\": [", out);
    for (int i = 0; i < stage->answer_count; i++) {
        fputs(i > 0 ? ", " : "", out);
        put_answer(out, &stage->answers[i]);
    }
    fputc(']', out);
    if (isfinite(stage->rank)) {
        fputs(", \"rank\": ", out);
        put_float(out, stage->rank);
    }
    if (isfinite(stage->similarity)) {
        fputs(", \"similarity\": ", out);
        put_float(out, stage->similarity);
    }
    fputc('}', out);
}

static void put_input(FILE *out, const struct trace *trace)
{
    fputs("  \"input\": {\"pictures\": [", out);
    for (int i = 0; i < trace->picture_count; i++) {
        const struct trace_picture *picture = &trace->pictures[i];
        fputs(i > 0 ? ", {\"path\": " : "{\"path\": ", out);
        put_string(out, picture->path);
        fprintf(out, ", \"width\": %d, \"height\": %d, \"grid\": [%d, %d]", picture->width, picture->height,
                picture->grid_rows, picture->grid_columns);
        fputs(picture->squashed ? ", \"squashed\": true" : "", out);
        fputs(picture->as_stored ? ", \"as_stored\": true" : "", out);
        fputs(picture->reduced ? ", \"reduced\": true}" : "}", out);
    }
    fputs("],\n    \"question\": ", out);
    put_string(out, trace->question);
    fputs(",\n    \"tokens\": [", out);
    for (int i = 0; i < trace->token_count; i++) {
        const struct trace_token *token = &trace->tokens[i];
        fputs(i > 0 ? ", {\"text\": " : "{\"text\": ", out);
        put_string(out, token->text);
        fprintf(out, ", \"from\": %d, \"to\": %d, \"unknown\": %s}", token->from, token->to,
                token->unknown ? "true" : "false");
    }
    fputs("]},\n", out);
}

static void put_intervention(FILE *out, const struct intervention *intervention)
{
    fprintf(out, "{\"kind\": \"%s\", \"stage\": %d, ", intervention_kind_name(intervention->kind),
            intervention->stage);
    put_name_or_null(out, "stream", trace_stream_name(intervention->stream));
    if (intervention->kind == INTERVENE_TOKEN_KEEP || intervention->kind == INTERVENE_TOKEN_DROP)
        fprintf(out, ", \"token\": %d", intervention->token);
    else if (intervention->kind != INTERVENE_REOPEN)
        fprintf(out, ", \"module\": \"%s\", \"head\": %d", attention_module_name(intervention->module),
                intervention->head);
    putc('}', out);
}

static void put_policy(FILE *out, const struct trace *trace)
{
    fputs("  \"policy\": {\"name\": ", out);
    put_string(out, trace->policy);
    fputs(", ", out);
    put_member(out, "budget", trace->budget);
    fputs(", ", out);
    put_member(out, "shift", trace->shift);
    fprintf(out, ", \"tokens\": %s, \"heads\": %s, \"interventions\": [", trace->trim_tokens ? "true" : "false",
            trace->trim_heads ? "true" : "false");
    for (int i = 0; i < trace->intervention_count; i++) {
        fputs(i > 0 ? ", " : "", out);
        put_intervention(out, &trace->interventions[i]);
    }
    fputs("]},\n", out);
}

static void put_model(FILE *out, const struct trace *trace)
{
    fputs("  \"model\": {\"name\": ", out);
    put_string(out, trace->model_name);
    fputs(", \"architecture\": ", out);
    put_string(out, trace->architecture);
    fputs(", \"task\": ", out);
    put_string(out, trace->task);
    fputs(", ", out);
    put_member(out, "parameters", trace->parameters);
    fputs("},\n", out);
}

// How it was answered, where that was not left to the model.
static void put_writing(FILE *out, const struct trace_writing *writing)
{
    const struct {
        const char *name;
        int value;
    } numbers[] = {{"candidates", writing->candidates}, {"beams", writing->beams}, {"min_length", writing->min_length},
                   {"max_length", writing->max_length}};
    if (!trace_has_writing(writing))
        return;
    fprintf(out, "  \"writing\": {\"generate\": %s, \"cls\": %s", writing->generate ? "true" : "false",
            writing->cls ? "true" : "false");
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        if (numbers[i].value)
            fprintf(out, ", \"%s\": %d", numbers[i].name, numbers[i].value);
    if (writing->answers) {
        fputs(", \"answers\": ", out);
        put_string(out, writing->answers);
    }
    fputs("},\n", out);
}

static void put_trace(FILE *out, const struct trace *trace)
{
    fputs("{ \"trimscope\": 1,\n", out);
    put_model(out, trace);
    put_input(out, trace);
    put_policy(out, trace);
    put_writing(out, &trace->writing);
    fprintf(out, "  \"stage_total\": %d,\n  \"stages\": [\n", trace->stage_total);
    for (int i = 0; i < trace->stage_count; i++) {
        fputs(i > 0 ? ",\n" : "", out);
        put_stage(out, trace, &trace->stages[i]);
    }
    fputs("],\n  \"answer\": ", out);
    if (isnan(trace->answer.p))
        fputs("null", out);
    else
        put_answer(out, &trace->answer);
    fputs(", \"macs\": {", out);
    put_member(out, "dense", trace->dense_macs);
    fputs(", ", out);
    put_member(out, "spent", trace->spent_macs);
    fputs("}, ", out);
    put_member(out, "speedup", trace->dense_macs / trace->spent_macs);
    fputs(", ", out);
    put_member(out, "ms", trace->ms);
    fputs("}\n", out);
}

char *trace_to_json(const struct trace *trace)
{
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    // The screen follows the person's locale, where the decimal point may be a comma.
    locale_t plain = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    bool ok = out && plain != (locale_t)0;
    if (ok) {
        locale_t previous = uselocale(plain);
        put_trace(out, trace);
        uselocale(previous);
        ok = !ferror(out);
    }
    if (plain != (locale_t)0)
        freelocale(plain);
    if (out)
        ok = fclose(out) == 0 && ok;
    if (ok)
        return text;
    free(text);
    return NULL;
}
