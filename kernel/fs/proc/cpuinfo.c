/* SPDX-License-Identifier: MIT */
/* cpuinfo.c - /proc/cpuinfo, from the CPUID instruction; names of features as Linux has
 * them. */
#include "fs/proc/generated.h"
#include "fs/proc/internal.h"
#include "fs/proc/proc.h"
#include "lib/string.h"
#include "time/clock.h"

enum reg { EAX, EBX, ECX, EDX };

struct cpuid {
	uint32_t r[4]; /* by enum reg */
};

static struct cpuid cpuid(uint32_t leaf, uint32_t sub)
{
	struct cpuid c;

	__asm__ volatile("cpuid"
			 : "=a"(c.r[EAX]), "=b"(c.r[EBX]), "=c"(c.r[ECX]), "=d"(c.r[EDX])
			 : "a"(leaf), "c"(sub));
	return c;
}

/* A register of a leaf, whose bits have these names, in the order in which Linux shows
 * the words. A NULL has no name; the list ends with its 32nd bit or where the initialiser
 * does. */
struct feature_word {
	uint32_t leaf;
	uint32_t sub;
	enum reg reg;
	const char *names[32];
};

static const struct feature_word feature_words[] = {
	{1, 0, EDX, {"fpu",  "vme",   "de",   "pse",	 "tsc",	 "msr", "pae",	"mce",
		     "cx8",  "apic",  NULL,   "sep",	 "mtrr", "pge", "mca",	"cmov",
		     "pat",  "pse36", "pn",   "clflush", NULL,	 "dts", "acpi", "mmx",
		     "fxsr", "sse",   "sse2", "ss",	 "ht",	 "tm",	"ia64", "pbe"}},
	{0x80000001,
	 0,
	 EDX,
	 {[11] = "syscall",
	  [19] = "mp",
	  [20] = "nx",
	  [22] = "mmxext",
	  [25] = "fxsr_opt",
	  [26] = "pdpe1gb",
	  [27] = "rdtscp",
	  [29] = "lm",
	  [30] = "3dnowext",
	  [31] = "3dnow"}},
	{0x80000007, 0, EDX, {[8] = "constant_tsc"}},
	{1, 0, EDX, {[4] = "rep_good"}}, /* every 64-bit processor, as is nopl */
	{1, 0, EDX, {[15] = "nopl"}},
	{0x80000007, 0, EDX, {[8] = "nonstop_tsc"}},
	{1, 0, EDX, {[0] = "cpuid"}},
	{1, 0, ECX, {"pni",    "pclmulqdq", "dtes64", "monitor", "ds_cpl",
		     "vmx",    "smx",	    "est",    "tm2",	 "ssse3",
		     "cid",    "sdbg",	    "fma",    "cx16",	 "xtpr",
		     "pdcm",   NULL,	    "pcid",   "dca",	 "sse4_1",
		     "sse4_2", "x2apic",    "movbe",  "popcnt",	 "tsc_deadline_timer",
		     "aes",    "xsave",	    NULL,     "avx",	 "f16c",
		     "rdrand", "hypervisor"}},
	{0x80000001, 0, ECX, {"lahf_lm",    "cmp_legacy",  "svm",
			      "extapic",    "cr8_legacy",  "abm",
			      "sse4a",	    "misalignsse", "3dnowprefetch",
			      "osvw",	    "ibs",	   "xop",
			      "skinit",	    "wdt",	   NULL,
			      "lwp",	    "fma4",	   "tce",
			      NULL,	    "nodeid_msr",  NULL,
			      "tbm",	    "topoext",	   "perfctr_core",
			      "perfctr_nb", NULL,	   "bpext",
			      "ptsc",	    "perfctr_llc", "mwaitx"}},
	{7, 0, EBX, {"fsgsbase", "tsc_adjust", "sgx",	   "bmi1",	 "hle",
		     "avx2",	 NULL,	       "smep",	   "bmi2",	 "erms",
		     "invpcid",	 "rtm",	       "cqm",	   NULL,	 "mpx",
		     "rdt_a",	 "avx512f",    "avx512dq", "rdseed",	 "adx",
		     "smap",	 "avx512ifma", NULL,	   "clflushopt", "clwb",
		     "intel_pt", "avx512pf",   "avx512er", "avx512cd",	 "sha_ni",
		     "avx512bw", "avx512vl"}},
	{0xd, 1, EAX, {"xsaveopt", "xsavec", "xgetbv1", "xsaves", "xfd"}},
	{7,
	 1,
	 EAX,
	 {[4] = "avx_vnni",
	  [5] = "avx512_bf16",
	  [10] = "fzrm",
	  [11] = "fsrs",
	  [12] = "fsrc",
	  [21] = "amx_fp16",
	  [23] = "avx_ifma",
	  [26] = "lam"}},
	{0x80000008,
	 0,
	 EBX,
	 {[0] = "clzero",
	  [1] = "irperf",
	  [2] = "xsaveerptr",
	  [4] = "rdpru",
	  [9] = "wbnoinvd"}},
	{6,
	 0,
	 EAX,
	 {[0] = "dtherm", [1] = "ida", [2] = "arat", [4] = "pln", [6] = "pts"}},
	{7,
	 0,
	 ECX,
	 {[1] = "avx512vbmi",
	  [2] = "umip",
	  [3] = "pku",
	  [5] = "waitpkg",
	  [6] = "avx512_vbmi2",
	  [8] = "gfni",
	  [9] = "vaes",
	  [10] = "vpclmulqdq",
	  [11] = "avx512_vnni",
	  [12] = "avx512_bitalg",
	  [13] = "tme",
	  [14] = "avx512_vpopcntdq",
	  [16] = "la57",
	  [22] = "rdpid",
	  [24] = "bus_lock_detect",
	  [25] = "cldemote",
	  [27] = "movdiri",
	  [28] = "movdir64b",
	  [29] = "enqcmd"}},
	{7,
	 0,
	 EDX,
	 {[2] = "avx512_4vnniw",
	  [3] = "avx512_4fmaps",
	  [4] = "fsrm",
	  [8] = "avx512_vp2intersect",
	  [10] = "md_clear",
	  [14] = "serialize",
	  [16] = "tsxldtrk",
	  [18] = "pconfig",
	  [19] = "arch_lbr",
	  [20] = "ibt",
	  [22] = "amx_bf16",
	  [23] = "avx512_fp16",
	  [24] = "amx_tile",
	  [25] = "amx_int8",
	  [28] = "flush_l1d",
	  [29] = "arch_capabilities"}},
};

