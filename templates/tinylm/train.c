/*
 * train - teach a tiny language model to guess the next character.
 *
 *     train <model file> <text>...
 *
 * This is the one file that an experiment may change. The knobs come first, one a line, so that the agent `tune` finds
 * each by its pattern; an agent that writes code may change anything below as well. What counts is judged elsewhere: eval.c
 * reads the model file and measures it on a text that is not trained on.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model.h"

enum optimizer { SGD, ADAM };
enum schedule { CONSTANT, LINEAR, COSINE };

/* What the model looks at, and how large it is. */
#define CONTEXT 3
#define EMBED 8
#define WIDTH 32
#define ACTIVATION TANH

/* How it learns. */
#define OPTIMIZER SGD
#define LEARNING_RATE 0.01
#define MOMENTUM 0.5
#define BATCH 32
#define SCHEDULE CONSTANT
#define WARMUP 0.02
#define WEIGHT_DECAY 0.0001
#define INIT_SCALE 1.0
#define SEED 1

/*
 * Every run may do this many multiply-adds and no more, so that a wider network sees fewer examples and all experiments
 * cost about the same. It is counted in steps and not in seconds: the same file gives the same model.
 */
#define COMPUTE 1.2e10

struct text {
	unsigned char *symbol;
	size_t n, alloc;
};

struct net {
	struct layout at;
	float *weight, *grad, *velocity, *square;
	float input[CONTEXT * EMBED], input_grad[CONTEXT * EMBED];
	float hidden[WIDTH], hidden_grad[WIDTH];
	float score[SYMBOLS];
	double step;
};

static void fail(const char *what, const char *name)
{
	fprintf(stderr, "train: %s '%s'\n", what, name);
	exit(1);
}

static void text_read(const char *name, struct text *t)
{
	FILE *f = fopen(name, "rb");
	int c;

	if (!f)
		fail("cannot open", name);
	while ((c = getc(f)) != EOF) {
		if (symbol_of(c) < 0)
			fail("neither newline nor printable ASCII in", name);
		if (t->n == t->alloc) {
			t->alloc = t->alloc ? 2 * t->alloc : 65536;
			t->symbol = realloc(t->symbol, t->alloc);
			if (!t->symbol)
				fail("out of memory at", name);
		}
		t->symbol[t->n++] = (unsigned char)symbol_of(c);
	}
	fclose(f);
}

