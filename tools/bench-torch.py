#!/usr/bin/python3
"""PyTorch's side of `trimscope bench meter` and `bench blip`: METER-VQA or BLIP-VQA (eager mode) on the weights and the
input of two .safetensors files.

serve MODEL WEIGHTS INPUT THREADS        says "ready VERSION", then answers lines: "whole" and "image" with "WALL CPU"
                                         seconds of one run of all, or of the image encoder ("published" of BLIP: of the
                                         candidates ranked as its own code does it); "values NAME" with the first
                                         results of such a run
export MODEL WEIGHTS INPUT WHOLE IMAGE   writes both as ONNX graphs and says "ready"

MODEL: meter (zdou0830/METER @ f4f0934): CLIP ViT of 11 blocks, RoBERTa-base, 6 co-attention layers a stream;
       blip (salesforce/BLIP): ViT-B, 12 text layers with cross-attention, 12 layers of an answer decoder.
INPUT: tensors input.* (float) and index.* (whole numbers), the inputs of the graphs by their names.
"""
import json
import sys
import time
import warnings

try:
    import numpy as np
    import torch
    import torch.nn.functional as F
except ImportError as error:
    print("missing", error.name, flush=True)
    sys.exit(0)

HEADS, VALUES, SMOOTHING = 12, 8, 0.1


def read_safetensors(path):
    data = np.memmap(path, np.uint8, "r")
    size = int(data[:8].view("<u8")[0])
    header = json.loads(bytes(data[8:8 + size]))
    tensors = {}
    for name, entry in header.items():
        if name == "__metadata__" or name.startswith("trimmers."):
            continue
        begin, end = entry["data_offsets"]
        kind = {"F32": "<f4", "F16": "<f2"}[entry["dtype"]]
        values = data[8 + size + begin:8 + size + end].view(kind).astype(np.float32)
        tensors[name] = torch.from_numpy(values.reshape(entry["shape"]))
    return tensors


def read_input(path):
    tensors = read_safetensors(path)
    return {name.split(".", 1)[1]: tensor.long() if name.startswith("index.") else tensor
            for name, tensor in tensors.items()}


