// What `trimscope import` tells of a checkpoint.
#ifndef TRIMSCOPE_APP_IMPORT_REPORT_H
#define TRIMSCOPE_APP_IMPORT_REPORT_H

#include "engine/model/import.h"

#include <stdio.h>

void import_report_print(FILE *out, const struct import_report *report);

#endif
