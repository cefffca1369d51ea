/* SPDX-License-Identifier: MIT */
/* internal.h - between the files of this folder. */
#pragma once
#include "net/local/local.h"

/* ---- option.c ---- */

void local_seed_apply(const struct local_seed *d, struct local_socket *l);
/* An option of another level has changed. */
void local_options_changed(struct socket *s);
/* The index of an interface, 0 of no name: -ENODEV. */
int local_device_find(const char *name, uint32_t *index) MUST_CHECK;
bool local_device_is(uint32_t index);

/* ---- option_ip.c, option_ip6.c, option_tcp.c ---- */

void local_ip_options_init(struct local_options *o);
/* Are those options that IP_OPTIONS takes? 0 or -EINVAL. */
int local_ip_options_check(const uint8_t *data, int size) MUST_CHECK;
int local_ip_set(struct socket *s, int name, const void *value, int len);
int local_ip_get(struct socket *s, int name, void *value, int *len);
void local_ip6_options_init(struct local_options *o);
int local_ip6_set(struct socket *s, int name, const void *value, int len);
int local_ip6_get(struct socket *s, int name, void *value, int *len);
void local_tcp_options_init(struct local_options *o);
int local_tcp_set_option(struct socket *s, int level, int name, const void *value,
			 int len);
int local_tcp_get_option(struct socket *s, int level, int name, void *value, int *len);
