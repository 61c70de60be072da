/* SPDX-License-Identifier: ISC */
/*
 * Design: three processes. The caller only waits. Its child, the keeper,
 * makes the namespaces; it has to exist because unshare() puts only the
 * children of a process into the new pid namespace. The keeper's child is
 * init there and runs the caller's function. Each dies with its parent
 * (PR_SET_PDEATHSIG), and with init the kernel kills everything inside and
 * drops the network. So no order of deaths leaves anything behind, and there
 * is nothing to clean: no file, no mount and no name was made outside.
 *
 * The keeper waits for init, and the caller for the keeper, so when
 * lab_enter() returns the lab is gone, not going.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/i18n.h"
#include "lab/world.h"

enum {
	STATUS_SIGNAL = 128,
	STATUS_FAILED = 1, /* the failure itself travels by the pipe */
};

static const int stop_signals[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};

/* What comes back when there was no lab to run in. */
struct failure {
	int err;
	struct lab_why why;
};

struct job {
	struct lab lab;
	lab_fn fn;
	void *arg;
	int fail_fd;        /* write end; closed by exec */
	sigset_t watched;   /* blocked in the caller and in the keeper */
	sigset_t user_mask; /* what the function shall run with */
	pid_t caller;
};

static void fail_send(const struct job *job, const struct failure *f)
{
	/* Below PIPE_BUF, so it arrives whole or not at all. */
	if (write(job->fail_fd, f, sizeof(*f)) < 0)
		perror("prumo");
}

/* @return whether the setting exists and is @p value */
static bool setting_is(const char *path, const char *value)
{
	FILE *f = fopen(path, "re");
	char line[32] = "";
	bool is_same;

	if (!f)
		return false;
	is_same = fgets(line, sizeof(line), f) &&
	          slice_eq_str(slice_trim(slice_str(line)), value);
	(void)fclose(f);
	return is_same;
}

static int why_forbidden(struct lab_why *why, int reason)
{
	static const struct {
		const char *path, *forbids, *allow;
	} switches[] = {
		{"/proc/sys/kernel/unprivileged_userns_clone", "0",
	         "kernel.unprivileged_userns_clone=1"},
		{"/proc/sys/kernel/apparmor_restrict_unprivileged_userns", "1",
	         "kernel.apparmor_restrict_unprivileged_userns=0"},
		{"/proc/sys/user/max_user_namespaces", "0",
	         "user.max_user_namespaces=15000"},
		{"/proc/sys/user/max_net_namespaces", "0",
	         "user.max_net_namespaces=15000"},
		{"/proc/sys/user/max_pid_namespaces", "0",
	         "user.max_pid_namespaces=15000"},
		{"/proc/sys/user/max_mnt_namespaces", "0",
	         "user.max_mnt_namespaces=15000"},
	};

	for (size_t i = 0; i < ARRAY_LEN(switches); i++) {
		if (setting_is(switches[i].path, switches[i].forbids))
			return lab_why_set(
				why, EPERM,
				_("This machine forbids user namespaces, of "
			          "which the lab is made. To allow them until "
			          "the next start: sudo sysctl -w %s"),
				switches[i].allow);
	}
	return lab_why_set(why, EPERM,
	                   _("This machine forbids user namespaces, of which "
	                     "the lab is made (%s). Inside a container, start "
	                     "it with: --security-opt seccomp=unconfined "
	                     "--security-opt apparmor=unconfined. Elsewhere, "
	                     "run the same command with sudo."),
	                   strerror(reason));
}

static int file_write(const char *path, const char *text)
{
	int fd, err = 0;

	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return errno;
	if (write(fd, text, strlen(text)) < 0)
		err = errno;
	(void)close(fd);
	return err;
}

static int map_ids(uid_t uid, gid_t gid)
{
	char map[64];
	int err;

	/* Older kernels lack this file and do not ask for it. */
	err = file_write("/proc/self/setgroups", "deny");
	if (err && err != ENOENT)
		return err;
	(void)snprintf(map, sizeof(map), "0 %u 1", uid);
	err = file_write("/proc/self/uid_map", map);
	if (err)
		return err;
	(void)snprintf(map, sizeof(map), "0 %u 1", gid);
	return file_write("/proc/self/gid_map", map);
}

