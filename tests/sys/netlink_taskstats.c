/* SPDX-License-Identifier: MIT */
/* calls: socket sendmsg recvmsg */
/* The generic netlink family TASKSTATS: what tasks and processes have used. */
#include "netlink.h"

#include <linux/acct.h>
#include <linux/genetlink.h>
#include <linux/taskstats.h>

static struct message {
	struct nlmsghdr h;
	struct genlmsghdr g;
	char data[4096];
} question, answer;

static int fd;
static unsigned short family;

static void add(int type, const void *data, size_t size)
{
	struct nlattr a = {(unsigned short)(sizeof(a) + size), (unsigned short)type};

	memcpy((char *)&question + question.h.nlmsg_len, &a, sizeof(a));
	memcpy((char *)&question + question.h.nlmsg_len + sizeof(a), data, size);
	question.h.nlmsg_len += (unsigned)NLMSG_ALIGN(sizeof(a) + size);
}

static void begin(unsigned short type, unsigned short flags, unsigned char cmd)
{
	memset(&question, 0, sizeof(question));
	question.h = (struct nlmsghdr){NLMSG_LENGTH(sizeof(question.g)), type,
				       NLM_F_REQUEST | flags, 7, 0};
	question.g = (struct genlmsghdr){cmd, 1, 0};
}

/* 0 with an answer, or what the error message says. */
static int ask(void)
{
	memset(&answer, 0, sizeof(answer));
	CHECK(send(fd, &question, question.h.nlmsg_len, 0) ==
	      (ssize_t)question.h.nlmsg_len);
	CHECK(recv(fd, &answer, sizeof(answer), 0) >= (ssize_t)sizeof(answer.h));
	CHECK(answer.h.nlmsg_seq == 7);
	if (answer.h.nlmsg_type != NLMSG_ERROR)
		return 0;
	return ((struct nlmsgerr *)NLMSG_DATA(&answer.h))->error;
}

static int ask_one(int type, unsigned id)
{
	begin(family, 0, TASKSTATS_CMD_GET);
	add(type, &id, sizeof(id));
	return ask();
}

/* The data of an attribute between from and to. */
static void *find(void *from, void *to, int type)
{
	for (char *p = from; p < (char *)to;) {
		struct nlattr *a = (void *)p;

		CHECK(a->nla_len >= sizeof(*a));
		if ((a->nla_type & NLA_TYPE_MASK) == type)
			return a + 1;
		p += NLMSG_ALIGN(a->nla_len);
	}
	return NULL;
}

static void *answer_end(void)
{
	return (char *)&answer + answer.h.nlmsg_len;
}

static const struct taskstats *stats(int kind, int type, unsigned id)
{
	char *nest = find(answer.data, answer_end(), kind);
	unsigned *found;

	CHECK(answer.h.nlmsg_type == family && answer.g.cmd == TASKSTATS_CMD_NEW && nest);
	found = find(nest, answer_end(), type);
	CHECK(found && *found == id);
	nest = find(nest, answer_end(), TASKSTATS_TYPE_STATS);
	CHECK(nest &&
	      ((struct nlattr *)(void *)nest)[-1].nla_len >= sizeof(struct taskstats));
	return (void *)nest;
}

static void open_it(void)
{
	struct timeval patience = {10, 0};
	void *id;

	fd = nl_socket(NETLINK_GENERIC);
	CHECK(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)) == 0);
	begin(GENL_ID_CTRL, 0, CTRL_CMD_GETFAMILY);
	add(CTRL_ATTR_FAMILY_NAME, TASKSTATS_GENL_NAME, sizeof(TASKSTATS_GENL_NAME));
	CHECK(ask() == 0 && answer.h.nlmsg_type == GENL_ID_CTRL);
	CHECK(strcmp(find(answer.data, answer_end(), CTRL_ATTR_FAMILY_NAME),
		     TASKSTATS_GENL_NAME) == 0);
	id = find(answer.data, answer_end(), CTRL_ATTR_FAMILY_ID);
	CHECK(id);
	memcpy(&family, id, sizeof(family));
	CHECK(family > GENL_ID_CTRL);
}

