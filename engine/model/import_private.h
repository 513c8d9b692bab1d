// What the files import*.c share; nobody else includes it.
#ifndef TRIMSCOPE_MODEL_IMPORT_PRIVATE_H
#define TRIMSCOPE_MODEL_IMPORT_PRIVATE_H

#include "engine/io/tensors.h"
#include "engine/model/import.h"

struct import {
    struct tensor_list *file, *trimmers; // what was opened; trimmers may be NULL
    struct tensor_list *tensors; // of both, under the names that the model has them by; their data is the files'
    struct model_config config;
    bool *used; // by index in `tensors`: it will be written
    bool half;
    char *tokenizer, *answers; // metadata to write; NULL: none
    struct import_report report;
};

// import_tensors.c: makes import->tensors.
bool import_gather(struct import *import, const struct import_options *options, struct error *err);

// import_leftovers.c: sets `used`, fills the report's leftovers; refuses layers with a gap, and tied tensors that differ.
bool import_check_rest(struct import *import, struct error *err);

#endif
