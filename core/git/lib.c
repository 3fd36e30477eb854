/*
 * lib.c - libgit2's doors, all shut: it reads the repository it is given and no file beside it.
 */
#include <stdarg.h>
#include <stdio.h>

#include "git/internal.h"

#define OBJECT_CACHE ((ssize_t)16 << 20)

/* No configuration of the user or the system: what a setting is, git alone says (settings.c). */
static void shut(void)
{
	static const int levels[] = {
		GIT_CONFIG_LEVEL_PROGRAMDATA, GIT_CONFIG_LEVEL_SYSTEM, GIT_CONFIG_LEVEL_XDG, GIT_CONFIG_LEVEL_GLOBAL,
	};
	static const char *extensions[] = { "worktreeconfig", "partialclone", "preciousobjects", "relativeworktrees" };

	for (size_t i = 0; i < ARRAY_SIZE(levels); i++)
		git_libgit2_opts(GIT_OPT_SET_SEARCH_PATH, levels[i], "");
	git_libgit2_opts(GIT_OPT_SET_TEMPLATE_PATH, "");
	git_libgit2_opts(GIT_OPT_SET_EXTENSIONS, extensions, ARRAY_SIZE(extensions));
	git_libgit2_opts(GIT_OPT_ENABLE_STRICT_HASH_VERIFICATION, 1);
	git_libgit2_opts(GIT_OPT_SET_OWNER_VALIDATION, 1);
	git_libgit2_opts(GIT_OPT_SET_CACHE_MAX_SIZE, OBJECT_CACHE);
}

int lib_init(struct err *err)
{
	static bool done;
	int rc;

	if (done)
		return 0;
	rc = git_libgit2_init();
	if (rc < 0)
		return lib_fail(err, rc, "cannot start libgit2");
	shut();
	done = true;
	return 0;
}

/*
 * libgit2's mbedTLS backend parses the system's whole CA bundle in git_libgit2_init(), two thirds of what a short command costs, and has no
 * switch against it. We never speak TLS through libgit2, so it finds no certificate: this definition goes before the library's, and
 * whoever tried would be refused, not trusted. Builds of libgit2 with other backends never call it.
 */
int mbedtls_x509_crt_parse_file(void *chain, const char *path);
int mbedtls_x509_crt_parse_file(void *chain, const char *path)
{
	(void)chain;
	(void)path;
	return 0;
}

static int code_of(int rc)
{
	switch (rc) {
	case GIT_ENOTFOUND:
		return ERR_NOT_FOUND;
	case GIT_ELOCKED:
		return ERR_LOCKED;
	case GIT_EEXISTS:
		return ERR_EXISTS;
	default:
		return ERR_GIT;
	}
}

int lib_fail(struct err *err, int rc, const char *fmt, ...)
{
	const git_error *last = git_error_last();
	char text[sizeof(err->msg)];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (!last || !last->message)
		return err_set(err, code_of(rc), "%s", text);
	err_set(err, code_of(rc), "%s: %s", text, last->message);
	git_error_clear();
	return err->code;
}

#ifdef __SANITIZE_ADDRESS__
/* libgit2 1.5 loses PCRE2's match data for each setting that is no extension, once an opening: not ours to free. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
	return "leak:libpcre2-8.so";
}
#endif