static bool may_ask(void)
{
	open_it();
	return ask_one(TASKSTATS_CMD_ATTR_PID, (unsigned)getpid()) != -EPERM;
}

static void it_is_for_administrators(void)
{
	CHECK(may_ask() == (geteuid() == 0));
	begin(family, 0, 99);
	CHECK(ask() == -EOPNOTSUPP); /* whoever asks */
	CHECK(close(fd) == 0);
}

/* Uses time until it shows: Linux counts in ticks. */
static const struct taskstats *burn(unsigned pid)
{
	const struct taskstats *s;

	for (;;) {
		long end = now_ms() + 20;

		while (now_ms() < end)
			;
		CHECK(ask_one(TASKSTATS_CMD_ATTR_PID, pid) == 0);
		s = stats(TASKSTATS_TYPE_AGGR_PID, TASKSTATS_TYPE_PID, pid);
		if (s->ac_utime + s->ac_stime >= 40000)
			return s;
	}
}

static void a_task(void)
{
	const struct taskstats *s;
	unsigned pid = (unsigned)getpid();
	struct stat st;

	if (!may_ask())
		return;
	CHECK(stat("/proc/self/exe", &st) == 0);
	s = burn(pid);
	CHECK(s->version >= 12 && s->ac_pid == pid && s->ac_tgid == pid);
	CHECK(s->ac_ppid == (unsigned)getppid() && s->ac_uid == getuid() &&
	      s->ac_gid == getgid());
	CHECK(strncmp(s->ac_comm, "netlink_tas", 11) == 0 && !(s->ac_flag & AFORK));
	/* Ticks count whoever runs as they fall: it may have been for less than them. */
	CHECK(s->ac_etime >= 20000);
	CHECK(s->ac_tgetime >= s->ac_etime && s->cpu_run_real_total >= 1000000);
	CHECK(labs((long)(s->ac_btime64 - (unsigned long)time(NULL))) < 600);
	CHECK(s->ac_minflt > 0 && s->hiwater_vm > 100 && s->hiwater_rss > 100);
	CHECK(s->ac_exe_inode == st.st_ino && s->ac_exe_dev == st.st_dev);
	CHECK(close(fd) == 0);
}

static volatile bool go_on;
static volatile int naps;

static void *other_thread(void *arg)
{
	*(volatile unsigned *)arg = (unsigned)syscall(SYS_gettid);
	for (; go_on; naps++)
		sleep_ms(1);
	return NULL;
}

static void a_process_is_the_sum(void)
{
	const struct taskstats *s;
	volatile unsigned tid = 0;
	unsigned pid = (unsigned)getpid();
	pthread_t thread;
	unsigned long own;

	if (!may_ask())
		return;
	go_on = true;
	CHECK(pthread_create(&thread, NULL, other_thread, (void *)(uintptr_t)&tid) == 0);
	while (naps < 5)
		sleep_ms(1);
	sleep_ms(30);
	CHECK(ask_one(TASKSTATS_CMD_ATTR_PID, tid) == 0);
	s = stats(TASKSTATS_TYPE_AGGR_PID, TASKSTATS_TYPE_PID, tid);
	CHECK(s->ac_pid == tid && s->ac_tgid == pid && s->nvcsw > 2);
	CHECK(s->ac_etime < s->ac_tgetime && s->ac_etime >= 25000);
	CHECK(ask_one(TASKSTATS_CMD_ATTR_PID, pid) == 0);
	own = stats(TASKSTATS_TYPE_AGGR_PID, TASKSTATS_TYPE_PID, pid)->ac_etime;
	CHECK(ask_one(TASKSTATS_CMD_ATTR_TGID, pid) == 0);
	s = stats(TASKSTATS_TYPE_AGGR_TGID, TASKSTATS_TYPE_TGID, pid);
	CHECK(s->ac_etime >= own + 25000 && s->nvcsw > 2 && !s->ac_pid && !s->ac_comm[0]);
	go_on = false;
	CHECK(pthread_join(thread, NULL) == 0);
	while (ask_one(TASKSTATS_CMD_ATTR_PID, tid) == 0) /* it is on its way */
		sleep_ms(1);
	CHECK(ask_one(TASKSTATS_CMD_ATTR_PID, tid) == -ESRCH);
	CHECK(close(fd) == 0);
}

