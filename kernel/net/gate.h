/* SPDX-License-Identifier: MIT */
/* gate.h - asking the gate for connections to the host's world (host/gate.h). */
#pragma once
#include "abi/socket.h"
#include "abi/types.h"

struct gate_request;
struct gate_rule;
struct gate_result;
struct path;
struct superblock;

/* Start-up. fd: -1: there is no gate. rules: borrowed for ever. */
void gate_init(int fd, const struct gate_rule *rules, uint32_t count);
/* Start-up: socket files of that file system, the mount of that number on the command
 * line, are for the gate too. */
void gate_add_volume(struct superblock *sb, uint32_t number);

/* Is that a destination which --allow-connect opens? */
bool gate_allows(const struct linux_sockaddr_storage *addr, int len);
/* Is there any volume whose socket files are for the gate? */
bool gate_has_volumes(void);
/* Fills in the volume and the path: false: p is of no such volume. */
bool gate_name(struct gate_request *q, const struct path *p);
/* Sleeps until the gate has answered; a signal may end that. *fd becomes the caller's, a
 * host descriptor. 0, or -errno: the host's, -EIO (there is none), -ERESTARTSYS … */
int gate_ask(struct gate_request *q, int *fd) MUST_CHECK;
/* One message of the gate's, without waiting: its size, or -errno. *fd: the descriptor
 * that came with it, or -1. */
long gate_receive(int from, void *data, size_t size, int *fd) MUST_CHECK;
