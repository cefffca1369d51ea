/* SPDX-License-Identifier: MIT */
/* sysv.c - System V IPC in /proc: the lists of what there is, and the limits. */
#include "ipc/sysv.h"

#include "abi/capability.h"
#include "abi/errno.h"
#include "base/slab.h"
#include "fs/proc/generated.h"
#include "fs/proc/proc.h"
#include "ipc/msg.h"
#include "ipc/sem.h"
#include "ipc/shm.h"
#include "lib/atomic.h"
#include "process/creds.h"

enum { SEGMENTS_MAX = 4096 };

/* ---- /proc/sysvipc ---- */

static void sem_line(struct ipc_object *o, void *arg)
{
	const struct sem_set *set = sem_set_of(o);

	text_printf(arg, "%10d %10d  %4o %10lu %5u %5u %5u %5u %10ld %10ld\n", o->key,
		    o->id, o->mode, set->count, text_uid(arg, o->uid),
		    text_gid(arg, o->gid), text_uid(arg, o->cuid), text_gid(arg, o->cgid),
		    set->otime, set->ctime);
}

static void msg_line(struct ipc_object *o, void *arg)
{
	const struct msg_queue *q = msg_queue_of(o);

	text_printf(arg,
		    "%10d %10d  %4o  %10lu %10lu %5u %5u %5u %5u %5u %5u %10ld %10ld "
		    "%10ld\n",
		    o->key, o->id, o->mode, q->bytes, q->count, (unsigned)q->sender,
		    (unsigned)q->receiver, text_uid(arg, o->uid), text_gid(arg, o->gid),
		    text_uid(arg, o->cuid), text_gid(arg, o->cgid), q->stime, q->rtime,
		    q->ctime);
}

static void shm_line(struct ipc_object *o, void *arg)
{
	const struct shm_segment *s = shm_segment_of(o);

	text_printf(arg,
		    "%10d %10d  %4o %21lu %5u %5u  %5lu %5u %5u %5u %5u %10ld %10ld "
		    "%10ld %21lu %21lu\n",
		    o->key, o->id, o->mode, s->size, (unsigned)s->creator,
		    (unsigned)s->last, s->attached, text_uid(arg, o->uid),
		    text_gid(arg, o->gid), text_uid(arg, o->cuid), text_gid(arg, o->cgid),
		    s->atime, s->dtime, s->ctime, shm_resident(s), 0UL);
}

static int sem_show(struct text *t, void *arg)
{
	(void)arg;
	text_puts(t,
		  "       key      semid perms      nsems   uid   gid  cuid  cgid      "
		  "otime      ctime\n");
	ipc_for_each(&sem_ids, sem_line, t);
	return 0;
}

static int msg_show(struct text *t, void *arg)
{
	(void)arg;
	text_puts(t,
		  "       key      msqid perms      cbytes       qnum lspid lrpid   uid "
		  "  gid  cuid  cgid      stime      rtime      ctime\n");
	ipc_for_each(&msg_ids, msg_line, t);
	return 0;
}

static int shm_show(struct text *t, void *arg)
{
	(void)arg;
	text_puts(t,
		  "       key      shmid perms                  size  cpid  lpid nattch "
		  "  uid   gid  cuid  cgid      atime      dtime      ctime            "
		  "       rss                  swap\n");
	ipc_for_each(&shm_ids, shm_line, t);
	return 0;
}

/* ---- /proc/sys/kernel ---- */

enum { NUMBERS_MAX = 4 };

/* A setting of up to four numbers. */
struct setting {
	int *value[NUMBERS_MAX]; /* atomic */
	int min, max;		 /* of the last */
	void (*changed)(void);
};

static int setting_show(struct text *t, void *arg)
{
	const struct setting *s = arg;

	for (int i = 0; i < NUMBERS_MAX && s->value[i]; i++)
		text_printf(t, i ? "\t%d" : "%d", atomic_load_relaxed(s->value[i]));
	text_putc(t, '\n');
	return 0;
}

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\n';
}

/* The next number of data, which moves past it and the white space behind it. False: it
 * does not begin with one. */
static bool number_next(const char **data, uint64_t *out, bool *is_negative)
{
	const char *s = *data;

	*is_negative = *s == '-';
	s += *is_negative;
	if (*s < '0' || *s > '9')
		return false;
	for (*out = 0; *s >= '0' && *s <= '9'; s++)
		if (__builtin_mul_overflow(*out, 10UL, out) ||
		    __builtin_add_overflow(*out, (uint64_t)(*s - '0'), out))
			return false;
	if (*s && !is_space(*s))
		return false;
	while (is_space(*s))
		s++;
	*data = s;
	return true;
}

static const char *skip_space(const char *s)
{
	while (is_space(*s))
		s++;
	return s;
}

