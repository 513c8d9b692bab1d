// Timing of computations against each other: samples of all cases are taken in turn, so that what else the
// machine does meanwhile strikes all of them, and ratios stay meaningful where absolute times do not.
#ifndef TRIMSCOPE_MATH_MEASURE_H
#define TRIMSCOPE_MATH_MEASURE_H

enum { MEASURE_ROUNDS_MAX = 32 };

struct measure_case {
    void (*run)(void *context);
    void *context;
    double wall, cpu; // out: medians, seconds for one run; cpu is that of the whole process
    double wall_samples[MEASURE_ROUNDS_MAX], cpu_samples[MEASURE_ROUNDS_MAX]; // out: in rising order
};

// Runs each case once to warm it, then takes `rounds` (1 .. MEASURE_ROUNDS_MAX) samples of each in turn. A
// sample is as many runs as fill `sample_seconds`, at least one. Before a sample the thread sleeps
// `settle_seconds`: threads of a library measured before may still be spinning. CPU time does not count
// waiting for other programs, but adds up over threads: it is the better measure for one thread on a busy
// machine, and none for several.
void measure_cases(struct measure_case *cases, int count, int rounds, double sample_seconds,
                   double settle_seconds);

#endif