def attend(q, k, v, mask=None):
    batch, queries, width = q.shape
    split = lambda x: x.view(batch, -1, HEADS, width // HEADS).transpose(1, 2)
    q, k, v = split(q), split(k), split(v)
    scores = torch.matmul(q * (width // HEADS) ** -0.5, k.transpose(-1, -2))
    probs = torch.softmax(scores if mask is None else scores + mask, -1)
    return torch.matmul(probs, v).transpose(1, 2).reshape(batch, queries, width)


class Network(torch.nn.Module):
    """What both have in common; parameters are found by the names that they have in the file."""
    image_prefix = ""
    stacks = ()  # (prefix, layers, whether they attend to another stream) of BERT's layers

    def __init__(self, tensors, image_only=False):
        super().__init__()
        self.image_only = image_only
        for name, tensor in tensors.items():
            if not image_only or name.startswith(self.image_prefix):
                self.register_parameter(name.replace(".", "__"), torch.nn.Parameter(tensor, requires_grad=False))
        # What nn.MultiheadAttention and efficient BERT implementations do: Q, K, V in one product.
        for stack, layers, cross in () if image_only else self.stacks:
            for layer in range(layers):
                self.join(f"{stack}.{layer}.attention.self", ("query", "key", "value"))
                if cross:
                    self.join(f"{stack}.{layer}.crossattention.self", ("key", "value"))

    def join(self, prefix, names):
        for kind in ("weight", "bias"):
            parts = [f"{prefix}.{name}.{kind}".replace(".", "__") for name in names]
            joined = torch.cat([getattr(self, part) for part in parts])
            for part in parts:
                delattr(self, part)
            self.register_parameter(f"{prefix}.joined.{kind}".replace(".", "__"),
                                    torch.nn.Parameter(joined, requires_grad=False))

    def p(self, name):
        return getattr(self, name.replace(".", "__"))

    def linear(self, name, x):
        return F.linear(x, self.p(name + ".weight"), self.p(name + ".bias"))

    def norm(self, name, x, eps):
        return F.layer_norm(x, x.shape[-1:], self.p(name + ".weight"), self.p(name + ".bias"), eps)

    def patches(self, pixels, weight, bias, cls, positions):
        x = F.conv2d(pixels, self.p(weight), bias, stride=16).flatten(2).transpose(1, 2)
        return torch.cat([self.p(cls).view(1, 1, -1), x], 1) + self.p(positions)

    def layer(self, name, x, eps, other=None, mask=None):
        """One of BERT's, post-norm; other: the states that its cross-attention reads."""
        qkv = self.linear(name + ".attention.self.joined", x)
        context = self.linear(name + ".attention.output.dense", attend(*qkv.chunk(3, -1), mask))
        x = self.norm(name + ".attention.output.LayerNorm", context + x, eps)
        if other is not None:
            kv = self.linear(name + ".crossattention.self.joined", other)
            context = attend(self.linear(name + ".crossattention.self.query", x), *kv.chunk(2, -1))
            context = self.linear(name + ".crossattention.output.dense", context)
            x = self.norm(name + ".crossattention.output.LayerNorm", context + x, eps)
        h = F.gelu(self.linear(name + ".intermediate.dense", x))
        return self.norm(name + ".output.LayerNorm", self.linear(name + ".output.dense", h) + x, eps)


class Meter(Network):
    image_prefix = "vit_model."
    stacks = (("text_transformer.encoder.layer", 12, False), ("cross_modal_text_layers", 6, True),
              ("cross_modal_image_layers", 6, True))
    inputs = ("pixels", "ids")

    def block(self, name, x):
        qkv = F.linear(self.norm(name + ".ln_1", x, 1e-5), self.p(name + ".attn.in_proj_weight"),
                       self.p(name + ".attn.in_proj_bias"))
        x = x + self.linear(name + ".attn.out_proj", attend(*qkv.chunk(3, -1)))
        h = self.linear(name + ".mlp.c_fc", self.norm(name + ".ln_2", x, 1e-5))
        return x + self.linear(name + ".mlp.c_proj", h * torch.sigmoid(1.702 * h))

    def encode_image(self, pixels):
        v = "vit_model.visual."
        x = self.patches(pixels, v + "conv1.weight", None, v + "class_embedding", v + "positional_embedding")
        x = self.norm(v + "ln_pre", x, 1e-5)
        for layer in range(11):
            x = self.block(f"{v}transformer.resblocks.{layer}", x)
        return self.norm(v + "ln_post", x, 1e-5)

    def encode_text(self, ids):
        e = "text_transformer.embeddings."
        x = F.embedding(ids, self.p(e + "word_embeddings.weight")) + self.p(e + "token_type_embeddings.weight")[0]
        x = self.norm(e + "LayerNorm", x + self.p(e + "position_embeddings.weight")[2:2 + ids.shape[1]], 1e-5)
        for layer in range(12):
            x = self.layer(f"text_transformer.encoder.layer.{layer}", x, 1e-5)
        return x

    def forward(self, pixels, ids=None):
        image = self.encode_image(pixels)
        if self.image_only:
            return image
        types = self.p("token_type_embeddings.weight")
        text = self.linear("cross_modal_text_transform", self.encode_text(ids)) + types[0]
        image = self.linear("cross_modal_image_transform", image) + types[1]
        for layer in range(6):
            text, image = (self.layer(f"cross_modal_text_layers.{layer}", text, 1e-12, image),
                           self.layer(f"cross_modal_image_layers.{layer}", image, 1e-12, text))
        pooled = torch.cat([torch.tanh(self.linear("cross_modal_text_pooler.dense", text[:, 0])),
                            torch.tanh(self.linear("cross_modal_image_pooler.dense", image[:, 0]))], -1)
        hidden = F.gelu(self.norm("vqa_classifier.1", self.linear("vqa_classifier.0", pooled), 1e-5))
        return self.linear("vqa_classifier.3", hidden)


class Blip(Network):
    image_prefix = "visual_encoder."
    stacks = (("text_encoder.encoder.layer", 12, True), ("text_decoder.bert.encoder.layer", 12, True))
    inputs = ("pixels", "ids", "pieces", "places", "mask", "first", "next", "of")

    def block(self, name, x):
        qkv = self.linear(name + ".attn.qkv", self.norm(name + ".norm1", x, 1e-6))
        x = x + self.linear(name + ".attn.proj", attend(*qkv.chunk(3, -1)))
        h = F.gelu(self.linear(name + ".mlp.fc1", self.norm(name + ".norm2", x, 1e-6)))
        return x + self.linear(name + ".mlp.fc2", h)

    def encode_image(self, pixels):
        v = "visual_encoder."
        x = self.patches(pixels, v + "patch_embed.proj.weight", self.p(v + "patch_embed.proj.bias"), v + "cls_token",
                         v + "pos_embed")
        for layer in range(12):
            x = self.block(f"{v}blocks.{layer}", x)
        return self.norm(v + "norm", x, 1e-6)

    def embed(self, prefix, ids, places):
        x = F.embedding(ids, self.p(prefix + "word_embeddings.weight"))
        return self.norm(prefix + "LayerNorm", x + F.embedding(places, self.p(prefix + "position_embeddings.weight")), 1e-12)

    def encode_question(self, ids, image):
        x = self.embed("text_encoder.embeddings.", ids, torch.arange(ids.shape[1])[None])
        for layer in range(12):
            x = self.layer(f"text_encoder.encoder.layer.{layer}", x, 1e-12, image)
        return x

    def decode(self, pieces, places, mask, states):
        """Logits of the word after each piece."""
        x = self.embed("text_decoder.bert.embeddings.", pieces, places)
        for layer in range(12):
            x = self.layer(f"text_decoder.bert.encoder.layer.{layer}", x, 1e-12, states, mask)
        h = F.gelu(self.linear("text_decoder.cls.predictions.transform.dense", x))
        h = self.norm("text_decoder.cls.predictions.transform.LayerNorm", h, 1e-12)
        return F.linear(h, self.p("text_decoder.bert.embeddings.word_embeddings.weight"),
                        self.p("text_decoder.cls.predictions.bias"))

    @staticmethod
    def loss(logits, wanted):
        """With smoothed labels, of each row."""
        likely = torch.gather(logits, -1, wanted[..., None]).squeeze(-1)
        return torch.logsumexp(logits, -1) - (1 - SMOOTHING) * likely - SMOOTHING * logits.mean(-1)

    def forward(self, pixels, ids=None, pieces=None, places=None, mask=None, first=None, next=None, of=None):
        """The loss of each candidate. pieces: [DEC], then those of all candidates but each one's last, in one sequence
        whose mask keeps them apart; next: the piece that follows each; of (candidates, pieces): whose loss it counts to."""
        image = self.encode_image(pixels)
        if self.image_only:
            return image
        logits = self.decode(pieces, places, mask, self.encode_question(ids, image))[0]
        start = logits[0]
        spread = torch.logsumexp(start, -1) - SMOOTHING * start.mean()
        return spread - (1 - SMOOTHING) * start[first] + torch.matmul(of, self.loss(logits, next))

    def published(self, states, answers):
        """As the published code ranks them: answers (candidates, longest) padded with 0, the question once for each."""
        count, longest = answers.shape
        mask = torch.full((longest, longest), -1e4).triu(1)
        logits = self.decode(answers, torch.arange(longest)[None], mask, states.repeat(count, 1, 1))
        wanted = answers[:, 1:]
        return (self.loss(logits[:, :-1], wanted) * (wanted > 0)).sum(-1)


MODELS = {"meter": Meter, "blip": Blip}


def serve(kind, tensors, given, threads):
    torch.set_num_threads(threads)
    model = kind(tensors)
    tensors.clear()
    feed = [given[name] for name in kind.inputs]
    runs = {"whole": lambda: model(*feed), "image": lambda: model.encode_image(given["pixels"])}
    if kind is Blip:
        states = model.encode_question(given["ids"], model.encode_image(given["pixels"]))
        runs["published"] = lambda: model.published(states, given["answers"])
    print("ready PyTorch", torch.__version__.split("+")[0], "eager", flush=True)
    for line in sys.stdin:
        words = line.split()
        if words[0] == "values":
            print(*runs[words[1]]().flatten()[:VALUES].tolist(), flush=True)
            continue
        wall, cpu = time.perf_counter(), time.process_time()
        runs[words[0]]()
        print(time.perf_counter() - wall, time.process_time() - cpu, flush=True)


def export(kind, tensors, given, whole, image):
    for path, only, names in ((whole, False, kind.inputs), (image, True, ("pixels",))):
        with open(path, "wb") as file:
            torch.onnx.export(kind(tensors, only), tuple(given[name] for name in names), file, input_names=list(names),
                              output_names=["out"], opset_version=17)
    print("ready to be read", flush=True)


def main():
    warnings.filterwarnings("ignore")
    what, kind, weights, given = sys.argv[1], MODELS[sys.argv[2]], read_safetensors(sys.argv[3]), read_input(sys.argv[4])
    with torch.inference_mode() if what == "serve" else torch.no_grad():
        if what == "serve":
            serve(kind, weights, given, int(sys.argv[5]))
        else:
            export(kind, weights, given, *sys.argv[5:7])


main()
