/* SPDX-License-Identifier: ISC */
/*
 * Design: a lab whose ALG is silently off would pass every test, so the
 * router itself is asked. Two signs must agree: the helper's name on the
 * entry, and its timer, which the helper sets to an hour where an ordinary
 * UDP entry gets half a minute.
 */
#include "lab/alg.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/text.h"
#include "lab/world.h"

enum {
	/* A kernel's own UDP timers end at 180 s, the helper's begins at
	 * 3600 s; this lies between, whatever has elapsed since. */
	HELPER_MIN_S = 600,
	SOURCE_PORT = 9, /* discard: nobody else in the lab sends from it */
	N_TRIES = 5,
	PAUSE_MS = 20,
	LISTING_BYTES = 4096,
};

bool lab_alg_is_active(const struct lab_alg *alg)
{
	return alg->has_entry && alg->has_helper &&
	       alg->timeout_s > HELPER_MIN_S;
}

bool lab_alg_is_absent(const struct lab_alg *alg)
{
	return !alg->has_entry ||
	       (!alg->has_helper && alg->timeout_s <= HELPER_MIN_S);
}

static bool word_take(struct slice *word, struct slice *line)
{
	size_t n = 0;

	*line = slice_trim(*line);
	while (n < line->n && line->p[n] != ' ' && line->p[n] != '\t')
		n++;
	if (n == 0)
		return false;
	*word = slice_sub(*line, 0, n);
	*line = slice_sub(*line, n, SIZE_MAX);
	return true;
}

/* udp 17 3599 src=... [UNREPLIED] src=... mark=0 helper=sip use=1 */
static bool entry_parse(struct lab_alg *alg, struct slice line)
{
	struct lab_alg a = {.has_entry = true};
	struct slice word;
	uint64_t v;

	if (!word_take(&word, &line) || !slice_eq_str(word, "udp") ||
	    !word_take(&word, &line) || !slice_eq_str(word, "17") ||
	    !word_take(&word, &line) || text_u64(&v, word, UINT32_MAX))
		return false;
	a.timeout_s = (unsigned)v;
	while (word_take(&word, &line)) {
		if (slice_eq_str(word, "helper=sip"))
			a.has_helper = true;
	}
	*alg = a;
	return true;
}

void lab_alg_parse(struct lab_alg *alg, struct slice text)
{
	struct rd r = rd_init(text);
	struct lab_alg best = {0}, a;
	struct slice line;

	while (rd_line(&r, &line)) {
		if (entry_parse(&a, line) &&
		    (!best.has_entry || a.timeout_s > best.timeout_s))
			best = a;
	}
	*alg = best;
}

/* A socket stays where it was made, so one visit is enough. */
static int client_socket(int *fdp, struct lab *lab)
{
	struct sockaddr_in from = {.sin_family = AF_INET,
	                           .sin_port = htons(SOURCE_PORT)};
	int fd, err, back;

	err = lab_world_visit(lab, 0);
	if (err)
		return err;
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || bind(fd, (struct sockaddr *)&from, sizeof(from)) != 0)
		err = errno;
	back = lab_world_return(lab);
	if (!err)
		err = back;
	if (!err)
		*fdp = fd;
	else if (fd >= 0)
		(void)close(fd);
	return err;
}

static int client_send(struct lab *lab)
{
	struct sockaddr_in to = {.sin_family = AF_INET,
	                         .sin_port = htons(LAB_SIP_PORT)};
	/* A keep-alive (RFC 5626 section 3.5.1): any server knows it. */
	static const char ping[] = "\r\n\r\n";
	int fd, err;

	err = client_socket(&fd, lab);
	if (err)
		return err;
	if (inet_pton(AF_INET, LAB_SERVER_IP4, &to.sin_addr) != 1 ||
	    sendto(fd, ping, sizeof(ping) - 1, 0, (struct sockaddr *)&to,
	           sizeof(to)) < 0)
		err = EIO;
	(void)close(fd);
	return err;
}

static int listing_read(struct lab_alg *alg, struct lab *lab, unsigned hop)
{
	static const char *const argv[] = {"conntrack", "-L",      "-p",
	                                   "udp",       "--sport", "9",
	                                   "--dport",   "5060",    NULL};
	static const struct slice none = {(const uint8_t *)"", 0};
	char text[LISTING_BYTES];
	int status, err;

	err = lab_filter(&status, text, sizeof(text), lab, hop, argv, none);
	if (err)
		return err;
	if (status != 0)
		return EIO;
	lab_alg_parse(alg, slice_str(text));
	return 0;
}

int lab_alg_read(struct lab_alg *alg, struct lab *lab, unsigned hop)
{
	struct lab_alg a = {0};
	int err;

	if (hop < 1 || hop > lab->spec.n_hops)
		return EINVAL;
	err = client_send(lab);
	for (int i = 0; i < N_TRIES && !err && !a.has_entry; i++) {
		if (i > 0)
			(void)poll(NULL, 0, PAUSE_MS);
		err = listing_read(&a, lab, hop);
	}
	if (!err)
		*alg = a;
	return err;
}
