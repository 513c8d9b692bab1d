#!/usr/bin/python3
"""PyTorch's side of `trimscope bench meter`: METER-VQA (eager mode) on the weights and the input of a .safetensors file.

serve WEIGHTS THREADS           says "ready VERSION", then answers lines: "meter" and "image" with "WALL CPU" seconds of
                                one run of the whole, or of the image encoder; "logits" with the first logits
export WEIGHTS WHOLE IMAGE      writes both as ONNX graphs and says "ready"

Architecture: METER (zdou0830/METER @ f4f0934): CLIP ViT of 11 blocks, RoBERTa-base, 6 co-attention layers a stream.
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

HEADS, IMAGE_LAYERS, TEXT_LAYERS, FUSION_LAYERS = 12, 11, 12, 6


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


class Meter(torch.nn.Module):
    def __init__(self, tensors, image_only=False):
        super().__init__()
        self.image_only = image_only
        for name, tensor in tensors.items():
            if not name.startswith("bench.") and (not image_only or name.startswith("vit_model.")):
                self.register_parameter(name.replace(".", "__"), torch.nn.Parameter(tensor, requires_grad=False))
        if not image_only:
            # What nn.MultiheadAttention and efficient RoBERTa implementations do: Q, K, V in one product.
            for stack, layers in (("text_transformer.encoder.layer", TEXT_LAYERS),
                                  ("cross_modal_text_layers", FUSION_LAYERS),
                                  ("cross_modal_image_layers", FUSION_LAYERS)):
                for layer in range(layers):
                    self.join(f"{stack}.{layer}.attention.self", ("query", "key", "value"))
                    if stack.startswith("cross"):
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

    @staticmethod
    def attend(q, k, v):
        batch, queries, width = q.shape
        split = lambda x: x.view(batch, -1, HEADS, width // HEADS).transpose(1, 2)
        q, k, v = split(q), split(k), split(v)
        probs = torch.softmax(torch.matmul(q * (width // HEADS) ** -0.5, k.transpose(-1, -2)), -1)
        return torch.matmul(probs, v).transpose(1, 2).reshape(batch, queries, width)

    def block(self, name, x):
        h = self.norm(name + ".ln_1", x, 1e-5)
        qkv = F.linear(h, self.p(name + ".attn.in_proj_weight"), self.p(name + ".attn.in_proj_bias"))
        x = x + self.linear(name + ".attn.out_proj", self.attend(*qkv.chunk(3, -1)))
        h = self.linear(name + ".mlp.c_fc", self.norm(name + ".ln_2", x, 1e-5))
        return x + self.linear(name + ".mlp.c_proj", h * torch.sigmoid(1.702 * h))

    def encode_image(self, pixels):
        v = "vit_model.visual."
        x = F.conv2d(pixels, self.p(v + "conv1.weight"), stride=16).flatten(2).transpose(1, 2)
        x = torch.cat([self.p(v + "class_embedding").view(1, 1, -1), x], 1) + self.p(v + "positional_embedding")
        x = self.norm(v + "ln_pre", x, 1e-5)
        for layer in range(IMAGE_LAYERS):
            x = self.block(f"{v}transformer.resblocks.{layer}", x)
        return self.norm(v + "ln_post", x, 1e-5)

    def layer(self, name, x, eps, other=None):
        qkv = self.linear(name + ".attention.self.joined", x)
        context = self.linear(name + ".attention.output.dense", self.attend(*qkv.chunk(3, -1)))
        x = self.norm(name + ".attention.output.LayerNorm", context + x, eps)
        if other is not None:
            kv = self.linear(name + ".crossattention.self.joined", other)
            context = self.attend(self.linear(name + ".crossattention.self.query", x), *kv.chunk(2, -1))
            context = self.linear(name + ".crossattention.output.dense", context)
            x = self.norm(name + ".crossattention.output.LayerNorm", context + x, eps)
        h = F.gelu(self.linear(name + ".intermediate.dense", x))
        return self.norm(name + ".output.LayerNorm", self.linear(name + ".output.dense", h) + x, eps)

    def encode_text(self, ids):
        e = "text_transformer.embeddings."
        x = F.embedding(ids, self.p(e + "word_embeddings.weight")) + self.p(e + "token_type_embeddings.weight")[0]
        x = self.norm(e + "LayerNorm", x + self.p(e + "position_embeddings.weight")[2:2 + ids.shape[1]], 1e-5)
        for layer in range(TEXT_LAYERS):
            x = self.layer(f"text_transformer.encoder.layer.{layer}", x, 1e-5)
        return x

    def forward(self, pixels, ids=None):
        image = self.encode_image(pixels)
        if self.image_only:
            return image
        types = self.p("token_type_embeddings.weight")
        text = self.linear("cross_modal_text_transform", self.encode_text(ids)) + types[0]
        image = self.linear("cross_modal_image_transform", image) + types[1]
        for layer in range(FUSION_LAYERS):
            text, image = (self.layer(f"cross_modal_text_layers.{layer}", text, 1e-12, image),
                           self.layer(f"cross_modal_image_layers.{layer}", image, 1e-12, text))
        pooled = torch.cat([torch.tanh(self.linear("cross_modal_text_pooler.dense", text[:, 0])),
                            torch.tanh(self.linear("cross_modal_image_pooler.dense", image[:, 0]))], -1)
        hidden = F.gelu(self.norm("vqa_classifier.1", self.linear("vqa_classifier.0", pooled), 1e-5))
        return self.linear("vqa_classifier.3", hidden)


def serve(tensors, threads):
    torch.set_num_threads(threads)
    pixels, ids = tensors["bench.pixels"][None], tensors["bench.ids"].long()[None]
    model = Meter(tensors)
    tensors.clear()
    runs = {"meter": lambda: model(pixels, ids), "image": lambda: model.encode_image(pixels)}
    print("ready PyTorch", torch.__version__.split("+")[0], "eager", flush=True)
    for line in sys.stdin:
        line = line.strip()
        if line == "logits":
            print(*runs["meter"]()[0, :8].tolist(), flush=True)
            continue
        wall, cpu = time.perf_counter(), time.process_time()
        runs[line]()
        print(time.perf_counter() - wall, time.process_time() - cpu, flush=True)


def export(tensors, whole, image):
    pixels, ids = tensors["bench.pixels"][None], tensors["bench.ids"].long()[None]
    for path, only, inputs, names in ((whole, False, (pixels, ids), ["pixels", "ids"]),
                                      (image, True, (pixels,), ["pixels"])):
        with open(path, "wb") as file:
            torch.onnx.export(Meter(tensors, only), inputs, file, input_names=names, output_names=["out"],
                              opset_version=17)
    print("ready to be read", flush=True)


def main():
    warnings.filterwarnings("ignore")
    tensors = read_safetensors(sys.argv[2])
    with torch.inference_mode() if sys.argv[1] == "serve" else torch.no_grad():
        if sys.argv[1] == "serve":
            serve(tensors, int(sys.argv[3]))
        else:
            export(tensors, *sys.argv[3:5])


main()
