// An export on a thread of its own, so that the screen goes on meanwhile: drawing a PNG takes half a second.
#ifndef TRIMSCOPE_UI_EXPORT_JOB_H
#define TRIMSCOPE_UI_EXPORT_JOB_H

#include "ui/export.h"

struct export_job;

// Starts writing `path`. Frame and table are taken over (and emptied) in any case, runs are copied, so that they may change
// at once. NULL and *err: it could not begin.
struct export_job *export_job_start(const struct figure *figure, struct frame *frame, struct bytes *table,
                                    const char *assets, enum export_what what, enum export_format format,
                                    const char *path, struct error *err);

// Whether export_job_end() would not wait.
bool export_job_done(const struct export_job *job);

// Waits for the end and frees the job. *path (PATH bytes) and *what are told of in any case; false and *err: no file.
enum { EXPORT_JOB_PATH = 2048 };
bool export_job_end(struct export_job *job, char path[EXPORT_JOB_PATH], enum export_what *what, size_t *size,
                    struct error *err);

#endif
