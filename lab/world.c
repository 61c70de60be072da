/* SPDX-License-Identifier: ISC */
/*
 * Design: a node is a network namespace and no process; this process makes
 * them one after another by unshare() and keeps each as a descriptor. The
 * addresses, routes and rules are made by ip(8) and nft(8), so whatever the
 * kernel learns next, their packages know how to say it.
 */
#include "lab/world.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/i18n.h"

enum {
	TOOL_OUTPUT_BYTES = 600, /**< of it, what a complaint quotes */
};

int lab_why_set(struct lab_why *why, int err, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(why->text, sizeof(why->text), fmt, ap);
	va_end(ap);
	return err;
}

static int setting_write(const char *path, const char *value)
{
	int fd, err = 0;

	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return errno;
	if (write(fd, value, strlen(value)) < 0)
		err = errno;
	(void)close(fd);
	return err;
}

struct setting {
	const char *path, *value;
	bool is_router_only, is_ip6;
};

/* The new namespace copies part of its settings from the machine, which may
 * filter or forward in its own way. */
static const struct setting settings[] = {
	{"/proc/sys/net/ipv4/ip_forward", "1", true, false},
	{"/proc/sys/net/ipv4/conf/all/rp_filter", "0", false, false},
	{"/proc/sys/net/ipv4/conf/default/rp_filter", "0", false, false},
	{"/proc/sys/net/ipv6/conf/all/disable_ipv6", "0", false, true},
	{"/proc/sys/net/ipv6/conf/default/disable_ipv6", "0", false, true},
	{"/proc/sys/net/ipv6/conf/default/accept_dad", "0", false, true},
	{"/proc/sys/net/ipv6/conf/all/accept_dad", "0", false, true},
	{"/proc/sys/net/ipv6/conf/all/forwarding", "1", true, true},
	/* Else nobody could bind to an address of a net that is the
         * server's as a whole, as in IPv4. */
	{"/proc/sys/net/ipv6/ip_nonlocal_bind", "1", false, true},
};

static int settings_apply(const struct lab *lab, unsigned node,
                          struct lab_why *why)
{
	bool is_router = node > 0 && node <= lab->spec.n_hops &&
	                 !lab->spec.hops[node - 1].is_program;
	int err;

	for (size_t i = 0; i < ARRAY_LEN(settings); i++) {
		const struct setting *s = &settings[i];

		if (s->is_router_only && !is_router)
			continue; /* a new namespace does not forward */
		if (s->is_ip6 && !lab->spec.has_ip6)
			continue;
		err = setting_write(s->path, s->value);
		if (err)
			return lab_why_set(why, err,
			                   _("The lab cannot write to %s: %s."),
			                   s->path, strerror(err));
	}
	return 0;
}

static int node_make(struct lab *lab, unsigned node, struct lab_why *why)
{
	int err;

	if (unshare(CLONE_NEWNET) != 0) {
		err = errno;
		return lab_why_set(why, err,
		                   _("The lab cannot make one more network "
		                     "namespace: %s."),
		                   strerror(err));
	}
	lab->net_fds[node] =
		open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
	if (lab->net_fds[node] < 0) {
		err = errno;
		return lab_why_set(why, err,
		                   _("The lab cannot write to %s: %s."),
		                   "/proc/thread-self/ns/net", strerror(err));
	}
	return settings_apply(lab, node, why);
}

int lab_world_visit(struct lab *lab, unsigned node)
{
	return setns(lab->net_fds[node], CLONE_NEWNET) == 0 ? 0 : errno;
}

int lab_world_return(struct lab *lab)
{
	return setns(lab->home_fd, CLONE_NEWNET) == 0 ? 0 : errno;
}

/* The directories of system programs are not in everyone's PATH. */
static int path_widen(void)
{
	static const char more[] = "/usr/local/sbin:/usr/sbin:/sbin";
	const char *old = getenv("PATH");
	struct wr w = wr_init_heap();
	int err = 0;

	wr_fmt(&w, "%s:%s", old && *old ? old : "/usr/bin:/bin", more);
	wr_u8(&w, 0);
	if (w.bad || setenv("PATH", (const char *)w.p, 1) != 0)
		err = ENOMEM;
	wr_fini(&w);
	return err;
}

bool lab_program_is_installed(const char *program)
{
	const char *dir = getenv("PATH");
	char path[512];

	while (dir) {
		size_t n = strcspn(dir, ":");

		(void)snprintf(path, sizeof(path), "%.*s/%s", (int)n, dir,
		               program);
		if (n > 0 && access(path, X_OK) == 0)
			return true;
		dir = dir[n] ? dir + n + 1 : NULL;
	}
	return false;
}

static int programs_check(struct lab_why *why)
{
	static const struct {
		const char *program, *package;
	} needed[] = {
		{"ip", "iproute2"},
		{"nft", "nftables"},
		{"conntrack", "conntrack"},
	};

	for (size_t i = 0; i < ARRAY_LEN(needed); i++) {
		if (!lab_program_is_installed(needed[i].program))
			return lab_why_set(
				why, ENOENT,
				_("The lab needs the program '%s', which is "
			          "not installed here. On Debian: sudo apt "
			          "install %s"),
				needed[i].program, needed[i].package);
	}
	return 0;
}

/* Copies that a program inherits. @return 0, or the system's error */
static int fds_copy(int *copies, const struct lab *lab)
{
	for (unsigned i = 0; i < lab_plan_n_nodes(&lab->spec); i++) {
		copies[i] = fcntl(lab->net_fds[i], F_DUPFD, 3);
		if (copies[i] < 0)
			return errno;
	}
	return 0;
}