static bool leaf_is_there(uint32_t leaf)
{
	return cpuid(leaf & 0x80000000, 0).r[EAX] >= leaf;
}

static void show_flags(struct text *t)
{
	text_puts(t, "flags\t\t:");
	for (size_t w = 0; w < ARRAY_SIZE(feature_words); w++) {
		const struct feature_word *word = &feature_words[w];
		uint32_t bits;

		if (!leaf_is_there(word->leaf))
			continue;
		bits = cpuid(word->leaf, word->sub).r[word->reg];
		for (unsigned i = 0; i < 32; i++)
			if ((bits >> i & 1) && word->names[i])
				text_printf(t, " %s", word->names[i]);
	}
	text_putc(t, '\n');
}

/* ---- speed ---- */

static uint64_t tsc_read(void)
{
	uint32_t low;
	uint32_t high;

	__asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
	return (uint64_t)high << 32 | low;
}

/* In kHz: measured over a millisecond, once. */
static uint64_t tsc_khz(void)
{
	static uint64_t known; /* atomic */
	uint64_t khz = __atomic_load_n(&known, __ATOMIC_RELAXED);
	nsec_t start;
	nsec_t now;
	uint64_t tsc;

	if (khz)
		return khz;
	start = clock_now(CLOCK_MONOTONIC);
	tsc = tsc_read();
	do {
		now = clock_now(CLOCK_MONOTONIC);
	} while (now - start < 1000000);
	khz = (tsc_read() - tsc) * 1000000 / (uint64_t)(now - start);
	__atomic_store_n(&known, khz, __ATOMIC_RELAXED);
	return khz;
}

/* ---- the rest ---- */

struct processor {
	char vendor[13];
	char model_name[49];
	uint32_t family, model, stepping, level;
	uint32_t cache_kb, line_size, physical_bits, virtual_bits;
};

