/* SPDX-License-Identifier: ISC */
#include "cli/find.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char suffix[] = ".yaml";

enum {
	MAX_DIRS = 3,
};

static size_t dirs(const char *found[MAX_DIRS], const struct cli_folders *in)
{
	const char *own = getenv(in->variable);
	size_t n = 0;

	if (own && *own)
		found[n++] = own;
	found[n++] = in->here;
	found[n++] = in->installed;
	return n;
}

static bool is_path(const char *name)
{
	size_t n = strlen(name), m = sizeof(suffix) - 1;

	return strchr(name, '/') || (n > m && !strcmp(name + n - m, suffix));
}

int cli_find(char path[PATH_MAX], const struct cli_folders *in,
             const char *name)
{
	const char *found[MAX_DIRS];
	const size_t n_dirs = dirs(found, in);
	int n;

	if (is_path(name)) {
		n = snprintf(path, PATH_MAX, "%s", name);
		return n < PATH_MAX ? 0 : ENAMETOOLONG;
	}
	for (size_t i = 0; i < n_dirs; i++) {
		n = snprintf(path, PATH_MAX, "%s/%s%s", found[i], name, suffix);
		if (n < PATH_MAX && access(path, R_OK) == 0)
			return 0;
	}
	return ENOENT;
}

static bool is_listed(const struct cli_names *names, const char *name)
{
	for (size_t i = 0; i < names->n; i++) {
		if (strcmp(names->v[i], name) == 0)
			return true;
	}
	return false;
}

static int list_dir(struct cli_names *names, struct arena *a, const char *dir)
{
	DIR *d = opendir(dir);
	struct dirent *e;
	int err = 0;

	while (d && !err && names->n < CLI_MAX_NAMES && (e = readdir(d))) {
		size_t n = strlen(e->d_name), m = sizeof(suffix) - 1;
		char *name;

		if (e->d_name[0] == '.' || n <= m ||
		    strcmp(e->d_name + n - m, suffix) != 0)
			continue;
		name = arena_dup(a, slice_sub(slice_str(e->d_name), 0, n - m));
		if (!name)
			err = ENOMEM;
		else if (!is_listed(names, name))
			names->v[names->n++] = name;
	}
	if (d)
		(void)closedir(d);
	return err;
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

int cli_find_all(struct cli_names *names, struct arena *a,
                 const struct cli_folders *in)
{
	const char *found[MAX_DIRS];
	const size_t n_dirs = dirs(found, in);
	int err = 0;

	names->n = 0;
	for (size_t i = 0; i < n_dirs && !err; i++)
		err = list_dir(names, a, found[i]);
	qsort(names->v, names->n, sizeof(*names->v), compare_names);
	return err;
}

int cli_file_read(struct wr *text, const char *path, size_t max)
{
	const bool is_stdin = strcmp(path, "-") == 0;
	FILE *f = is_stdin ? stdin : fopen(path, "rbe");
	uint8_t buf[65536];
	size_t n;
	int err = 0;

	if (!f)
		return errno;
	while (!err && (n = fread(buf, 1, sizeof(buf), f)) > 0) {
		wr_put(text, (struct slice){buf, n});
		if (text->bad)
			err = ENOMEM;
		else if (text->n > max)
			err = EFBIG;
	}
	if (!err && ferror(f))
		err = errno ? errno : EIO;
	if (!is_stdin)
		(void)fclose(f);
	return err;
}
