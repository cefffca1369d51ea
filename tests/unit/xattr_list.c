/* SPDX-License-Identifier: MIT */
/* xattr_list.c - attributes in memory against an array, and the limit. */
/* unit: fs/xattr_list.c base/slab.c base/page.c lib/string.c */
#include "fs/xattr_list.h"
#include "../sys/test.h"
#include "abi/errno.h"
#include "abi/xattr.h"
#include "base/slab.h"
#include "lock_stub.h"
#include "memory.h"
#include "random.h"

enum { NAMES = 12, VALUE_MAX = 6000, REGION = 4 << 20 };

static struct {
	bool is_there;
	size_t size;
	char fill;
} model[NAMES];

static struct xattr_list list;

static void start(void)
{
	memory_init(REGION);
	memset(model, 0, sizeof(model));
	xattr_list_init(&list);
}

static const char *name_of(size_t i)
{
	static char name[64];

	snprintf(name, sizeof(name), "user.%.*s%zu", (int)(i % 20),
		 "abcdefghijklmnopqrst", i);
	return name;
}

static int put(size_t i, size_t size, char fill, int flags)
{
	static char value[VALUE_MAX];
	struct xattr *x;
	int err;

	memset(value, fill, size);
	x = xattr_create(name_of(i), value, size);
	CHECK(x != NULL);
	err = xattr_list_put(&list, x, flags);
	if (err)
		xattr_free(x);
	return err;
}

static void one_is_as_in_the_model(size_t i)
{
	static char value[VALUE_MAX + 1];
	long size = xattr_list_get(&list, name_of(i), NULL, 0);

	CHECK(xattr_list_has(&list, name_of(i)) == model[i].is_there);
	if (!model[i].is_there) {
		CHECK(size == -ENODATA);
		return;
	}
	CHECK(size == (long)model[i].size);
	if (size > 1)
		CHECK(xattr_list_get(&list, name_of(i), value, (size_t)size - 1) ==
		      -ERANGE);
	value[size] = '#';
	CHECK(xattr_list_get(&list, name_of(i), value, sizeof(value)) == size);
	for (long at = 0; at < size; at++)
		CHECK(value[at] == model[i].fill);
	CHECK(value[size] == '#');
}

static void names_are_those_of_the_model(void)
{
	char names[1024];
	size_t want = 0;
	long len = xattr_list_names(&list, NULL, 0);

	for (size_t i = 0; i < NAMES; i++)
		want += model[i].is_there ? strlen(name_of(i)) + 1 : 0;
	CHECK(len == (long)want);
	if (len > 1)
		CHECK(xattr_list_names(&list, names, (size_t)len - 1) == -ERANGE);
	CHECK(xattr_list_names(&list, names, sizeof(names)) == len);
	for (long at = 0; at < len; at += (long)strlen(names + at) + 1) {
		bool known = false;

		for (size_t i = 0; i < NAMES; i++)
			known |= model[i].is_there && !strcmp(names + at, name_of(i));
		CHECK(known);
	}
}

static void random_changes(void)
{
	size_t before;

	start();
	before = used_pages();
	for (int round = 0; round < 20000; round++) {
		size_t i = random_below(NAMES);
		size_t size =
			random_below(4) ? random_below(64) : random_below(VALUE_MAX);
		char fill = (char)('a' + random_below(26));
		int flags = (int)random_below(3);
		int want = model[i].is_there && (flags & XATTR_CREATE)	   ? -EEXIST
			   : !model[i].is_there && (flags & XATTR_REPLACE) ? -ENODATA
									   : 0;

		if (random_below(3)) {
			CHECK(put(i, size, fill, flags) == want);
			if (!want) {
				model[i].is_there = true;
				model[i].size = size;
				model[i].fill = fill;
			}
		} else {
			CHECK(xattr_list_remove(&list, name_of(i)) == model[i].is_there);
			model[i].is_there = false;
		}
		one_is_as_in_the_model(random_below(NAMES));
		one_is_as_in_the_model(i);
		if (round % 16 == 0)
			names_are_those_of_the_model();
	}
	xattr_list_fini(&list);
	CHECK(list.size == 0 && xattr_list_names(&list, NULL, 0) == 0);
	CHECK(used_pages() <= before + 64); /* what the slabs keep */
}

static void there_is_a_limit(void)
{
	size_t count = 0;
	int err;

	start();
	while ((err = put(count, VALUE_MAX, 'x', 0)) == 0)
		count++;
	CHECK(err == -ENOSPC && list.size <= XATTR_LIST_SIZE_MAX);
	CHECK((count + 1) * (VALUE_MAX + 32) > XATTR_LIST_SIZE_MAX);
	/* what replaces another may be as large as that was */
	CHECK(put(0, VALUE_MAX, 'y', XATTR_REPLACE) == 0);
	CHECK(xattr_list_get(&list, name_of(0), NULL, 0) == VALUE_MAX);
	CHECK(xattr_list_remove(&list, name_of(1)));
	CHECK(put(count, VALUE_MAX, 'z', XATTR_CREATE) == 0);
	xattr_list_fini(&list);
}

RUN(TEST(random_changes), TEST(there_is_a_limit))
