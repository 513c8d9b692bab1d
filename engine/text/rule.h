// What a model's own code does to a question before its tokenizer sees it (vlm_spec §3.6, §4.3).
#ifndef TRIMSCOPE_TEXT_RULE_H
#define TRIMSCOPE_TEXT_RULE_H

#include <stdbool.h>
#include <stddef.h>

enum text_rule {
    TEXT_RULE_NONE,
    TEXT_RULE_STRIP,    // white space at both ends goes (METER's SNLI-VE)
    TEXT_RULE_QUESTION, // BLIP's pre_question: lower case, without . ! " ( ) * # : ; ~, without spaces at the end
    TEXT_RULE_CAPTION,  // BLIP's pre_caption: likewise, a space for each of them, runs of white space become one
};

// A text that a rule was applied to, and where each of its bytes came from.
struct ruled_text {
    char *text; // memory_free() by ruled_text_free()
    size_t length;
    int *from, *to; // of each byte: the bytes of the original character; of the end: how much of the text was read
};

// The first `length` bytes of `text`, at most `words` words parted by single spaces (0: all). Bytes that are no UTF-8 are
// left out. False when there is no memory.
bool ruled_text_make(struct ruled_text *ruled, enum text_rule rule, int words, const char *text, size_t length);
void ruled_text_free(struct ruled_text *ruled);

#endif