static int setting_store(char *data, size_t len, void *arg)
{
	const struct setting *s = arg;
	const char *at = skip_space(data);
	int value[NUMBERS_MAX];
	int count = 0;

	(void)len;
	for (; *at && count < NUMBERS_MAX && s->value[count]; count++) {
		bool is_last = count + 1 == NUMBERS_MAX || !s->value[count + 1];
		bool is_negative;
		uint64_t number;

		if (!number_next(&at, &number, &is_negative) ||
		    number > (uint64_t)INT32_MAX + is_negative)
			return -EINVAL;
		value[count] = is_negative ? (int)-(int64_t)number : (int)number;
		if (is_last && (value[count] < s->min || value[count] > s->max))
			return -EINVAL;
	}
	if (!count)
		return -EINVAL;
	for (int i = 0; i < count; i++)
		atomic_store(s->value[i], value[i]);
	if (s->changed)
		s->changed();
	return 0;
}

static int long_show(struct text *t, void *arg)
{
	text_printf(t, "%lu\n", atomic_load_relaxed((uint64_t *)arg));
	return 0;
}

static int long_store(char *data, size_t len, void *arg)
{
	const char *at = skip_space(data);
	bool is_negative;
	uint64_t number;

	(void)len;
	if (!number_next(&at, &number, &is_negative))
		return -EINVAL;
	if (!is_negative)
		atomic_store((uint64_t *)arg, number);
	return 0;
}

/* For who puts back what a checkpoint had. */
static int next_id_store(char *data, size_t len, void *arg)
{
	if (!capable(CAP_SYS_ADMIN) && !capable(CAP_CHECKPOINT_RESTORE))
		return -EPERM;
	return setting_store(data, len, arg);
}

static void rmid_forced(void)
{
	if (atomic_load(&shm_rmid_forced))
		shm_remove_orphans(NULL);
}

#define SETTING(at, low, high, func)                                                     \
	&(struct setting)                                                                \
	{                                                                                \
		{at}, low, high, func                                                    \
	}

static const struct proc_file settings[] = {
	{"kernel/sem", 0644, setting_show, setting_store,
	 &(struct setting){{&sem_limits[SEM_LIMIT_SEMMSL], &sem_limits[SEM_LIMIT_SEMMNS],
			    &sem_limits[SEM_LIMIT_SEMOPM], &sem_ids.limit},
			   0,
			   IPC_INDEX_COUNT,
			   NULL}},
	{"kernel/msgmax", 0644, setting_show, setting_store,
	 SETTING(&msg_size_limit, 0, INT32_MAX, NULL)},
	{"kernel/msgmnb", 0644, setting_show, setting_store,
	 SETTING(&msg_queue_limit, 0, INT32_MAX, NULL)},
	{"kernel/msgmni", 0644, setting_show, setting_store,
	 SETTING(&msg_ids.limit, 0, IPC_INDEX_COUNT, NULL)},
	{"kernel/shmmni", 0644, setting_show, setting_store,
	 SETTING(&shm_ids.limit, 0, IPC_INDEX_COUNT, NULL)},
	{"kernel/shm_rmid_forced", 0644, setting_show, setting_store,
	 SETTING(&shm_rmid_forced, 0, 1, rmid_forced)},
	{"kernel/shmmax", 0644, long_show, long_store, &shm_size_limit},
	{"kernel/shmall", 0644, long_show, long_store, &shm_pages_limit},
	{"kernel/sem_next_id", 0666, setting_show, next_id_store,
	 SETTING(&sem_ids.next_id, 0, INT32_MAX, NULL)},
	{"kernel/msg_next_id", 0666, setting_show, next_id_store,
	 SETTING(&msg_ids.next_id, 0, INT32_MAX, NULL)},
	{"kernel/shm_next_id", 0666, setting_show, next_id_store,
	 SETTING(&shm_ids.next_id, 0, INT32_MAX, NULL)},
};

static const struct proc_file lists[] = {
	{"sysvipc/msg", 0444, msg_show, NULL, NULL},
	{"sysvipc/sem", 0444, sem_show, NULL, NULL},
	{"sysvipc/shm", 0444, shm_show, NULL, NULL},
};

/* ---- start and end ---- */

void sysv_init(void)
{
	ipc_ids_init(&sem_ids, SEMMNI);
	ipc_ids_init(&msg_ids, MSGMNI);
	ipc_ids_init(&shm_ids, SEGMENTS_MAX);
	proc_sysctl_files(settings, ARRAY_SIZE(settings));
	proc_files(lists, ARRAY_SIZE(lists));
}

static struct ipc_object *first_of(struct ipc_ids *ids)
{
	uint32_t index = 0;
	void *found;

	return idr_next(&ids->indices, &index, &found) ? found : NULL;
}

void sysv_fini(void)
{
	struct ipc_object *o;

	while ((o = first_of(&sem_ids))) {
		sem_set_remove(sem_set_of(o));
		kfree(sem_set_of(o));
	}
	while ((o = first_of(&msg_ids))) {
		msg_queue_remove(msg_queue_of(o));
		msg_queue_free(msg_queue_of(o));
	}
	while ((o = first_of(&shm_ids)))
		if (shm_remove_locked(shm_segment_of(o)))
			shm_segment_put(shm_segment_of(o));
		else
			break;
}