static void fds_close(const int *fds)
{
	for (size_t i = 0; i < LAB_MAX_NODES; i++) {
		if (fds[i] > 0)
			(void)close(fds[i]);
	}
}

static int links_make(struct lab *lab, unsigned node, struct lab_why *why)
{
	static const char *const argv[] = {"ip", "-batch", "-", NULL};
	struct wr w = wr_init_heap();
	char said[TOOL_OUTPUT_BYTES];
	int fds[LAB_MAX_NODES] = {0};
	int status = 0, err;

	err = fds_copy(fds, lab);
	if (!err) {
		lab_plan_links(&w, &lab->spec, node, fds);
		err = w.bad ? ENOMEM
		            : lab_filter(&status, said, sizeof(said), lab, node,
		                         argv, wr_slice(&w));
	}
	wr_fini(&w);
	fds_close(fds);
	if (err)
		return lab_why_set(why, err, "ip: %s", strerror(err));
	if (status != 0)
		return lab_why_set(why, EIO,
		                   _("The program '%s' refused what the lab "
		                     "asked for:\n%s"),
		                   "ip", said);
	return 0;
}

static int rules_load(int *statusp, char *said, size_t said_bytes,
                      struct lab *lab, unsigned node, const struct lab_hop *hop)
{
	static const char *const argv[] = {"nft", "-f", "-", NULL};
	struct wr w = wr_init_heap();
	int err = 0;

	*statusp = 0;
	lab_plan_rules(&w, hop);
	if (w.bad)
		err = ENOMEM;
	else if (w.n)
		err = lab_filter(statusp, said, said_bytes, lab, node, argv,
		                 wr_slice(&w));
	wr_fini(&w);
	return err;
}

/* The same rules without the helper tell whether it was the culprit. */
static bool is_helper_missing(struct lab *lab, unsigned node,
                              const struct lab_hop *hop)
{
	struct lab_hop without = *hop;
	char said[TOOL_OUTPUT_BYTES];
	int status;

	if (!hop->has_alg)
		return false;
	without.has_alg = false;
	return rules_load(&status, said, sizeof(said), lab, node, &without) ==
	               0 &&
	       status == 0;
}

static int rules_make(struct lab *lab, unsigned node, struct lab_why *why)
{
	const struct lab_hop *hop = &lab->spec.hops[node - 1];
	char said[TOOL_OUTPUT_BYTES];
	int status, err;

	err = rules_load(&status, said, sizeof(said), lab, node, hop);
	if (err)
		return lab_why_set(why, err, "nft: %s", strerror(err));
	if (status == 0)
		return 0;
	if (is_helper_missing(lab, node, hop))
		return lab_why_set(why, ENOTSUP,
		                   _("This kernel offers no SIP helper, so "
		                     "there is no ALG to show. It is the "
		                     "module nf_conntrack_sip (with "
		                     "nf_nat_sip); try: sudo modprobe -a "
		                     "nf_conntrack_sip nf_nat_sip"));
	return lab_why_set(why, EIO,
	                   _("The program '%s' refused what the lab asked "
	                     "for:\n%s"),
	                   "nft", said);
}

/* A frame that leaves its checksum or its cutting to the device is not yet
 * what a cable would carry, and a program would see it so. */
static int offload_off(const char *device)
{
	static const uint32_t commands[] = {ETHTOOL_STSO, ETHTOOL_SGSO,
	                                    ETHTOOL_STXCSUM};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), err = 0;

	if (fd < 0)
		return errno;
	for (size_t i = 0; i < ARRAY_LEN(commands) && !err; i++) {
		struct ethtool_value v = {.cmd = commands[i]};
		struct ifreq req = {.ifr_data = (void *)&v};

		(void)snprintf(req.ifr_name, sizeof(req.ifr_name), "%s",
		               device);
		if (ioctl(fd, SIOCETHTOOL, &req) != 0)
			err = errno;
	}
	(void)close(fd);
	return err;
}

static int neighbours_prepare(struct lab *lab, unsigned node,
                              struct lab_why *why)
{
	const struct {
		unsigned node;
		const char *device;
	} ends[] = {{node - 1, lab_plan_out_device(&lab->spec, node - 1)},
	            {node + 1, "lan"}};
	int err = 0;

	for (size_t i = 0; i < ARRAY_LEN(ends) && !err; i++) {
		err = lab_world_visit(lab, ends[i].node);
		if (!err)
			err = offload_off(ends[i].device);
	}
	if (!err)
		err = lab_world_return(lab);
	return err ? lab_why_set(why, err, "ethtool: %s", strerror(err)) : 0;
}

int lab_world_build(struct lab *lab, struct lab_why *why)
{
	unsigned n = lab_plan_n_nodes(&lab->spec);
	int err;

	err = path_widen();
	if (err)
		return lab_why_set(why, err, "%s", strerror(err));
	err = programs_check(why);
	for (unsigned i = 0; i < n && !err; i++)
		err = node_make(lab, i, why);
	if (err)
		return err;
	err = lab_world_return(lab);
	if (err)
		return lab_why_set(why, err, "setns: %s", strerror(err));
	for (unsigned i = 0; i < n && !err; i++)
		err = links_make(lab, i, why);
	for (unsigned i = 1; i <= lab->spec.n_hops && !err; i++)
		err = rules_make(lab, i, why);
	for (unsigned i = 1; i <= lab->spec.n_hops && !err; i++) {
		if (lab->spec.hops[i - 1].is_program)
			err = neighbours_prepare(lab, i, why);
	}
	return err;
}
