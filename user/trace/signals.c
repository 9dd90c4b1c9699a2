// SPDX-License-Identifier: BSD-2-Clause
/* See signals.h. Handlers set flags or pass the signal on; everything else is the loop's. */
#include "trace/signals.h"

#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <unistd.h>

#include "base/clock.h"
#include "interpreters/process/launch.h"

/* timeout(1) signals its child and then their group: that asks once. A second time kills us. */
#define SAME_NS 200000000ULL

static volatile sig_atomic_t want_stop, want_reload;
static bool reloads_at_hangup;
static const struct launch *volatile forward_to;
static bool is_interrupt_ignored; /* was, when we were started */

static void on_signal(int sig, siginfo_t *info, void *context)
{
	int saved = errno;

	(void)context;
	if (sig == SIGHUP && reloads_at_hangup)
		want_reload = true;
	else if (!forward_to)
		want_stop = want_stop || !is_interrupt_ignored || sig != SIGINT ||
			    info->si_code == SI_USER;
	else if ((sig != SIGINT && sig != SIGQUIT) || info->si_code == SI_USER)
		launch__signal(forward_to, sig);
	errno = saved;
}

static void on_signal_once(int sig, siginfo_t *info, void *context)
{
	static __u64 first_ns;
	int saved = errno;
	bool is_first = !first_ns;

	if (is_first)
		first_ns = clock_ns();
	if (clock_ns() - first_ns > SAME_NS) {
		signal(sig, SIG_DFL);
		raise(sig); /* comes when we return */
	} else if (is_first) {
		on_signal(sig, info, context);
	}
	errno = saved;
}

/* Its only purpose is to end a wait. */
static void on_child(int sig)
{
	(void)sig;
}

/* nohup had it ignored: so it stays. */
static void take(int sig, const struct sigaction *action)
{
	struct sigaction old;

	if (!sigaction(sig, NULL, &old) && old.sa_handler == SIG_IGN)
		return;
	sigaction(sig, action, NULL);
}

/*
 * A shell without job control starts what runs in the background with SIGINT ignored, so that the
 * terminal's Ctrl-C is not for it. The kill -INT of a script still is.
 */
static void take_interrupt(const struct sigaction *action, const struct sigaction *once)
{
	struct sigaction old;

	is_interrupt_ignored = !sigaction(SIGINT, NULL, &old) && old.sa_handler == SIG_IGN;
	sigaction(SIGINT, is_interrupt_ignored ? action : once, NULL);
}

void signals_install(const struct launch *launch)
{
	struct sigaction action = { .sa_sigaction = on_signal, .sa_flags = SA_SIGINFO };
	struct sigaction once = { .sa_sigaction = on_signal_once, .sa_flags = SA_SIGINFO };
	struct sigaction child = { .sa_handler = on_child, .sa_flags = SA_NOCLDSTOP };
	struct sigaction ignore = { .sa_handler = SIG_IGN };

	forward_to = launch;
	take_interrupt(&action, &once);
	take(SIGTERM, launch ? &action : &once);
	take(SIGHUP, launch || reloads_at_hangup ? &action : &once);
	if (launch) { /* these would end us and leave the command without its report */
		take(SIGQUIT, &action);
		take(SIGUSR1, &action);
		take(SIGUSR2, &action);
	}
	/* An inherited SIG_IGN would make the command's status be thrown away. */
	sigaction(SIGCHLD, &child, NULL);
	sigaction(SIGPIPE, &ignore, NULL);
	sigaction(SIGXFSZ, &ignore, NULL); /* ulimit -f: an error like others */
}

bool signals_want_stop(void)
{
	return want_stop;
}

void signals_reload_at_hangup(void)
{
	reloads_at_hangup = true;
}

bool signals_take_reload(void)
{
	bool is_asked = want_reload;

	want_reload = false;
	return is_asked;
}

void signals_restore(void)
{
	static const int all[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2 };
	struct sigaction plain = { .sa_handler = SIG_DFL }, old;

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		if (all[i] == SIGINT && is_interrupt_ignored)
			continue;
		if (!sigaction(all[i], NULL, &old) && old.sa_handler != SIG_IGN)
			sigaction(all[i], &plain, NULL);
	}
	forward_to = NULL;
}
