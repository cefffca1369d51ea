/* SPDX-License-Identifier: MIT */
/* main.c - the command: `carbyne run`, `carbyne trace`, `carbyne info`. */
#include <stdio.h>
#include <string.h>

#include "launch.h"
#include "message.h"
#include "version.h"

static const char usage[] =
	"usage: carbyne run [options] [--] program [argument...]\n"
	"       carbyne trace [-f file] [-c] [options] [--] program [argument...]\n"
	"       carbyne info\n"
	"       carbyne --version\n"
	"\n"
	"carbyne run --help lists the options.\n";

static int print(const char *text)
{
	return fputs(text, stdout) < 0 || fflush(stdout) != 0 ? STATUS_OWN_FAILURE : 0;
}

int main(int argc, char **argv)
{
	const char *command = argc > 1 ? argv[1] : "";

	if (!strcmp(command, "run") || !strcmp(command, "trace"))
		return run_main(command[0] == 't', argc, argv);
	if (!strcmp(command, "info"))
		return info_main();
	if (!strcmp(command, "--version"))
		return print("carbyne " CARBYNE_VERSION "\n");
	if (!strcmp(command, "--help") || !strcmp(command, "-h") ||
	    !strcmp(command, "help"))
		return print(usage);
	if (!*command)
		fail("no command given (try carbyne --help)");
	fail("unknown command %s (try carbyne --help)", command);
}
