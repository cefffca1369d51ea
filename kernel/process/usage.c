/* SPDX-License-Identifier: MIT */
/* usage.c - what processes have used of the machine. */
#include "process/usage.h"

#include "host/host.h"
#include "lib/atomic.h"
#include "lib/string.h"
#include "mm/mm.h"
#include "process/task.h"
#include "time/clock.h"

static nsec_t from_timeval(const struct linux_timeval *tv)
{
	return tv->tv_sec * NSEC_PER_SEC + tv->tv_usec * 1000;
}

static void host_usage(int who, struct linux_rusage *out)
{
	memset(out, 0, sizeof(*out));
	if (host_getrusage(who, out))
		memset(out, 0, sizeof(*out));
}

static size_t kernel_part; /* atomic: pages */

void usage_set_kernel_part(size_t pages)
{
	atomic_store_relaxed(&kernel_part, pages);
}

size_t usage_host_peak(void)
{
	struct linux_rusage now;

	host_usage(RUSAGE_SELF, &now);
	return (size_t)now.ru_maxrss / (PAGE_SIZE / 1024);
}

/* In KiB, of what the host counts for the current process. */
static int64_t guest_peak(int64_t host_peak)
{
	const struct mm *mm = current()->mm;
	size_t kernel =
		mm && mm->use.kernel ? mm->use.kernel : atomic_load_relaxed(&kernel_part);
	int64_t peak = host_peak - (int64_t)(kernel * (PAGE_SIZE / 1024));

	return MAX(peak, (int64_t)(PAGE_SIZE / 1024));
}

void usage_of_dead(const struct process *p, struct linux_rusage *out)
{
	memset(out, 0, sizeof(*out));
	out->ru_utime = nsec_to_timeval(p->user_time);
	out->ru_stime = nsec_to_timeval(p->system_time);
	out->ru_minflt = (int64_t)p->min_faults;
	out->ru_majflt = (int64_t)p->maj_faults;
	out->ru_maxrss = (int64_t)p->max_rss;
	out->ru_inblock = (int64_t)p->in_blocks;
	out->ru_oublock = (int64_t)p->out_blocks;
	out->ru_nvcsw = (int64_t)p->voluntary;
	out->ru_nivcsw = (int64_t)p->involuntary;
}

void usage_of_self(struct linux_rusage *out)
{
	struct linux_rusage before;

	host_usage(RUSAGE_SELF, out);
	out->ru_maxrss = guest_peak(out->ru_maxrss);
	usage_of_dead(current()->process, &before);
	usage_add(out, &before);
}

void usage_of_thread(struct linux_rusage *out)
{
	const struct task *t = current();
	struct linux_rusage before = {
		.ru_utime = nsec_to_timeval(t->past_user),
		.ru_stime = nsec_to_timeval(t->cpu_time_base - t->past_user),
		.ru_minflt = (int64_t)t->past_min_faults,
		.ru_majflt = (int64_t)t->past_maj_faults,
		.ru_nvcsw = (int64_t)t->voluntary_switches,
		.ru_nivcsw = (int64_t)t->involuntary_switches,
	};

	host_usage(RUSAGE_THREAD, out);
	out->ru_maxrss = guest_peak(out->ru_maxrss);
	usage_add(out, &before);
}

void usage_save_thread(struct task *t)
{
	struct linux_rusage now;

	host_usage(RUSAGE_THREAD, &now);
	t->past_user += from_timeval(&now.ru_utime);
	t->cpu_time_base += from_timeval(&now.ru_utime) + from_timeval(&now.ru_stime);
	t->past_min_faults += (uint64_t)now.ru_minflt;
	t->past_maj_faults += (uint64_t)now.ru_majflt;
	t->voluntary_switches += (uint64_t)now.ru_nvcsw;
	t->involuntary_switches += (uint64_t)now.ru_nivcsw;
}

void usage_save(struct process *p)
{
	struct linux_rusage now;

	host_usage(RUSAGE_SELF, &now);
	p->user_time += from_timeval(&now.ru_utime);
	p->system_time += from_timeval(&now.ru_stime);
	p->min_faults += (uint64_t)now.ru_minflt;
	p->maj_faults += (uint64_t)now.ru_majflt;
	p->max_rss = MAX(p->max_rss, (uint64_t)guest_peak(now.ru_maxrss));
	p->in_blocks += (uint64_t)now.ru_inblock;
	p->out_blocks += (uint64_t)now.ru_oublock;
	p->voluntary += (uint64_t)now.ru_nvcsw;
	p->involuntary += (uint64_t)now.ru_nivcsw;
}

static void timeval_add(struct linux_timeval *sum, const struct linux_timeval *add)
{
	*sum = nsec_to_timeval(from_timeval(sum) + from_timeval(add));
}

void usage_add(struct linux_rusage *sum, const struct linux_rusage *add)
{
	timeval_add(&sum->ru_utime, &add->ru_utime);
	timeval_add(&sum->ru_stime, &add->ru_stime);
	sum->ru_maxrss = MAX(sum->ru_maxrss, add->ru_maxrss);
	sum->ru_minflt += add->ru_minflt;
	sum->ru_majflt += add->ru_majflt;
	sum->ru_inblock += add->ru_inblock;
	sum->ru_oublock += add->ru_oublock;
	sum->ru_nvcsw += add->ru_nvcsw;
	sum->ru_nivcsw += add->ru_nivcsw;
}

void io_counts_add(struct io_counts *sum, const struct io_counts *add)
{
	sum->read_bytes += add->read_bytes;
	sum->write_bytes += add->write_bytes;
	sum->reads += add->reads;
	sum->writes += add->writes;
}
