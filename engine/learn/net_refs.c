#include "engine/learn/net_refs.h"

#include <stdarg.h>
#include <stdio.h>

void lookup_section(struct lookup *at, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(at->prefix, sizeof at->prefix, format, args);
    va_end(args);
}

size_t lookup_offset(const struct lookup *at, const char *name)
{
    char full[2 * PARAMETER_NAME];
    snprintf(full, sizeof full, "%s%s", at->prefix, name);
    return params_offset(at->params, full);
}

static size_t offset_of(const struct lookup *at, const char *name, const char *suffix)
{
    char full[PARAMETER_NAME];
    snprintf(full, sizeof full, "%s%s", name, suffix);
    return lookup_offset(at, full);
}

struct linear_ref lookup_linear(const struct lookup *at, const char *name, int out, int in)
{
    return (struct linear_ref){offset_of(at, name, ".weight"), offset_of(at, name, ".bias"), in, out};
}

struct norm_ref lookup_norm(const struct lookup *at, const char *name, int width, float epsilon)
{
    return (struct norm_ref){offset_of(at, name, ".weight"), offset_of(at, name, ".bias"), width, (real)epsilon};
}

static struct linear_ref without_bias(const struct lookup *at, const char *name, int out, int in)
{
    return (struct linear_ref){offset_of(at, name, ".weight"), NO_BIAS, in, out};
}

void lookup_trimmers(struct lookup *at, const struct model_config *c, enum model_stack stack, int layer,
                     struct layer_refs *refs)
{
    const struct trimmer_config *trimmer = &c->trimmers[stack][layer];
    int width = model_stack_width(c, stack), other = model_stack_context(c, stack), heads = model_stack_heads(c, stack);
    float epsilon = c->trimmer_eps;
    lookup_section(at, "trimmers.%s.%d.", model_stack_name(stack), layer);
    if (trimmer->hidden) {
        refs->tokens = (struct token_trimmer_refs){
            .hidden = trimmer->hidden,
            .rank = trimmer->rank,
            .norm = lookup_norm(at, "token.norm", width, epsilon),
            .self = lookup_linear(at, "token.self", trimmer->hidden, width),
            .out = lookup_linear(at, "token.out", 1, trimmer->hidden),
        };
    }
    if (trimmer->hidden && trimmer->rank) {
        refs->tokens.context_norm = lookup_norm(at, "token.context_norm", other, epsilon);
        refs->tokens.query = without_bias(at, "token.query", trimmer->rank, width);
        refs->tokens.key = without_bias(at, "token.key", trimmer->rank, other);
        refs->tokens.concat = trimmer->concat;
        if (trimmer->concat) {
            refs->tokens.key.b = lookup_offset(at, "token.key.bias");
            refs->tokens.mix = without_bias(at, "token.mix", 1, trimmer->rank);
        } else {
            refs->tokens.alpha = lookup_offset(at, "token.alpha");
        }
    }
    if (trimmer->msa)
        refs->msa = (struct head_trimmer_refs){heads, width, lookup_norm(at, "msa.norm", width, epsilon),
                                               lookup_linear(at, "msa.out", heads, width)};
    if (trimmer->mca)
        refs->mca = (struct head_trimmer_refs){heads, width, lookup_norm(at, "mca.norm", width + other, epsilon),
                                               lookup_linear(at, "mca.out", heads, width + other)};
}

void lookup_vit_layer(struct lookup *at, const struct model_config *c, int layer, const struct vit_layer_names *names,
                      struct layer_refs *refs)
{
    int width = model_image_width(c), ffn = c->image_ffn;
    refs->width = width;
    refs->self = (struct attention_refs){
        .order = NORM_PRE,
        .heads = model_image_heads(c),
        .fused = true,
        .q = {lookup_offset(at, names->qkv_weight), lookup_offset(at, names->qkv_bias), width, 3 * width},
        .out = lookup_linear(at, names->out, width, width),
        .norm = lookup_norm(at, names->norm, width, c->image_eps),
    };
    refs->ffn = (struct ffn_refs){NORM_PRE, names->quick, lookup_linear(at, names->up, ffn, width),
                                  lookup_linear(at, names->down, width, ffn),
                                  lookup_norm(at, names->ffn_norm, width, c->image_eps)};
    lookup_trimmers(at, c, STACK_IMAGE, layer, refs);
}