static void name_get(char name[49])
{
	const char *start = name;

	memset(name, 0, 49);
	if (!leaf_is_there(0x80000004))
		return;
	for (uint32_t i = 0; i < 3; i++) {
		struct cpuid c = cpuid(0x80000002 + i, 0);

		memcpy(name + (size_t)i * 16, c.r, 16);
	}
	while (*start == ' ')
		start++;
	memmove(name, start, strlen(start) + 1);
	for (size_t len = strlen(name); len && name[len - 1] == ' '; len--)
		name[len - 1] = '\0';
}

/* Intel's last level, AMD's second, in kB. */
static uint32_t cache_size(bool is_amd)
{
	uint32_t best = 0;

	if (is_amd)
		return leaf_is_there(0x80000006) ? cpuid(0x80000006, 0).r[ECX] >> 16 : 0;
	for (uint32_t i = 0; leaf_is_there(4) && i < 8; i++) {
		struct cpuid c = cpuid(4, i);
		uint32_t ways = (c.r[EBX] >> 22) + 1;
		uint32_t parts = (c.r[EBX] >> 12 & 0x3ff) + 1;
		uint32_t line = (c.r[EBX] & 0xfff) + 1;

		if ((c.r[EAX] & 31) == 0)
			break;
		best = MAX(best, ways * parts * line / 1024 * (c.r[ECX] + 1));
	}
	return best;
}

static void processor_get(struct processor *p)
{
	struct cpuid c = cpuid(0, 0);
	uint32_t id;

	memset(p, 0, sizeof(*p));
	p->level = c.r[EAX];
	memcpy(p->vendor, &c.r[EBX], 4);
	memcpy(p->vendor + 4, &c.r[EDX], 4);
	memcpy(p->vendor + 8, &c.r[ECX], 4);
	c = cpuid(1, 0);
	id = c.r[EAX];
	p->line_size = (c.r[EBX] >> 8 & 0xff) * 8;
	p->family = id >> 8 & 15;
	p->model = id >> 4 & 15;
	if (p->family >= 6)
		p->model |= (id >> 16 & 15) << 4;
	if (p->family == 15)
		p->family += id >> 20 & 0xff;
	p->stepping = id & 15;
	name_get(p->model_name);
	p->cache_kb = cache_size(p->vendor[0] == 'A');
	p->physical_bits = 36;
	p->virtual_bits = 48;
	if (leaf_is_there(0x80000008)) {
		c = cpuid(0x80000008, 0);
		p->physical_bits = c.r[EAX] & 0xff;
		p->virtual_bits = c.r[EAX] >> 8 & 0xff;
	}
}

static void show_processor(struct text *t, const struct processor *p, unsigned i,
			   unsigned count)
{
	uint64_t khz = tsc_khz();

	text_printf(t,
		    "processor\t: %u\nvendor_id\t: %s\ncpu family\t: %u\nmodel\t\t: %u\n"
		    "model name\t: %s\nstepping\t: %u\nmicrocode\t: 0xffffffff\n",
		    i, p->vendor, p->family, p->model, p->model_name, p->stepping);
	text_printf(t, "cpu MHz\t\t: %lu.%03lu\n", khz / 1000, khz % 1000);
	if (p->cache_kb)
		text_printf(t, "cache size\t: %u KB\n", p->cache_kb);
	text_printf(t,
		    "physical id\t: 0\nsiblings\t: %u\ncore id\t\t: %u\ncpu cores\t: %u\n"
		    "apicid\t\t: %u\ninitial apicid\t: %u\n",
		    count, i, count, i, i);
	text_printf(
		t, "fpu\t\t: yes\nfpu_exception\t: yes\ncpuid level\t: %u\nwp\t\t: yes\n",
		p->level);
	show_flags(t);
	text_printf(t,
		    "bugs\t\t:\nbogomips\t: %lu.%02lu\nclflush size\t: "
		    "%u\ncache_alignment\t: %u\n"
		    "address sizes\t: %u bits physical, %u bits virtual\npower "
		    "management:\n\n",
		    khz / 500, khz / 5 % 100, p->line_size, p->line_size,
		    p->physical_bits, p->virtual_bits);
}

int cpuinfo_show(struct text *t, void *arg)
{
	unsigned count = proc_cpu_count();
	struct processor p;

	(void)arg;
	processor_get(&p);
	for (unsigned i = 0; i < count; i++)
		show_processor(t, &p, i, count);
	return 0;
}
