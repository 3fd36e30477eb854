/*
 * eval - measure a model file on a text: bits per byte, the lower the better.
 *
 *     eval <model file> <text>
 *
 * Frozen. It trusts nothing that training said: it reads the weights, refuses a file that is not wholly of the form in
 * model.h, and computes every probability itself, so that they add up to one whatever the weights are.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model.h"

struct model {
	struct model_header head;
	struct layout at;
	float *weight;
};

static void fail(const char *what, const char *name)
{
	fprintf(stderr, "eval: %s '%s'\n", what, name);
	exit(1);
}

static void model_read(const char *name, struct model *m)
{
	struct model_header *h = &m->head;
	FILE *f = fopen(name, "rb");

	if (!f)
		fail("cannot open", name);
	if (fread(h, sizeof(*h), 1, f) != 1 || memcmp(h->magic, MODEL_MAGIC, sizeof(h->magic)) != 0)
		fail("not a model file:", name);
	if (h->context < 1 || h->context > CONTEXT_MAX || h->embed < 1 || h->embed > EMBED_MAX ||
	    h->width < 1 || h->width > WIDTH_MAX || h->activation > RELU)
		fail("a size out of range in", name);
	m->at = model_layout(h->context, h->embed, h->width);
	m->weight = malloc(m->at.total * sizeof(float));
	if (!m->weight)
		fail("out of memory for", name);
	if (fread(m->weight, sizeof(float), m->at.total, f) != m->at.total)
		fail("too short:", name);
	if (getc(f) != EOF)
		fail("too long:", name);
	for (size_t i = 0; i < m->at.total; i++)
		if (!isfinite(m->weight[i]))
			fail("a weight that is no number in", name);
	fclose(f);
}

/* The hidden layer after the `context` symbols at `last`. */
static void hidden_layer(const struct model *m, const unsigned char *last, double *ret)
{
	size_t embed = m->head.embed, width = m->head.width;

	for (size_t i = 0; i < width; i++)
		ret[i] = m->weight[m->at.hidden_bias + i];
	for (size_t i = 0; i < m->head.context * embed; i++) {
		double in = m->weight[m->at.table + last[i / embed] * embed + i % embed];
		const float *row = m->weight + m->at.hidden + i * width;

		for (size_t j = 0; j < width; j++)
			ret[j] += in * row[j];
	}
	for (size_t i = 0; i < width; i++)
		ret[i] = m->head.activation == TANH ? tanh(ret[i]) : fmax(ret[i], 0);
}

/* Bits that it costs to be told that `truth` comes next. */
static double bits(const struct model *m, const double *hidden, int truth)
{
	double score[SYMBOLS], top = -INFINITY, sum = 0;

	for (int i = 0; i < SYMBOLS; i++)
		score[i] = m->weight[m->at.output_bias + i];
	for (size_t j = 0; j < m->head.width; j++) {
		const float *row = m->weight + m->at.output + j * SYMBOLS;

		for (int i = 0; i < SYMBOLS; i++)
			score[i] += hidden[j] * row[i];
	}
	for (int i = 0; i < SYMBOLS; i++)
		top = fmax(top, score[i]);
	for (int i = 0; i < SYMBOLS; i++)
		sum += exp(score[i] - top);
	return (log(sum) + top - score[truth]) / log(2);
}

static double measure(const struct model *m, const char *name)
{
	static double hidden[WIDTH_MAX];
	unsigned char last[CONTEXT_MAX] = { 0 };
	FILE *f = fopen(name, "rb");
	double sum = 0;
	long n = 0;
	int c;

	if (!f)
		fail("cannot open", name);
	for (; (c = getc(f)) != EOF; n++) {
		int s = symbol_of(c);

		if (s < 0)
			fail("neither newline nor printable ASCII in", name);
		hidden_layer(m, last, hidden);
		sum += bits(m, hidden, s);
		memmove(last, last + 1, m->head.context - 1);
		last[m->head.context - 1] = (unsigned char)s;
	}
	fclose(f);
	if (!n)
		fail("empty", name);
	return sum / (double)n;
}

int main(int argc, char **argv)
{
	struct model m;
	double bpb;

	if (argc != 3) {
		fprintf(stderr, "usage: eval <model file> <text>\n");
		return 1;
	}
	model_read(argv[1], &m);
	bpb = measure(&m, argv[2]);
	if (!isfinite(bpb))
		fail("weights without measure in", argv[1]);
	printf("METRIC bpb=%.6f\n", bpb);
	printf("METRIC model_kb=%.1f\n", (double)(sizeof(m.head) + m.at.total * sizeof(float)) / 1024);
	free(m.weight);
	return 0;
}