/* splitmix64 */
static uint64_t random_bits(void)
{
	static uint64_t state = SEED;
	uint64_t z = state += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

static double random_unit(void)
{
	return (double)(random_bits() >> 11) / 9007199254740992.0;
}

static void spread(float *w, size_t n, double scale)
{
	for (size_t i = 0; i < n; i++)
		w[i] = (float)(scale * (2 * random_unit() - 1));
}

static void net_init(struct net *net)
{
	struct layout at = model_layout(CONTEXT, EMBED, WIDTH);

	*net = (struct net){ .at = at };
	net->weight = calloc(at.total, 4 * sizeof(float));
	if (!net->weight)
		fail("out of memory for", "the network");
	net->grad = net->weight + at.total;
	net->velocity = net->grad + at.total;
	net->square = net->velocity + at.total;
	spread(net->weight + at.table, SYMBOLS * EMBED, INIT_SCALE);
	spread(net->weight + at.hidden, CONTEXT * EMBED * WIDTH, INIT_SCALE * sqrt(3.0 / (CONTEXT * EMBED)));
	spread(net->weight + at.output, WIDTH * SYMBOLS, INIT_SCALE * sqrt(3.0 / WIDTH));
}

static void add_scaled(float *restrict to, const float *restrict from, float by, size_t n)
{
	for (size_t i = 0; i < n; i++)
		to[i] += by * from[i];
}

/* Eight sums side by side: the compiler may use vectors without being allowed to reorder an addition. */
static float dot(const float *a, const float *b, size_t n)
{
	size_t whole = n / 8 * 8;
	float sum[8] = { 0 }, rest = 0;

	for (size_t i = 0; i < whole; i += 8)
		for (size_t k = 0; k < 8; k++)
			sum[k] += a[i + k] * b[i + k];
	for (size_t i = whole; i < n; i++)
		rest += a[i] * b[i];
	return ((sum[0] + sum[4]) + (sum[1] + sum[5])) + ((sum[2] + sum[6]) + (sum[3] + sum[7])) + rest;
}

/* Scores become probabilities; returns the log-loss of `truth` in bits. */
static double softmax(float *score, int truth)
{
	float top = score[0], sum = 0;

	for (int i = 1; i < SYMBOLS; i++)
		top = score[i] > top ? score[i] : top;
	for (int i = 0; i < SYMBOLS; i++)
		sum += score[i] = expf(score[i] - top);
	for (int i = 0; i < SYMBOLS; i++)
		score[i] /= sum;
	return -log2(score[truth] + 1e-30);
}

static void forward(struct net *net, const unsigned char *last)
{
	const float *w = net->weight;

	for (int i = 0; i < CONTEXT; i++)
		memcpy(net->input + i * EMBED, w + net->at.table + last[i] * EMBED, EMBED * sizeof(float));
	memcpy(net->hidden, w + net->at.hidden_bias, sizeof(net->hidden));
	for (size_t i = 0; i < CONTEXT * EMBED; i++)
		add_scaled(net->hidden, w + net->at.hidden + i * WIDTH, net->input[i], WIDTH);
	for (int i = 0; i < WIDTH; i++)
		net->hidden[i] = ACTIVATION == TANH ? tanhf(net->hidden[i]) : fmaxf(net->hidden[i], 0);
	memcpy(net->score, w + net->at.output_bias, sizeof(net->score));
	for (size_t i = 0; i < WIDTH; i++)
		add_scaled(net->score, w + net->at.output + i * SYMBOLS, net->hidden[i], SYMBOLS);
}

/* Adds one example's gradient; net->score holds the probabilities minus the truth. */
static void backward(struct net *net, const unsigned char *last)
{
	const float *w = net->weight;
	float *g = net->grad;

	add_scaled(g + net->at.output_bias, net->score, 1, SYMBOLS);
	for (size_t i = 0; i < WIDTH; i++) {
		float h = net->hidden[i], slope = ACTIVATION == TANH ? 1 - h * h : (float)(h > 0);

		add_scaled(g + net->at.output + i * SYMBOLS, net->score, h, SYMBOLS);
		net->hidden_grad[i] = slope * dot(w + net->at.output + i * SYMBOLS, net->score, SYMBOLS);
	}
	add_scaled(g + net->at.hidden_bias, net->hidden_grad, 1, WIDTH);
	for (size_t i = 0; i < CONTEXT * EMBED; i++) {
		add_scaled(g + net->at.hidden + i * WIDTH, net->hidden_grad, net->input[i], WIDTH);
		net->input_grad[i] = dot(w + net->at.hidden + i * WIDTH, net->hidden_grad, WIDTH);
	}
	for (size_t i = 0; i < CONTEXT; i++)
		add_scaled(g + net->at.table + last[i] * EMBED, net->input_grad + i * EMBED, 1, EMBED);
}

/* One step against the gradient of a batch, which is used up. */
static void update(struct net *net, double rate)
{
	double t = ++net->step;
	float keep = (float)MOMENTUM, keep_square = 0.999f, decay = (float)WEIGHT_DECAY;
	float by = (float)(OPTIMIZER == ADAM ? rate * sqrt(1 - pow(0.999, t)) / (1 - pow(MOMENTUM, t)) : rate);

	for (size_t i = 0; i < net->at.total; i++) {
		float g = net->grad[i] / BATCH, v, w = net->weight[i];

		net->grad[i] = 0;
		if (OPTIMIZER == ADAM) {
			v = net->velocity[i] = keep * net->velocity[i] + (1 - keep) * g;
			net->square[i] = keep_square * net->square[i] + (1 - keep_square) * g * g;
			v /= sqrtf(net->square[i]) + 1e-8f;
		} else {
			v = net->velocity[i] = keep * net->velocity[i] + g;
		}
		net->weight[i] = w - by * v - (float)rate * decay * w;
	}
}

static double rate_at(double done)
{
	if (done < WARMUP)
		return LEARNING_RATE * (done + 0.001) / (WARMUP + 0.001);
	done = (done - WARMUP) / (1 - WARMUP);
	if (SCHEDULE == LINEAR)
		return LEARNING_RATE * (1 - 0.99 * done);
	if (SCHEDULE == COSINE)
		return LEARNING_RATE * (0.01 + 0.99 * (0.5 + 0.5 * cos(3.14159265358979 * done)));
	return LEARNING_RATE;
}

static void train(struct net *net, const struct text *text)
{
	double weights = (double)net->at.total, each = 3 * weights + 6 * weights / BATCH, loss = 0;
	long steps = (long)(COMPUTE / (each * BATCH)), seen = 0;

	for (long step = 0; step < steps; step++) {
		for (int i = 0; i < BATCH; i++) {
			size_t at = (size_t)(random_unit() * (double)(text->n - CONTEXT));
			const unsigned char *last = text->symbol + at;
			int truth = last[CONTEXT];

			forward(net, last);
			loss += softmax(net->score, truth);
			net->score[truth] -= 1;
			backward(net, last);
			seen++;
		}
		update(net, rate_at((double)step / (double)steps));
		if ((step + 1) % (steps / 5 + 1) == 0 || step + 1 == steps) {
			fprintf(stderr, "train: %3.0f%%, %.3f bits a character\n", 100.0 * (double)(step + 1) / (double)steps, loss / (double)seen);
			loss = seen = 0;
		}
	}
}

static void model_write(const struct net *net, const char *name)
{
	struct model_header head = { .context = CONTEXT, .embed = EMBED, .width = WIDTH, .activation = ACTIVATION };
	FILE *f = fopen(name, "wb");

	memcpy(head.magic, MODEL_MAGIC, sizeof(head.magic));
	if (!f || fwrite(&head, sizeof(head), 1, f) != 1 ||
	    fwrite(net->weight, sizeof(float), net->at.total, f) != net->at.total || fclose(f) != 0)
		fail("cannot write", name);
}

int main(int argc, char **argv)
{
	struct text text = { 0 };
	struct net net;

	if (argc < 3) {
		fprintf(stderr, "usage: train <model file> <text>...\n");
		return 1;
	}
	for (int i = 2; i < argc; i++)
		text_read(argv[i], &text);
	if (text.n <= CONTEXT)
		fail("too short", argv[2]);
	net_init(&net);
	train(&net, &text);
	model_write(&net, argv[1]);
	free(net.weight);
	free(text.symbol);
	return 0;
}