static void sleep_long(void)
{
	sleep_ms(100000);
}

/* One that has forked only, asleep, stopped, dead and gone. */
static void another_process(void)
{
	const struct taskstats *s;
	siginfo_t info;
	unsigned pid;

	if (!may_ask())
		return;
	pid = (unsigned)child_start(sleep_long);
	CHECK(ask_one(TASKSTATS_CMD_ATTR_PID, pid) == 0);
	s = stats(TASKSTATS_TYPE_AGGR_PID, TASKSTATS_TYPE_PID, pid);
	CHECK(s->ac_pid == pid && s->ac_ppid == (unsigned)getpid() &&
	      (s->ac_flag & AFORK));
	CHECK(kill((pid_t)pid, SIGSTOP) == 0);
	CHECK(waitid(P_PID, pid, &info, WSTOPPED) == 0);
	CHECK(ask_one(TASKSTATS_CMD_ATTR_TGID, pid) == 0);
	CHECK(kill((pid_t)pid, SIGKILL) == 0);
	CHECK(waitid(P_PID, pid, &info, WEXITED | WNOWAIT) == 0);
	CHECK(ask_one(TASKSTATS_CMD_ATTR_PID, pid) == 0);
	s = stats(TASKSTATS_TYPE_AGGR_PID, TASKSTATS_TYPE_PID, pid);
	CHECK(s->ac_pid == pid && s->hiwater_vm == 0);
	CHECK(child_wait((pid_t)pid) == SIGKILL);
	CHECK(ask_one(TASKSTATS_CMD_ATTR_PID, pid) == -ESRCH);
	CHECK(ask_one(TASKSTATS_CMD_ATTR_TGID, pid) == -ESRCH);
	CHECK(close(fd) == 0);
}

static void bad_questions(void)
{
	unsigned long pid = (unsigned long)getpid();

	if (!may_ask())
		return;
	begin(family, 0, TASKSTATS_CMD_GET);
	CHECK(ask() == -EINVAL);
	add(TASKSTATS_CMD_ATTR_PID, &pid, 3);
	CHECK(ask() == -ERANGE);
	begin(family, 0, TASKSTATS_CMD_GET);
	add(TASKSTATS_CMD_ATTR_PID, &pid, sizeof(pid)); /* longer is no error */
	CHECK(ask() == 0);
	begin(family, NLM_F_DUMP, TASKSTATS_CMD_GET);
	add(TASKSTATS_CMD_ATTR_PID, &pid, sizeof(pid));
	CHECK(ask() == -EOPNOTSUPP);
	CHECK(ask_one(TASKSTATS_CMD_ATTR_PID, 0x7fffffff) == -ESRCH);
	CHECK(ask_one(TASKSTATS_CMD_ATTR_PID, 0) == -ESRCH);
	begin(family, NLM_F_ACK, TASKSTATS_CMD_GET);
	add(TASKSTATS_CMD_ATTR_TGID, &pid, 4);
	CHECK(ask() == 0);
	CHECK(recv(fd, &answer, sizeof(answer), 0) > 0 &&
	      answer.h.nlmsg_type == NLMSG_ERROR);
	CHECK(((struct nlmsgerr *)NLMSG_DATA(&answer.h))->error == 0);
	CHECK(close(fd) == 0);
}

RUN(TEST(it_is_for_administrators), TEST(a_task), TEST(a_process_is_the_sum),
    TEST(another_process), TEST(bad_questions))
