#!/usr/bin/python3
"""A PyTorch twin of the bundled model's dense training step, for `trimscope bench train`.

The same layers, shapes, losses and optimizer as engine/learn, written once more with what PyTorch offers; parameters carry
the names of engine/model/names.md. Debian packages: python3-torch, python3-numpy.

    bench-train-twin.py --threads N            a line on stdin runs one step; answers "cpu wall" in seconds
    bench-train-twin.py --check MODEL SAMPLE   compares with what tests/learn wrote: see check()
"""
import argparse
import json
import struct
import sys
import time

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

WIDTH, HEADS, GRID, TOKENS = 128, 4, 12, 24
KINDS, COLORS, COUNTS, PLACES = 109, 9, 8, 6


def attention(q, k, v, mask):
    """q (n, rows, D), k and v (n, keys, D); mask (n, keys): True where there is a key."""
    n, rows, width = q.shape
    split = lambda x: x.view(n, x.shape[1], HEADS, width // HEADS).transpose(1, 2)
    scores = split(q) @ split(k).transpose(2, 3) * (width // HEADS) ** -0.5
    if mask is not None:
        scores = scores.masked_fill(~mask[:, None, None, :], float('-inf'))
    return (scores.softmax(-1) @ split(v)).transpose(1, 2).reshape(n, rows, width)


class StemBlock(nn.Module):
    def __init__(self, hidden):
        super().__init__()
        self.depthwise = nn.Conv2d(WIDTH, WIDTH, 5, padding=2, groups=WIDTH)
        self.norm = nn.LayerNorm(WIDTH)
        self.fc1, self.fc2 = nn.Linear(WIDTH, hidden), nn.Linear(hidden, WIDTH)

    def forward(self, x):
        y = (x + self.depthwise(x)).permute(0, 2, 3, 1)
        return x + self.fc2(F.gelu(self.fc1(self.norm(y)))).permute(0, 3, 1, 2)


class Stem(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 48, 4, 4)
        self.conv2 = nn.Conv2d(48, 64, 3, 2, 1)
        self.conv3 = nn.Conv2d(64, WIDTH, 3, 2, 1)
        self.blocks = nn.ModuleList(StemBlock(128) for _ in range(3))
        self.norm = nn.LayerNorm(WIDTH)

    def forward(self, x):
        x = self.conv3(F.gelu(self.conv2(F.gelu(self.conv1(x)))))
        for block in self.blocks:
            x = block(x)
        return self.norm(x.flatten(2).transpose(1, 2))


class Attn(nn.Module):  # CLIP's
    def __init__(self):
        super().__init__()
        self.in_proj_weight = nn.Parameter(torch.randn(3 * WIDTH, WIDTH) * WIDTH ** -0.5)
        self.in_proj_bias = nn.Parameter(torch.zeros(3 * WIDTH))
        self.out_proj = nn.Linear(WIDTH, WIDTH)

    def forward(self, x):
        q, k, v = F.linear(x, self.in_proj_weight, self.in_proj_bias).chunk(3, -1)
        return self.out_proj(attention(q, k, v, None))


class ImageLayer(nn.Module):
    def __init__(self):
        super().__init__()
        self.ln_1, self.attn, self.ln_2 = nn.LayerNorm(WIDTH), Attn(), nn.LayerNorm(WIDTH)
        self.mlp = nn.ModuleDict({'c_fc': nn.Linear(WIDTH, 256), 'c_proj': nn.Linear(256, WIDTH)})

    def forward(self, x):
        x = x + self.attn(self.ln_1(x))
        h = self.mlp['c_fc'](self.ln_2(x))
        return x + self.mlp['c_proj'](h * torch.sigmoid(1.702 * h))


class Output(nn.Module):
    def __init__(self, inner):
        super().__init__()
        self.dense, self.LayerNorm = nn.Linear(inner, WIDTH), nn.LayerNorm(WIDTH, eps=1e-5)


class Attention(nn.Module):  # BERT's, pre-norm where `pre`
    def __init__(self, pre, cross=False):
        super().__init__()
        self.pre = pre
        self.self = nn.ModuleDict({name: nn.Linear(WIDTH, WIDTH) for name in ('query', 'key', 'value')})
        self.output = Output(WIDTH)
        if cross:
            self.context = nn.ModuleDict({'LayerNorm': nn.LayerNorm(WIDTH)})

    def forward(self, x, other, mask):
        norm = self.output.LayerNorm
        query = norm(x) if self.pre else x
        keys = query if other is None else self.context['LayerNorm'](other)
        y = attention(self.self['query'](query), self.self['key'](keys), self.self['value'](keys), mask)
        y = x + self.output.dense(y)
        return y if self.pre else norm(y)


class Layer(nn.Module):  # of the text encoder (post-norm) or of a fusion stream (pre-norm, with cross-attention)
    def __init__(self, inner, fusion):
        super().__init__()
        self.attention = Attention(fusion)
        if fusion:
            self.crossattention = Attention(True, cross=True)
        self.intermediate = nn.ModuleDict({'dense': nn.Linear(WIDTH, inner)})
        self.output = Output(inner)
        self.fusion = fusion

    def forward(self, x, mask, other=None, other_mask=None):
        x = self.attention(x, None, mask)
        norm = self.output.LayerNorm
        if self.fusion:
            x = self.crossattention(x, other, other_mask)
        y = x + self.output.dense(F.gelu(self.intermediate['dense'](norm(x) if self.fusion else x)))
        return y if self.fusion else norm(y)


class Twin(nn.Module):
    def __init__(self, vocabulary, answers, kinds=KINDS, colors=COLORS, answer_words=None, kind_words=None):
        super().__init__()
        table = lambda rows, width=WIDTH: nn.Parameter(torch.randn(rows, width) * 0.05)
        module = lambda **parts: nn.ModuleDict(parts)
        visual = nn.Module()
        visual.class_embedding, visual.positional_embedding = nn.Parameter(torch.zeros(WIDTH)), table(GRID * GRID + 1)
        visual.stem, visual.ln_pre, visual.ln_post = Stem(), nn.LayerNorm(WIDTH), nn.LayerNorm(WIDTH)
        visual.transformer = module(resblocks=nn.ModuleList(ImageLayer() for _ in range(2)))
        self.vit_model = module(visual=visual)
        embeddings = module(word_embeddings=nn.Embedding(vocabulary, WIDTH),
                            position_embeddings=nn.Embedding(TOKENS + 2, WIDTH),
                            token_type_embeddings=nn.Embedding(1, WIDTH), LayerNorm=nn.LayerNorm(WIDTH, eps=1e-5))
        self.text_transformer = module(embeddings=embeddings, encoder=module(
            layer=nn.ModuleList(Layer(256, False) for _ in range(2))))
        self.token_type_embeddings = nn.Embedding(2, WIDTH)
        for stream in ('image', 'text'):
            setattr(self, f'cross_modal_{stream}_transform', nn.Linear(WIDTH, WIDTH))
            setattr(self, f'cross_modal_{stream}_layers', nn.ModuleList(Layer(640 if stream == 'image' else 384, True)
                                                                          for _ in range(6)))
            setattr(self, f'cross_modal_{stream}_norm', nn.LayerNorm(WIDTH))
            setattr(self, f'cross_modal_{stream}_pooler', module(dense=nn.Linear(WIDTH, WIDTH)))
        self.cross_modal_image_position = table(GRID * GRID + 1)
        self.vqa_classifier = nn.ModuleDict({'0': nn.Linear(2 * WIDTH, 256), '1': nn.LayerNorm(256),
                                             '3': nn.Linear(256, answers), 'words': nn.Linear(256, WIDTH)})
        self.aux = module(patch=nn.Linear(WIDTH, WIDTH), background=nn.Linear(WIDTH, 1),
                          color=nn.Linear(WIDTH, colors), where=nn.Linear(2 * WIDTH, PLACES),
                          count=nn.Linear(2 * WIDTH, 2 * COUNTS), ground=nn.ModuleList(nn.Linear(WIDTH, 1) for _ in range(6)))
        words = answer_words if answer_words is not None else torch.arange(answers) % vocabulary
        self.register_buffer('answer_words', words, persistent=False)
        self.register_buffer('kind_words', kind_words if kind_words is not None else torch.arange(kinds) % vocabulary,
                             persistent=False)

    def encode_text(self, ids, mask):
        e = self.text_transformer['embeddings']
        positions = torch.arange(2, ids.shape[1] + 2)
        x = e['word_embeddings'](ids) + e['position_embeddings'](positions) + e['token_type_embeddings'].weight[0]
        x = e['LayerNorm'](x)
        for layer in self.text_transformer['encoder']['layer']:
            x = layer(x, mask)
        return self.cross_modal_text_transform(x) + self.token_type_embeddings.weight[0]

    def encode_image(self, pixels):
        v = self.vit_model['visual']
        x = v.stem(pixels)
        x = torch.cat([v.class_embedding.expand(x.shape[0], 1, WIDTH), x], 1) + v.positional_embedding
        x = v.ln_pre(x)
        for block in v.transformer['resblocks']:
            x = block(x)
        return v.ln_post(x)

    def forward(self, pixels, ids, mask, chosen):
        """pixels (scenes, 3, 192, 192), ids and mask (scenes * questions, tokens), chosen (scenes, patches)."""
        encoded = self.encode_image(pixels)
        image = self.cross_modal_image_transform(encoded) + self.token_type_embeddings.weight[1] + \
            self.cross_modal_image_position
        rows = torch.cat([torch.zeros(len(chosen), 1, dtype=torch.long), chosen + 1], 1)
        image = image.gather(1, rows[:, :, None].expand(-1, -1, WIDTH))
        image = image.repeat_interleave(len(ids) // len(pixels), 0)
        text, states = self.encode_text(ids, mask), []
        for i, t in zip(self.cross_modal_image_layers, self.cross_modal_text_layers):
            image, text = i(image, None, text, mask), t(text, mask, image, None)
            states.append(image)
        pooled = torch.cat([torch.tanh(self.cross_modal_text_pooler['dense'](self.cross_modal_text_norm(text[:, 0]))),
                            torch.tanh(self.cross_modal_image_pooler['dense'](self.cross_modal_image_norm(image[:, 0])))], 1)
        c, words = self.vqa_classifier, self.text_transformer['embeddings']['word_embeddings'].weight
        h = F.gelu(c['1'](c['0'](pooled)))
        has_word = (self.answer_words >= 0).float()[:, None]
        logits = c['3'](h) + c['words'](h) @ (words[self.answer_words.clamp(min=0)] * has_word).T
        return logits, pooled, encoded, states

    def loss(self, batch):
        """The dense stage's objective with its default weights (engine/learn/settings.h)."""
        logits, pooled, encoded, states = self(*(batch[k] for k in ('pixels', 'ids', 'mask', 'chosen')))
        terms = {'answer': F.cross_entropy(logits, batch['answers'])}
        words = self.text_transformer['embeddings']['word_embeddings'].weight
        patches, kind = encoded[:, 1:], batch['kind']
        kinds = torch.cat([self.aux['patch'](patches) @ words[self.kind_words].T, self.aux['background'](patches)], 2)
        weight = torch.where(kind >= 0, 1.0, 0.3)
        weight = weight / weight.sum(1, keepdim=True)
        label = torch.where(kind >= 0, kind, len(self.kind_words))
        terms['patch'] = (F.cross_entropy(kinds.transpose(1, 2), label, reduction='none') * weight).sum(1).mean()
        color = batch['color']
        each = F.cross_entropy(self.aux['color'](patches).transpose(1, 2), color.clamp(min=0), reduction='none')
        terms['color'] = ((each * (color >= 0)).sum(1) / (color >= 0).sum(1).clamp(min=1)).mean()
        ground = 0
        for head, state in zip(self.aux['ground'], states):
            logit = head(state[:, 1:]).squeeze(2)
            ground = ground + F.binary_cross_entropy_with_logits(logit, batch['needed'],
                                                                 pos_weight=torch.tensor(2.0)) / len(states)
        terms['ground'] = ground
        known = ~torch.isnan(batch['places'])
        where = self.aux['where'](pooled)
        terms['where'] = ((where - torch.where(known, batch['places'], where)) ** 2).sum() / len(ids_of(batch))
        count, counts = self.aux['count'](pooled).view(-1, 2, COUNTS), batch['counts']
        each = F.cross_entropy(count.transpose(1, 2), counts.clamp(min=0), reduction='none')
        terms['count'] = (each * (counts >= 0)).sum() / len(ids_of(batch))
        weights = {'answer': 1, 'patch': .4, 'color': .2, 'ground': .5, 'where': 1.5, 'count': .4}
        return sum(weights[name] * term for name, term in terms.items()), terms, logits


def ids_of(batch):
    return batch['ids']


def made_up_batch(scenes, questions, patches, vocabulary, answers):
    g = torch.Generator().manual_seed(1)
    n, total = scenes * questions, GRID * GRID
    integers = lambda high, *shape: torch.randint(0, high, shape, generator=g)
    lengths = 6 + integers(8, n)  # of the world's questions: 6 to 13 tokens
    kind = integers(4 * KINDS, scenes, total)
    kind = torch.where(kind < KINDS, kind, -1)
    return {'pixels': torch.randn(scenes, 3, 192, 192, generator=g), 'ids': integers(vocabulary, n, 13),
            'mask': torch.arange(13) < lengths[:, None],
            'chosen': torch.stack([torch.randperm(total, generator=g)[:patches].sort()[0] for _ in range(scenes)]),
            'answers': integers(answers, n), 'kind': kind, 'color': torch.where(kind >= 0, kind % COLORS, -1),
            'needed': (torch.rand(n, patches, generator=g) < .2).float(),
            'places': torch.rand(n, PLACES, generator=g), 'counts': integers(COUNTS, n, 2)}


def optimizer_of(model, rate=1e-3):
    decayed, free = [], []
    for name, p in model.named_parameters():
        (decayed if p.dim() > 1 and 'embedding' not in name else free).append(p)
    return torch.optim.AdamW([{'params': decayed, 'weight_decay': .05}, {'params': free, 'weight_decay': 0}], lr=rate,
                             betas=(.9, .98), eps=1e-8)


def serve(options):
    torch.set_num_threads(options.threads)
    model = Twin(options.vocabulary, options.answers)
    batch = made_up_batch(options.scenes, options.questions, options.patches, options.vocabulary, options.answers)
    optimizer = optimizer_of(model)

    def step():
        optimizer.zero_grad(set_to_none=True)
        model.loss(batch)[0].backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()

    step()
    print('ready', sum(p.numel() for p in model.parameters()), flush=True)
    for _ in sys.stdin:
        cpu, wall = time.process_time(), time.perf_counter()
        step()
        print(time.process_time() - cpu, time.perf_counter() - wall, flush=True)


def read_safetensors(path):
    with open(path, 'rb') as f:
        size, = struct.unpack('<Q', f.read(8))
        header = json.loads(f.read(size))
        data = f.read()
    metadata = header.pop('__metadata__', {})
    kinds = {'F32': np.float32, 'F16': np.float16}
    return {name: torch.from_numpy(np.frombuffer(data[t['data_offsets'][0]:t['data_offsets'][1]], kinds[t['dtype']])
                                   .astype(np.float32).reshape(t['shape'])) for name, t in header.items()}, metadata


def check(model_path, sample_path):
    """SAMPLE: one scene's tensors, and the losses, logits and gradients that engine/learn got for them."""
    weights, metadata = read_safetensors(model_path)
    sample, _ = read_safetensors(sample_path)
    whole = lambda name: sample[name].long()
    model = Twin(weights['text_transformer.embeddings.word_embeddings.weight'].shape[0],
                 weights['vqa_classifier.3.weight'].shape[0], len(sample['kind_words']),
                 weights['aux.color.weight'].shape[0], torch.tensor(json.loads(metadata['answer_words'])),
                 whole('kind_words'))
    missing, unexpected = model.load_state_dict(weights, strict=False)
    worst = {'names': float(len(missing) + len(unexpected))}
    batch = {name: whole(name) for name in ('ids', 'chosen', 'answers', 'kind', 'color', 'counts')}
    batch.update(pixels=sample['pixels'], mask=sample['mask'] > 0, needed=sample['needed'], places=sample['places'])
    total, terms, logits = model.loss(batch)
    total.backward()
    difference = lambda a, b: ((a - b).abs().max() / (b.abs().max() + 1e-3)).item()
    worst['logits'] = difference(logits.detach(), sample['logits'])
    for name, term in terms.items():
        worst['loss.' + name] = difference(term.detach(), sample['loss.' + name][0])
    for name, p in model.named_parameters():
        worst['gradient.' + name] = difference(p.grad, sample['gradient.' + name].reshape(p.shape))
    for name, value in sorted(worst.items(), key=lambda item: -item[1]):
        print(f'{value:.2e} {name}')
    sys.exit(0 if max(worst.values()) < 2e-3 and len(worst) > 300 else 1)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, default in (('threads', 1), ('scenes', 12), ('questions', 8), ('patches', 64), ('vocabulary', 210),
                          ('answers', 131)):
        parser.add_argument('--' + name, type=int, default=default)
    parser.add_argument('--check', nargs=2, metavar=('MODEL', 'SAMPLE'))
    options = parser.parse_args()
    check(*options.check) if options.check else serve(options)


if __name__ == '__main__':
    main()
