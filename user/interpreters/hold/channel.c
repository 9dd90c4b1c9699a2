// SPDX-License-Identifier: BSD-2-Clause
/* See channel.h. */
#include "interpreters/hold/channel.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "base/clock.h"

bool channel__send(struct channel *channel, struct holder_request *request, int fd)
{
	union {
		struct cmsghdr align;
		char buf[CMSG_SPACE(sizeof(int))];
	} control = {};
	struct iovec iov = { .iov_base = request, .iov_len = sizeof(*request) };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };

	request->seq = ++channel->seq;
	if (fd >= 0) {
		struct cmsghdr *cmsg;

		msg.msg_control = control.buf;
		msg.msg_controllen = sizeof(control.buf);
		cmsg = CMSG_FIRSTHDR(&msg);
		cmsg->cmsg_level = SOL_SOCKET;
		cmsg->cmsg_type = SCM_RIGHTS;
		cmsg->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(cmsg), &fd, sizeof(fd));
	}
	if (sendmsg(channel->sock, &msg, MSG_NOSIGNAL | MSG_DONTWAIT) != sizeof(*request))
		return false;
	channel->asked_ns = clock_ns();
	return true;
}

int channel__receive(struct channel *channel, struct holder_reply *out)
{
	struct holder_reply reply;
	ssize_t got;

	while ((got = recv(channel->sock, &reply, sizeof(reply), MSG_DONTWAIT)) > 0) {
		if (got != sizeof(reply) || reply.seq != channel->seq)
			continue;
		*out = reply;
		channel->asked_ns = 0;
		return 1;
	}
	return !got || (errno != EAGAIN && errno != EINTR) ? -EPIPE : 0;
}

int channel_take(int sock, struct holder_request *request, int *fd)
{
	union {
		struct cmsghdr align;
		char buf[CMSG_SPACE(sizeof(int))];
	} control = {};
	struct iovec iov = { .iov_base = request, .iov_len = sizeof(*request) };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control.buf,
			      .msg_controllen = sizeof(control.buf) };
	struct cmsghdr *cmsg;
	ssize_t got;

	do {
		got = recvmsg(sock, &msg, MSG_CMSG_CLOEXEC);
	} while (got < 0 && errno == EINTR);
	if (got != sizeof(*request))
		return 0;
	/* No descriptor: ours are used up. The exec must go on all the same. */
	cmsg = CMSG_FIRSTHDR(&msg);
	if (cmsg && cmsg->cmsg_type == SCM_RIGHTS && cmsg->cmsg_len == CMSG_LEN(sizeof(int)))
		memcpy(fd, CMSG_DATA(cmsg), sizeof(*fd));
	return 1;
}

int channel_pair(int *ours, int *holders)
{
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair))
		return -errno;
	*ours = pair[0];
	*holders = pair[1];
	return 0;
}
