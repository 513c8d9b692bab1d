// What torch.save() writes: a pickle of names, shapes and strides, and the bytes of the storages that tensors are views of.
// Both containers are read, the zip archive (PyTorch >= 1.6) and the older one of pickles in a row; nothing in a file is
// ever run (engine/io/pickle.h).
#ifndef TRIMSCOPE_IO_TORCH_H
#define TRIMSCOPE_IO_TORCH_H

#include "engine/io/tensors.h"

// The tensors of "state_dict" (PyTorch Lightning), of "model", or of the dictionary itself, in its order. Contiguous ones
// stay where they are in the mapped file, several names may stand for the same bytes; others are copied, together at most
// the size of the file. Metadata: "container" ("zip" or "legacy"), "place" (the key they stand under, "" for none),
// "calls" (what the pickle asks to be called that is no part of a tensor: names, separated by commas; absent: nothing),
// "others" (entries beside the tensors that are none; absent: none). NULL and one sentence in *err.
struct tensor_list *torch_open(const char *path, struct error *err);

// Whether bytes begin as a file of PyTorch before 1.6 does.
bool torch_is_legacy(const unsigned char *data, size_t size);

// By the first bytes of the file, one of torch_open() and safetensors_open().
struct tensor_list *weights_open(const char *path, struct error *err);

#endif
