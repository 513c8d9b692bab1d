// The summary of a set for the screen: all of it, and each type.
#ifndef TRIMSCOPE_APP_SET_SUMMARY_H
#define TRIMSCOPE_APP_SET_SUMMARY_H

#include "engine/base/watch.h"
#include "ui/backend.h"

struct thread_pool;

// Types are spread over the pool (NULL: one after the other). `watch` (may be NULL) is called from any of its threads but
// never from two at once. Returns what free() releases; NULL and *err otherwise.
struct set_summary *set_summarize(const struct question_set *set, const struct evaluation *evaluations,
                                  struct thread_pool *pool, const struct watch *watch, struct error *err);

#endif
