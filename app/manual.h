// What is made of the tables of commands, options, keys and configuration: the manual page, completions for shells.
#ifndef TRIMSCOPE_APP_MANUAL_H
#define TRIMSCOPE_APP_MANUAL_H

#include <stdio.h>

// trimscope(1), for man(1).
void manual_write(FILE *out);

void completions_write_bash(FILE *out);
void completions_write_zsh(FILE *out);
void completions_write_fish(FILE *out);

#endif
