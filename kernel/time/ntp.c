/* SPDX-License-Identifier: MIT */
/* ntp.c - how adjtimex(2) makes the sandbox's clock run faster or slower. All state is
 * under the clock's lock; wall_clock.c draws the line that follows from it.
 *
 * Limit against Linux: without hardware that gives a pulse per second there is nothing
 * for the PPS modes to do; they are kept and shown. */
#include "abi/errno.h"
#include "time/clock.h"
#include "time/internal.h"

#define PHASE_LIMIT	 16000000  /* us: beyond that nobody knows the time */
#define ERROR_PER_SECOND 500	   /* us: what an undisciplined clock may lose */
#define PHASE_MAX	 500000000 /* ns: of ADJ_OFFSET */
#define FREQ_MAX	 ((int64_t)500000 << 32)
#define PPM_SCALE	 65536000 /* timex.freq to ns per second << 32 */
#define ADJUST_MAX	 500	  /* us that adjtime(3) makes good in a second */
#define PLL_SHIFT	 2
#define FLL_SHIFT	 2
#define CONSTANT_MAX	 10
#define TICK_NORMAL	 10000
#define TAI_MAX		 100000
#define DAY		 86400

static int64_t freq;   /* ns per second << 32 */
static int64_t offset; /* ns << 32: to be made good, a part of the rest in each second */
static int64_t chunk;  /* of offset: in the second that is on */
static int64_t adjust; /* us: of adjtime(3), the same at a steady pace */
static int64_t adjust_chunk;
static int64_t tick = TICK_NORMAL; /* us in 1/100 s */
static int64_t constant = 2;
static int32_t status = STA_UNSYNC;
static int32_t state = TIME_OK;
static int64_t leap_second; /* state TIME_INS, TIME_DEL: when the second is due */
static int64_t error_max = PHASE_LIMIT, error_estimate = PHASE_LIMIT;
static nsec_t error_since;  /* CLOCK_MONOTONIC: error_max was that */
static int64_t offset_time; /* s of CLOCK_MONOTONIC: the last ADJ_OFFSET */

static int64_t clamp(int64_t value, int64_t low, int64_t high)
{
	return MAX(low, MIN(value, high));
}

/* Division by a power of two, towards 0. */
static int64_t scale_down(int64_t value, int64_t shift)
{
	return value < 0 ? -(-value >> shift) : value >> shift;
}

void ntp_clear_locked(nsec_t mono)
{
	adjust = adjust_chunk = 0;
	offset = chunk = 0;
	status |= STA_UNSYNC;
	error_max = error_estimate = PHASE_LIMIT;
	error_since = mono;
	leap_second = INT64_MAX;
}

/* ---- second by second ---- */

bool ntp_is_busy_locked(void)
{
	bool leap = status & (STA_INS | STA_DEL);

	return chunk || adjust_chunk || adjust ||
	       scale_down(offset, PLL_SHIFT + constant) ||
	       (state == TIME_WAIT ? !leap : state != TIME_OK || leap);
}

int64_t ntp_rate_locked(void)
{
	/* ns per second << 32, over 10^9, << 44 - 32 */
	int64_t slew = (freq + chunk + ((adjust_chunk * 1000) << 32)) / 1953125 * 8;

	return slew + (((tick - TICK_NORMAL) << WALL_RATE_SHIFT) / TICK_NORMAL);
}

static void leap_begin(int64_t sec)
{
	if (status & STA_INS) {
		state = TIME_INS;
		leap_second = sec + DAY - sec % DAY;
	} else if (status & STA_DEL) {
		state = TIME_DEL;
		leap_second = sec + DAY - (sec + 1) % DAY;
	}
}

static void leap_step(int64_t sec, nsec_t *step, nsec_t *tai)
{
	switch (state) {
	case TIME_OK:
		leap_begin(sec);
		break;
	case TIME_INS:
		if (!(status & STA_INS)) {
			state = TIME_OK;
		} else if (sec == leap_second) {
			*step = -NSEC_PER_SEC;
			*tai = NSEC_PER_SEC;
			state = TIME_OOP;
		}
		break;
	case TIME_DEL:
		if (!(status & STA_DEL)) {
			state = TIME_OK;
		} else if (sec == leap_second) {
			*step = NSEC_PER_SEC;
			*tai = -NSEC_PER_SEC;
			state = TIME_WAIT;
		}
		break;
	case TIME_OOP:
		state = TIME_WAIT;
		break;
	default:
		if (!(status & (STA_INS | STA_DEL)))
			state = TIME_OK;
	}
}

bool ntp_second_locked(int64_t sec, nsec_t *step, nsec_t *tai)
{
	leap_step(sec, step, tai);
	chunk = scale_down(offset, PLL_SHIFT + constant);
	offset -= chunk;
	adjust_chunk = clamp(adjust, -ADJUST_MAX, ADJUST_MAX);
	adjust -= adjust_chunk;
	return ntp_is_busy_locked();
}

/* ---- adjtimex(2) ---- */

