// BLIP's parameters (vlm_spec §4).
#include "engine/learn/net_refs.h"

static struct embedding_refs embedding(struct lookup *at, const struct model_config *c, const char *text)
{
    lookup_section(at, "%sembeddings.", text);
    return (struct embedding_refs){lookup_offset(at, "word_embeddings.weight"), lookup_offset(at, "position_embeddings.weight"),
                                   NO_BIAS, 0, lookup_norm(at, "LayerNorm", c->width, c->text_eps)};
}

// A layer of the text encoder or of the decoder, whose cross-attention reads states of `memory` numbers, of one picture or two.
static void text_layer(struct lookup *at, const struct model_config *c, const char *text, int layer, int ffn, int memory,
                       struct layer_refs *refs)
{
    const struct bert_shape shape = {NORM_POST, c->width, c->heads, ffn, c->text_eps};
    lookup_section(at, "%sencoder.layer.%d.", text, layer);
    refs->width = c->width;
    refs->self = lookup_bert_attention(at, "attention", "", &shape, c->width);
    refs->cross = lookup_bert_attention(at, "crossattention", c->pictures > 1 ? "0" : "", &shape, memory);
    if (c->pictures > 1)
        refs->twin.cross = lookup_bert_attention(at, "crossattention", "1", &shape, memory);
    if (c->pictures > 1 && layer >= c->merge_from)
        refs->twin.merge = lookup_linear(at, "crossattention.output.merge_layer", c->width, 2 * c->width);
    refs->ffn = lookup_bert_ffn(at, &shape);
}

static void picture(struct lookup *at, const struct model_config *c, struct net *net)
{
    static const struct vit_layer_names names = {"attn.qkv.weight", "attn.qkv.bias", "attn.proj", "norm1",
                                                 "mlp.fc1", "mlp.fc2", "norm2", false};
    int width = model_image_width(c);
    lookup_section(at, "visual_encoder.");
    net->patch = lookup_linear(at, "patch_embed.proj", width, 3 * c->patch_size * c->patch_size);
    net->class_embedding = lookup_offset(at, "cls_token");
    net->positions = lookup_offset(at, "pos_embed");
    net->ln_post = lookup_norm(at, "norm", width, c->image_eps);
    for (int l = 0; l < c->image_layers; l++) {
        lookup_section(at, "visual_encoder.blocks.%d.", l);
        lookup_vit_layer(at, c, l, &names, &net->image[l]);
        net->guide = net->guide || net->image[l].tokens.rank;
    }
}

static void words(struct lookup *at, const struct model_config *c, struct net *net)
{
    const char *text = model_blip_text(c);
    net->embedding = embedding(at, c, text);
    net->text_layers = net->guide ? c->fusion_layers : 0;
    for (int l = 0; l < c->fusion_layers; l++) {
        struct layer_refs *fusion = net->fusion[l];
        text_layer(at, c, text, l, c->text_fusion_ffn, model_image_width(c), &fusion[NET_TEXT]);
        net->text[l] = fusion[NET_TEXT]; // before it has trimmers: the words alone are not trimmed
        fusion[NET_TEXT].self.causal = c->task == TASK_CAPTION;
        lookup_trimmers(at, c, STACK_FUSION_TEXT, l, &fusion[NET_TEXT]);
        fusion[NET_IMAGE] = (struct layer_refs){.width = model_image_width(c), .still = true};
        lookup_trimmers(at, c, STACK_FUSION_IMAGE, l, &fusion[NET_IMAGE]);
    }
}

// The decoder of answers, or of captions, which has no layers of its own.
static void decoder(struct lookup *at, const struct model_config *c, struct net *net)
{
    static const char text[] = "text_decoder.bert.";
    net->writes = true;
    net->captions = c->task == TASK_CAPTION;
    net->labels = c->vocabulary;
    net->decoder_embedding = embedding(at, c, text);
    for (int l = 0; l < c->decoder_layers; l++) {
        text_layer(at, c, text, l, c->decoder_ffn, c->width, &net->decoder[l]);
        net->decoder[l].self.causal = true;
    }
    if (c->decoder_layers)
        lookup_trimmers(at, c, STACK_DECODER, 0, &net->decoder[0]);
    lookup_section(at, "text_decoder.cls.predictions.");
    net->word_transform = lookup_linear(at, "transform.dense", c->width, c->width);
    net->word_norm = lookup_norm(at, "transform.LayerNorm", c->width, c->head_eps);
    net->word_head = (struct linear_ref){net->decoder_embedding.words, lookup_offset(at, "bias"), c->width, c->vocabulary};
}

// A caption goes through the text layers whole, and what is written has no trimmers: only its beginning could have.
static bool trims_captions(const struct model_config *c)
{
    for (int l = 0; c->task == TASK_CAPTION && l < c->fusion_layers; l++) {
        const struct trimmer_config *t = &c->trimmers[STACK_FUSION_TEXT][l];
        if (t->hidden || t->msa || t->mca)
            return true;
    }
    return false;
}

bool net_refs_blip(struct lookup *at, struct net *net, struct error *err)
{
    const struct model_config *c = &net->config;
    if (trims_captions(c))
        return error_set(err, ERROR_INPUT, "the words of a caption's beginning have trimmers, which training is not made for");
    net->pictures = c->pictures;
    picture(at, c, net);
    words(at, c, net);
    if (model_writes(c)) {
        decoder(at, c, net);
        return true;
    }
    lookup_section(at, "%s", "");
    if (c->task == TASK_NLVR2) {
        net->match_hidden = lookup_linear(at, "cls_head.0", c->head_hidden, c->width);
        net->match = lookup_linear(at, "cls_head.2", c->labels, c->head_hidden);
    } else {
        net->match = lookup_linear(at, "itm_head", c->labels, c->width);
    }
    return true;
}
