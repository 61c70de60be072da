/* SPDX-License-Identifier: ISC */
/*
 * Design: resolv.conf(5) and hosts(5) are read here as glibc reads them, and
 * not by libre, which knows neither the search list nor the options.
 */
#include "net/dns.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"

enum {
	DOTS_DEFAULT = 1,
	DOTS_MAX = 15, /* as glibc's RES_MAXNDOTS */
	TIMEOUT_S = 5,
	TIMEOUT_MAX_S = 30,
	ATTEMPTS = 2,
	ATTEMPTS_MAX = 5,
	FILE_MAX_BYTES = 65536,
	READ_BYTES = 4096,
};

static bool is_blank(uint8_t c)
{
	return c == ' ' || c == '\t';
}

/* The next word of a line; empty: none is left. */
static struct slice next_word(struct slice *line)
{
	struct slice s = slice_trim(*line);
	size_t n = 0;

	while (n < s.n && !is_blank(s.p[n]))
		n++;
	*line = slice_sub(s, n, SIZE_MAX);
	return slice_sub(s, 0, n);
}

static void read_server(struct net_dns_conf *c, struct slice word)
{
	struct addr a;

	if (c->n_servers == NET_DNS_SERVERS_MAX || addr_parse(&a, word)) {
		c->n_skipped++;
		return;
	}
	a.port = NET_DNS_PORT;
	c->servers[c->n_servers++] = a;
}

/* The last `search` or `domain` counts alone. */
static void read_search(struct net_dns_conf *c, struct slice line, size_t max)
{
	struct slice word = next_word(&line);

	c->n_search = 0;
	for (; word.n && c->n_search < max; word = next_word(&line)) {
		char *to = c->search[c->n_search];

		if (word.p[word.n - 1] == '.')
			word.n--;
		if (word.n == 0 || word.n >= NET_DNS_NAME_BYTES ||
		    memchr(word.p, '\0', word.n))
			continue;
		memcpy(to, word.p, word.n);
		to[word.n] = '\0';
		c->n_search++;
	}
}

static void read_option(struct net_dns_conf *c, struct slice word)
{
	const struct {
		const char *name;
		unsigned *into, max;
	} all[] = {
		{"ndots:", &c->n_dots, DOTS_MAX},
		{"timeout:", &c->timeout_s, TIMEOUT_MAX_S},
		{"attempts:", &c->attempts, ATTEMPTS_MAX},
	};

	for (size_t i = 0; i < ARRAY_LEN(all); i++) {
		size_t n = strlen(all[i].name);
		uint64_t v;

		if (!slice_eq_str(slice_sub(word, 0, n), all[i].name) ||
		    text_u64(&v, slice_sub(word, n, SIZE_MAX), UINT32_MAX))
			continue;
		*all[i].into = v > all[i].max ? all[i].max : (unsigned)v;
	}
}

static void read_line(struct net_dns_conf *c, struct slice line)
{
	struct slice key = next_word(&line), word;

	if (slice_eq_str(key, "nameserver")) {
		read_server(c, next_word(&line));
	} else if (slice_eq_str(key, "search")) {
		read_search(c, line, NET_DNS_SEARCH_MAX);
	} else if (slice_eq_str(key, "domain")) {
		read_search(c, line, 1);
	} else if (slice_eq_str(key, "options")) {
		for (word = next_word(&line); word.n; word = next_word(&line))
			read_option(c, word);
	}
}

void net_dns_conf_read(struct net_dns_conf *c, struct slice text)
{
	struct rd r = rd_init(text);
	struct slice line;

	*c = (struct net_dns_conf){.n_dots = DOTS_DEFAULT,
	                           .timeout_s = TIMEOUT_S,
	                           .attempts = ATTEMPTS};
	while (rd_line(&r, &line)) {
		if (line.n && line.p[0] != '#' && line.p[0] != ';')
			read_line(c, line);
	}
}

static int read_file(struct wr *w, const char *path)
{
	uint8_t buf[READ_BYTES];
	FILE *f = fopen(path, "re");
	size_t n = sizeof(buf);
	int err = 0;

	if (!f)
		return errno;
	while (n == sizeof(buf) && w->n < FILE_MAX_BYTES) {
		n = fread(buf, 1, sizeof(buf), f);
		wr_put(w, (struct slice){buf, n});
	}
	if (ferror(f))
		err = EIO;
	(void)fclose(f);
	return w->bad ? ENOMEM : err;
}

int net_dns_conf_load(struct net_dns_conf *c, const char *path)
{
	struct wr text = wr_init_heap();
	int err = read_file(&text, path);

	if (!err)
		net_dns_conf_read(c, wr_slice(&text));
	wr_fini(&text);
	return err;
}

static struct slice without_dot(struct slice name)
{
	if (name.n && name.p[name.n - 1] == '.')
		name.n--;
	return name;
}

static bool names_host(struct slice line, struct slice name)
{
	struct slice word = next_word(&line);

	for (; word.n; word = next_word(&line)) {
		if (slice_ieq(word, name))
			return true;
	}
	return false;
}

size_t net_dns_hosts_find(struct addr *out, size_t max, struct slice text,
                          const char *name)
{
	const struct slice wanted = without_dot(slice_str(name));
	struct rd r = rd_init(text);
	struct slice line;
	size_t n = 0;

	while (n < max && rd_line(&r, &line)) {
		struct slice rest =
			slice_sub(line, 0, slice_find(line, slice_str("#")));
		struct slice ip = next_word(&rest);
		struct addr a;

		if (ip.n && names_host(rest, wanted) && addr_parse(&a, ip) == 0)
			out[n++] = a;
	}
	return n;
}

int net_dns_hosts_load(struct addr *out, size_t max, size_t *n,
                       const char *path, const char *name)
{
	struct wr text = wr_init_heap();
	int err = read_file(&text, path);

	if (!err)
		*n = net_dns_hosts_find(out, max, wr_slice(&text), name);
	wr_fini(&text);
	return err;
}