static int namespaces_make(void)
{
	const int inner = CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET;
	uid_t uid = geteuid();
	gid_t gid = getegid();
	int err;

	if (unshare(CLONE_NEWUSER | inner) == 0)
		return map_ids(uid, gid);
	err = errno;
	/* The administrator needs no user namespace. */
	if (uid == 0 && unshare(inner) == 0)
		return 0;
	return err;
}

static bool is_refusal(int err)
{
	return err == EPERM || err == EACCES || err == ENOSPC ||
	       err == EUSERS || err == EINVAL || err == ENOSYS;
}

/*
 * Wait for @p pid. A signal that was meant for us becomes @p relay to it,
 * and its number becomes our status.
 */
static int keep(pid_t pid, const sigset_t *watched, int relay)
{
	int stopped_by = 0, signo, status;

	for (;;) {
		signo = sigwaitinfo(watched, NULL);
		if (signo > 0 && signo != SIGCHLD) {
			stopped_by = signo;
			(void)kill(pid, relay);
		}
		if (waitpid(pid, &status, WNOHANG) == pid)
			break;
	}
	if (stopped_by)
		return STATUS_SIGNAL + stopped_by;
	if (WIFSIGNALED(status))
		return STATUS_SIGNAL + WTERMSIG(status);
	return WEXITSTATUS(status);
}

/* A parent that died before prctl() sends no signal; its pipe tells. */
static void die_with_parent(int lifeline_fd)
{
	struct pollfd p = {.fd = lifeline_fd, .events = POLLIN};

	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (poll(&p, 1, 0) != 0)
		_exit(STATUS_FAILED);
	(void)close(lifeline_fd);
}

static void init_run(struct job *job)
{
	struct failure f = {0};
	int status;

	(void)sigprocmask(SIG_SETMASK, &job->user_mask, NULL);
	/* Private first, or the machine would see our mounts. A container may
	 * forbid a new /proc; then the old one serves. */
	if (mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0)
		(void)mount("proc", "/proc", "proc",
		            MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL);
	job->lab.home_fd =
		open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
	if (job->lab.home_fd < 0)
		f.err = lab_why_set(&f.why, errno, "/proc: %s",
		                    strerror(errno));
	else
		f.err = lab_world_build(&job->lab, &f.why);
	if (f.err) {
		fail_send(job, &f);
		_exit(STATUS_FAILED);
	}
	status = job->fn(&job->lab, job->arg);
	/* What the function printed is lost if this fails: say so. */
	if (fflush(NULL) != 0 && status == 0)
		status = STATUS_FAILED;
	_exit(status & 0xff);
}

static void keeper_run(struct job *job, int lifeline_fd)
{
	struct failure f = {0};
	int own_line[2] = {-1, -1};
	pid_t pid;

	f.err = namespaces_make();
	/* After the change of identity, which would undo it. */
	die_with_parent(lifeline_fd);
	if (f.err && is_refusal(f.err))
		f.err = why_forbidden(&f.why, f.err);
	else if (f.err)
		(void)lab_why_set(&f.why, f.err, "unshare: %s",
		                  strerror(f.err));
	else if (pipe2(own_line, O_CLOEXEC) != 0)
		f.err = lab_why_set(&f.why, errno, "pipe: %s", strerror(errno));
	if (f.err) {
		fail_send(job, &f);
		_exit(STATUS_FAILED);
	}
	pid = fork();
	if (pid == 0) {
		(void)close(own_line[1]);
		die_with_parent(own_line[0]);
		init_run(job);
	}
	if (pid < 0) {
		f.err = lab_why_set(&f.why, errno, "fork: %s", strerror(errno));
		fail_send(job, &f);
		_exit(STATUS_FAILED);
	}
	_exit(keep(pid, &job->watched, SIGKILL));
}

/* A signal that the caller was told to ignore (nohup) stays ignored. */
static void signals_watch(struct job *job, struct sigaction *old_chld)
{
	struct sigaction plain = {.sa_handler = SIG_DFL}, now;

	(void)sigemptyset(&job->watched);
	(void)sigaddset(&job->watched, SIGCHLD);
	for (size_t i = 0; i < ARRAY_LEN(stop_signals); i++) {
		if (sigaction(stop_signals[i], NULL, &now) == 0 &&
		    now.sa_handler != SIG_IGN)
			(void)sigaddset(&job->watched, stop_signals[i]);
	}
	/* An ignored SIGCHLD would reap the keeper behind our back. */
	(void)sigaction(SIGCHLD, &plain, old_chld);
	(void)sigprocmask(SIG_BLOCK, &job->watched, &job->user_mask);
}

