/* SPDX-License-Identifier: MIT */
/*
 * differ.h - a program that makes a long random sequence of calls, as a seed says, and
 * prints a transcript of what they answered. tests/stress/differ runs such a program
 * natively and inside with the same seeds, and compares.
 *
 *	PROGRAM probe                              which features this kernel has
 *	PROGRAM [-f FEATURES] [-k KINDS] [-o ONLY] FIRST LAST STEPS
 *	PROGRAM                                    a few seeds, each twice: they must
 *agree
 *
 * Each seed has a process of its own. What step N does depends on the seed, on N and on
 * FEATURES and KINDS (commas between), never on what others answered, so that with ONLY
 * (numbers of steps, commas between) steps can be left out and the others stay as they
 * are. No line may depend on time, load, or where the host puts things.
 */
#pragma once
#include "storm.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <sys/syscall.h>

/* ---- chance ---- */

struct chance {
	uint64_t state;
};

static inline uint64_t chance_next(struct chance *c)
{
	uint64_t z = c->state += 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

static inline uint64_t below(struct chance *c, uint64_t n)
{
	return chance_next(c) % n;
}

static inline bool percent(struct chance *c, unsigned int n)
{
	return below(c, 100) < n;
}

#define ANY(c, array) ((array)[below(c, sizeof(array) / sizeof((array)[0]))])

/* ---- the transcript ---- */

static char transcript[1 << 16];
static size_t transcript_size;
static uint64_t transcript_hash; /* of what a quiet run did not print */
static bool is_quiet;

static inline void flush(void)
{
	size_t at = 0;

	while (at < transcript_size && !is_quiet) {
		ssize_t n = write(STDOUT_FILENO, transcript + at, transcript_size - at);

		if (n > 0)
			at += (size_t)n;
		else if (errno != EINTR)
			_exit(1);
	}
	for (size_t i = 0; i < transcript_size; i++)
		transcript_hash =
			(transcript_hash ^ (uint8_t)transcript[i]) * 0x100000001b3;
	transcript_size = 0;
}

__attribute__((format(printf, 1, 2))) static void say(const char *format, ...)
{
	va_list args;

	if (transcript_size > sizeof(transcript) - 4096)
		flush();
	va_start(args, format);
	transcript_size +=
		(size_t)vsnprintf(transcript + transcript_size, 4096, format, args);
	va_end(args);
}

/* The end of a line: a number, or what went wrong. */
static inline long done(long result)
{
	if (result == -1)
		say(" = %s\n", strerrorname_np(errno));
	else
		say(" = %ld\n", result);
	return result;
}

/* ---- what a program consists of ---- */

struct kind {
	const char *name;
	unsigned int weight; /* 0: only when it is asked for by name */
	void (*run)(struct chance *c);
	const char *needs; /* a feature, or NULL */
};

struct differ {
	const struct kind *kinds;
	size_t kind_count;
	void (*begin)(struct chance *c);
	void (*observe)(long step, bool is_last); /* after each step */
	void (*probe)(void); /* says what the features are, each with a blank */
	const char *default_features;
};

static const char *features = "", *wanted_kinds = "", *only_steps = "";

static inline bool is_listed(const char *list, const char *name)
{
	size_t size = strlen(name);

	for (const char *at = list; at && *at;
	     at = strchr(at, ',') ? strchr(at, ',') + 1 : NULL)
		if (!strncmp(at, name, size) && (at[size] == ',' || !at[size]))
			return true;
	return false;
}

static inline bool has(const char *feature)
{
	return is_listed(features, feature);
}

static inline bool may_run(const struct kind *k)
{
	if (k->needs && !has(k->needs))
		return false;
	return *wanted_kinds ? is_listed(wanted_kinds, k->name) : k->weight > 0;
}

static inline const struct kind *choose(const struct differ *d, struct chance *c)
{
	uint64_t sum = 0;
	uint64_t at;

	for (size_t i = 0; i < d->kind_count; i++)
		sum += may_run(&d->kinds[i]) ? d->kinds[i].weight + 1 : 0;
	MUST(sum > 0);
	at = below(c, sum);
	for (size_t i = 0;; i++) {
		uint64_t weight = may_run(&d->kinds[i]) ? d->kinds[i].weight + 1 : 0;

		if (at < weight)
			return &d->kinds[i];
		at -= weight;
	}
}

static inline void run_seed(const struct differ *d, uint64_t seed, long steps)
{
	struct chance start = {seed * 0x2545f4914f6cdd1d};
	char number[24];

	say("seed %llu\n", (unsigned long long)seed);
	d->begin(&start);
	for (long i = 0; i < steps; i++) {
		struct chance c = {start.state + (uint64_t)i * 0xd6e8feb86659fd93};
		const struct kind *k;

		snprintf(number, sizeof(number), "%ld", i);
		if (*only_steps && !is_listed(only_steps, number))
			continue;
		(void)chance_next(&c);
		k = choose(d, &c);
		say("%ld %s: ", i, k->name);
		k->run(&c);
		d->observe(i, false);
	}
	d->observe(steps, true);
	flush();
}

/* In a process of its own; returns the hash of what it would have said, if quiet. */
static inline uint64_t run_apart(const struct differ *d, uint64_t seed, long steps)
{
	uint64_t hash = 0;
	int to[2];
	pid_t pid;
	int status;

	flush();
	MUST(pipe(to) == 0);
	pid = fork();
	MUST(pid >= 0);
	if (pid == 0) {
		close(to[0]);
		transcript_hash = 0;
		run_seed(d, seed, steps);
		_exit(write(to[1], &transcript_hash, sizeof(hash)) != sizeof(hash));
	}
	close(to[1]);
	if (read(to[0], &hash, sizeof(hash)) != sizeof(hash))
		hash = 0;
	close(to[0]);
	status = wait_status(pid);
	if (status)
		say("seed %llu ended with status %#x\n", (unsigned long long)seed,
		    (unsigned int)status);
	flush();
	return status ? 0 : hash;
}

static inline int compare_with_itself(const struct differ *d)
{
	is_quiet = true;
	features = d->default_features;
	for (uint64_t seed = 1; seed <= 6; seed++) {
		uint64_t hash = run_apart(d, seed, 150);

		if (!hash || run_apart(d, seed, 150) != hash) {
			fprintf(stderr, "not ok: seed %llu is not the same again\n",
				(unsigned long long)seed);
			return 1;
		}
	}
	printf("ok: transcripts are the same again\n");
	return 0;
}

static inline int differ_main(const struct differ *d, int argc, char **argv)
{
	int option;

	if (argc == 1)
		return compare_with_itself(d);
	if (!strcmp(argv[1], "probe")) {
		d->probe();
		flush();
		return 0;
	}
	while ((option = getopt(argc, argv, "f:k:o:")) != -1) {
		MUST(option != '?');
		*(option == 'f'	  ? &features
		  : option == 'k' ? &wanted_kinds
				  : &only_steps) = optarg;
	}
	MUST(argc - optind == 3);
	for (long seed = atol(argv[optind]); seed <= atol(argv[optind + 1]); seed++)
		(void)run_apart(d, (uint64_t)seed, atol(argv[optind + 2]));
	return 0;
}
