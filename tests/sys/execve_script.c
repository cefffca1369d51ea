/* SPDX-License-Identifier: MIT */
/* files */
/* calls: execve */
/* execve_script.c - scripts: what their interpreter is given, and which have none. */
#include "exec.h"

static void script_gets_interpreter_argument_and_path(void)
{
	char *name = tmp_name("script");
	char text[PATH_MAX + 64];
	char *argv[] = {"ignored", "one", "", NULL};

	snprintf(text, sizeof(text), "#!%s  script  with blanks \t\nrest", self);
	write_script(name, text);
	/* argv: self, "script  with blanks", name, one, "" */
	run(40, name, argv, no_env);
	snprintf(text, sizeof(text), "#! \t %s", self); /* no argument, no newline */
	write_script(name, text);
	char *plain[] = {"ignored", "one", NULL};
	char *env[] = {"ROLE=plain-script", NULL};
	run(41, name, plain, env);
	unlink(name);
}

static void scripts_nest(void)
{
	char *first = tmp_name("inner");
	char *second = tmp_name("outer");
	char text[PATH_MAX + 64];
	char cwd[PATH_MAX];
	char *argv[] = {"x", "arg", NULL};

	CHECK(getcwd(cwd, sizeof(cwd)));
	snprintf(text, sizeof(text), "#!%s nested\n", self);
	write_script(first, text);
	snprintf(text, sizeof(text), "#!./%s two\n", first);
	write_script(second, text);
	/* argv: self, "nested", ./first, "two", second, "arg" */
	run(42, second, argv, no_env);
	unlink(first);
	unlink(second);
}

static void endless_scripts_give_eloop(void)
{
	char *name = tmp_name("endless");
	char text[128];
	char *argv[] = {"x", NULL};

	snprintf(text, sizeof(text), "#!./%s\n", name);
	write_script(name, text);
	FAILS(ELOOP, execve(name, argv, no_env));
	unlink(name);
}

static void scripts_that_cannot_run(void)
{
	char *name = tmp_name("bad");
	char *data = tmp_name("data");
	char text[1024];
	char *argv[] = {"x", NULL};

	write_script(name, "#!/nonexistent/interpreter\n");
	FAILS(ENOENT, execve(name, argv, no_env));
	write_script(name, "#!/\n");
	FAILS(EACCES, execve(name, argv, no_env));
	write_script(name, "#!\n/bin/sh\n");
	FAILS(ENOEXEC, execve(name, argv, no_env));
	write_script(name, "#!  \t \n");
	FAILS(ENOEXEC, execve(name, argv, no_env));
	memset(text, 'i', sizeof(text));
	memcpy(text, "#!/", 3);
	write_file(name, text, sizeof(text), 0755);
	FAILS(ENOEXEC, execve(name, argv, no_env));
	write_file(data, "\177ELF", 4, 0644);
	snprintf(text, sizeof(text), "#!./%s\n", data);
	write_script(name, text);
	FAILS(EACCES, execve(name, argv, no_env));
	CHECK(chmod(data, 0755) == 0);
	FAILS(ENOEXEC, execve(name, argv, no_env));
	unlink(name);
	unlink(data);
}

static void the_shell_runs_scripts(void)
{
	char *name = tmp_name("sh");
	char *argv[] = {"x", "5", NULL};

	write_script(name, "#!/bin/sh -e\nexit $(($1 + 38))\n");
	run(43, name, argv, no_env);
	unlink(name);
}

static const struct test all[] = {
	TEST(script_gets_interpreter_argument_and_path),
	TEST(scripts_nest),
	TEST(endless_scripts_give_eloop),
	TEST(scripts_that_cannot_run),
	TEST(the_shell_runs_scripts),
};

/* ---- roles ---- */

static int role_script(int argc, char **argv)
{
	return argc == 5 && !strcmp(argv[3], "one") && !strcmp(argv[4], "") &&
			       strstr(argv[2], "-script") && !strcmp(argv[0], self)
		       ? 40
		       : 1;
}

static int role_nested(int argc, char **argv)
{
	return argc == 6 && !strcmp(argv[3], "two") && !strcmp(argv[5], "arg") &&
			       strstr(argv[2], "-inner") && strstr(argv[4], "-outer")
		       ? 42
		       : 1;
}

int main(int argc, char **argv)
{
	const char *role = getenv("ROLE");

	self_find();
	if (role && !strcmp(role, "plain-script"))
		return argc == 3 && strstr(argv[1], "-script") && !strcmp(argv[2], "one")
			       ? 41
			       : 1;
	if (argc > 1 && !strcmp(argv[1], "script  with blanks"))
		return role_script(argc, argv);
	if (argc > 1)
		return !strcmp(argv[1], "nested") ? role_nested(argc, argv) : 125;
	return test_main(all, sizeof(all) / sizeof(all[0]));
}
