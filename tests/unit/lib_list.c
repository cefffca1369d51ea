/* SPDX-License-Identifier: MIT */
/* lib_list.c - lists, reference counts. */
/* unit: */
#include "../sys/test.h"
#include "base/ref.h"
#include "lib/list.h"

struct item {
	int value;
	struct list link;
};

static struct item items[5];
static struct list head = LIST_INIT(head);

static void fill(struct list *to, int from, int end)
{
	list_init(to);
	for (int i = from; i < end; i++) {
		items[i].value = i;
		list_add_tail(to, &items[i].link);
	}
}

static void expect(const struct list *l, const char *digits)
{
	char text[16] = "";
	struct list *pos;

	list_for_each (pos, l)
		snprintf(text + strlen(text), 3, "%d",
			 list_entry(pos, struct item, link)->value);
	CHECK(strcmp(text, digits) == 0);

	size_t n = strlen(text);

	CHECK(list_count(l) == n);
	list_for_each_reverse(pos, l)
		CHECK(list_entry(pos, struct item, link)->value == text[--n] - '0');
}

static void entries_keep_their_order(void)
{
	expect(&head, "");
	CHECK(list_is_empty(&head) && !list_first(&head) && !list_last(&head));
	CHECK(list_first_entry(&head, struct item, link) == NULL);
	fill(&head, 0, 4);
	expect(&head, "0123");
	list_remove(&items[2].link);
	list_remove(&items[2].link); /* twice does no harm */
	CHECK(list_is_empty(&items[2].link));
	list_add_head(&head, &items[2].link);
	expect(&head, "2013");
	CHECK(list_first_entry(&head, struct item, link)->value == 2);
	CHECK(list_last_entry(&head, struct item, link)->value == 3);
	CHECK(list_pop(&head) == &items[2].link);
	CHECK(!list_is_single(&head));
}

static void splicing_empties_the_source(void)
{
	struct list other;

	fill(&head, 0, 2);
	fill(&other, 2, 5);
	list_splice_tail(&head, &other);
	expect(&head, "01234");
	expect(&other, "");
	list_splice_tail(&head, &other);
	expect(&head, "01234");
	list_splice_tail(&other, &head);
	expect(&other, "01234");
}

static void entries_may_go_while_they_are_visited(void)
{
	struct list *pos, *after;

	fill(&head, 0, 5);
	list_for_each_safe(pos, after,
			   &head) if (list_entry(pos, struct item, link)->value % 2 == 0)
		list_remove(pos);
	expect(&head, "13");
}

static void only_the_last_put_says_so(void)
{
	struct ref r;

	ref_init(&r);
	ref_get(&r);
	CHECK(ref_get_unless_zero(&r) && ref_count(&r) == 3);
	CHECK(!ref_put(&r) && !ref_put(&r) && ref_put(&r));
	CHECK(!ref_get_unless_zero(&r));
}

RUN(TEST(entries_keep_their_order), TEST(splicing_empties_the_source),
    TEST(entries_may_go_while_they_are_visited), TEST(only_the_last_put_says_so))