static void errors_grow(nsec_t mono)
{
	int64_t seconds = (mono - error_since) / NSEC_PER_SEC;

	error_since += seconds * NSEC_PER_SEC;
	error_max += MIN(seconds, PHASE_LIMIT) * ERROR_PER_SECOND;
	if (error_max > PHASE_LIMIT) {
		error_max = PHASE_LIMIT;
		status |= STA_UNSYNC;
	}
}

static void status_set(int32_t wanted, nsec_t mono)
{
	if (status & STA_PLL && !(wanted & STA_PLL)) {
		state = TIME_OK;
		status = STA_UNSYNC;
		leap_second = INT64_MAX;
	}
	if (!(status & STA_PLL) && wanted & STA_PLL)
		offset_time = mono / NSEC_PER_SEC;
	status = (status & STA_RONLY) | (wanted & ~STA_RONLY);
}

/* Frequency-locked, for rare updates: the offset came about in secs seconds. */
static int64_t fll_gain(int64_t ns, int64_t secs)
{
	status &= ~STA_MODE;
	if (secs < 256 || (!(status & STA_FLL) && secs <= 2048))
		return 0;
	status |= STA_MODE;
	return ns * ((int64_t)1 << (32 - FLL_SHIFT)) / secs;
}

static void offset_set(int64_t value, nsec_t mono)
{
	int64_t secs = mono / NSEC_PER_SEC - offset_time;
	int64_t gain;

	if (!(status & STA_PLL))
		return;
	if (!(status & STA_NANO))
		value = clamp(value, -1000000, 1000000) * 1000;
	value = clamp(value, -PHASE_MAX, PHASE_MAX);
	offset_time = mono / NSEC_PER_SEC;
	if (status & STA_FREQHOLD)
		secs = 0;
	gain = fll_gain(value, secs);
	secs = MIN(secs, (int64_t)1 << (PLL_SHIFT + 1 + constant));
	gain += value * secs * ((int64_t)1 << (32 - 2 * (PLL_SHIFT + 2 + constant)));
	freq = clamp(freq + gain, -FREQ_MAX, FREQ_MAX);
	offset = value * ((int64_t)1 << 32);
}

static void modes_do(const struct linux_timex *tx, nsec_t mono, int32_t *tai)
{
	if (tx->modes & ADJ_STATUS)
		status_set(tx->status, mono);
	if (tx->modes & ADJ_NANO)
		status |= STA_NANO;
	if (tx->modes & ADJ_MICRO)
		status &= ~STA_NANO;
	if (tx->modes & ADJ_FREQUENCY)
		freq = clamp(tx->freq * PPM_SCALE, -FREQ_MAX, FREQ_MAX);
	if (tx->modes & ADJ_MAXERROR) {
		error_max = clamp(tx->maxerror, 0, PHASE_LIMIT);
		error_since = mono;
	}
	if (tx->modes & ADJ_ESTERROR)
		error_estimate = clamp(tx->esterror, 0, PHASE_LIMIT);
	if (tx->modes & ADJ_TIMECONST) {
		constant = clamp(tx->constant, 0, CONSTANT_MAX);
		if (!(status & STA_NANO))
			constant = MIN(constant + 4, CONSTANT_MAX);
	}
	if (tx->modes & ADJ_TAI && tx->constant >= 0 && tx->constant <= TAI_MAX)
		*tai = (int32_t)tx->constant;
	if (tx->modes & ADJ_OFFSET)
		offset_set(tx->offset, mono);
	if (tx->modes & ADJ_TICK)
		tick = tx->tick;
}

static void tell(struct linux_timex *tx, nsec_t real)
{
	int64_t half = PPM_SCALE / 2;

	tx->freq = (freq + (freq < 0 ? -half : half)) / PPM_SCALE;
	tx->maxerror = error_max;
	tx->esterror = error_estimate;
	tx->status = status;
	tx->constant = constant;
	tx->precision = 1;
	tx->tolerance = FREQ_MAX / PPM_SCALE;
	tx->tick = tick;
	tx->ppsfreq = tx->jitter = tx->stabil = 0;
	tx->jitcnt = tx->calcnt = tx->errcnt = tx->stbcnt = 0;
	tx->shift = 0;
	tx->time.tv_sec = real / NSEC_PER_SEC;
	tx->time.tv_usec = real % NSEC_PER_SEC / (status & STA_NANO ? 1 : 1000);
}

int ntp_adjust_locked(struct linux_timex *tx, nsec_t mono, nsec_t real, int32_t *tai,
		      bool *redraw)
{
	int64_t before = ntp_rate_locked();
	bool was_busy = ntp_is_busy_locked();

	errors_grow(mono);
	if (tx->modes & ADJ_ADJTIME) {
		int64_t left = adjust + adjust_chunk;

		if (!(tx->modes & ADJ_OFFSET_READONLY)) {
			adjust = tx->offset;
			adjust_chunk = 0;
			*redraw = true;
		}
		tx->offset = left;
	} else {
		modes_do(tx, mono, tai);
		tx->offset = scale_down(offset, 32) / (status & STA_NANO ? 1 : 1000);
	}
	*redraw |= before != ntp_rate_locked() || was_busy != ntp_is_busy_locked();
	tell(tx, real);
	tx->tai = *tai;
	return status & (STA_UNSYNC | STA_CLOCKERR) ? TIME_ERROR : state;
}
