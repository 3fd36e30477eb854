/*
 * corpus_main.c - a plain main() around a fuzz target: each argument is a file, or a directory of files, of its corpus.
 * Under a sanitizer build this makes the corpus an ordinary test, without libFuzzer.
 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static size_t run_file(const char *path)
{
	FILE *f = fopen(path, "rb");
	uint8_t *data;
	size_t size;

	if (!f) {
		perror(path);
		exit(1);
	}
	data = malloc((size_t)4 << 20);
	if (!data)
		exit(1);
	size = fread(data, 1, (size_t)4 << 20, f);
	fclose(f);
	/* Exactly as large as the input, so that reading one byte too many is seen. */
	data = realloc(data, size ? size : 1);
	LLVMFuzzerTestOneInput(data, size);
	free(data);
	return 1;
}

static size_t run_dir(const char *dir)
{
	DIR *d = opendir(dir);
	size_t n = 0;

	if (!d) {
		perror(dir);
		exit(1);
	}
	for (struct dirent *e = readdir(d); e; e = readdir(d)) {
		char path[4096];

		if (e->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "%s/%s", dir, e->d_name);
		n += run_file(path);
	}
	closedir(d);
	return n;
}

int main(int argc, char **argv)
{
	size_t n = 0;

	for (int i = 1; i < argc; i++) {
		struct stat st;

		n += !stat(argv[i], &st) && S_ISDIR(st.st_mode) ? run_dir(argv[i]) : run_file(argv[i]);
	}
	printf("%zu inputs\n", n);
	return n ? 0 : 1;
}
