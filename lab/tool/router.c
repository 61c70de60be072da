/* SPDX-License-Identifier: ISC */
/*
 * prumo-lab-router: carry packets between two devices and misbehave.
 *
 *   prumo-lab-router --lan lan,02:00:00:00:00:01 \
 *       --wan wan,02:00:00:00:01:02 persona=netfilter,out.delay=20
 *
 * Exit status: 0 after SIGTERM or SIGINT; 1 for a failure; 64 for usage.
 */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "lab/relay.h"

enum {
	STATUS_USAGE = 64,
	OPT_LAN = 1,
	OPT_WAN,
	OPT_TRUTH,
	OPT_LIST,
	OPT_HELP,
};

static const char usage[] =
	"Usage: prumo-lab-router --lan DEVICE,MAC --wan DEVICE,MAC\n"
	"                        [--truth FILE] [WORD[,WORD]...]\n"
	"       prumo-lab-router --list\n"
	"\n"
	"MAC is the neighbour's at the other end. Prints 'ready'; at its end\n"
	"(SIGTERM) it writes what it did, as JSON, to FILE.\n"
	"\n"
	"Words:\n";

static const struct option options[] = {
	{"lan", required_argument, NULL, OPT_LAN},
	{"wan", required_argument, NULL, OPT_WAN},
	{"truth", required_argument, NULL, OPT_TRUTH},
	{"list", no_argument, NULL, OPT_LIST},
	{"help", no_argument, NULL, OPT_HELP},
	{NULL, 0, NULL, 0},
};

static int port_read(struct lab_relay *relay, enum router_side side, char *text)
{
	char *comma = strchr(text, ',');

	if (!comma)
		return EINVAL;
	*comma = '\0';
	relay->devices[side] = text;
	return lab_relay_mac(relay->peers[side], slice_str(comma + 1));
}

static int text_show(void (*put)(struct wr *w), const char *before, FILE *to)
{
	struct wr w = wr_init_heap();
	bool is_ok;

	wr_str(&w, before);
	put(&w);
	is_ok = !w.bad && fwrite(w.p, 1, w.n, to) == w.n;
	wr_fini(&w);
	return is_ok ? 0 : 1;
}

static int usage_fail(void)
{
	(void)text_show(router_conf_help, usage, stderr);
	return STATUS_USAGE;
}

static int words_read(struct router_conf *conf, int n, char *const *words)
{
	const char *word, *need;

	for (int i = 0; i < n; i++) {
		struct wr want = wr_init_heap();
		struct slice bad;
		int err = router_conf_read(conf, &bad, slice_str(words[i]));

		if (err == 0)
			continue;
		if (err == EEXIST)
			wr_str(&want, "one value for this word");
		else
			router_conf_want(&want, bad);
		(void)fprintf(
			stderr,
			"prumo-lab-router: not understood: %.*s; expected "
			"%.*s\n",
			(int)bad.n, (const char *)bad.p, (int)want.n,
			(const char *)want.p);
		wr_fini(&want);
		return EBADMSG;
	}
	if (router_conf_check(conf, &word, &need) != 0) {
		(void)fprintf(stderr,
		              "prumo-lab-router: %s does nothing without %s; "
		              "expected both\n",
		              word, need);
		return EBADMSG;
	}
	return 0;
}

int main(int argc, char *argv[])
{
	struct lab_relay relay;
	int opt, err = 0;

	lab_relay_init(&relay);
	while ((opt = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (opt == OPT_HELP)
			return text_show(router_conf_help, usage, stdout);
		if (opt == OPT_LIST)
			return text_show(router_conf_list, "", stdout);
		if (opt == OPT_LAN)
			err = port_read(&relay, ROUTER_LAN, optarg);
		else if (opt == OPT_WAN)
			err = port_read(&relay, ROUTER_WAN, optarg);
		else if (opt == OPT_TRUTH)
			relay.truth = optarg;
		else
			err = EINVAL;
		if (err)
			return usage_fail();
	}
	if (!relay.devices[0] || !relay.devices[1])
		return usage_fail();
	if (words_read(&relay.conf, argc - optind, argv + optind) != 0)
		return STATUS_USAGE;
	err = lab_relay_run(&relay);
	if (err)
		(void)fprintf(stderr, "prumo-lab-router: %s\n", strerror(err));
	return err ? 1 : 0;
}