struct attention_refs lookup_bert_attention(const struct lookup *at, const char *name, const char *which,
                                            const struct bert_shape *shape, int memory)
{
    char q[64], k[64], v[64], out[64], ln[64];
    snprintf(q, sizeof q, "%s.self%s.query", name, which);
    snprintf(k, sizeof k, "%s.self%s.key", name, which);
    snprintf(v, sizeof v, "%s.self%s.value", name, which);
    snprintf(out, sizeof out, "%s.output.dense%s", name, which);
    snprintf(ln, sizeof ln, "%s.output.LayerNorm", name);
    int width = shape->width;
    return (struct attention_refs){.order = shape->order,
                                   .heads = shape->heads,
                                   .q = lookup_linear(at, q, width, width),
                                   .k = lookup_linear(at, k, width, memory),
                                   .v = lookup_linear(at, v, width, memory),
                                   .out = lookup_linear(at, out, width, width),
                                   .norm = lookup_norm(at, ln, width, shape->epsilon)};
}

struct ffn_refs lookup_bert_ffn(const struct lookup *at, const struct bert_shape *shape)
{
    return (struct ffn_refs){shape->order, false, lookup_linear(at, "intermediate.dense", shape->ffn, shape->width),
                             lookup_linear(at, "output.dense", shape->width, shape->ffn),
                             lookup_norm(at, "output.LayerNorm", shape->width, shape->epsilon)};
}

// The first of a stack's layers with anything to train; the layers behind it pass its gradients on.
static int first_trained(const struct net *net, enum model_stack stack, int layers)
{
    const struct trimmer_config *trimmers = net->config.trimmers[stack];
    int l = 0;
    while (!net->embeddings && l < layers && !trimmers[l].hidden && !trimmers[l].msa && !trimmers[l].mca)
        l++;
    return l;
}

static void find_trained(struct net *net, const struct params *params)
{
    const struct model_config *c = &net->config;
    net->embeddings = net->class_embedding < params->trained;
    net->first_image = first_trained(net, STACK_IMAGE, c->image_layers);
    net->first_text = first_trained(net, STACK_TEXT, net->text_layers);
    int image = first_trained(net, STACK_FUSION_IMAGE, c->fusion_layers);
    int text = first_trained(net, STACK_FUSION_TEXT, c->fusion_layers);
    bool below = net->first_image < c->image_layers || net->first_text < net->text_layers;
    net->first_fusion = below ? 0 : image < text ? image : text;
}

bool net_init(struct net *net, const struct model_config *c, const struct params *params, const int *answer_words,
              struct error *err)
{
    *net = (struct net){.config = *c, .pictures = 1, .conv_stem = c->stem == STEM_CONV, .labels = c->labels,
                        .writing = flops_text(c, NULL, false, 0, 0, 0)};
    int grid = model_grid(c), widest = c->width > model_image_width(c) ? c->width : model_image_width(c);
    if (c->image_layers > NET_LAYERS || c->text_layers > NET_LAYERS || c->fusion_layers > NET_LAYERS ||
        c->decoder_layers > NET_LAYERS || c->stem_blocks > NET_STEM_BLOCKS)
        return error_set(err, ERROR_INPUT, "training supports at most %d layers a stack and %d stem blocks", NET_LAYERS,
                         NET_STEM_BLOCKS);
    if (widest > LEARN_WIDTH)
        return error_set(err, ERROR_INPUT, "training supports widths of at most %d; the model has %d", LEARN_WIDTH,
                         widest);
    if (c->position_grid != grid)
        return error_set(err, ERROR_INPUT, "training supports models at their own resolution");
    struct lookup at = {.params = params};
    if (c->architecture == ARCHITECTURE_METER)
        net_refs_meter(&at, net, answer_words);
    else if (!net_refs_blip(&at, net, err))
        return false;
    for (int l = 0; l < c->image_layers; l++)
        net->image_per_question |= net->image[l].tokens.hidden > 0 || net->image[l].msa.heads > 0;
    find_trained(net, params);
    return true;
}
