/*
 * model.h - the model file, as train.c writes it and eval.c reads it.
 * Frozen: an experiment changes how the weights come about, not what they mean.
 *
 * The model guesses the next symbol of a text from the last `context` symbols: each is looked up in a table of `embed`
 * numbers, all of them together feed one hidden layer of `width` units, and that feeds one score a symbol (softmax).
 *
 * File: the header below, then 32-bit floats, all in the machine's own byte order:
 *   table[SYMBOLS][embed]  hidden[context * embed][width]  hidden_bias[width]  output[width][SYMBOLS]  output_bias[SYMBOLS]
 * Symbols: newline is 0, the printable ASCII characters 32 to 126 are 1 to 95. Before a text's start stands newline.
 */
#ifndef MODEL_H
#define MODEL_H

#include <stddef.h>
#include <stdint.h>

#define SYMBOLS 96
#define MODEL_MAGIC "TINYLM1\n"

enum activation { TANH, RELU };

struct model_header {
	char magic[8];
	uint32_t context, embed, width;
	uint32_t activation;
};

enum { CONTEXT_MAX = 64, EMBED_MAX = 256, WIDTH_MAX = 4096 };

/* Where each part starts among the floats, and how many there are. */
struct layout {
	size_t table, hidden, hidden_bias, output, output_bias, total;
};

static inline struct layout model_layout(size_t context, size_t embed, size_t width)
{
	struct layout l = { 0 };

	l.hidden = SYMBOLS * embed;
	l.hidden_bias = l.hidden + context * embed * width;
	l.output = l.hidden_bias + width;
	l.output_bias = l.output + width * SYMBOLS;
	l.total = l.output_bias + SYMBOLS;
	return l;
}

/* The symbol of a character, or -1. */
static inline int symbol_of(int c)
{
	if (c == '\n')
		return 0;
	return c >= 32 && c <= 126 ? c - 31 : -1;
}

#endif