static int host(int *statusp, struct job *job, int fail_fd, int *lifeline)
{
	struct sigaction old_chld;
	pid_t pid;
	int err = 0;

	signals_watch(job, &old_chld);
	(void)fflush(NULL);
	pid = fork();
	if (pid == 0) {
		(void)close(fail_fd);
		(void)close(lifeline[1]);
		keeper_run(job, lifeline[0]);
	}
	if (pid < 0)
		err = errno;
	else
		*statusp = keep(pid, &job->watched, SIGTERM);
	(void)sigaction(SIGCHLD, &old_chld, NULL);
	(void)sigprocmask(SIG_SETMASK, &job->user_mask, NULL);
	return err;
}

int lab_enter(int *statusp, const struct lab_spec *spec, lab_fn fn, void *arg,
              struct lab_why *why)
{
	struct job job = {.fn = fn, .arg = arg, .lab.spec = *spec};
	int fail[2] = {-1, -1}, lifeline[2] = {-1, -1};
	struct failure f;
	int status = STATUS_FAILED, err;

	if (lab_plan_check(spec) != 0)
		return lab_why_set(why, EINVAL, "%s", strerror(EINVAL));
	if (pipe2(fail, O_CLOEXEC) != 0 || pipe2(lifeline, O_CLOEXEC) != 0) {
		err = lab_why_set(why, errno, "pipe: %s", strerror(errno));
		goto out;
	}
	job.fail_fd = fail[1];
	err = host(&status, &job, fail[0], lifeline);
	if (err) {
		(void)lab_why_set(why, err, "fork: %s", strerror(err));
		goto out;
	}
	(void)close(fail[1]);
	fail[1] = -1;
	if (read(fail[0], &f, sizeof(f)) == (ssize_t)sizeof(f)) {
		*why = f.why;
		err = f.err;
	} else {
		*statusp = status;
	}

out:
	for (size_t i = 0; i < 2; i++) {
		if (fail[i] >= 0)
			(void)close(fail[i]);
		if (lifeline[i] >= 0)
			(void)close(lifeline[i]);
	}
	return err;
}

const struct lab_spec *lab_spec(const struct lab *lab)
{
	return &lab->spec;
}

const char *lab_dev(bool is_towards_server)
{
	return is_towards_server ? "wan" : "lan";
}

static bool is_client(const struct lab *lab, unsigned node)
{
	return node == 0 || node > lab->spec.n_hops + 1;
}

/* @return 0, or ENOENT: no such node, or nothing on that side */
static int side_find(unsigned *nodep, const struct lab *lab, const char *node,
                     bool is_towards_server)
{
	unsigned i;
	int err = lab_plan_node(&i, &lab->spec, node);

	if (err)
		return err;
	if (i == lab->spec.n_hops + 1 ? is_towards_server
	                              : is_client(lab, i) && !is_towards_server)
		return ENOENT;
	*nodep = i;
	return 0;
}

int lab_peer_mac(char *buf, const struct lab *lab, const char *node,
                 bool is_towards_server)
{
	unsigned i;
	int err = side_find(&i, lab, node, is_towards_server);

	if (!err && is_client(lab, i))
		lab_plan_mac(buf, 0, true);
	else if (!err)
		lab_plan_mac(buf, is_towards_server ? i : i - 1,
		             is_towards_server);
	return err;
}

int lab_addr(char *buf, const struct lab *lab, const char *node,
             bool is_towards_server)
{
	char near[LAB_ADDR_BYTES], far[LAB_ADDR_BYTES];
	unsigned i;
	int err;

	err = side_find(&i, lab, node, is_towards_server);
	if (err)
		return err;
	if (is_client(lab, i)) {
		lab_client_addr(buf, i == 0 ? 1 : i - lab->spec.n_hops, false);
		return 0;
	}
	lab_plan_link(near, far, &lab->spec, is_towards_server ? i : i - 1,
	              false);
	(void)snprintf(buf, LAB_ADDR_BYTES, "%s",
	               is_towards_server ? near : far);
	return 0;
}
