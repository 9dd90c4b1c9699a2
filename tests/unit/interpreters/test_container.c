// SPDX-License-Identifier: BSD-2-Clause
/* Paths of cgroups as the runtimes make them, their files as they write them, and mounts. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "interpreters/containers/cgroup.h"
#include "interpreters/containers/cgroup_mount.h"
#include "interpreters/containers/container.h"
#include "interpreters/containers/container_files.h"
#include "model/pod.h"
#include "unit.h"

#define A16 "0123456789abcdef"
#define ID A16 A16 A16 A16
#define OTHER "f123456789abcdef" A16 A16 A16

static void test_paths(void)
{
	static const struct {
		const char *path, *id, *runtime;
	} cases[] = {
		{ "/libpod_parent/libpod-" ID, ID, "podman" },
		{ "/machine.slice/libpod-" ID ".scope/container", ID, "podman" },
		{ "/docker/" ID, ID, "docker" },
		{ "/system.slice/docker-" ID ".scope", ID, "docker" },
		{ "/docker/" OTHER "/docker/" ID "/init.scope", ID, "docker" },
		{ "/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod1.slice/"
		  "cri-containerd-" ID ".scope", ID, "containerd" },
		{ "/kubepods/besteffort/pod7/" ID, ID, NULL },
		{ "/kubepods.slice/kubepods-pod3.slice/crio-" ID ".scope", ID, "cri-o" },
		{ "/system.slice/containerd.service/kubepods-pod3.slice:cri-containerd:" ID, ID,
		  "containerd" },
		{ "/default/" ID, ID, "containerd" },
		{ "/lxc.payload.web/system.slice/cron.service", "web", "lxc" },
		{ "/machine.slice/machine-deb.scope/payload", "deb", "nspawn" },
		{ "/", NULL, NULL }, { "", NULL, NULL }, { "//", NULL, NULL },
		{ "/docker", NULL, NULL }, { "/docker/0123", NULL, NULL },
		{ "/libpod_parent/libpod-conmon-" ID, NULL, NULL },
		{ "/system.slice/crio-conmon-" ID ".scope", NULL, NULL },
		{ "/docker/" A16 A16 A16 "0123456789ABCDEF", NULL, NULL },
		{ "/docker/" ID "0", NULL, NULL }, { "/lxc.payload.", NULL, NULL },
		{ "/user.slice/user-0.slice/session-1.scope", NULL, NULL },
	};
	struct container container;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		bool has = container_parse(cases[i].path, &container);

		if (has != (cases[i].id != NULL)) {
			FAIL("%s: %s", cases[i].path, has ? container.id : "no container");
			continue;
		}
		if (!has)
			continue;
		CHECK(!strcmp(container.id, cases[i].id));
		if (cases[i].runtime ? !container.runtime ||
				       strcmp(container.runtime, cases[i].runtime) :
				       container.runtime != NULL)
			FAIL("%s: runtime %s", cases[i].path, container.runtime);
		CHECK(container.path_sz <= strlen(cases[i].path));
	}
	CHECK(container_parse("/docker/" ID "/init.scope", &container) &&
	      container.path_sz == strlen("/docker/" ID));
}

static void test_lines(void)
{
	struct container container;
	char *path;

	CHECK(!container_find_line("5:pids:/x\n4:memory:/docker/" ID "\n0::/\n", &container,
				   &path));
	CHECK(!strcmp(path, "/docker/" ID));
	free(path);
	CHECK(container_find_line("0::/user.slice\n", &container, &path) == -ENOENT && !path);
	CHECK(container_find_line("", &container, &path) == -ENOENT);
	CHECK(container_find_line("docker/" ID, &container, &path) == -ENOENT);
	CHECK(!cgroup_parse("12:pids:/a\n1:x:/b\n0::/c:d\n", 0, &path) && !strcmp(path, "/c:d"));
	free(path);
	CHECK(!cgroup_parse("12:pids:/a\n1:x:/b\n", 1, &path) && !strcmp(path, "/b"));
	free(path);
	CHECK(cgroup_parse("12:pids:/a\n", 2, &path) == -ENOENT);
	CHECK(cgroup_parse("0", 0, &path) == -ENOENT && cgroup_parse("0:", 0, &path) == -ENOENT);
}

static void test_units(void)
{
	char unit[CGROUP_UNIT_SZ];

	cgroup_unit("/system.slice/web.service", unit);
	CHECK(!strcmp(unit, "web.service"));
	cgroup_unit("/user.slice/user@7.service/app.slice/x.scope/sub", unit);
	CHECK(!strcmp(unit, "x.scope"));
	cgroup_unit("/a/.service", unit);
	CHECK(!*unit);
	cgroup_unit("", unit);
	CHECK(!*unit);
	CHECK(cgroup_is_below("/a/b", "/a") && cgroup_is_below("/a", "/a/"));
	CHECK(cgroup_is_below("/a", "/") && !cgroup_is_below("/ab", "/a"));
}

static char got[1024];

static void keep(void *ctx, const char *id, const struct container_names *names)
{
	size_t sz = strlen(got);

	(void)ctx;
	snprintf(got + sz, sizeof(got) - sz, "%.8s %s %s%s%s;", id,
		 names->name ?: "-", names->runtime, names->image ? " " : "", names->image ?: "");
}

#define EXPECT(call, want) do { \
	got[0] = '\0'; \
	call; \
	if (strcmp(got, want)) \
		FAIL("%s: %s", #call, got); \
} while (0)

static void test_files(void)
{
	static const char store[] = "[{\"id\":\"" ID "\",\"names\":[\"web\",\"alias\"]},"
		"{\"id\":\"" OTHER "\",\"metadata\":\"{\\\"image-name\\\":\\\"alpine:3\\\"}\"},{\"id\":\"../x\",\"names\":[\"evil\"]},{\"names\":[1]},7]";
	static const char docker[] = "{\"ID\":\"" ID "\",\"Name\":\"/shop\",\"State\":{},"
		"\"Config\":{\"Image\":\"shop:2\"}}";
	static const char pod[] = "{\"annotations\":{\"io.kubernetes.cri.container-name\":\"app\","
		"\"io.kubernetes.cri.sandbox-name\":\"shop-1\","
		"\"io.kubernetes.cri.image-name\":\"reg/app:3\"}}";
	static const char whole[] = "{\"annotations\":{\"io.kubernetes.container.name\":\"app\","
		"\"io.kubernetes.pod.name\":\"shop-1\",\"io.kubernetes.pod.namespace\":\"web\"}}";
	static const char crio[] = "[{\"id\":\"" ID "\",\"names\":[\"k8s_app_shop-1_web_12-3_0\"]},"
		"{\"id\":\"" OTHER "\",\"names\":[\"k8s_app_shop-1\"]}]";
	static const char dockerd[] = "{\"ID\":\"" ID "\",\"Name\":\"/k8s_app_shop-1_web_12-3_4\"}";
	char *conmon[] = { "/usr/bin/conmon", "--api-version", "1", "-c", ID, "-u", ID, "-r",
			   "/usr/bin/runc", "-n", "web", "--exit-command-arg" };

	EXPECT(container_parse_store(store, strlen(store), keep, NULL),
	       "01234567 web podman;f1234567 - podman alpine:3;");
	EXPECT(container_parse_store("{", 1, keep, NULL), "");
	EXPECT(container_parse_store("", 0, keep, NULL), "");
	EXPECT(container_parse_docker(docker, strlen(docker), keep, NULL), "01234567 shop docker shop:2;");
	EXPECT(container_parse_docker("[]", 2, keep, NULL), "");
	EXPECT(container_parse_bundle(ID, pod, strlen(pod), "containerd", keep, NULL),
	       "01234567 shop-1/app containerd reg/app:3;");
	EXPECT(container_parse_bundle(ID, whole, strlen(whole), "cri-o", keep, NULL),
	       "01234567 web/shop-1/app cri-o;");
	EXPECT(container_parse_store(crio, strlen(crio), keep, NULL),
	       "01234567 web/shop-1/app cri-o;f1234567 k8s_app_shop-1 cri-o;");
	EXPECT(container_parse_docker(dockerd, strlen(dockerd), keep, NULL),
	       "01234567 web/shop-1/app docker;");
	EXPECT(container_parse_bundle(ID, "{}", 2, "containerd", keep, NULL),
	       "01234567 - containerd;");
	EXPECT(container_parse_conmon(conmon, 12, keep, NULL), "01234567 web podman;");
	EXPECT(container_parse_conmon(conmon, 4, keep, NULL), "");
	EXPECT(container_parse_conmon(conmon, 0, keep, NULL), "");
}

static void test_pods(void)
{
	static const char *const none[] = { "web", "/", "a/", "/b", "a//b", "a/b/c/d", "" };
	struct pod_name pod;

	CHECK(pod_name_parse("web/shop-1/app", &pod) && !strcmp(pod.space, "web") &&
	      !strcmp(pod.pod, "shop-1") && !strcmp(pod.container, "app"));
	CHECK(pod_name_parse("shop-1/app", &pod) && !*pod.space && !strcmp(pod.pod, "shop-1") &&
	      !strcmp(pod.container, "app"));
	CHECK(!pod_name_parse(NULL, &pod));
	for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++)
		if (pod_name_parse(none[i], &pod) || *pod.pod || *pod.space || *pod.container)
			FAIL("taken: '%s'", none[i]);
}

static int parse_mount(const char *text, struct cgroup_mount *mount)
{
	static char line[8192];

	snprintf(line, sizeof(line), "%s", text);
	return cgroup_mount_parse(line, mount);
}

static void test_mounts(void)
{
	struct cgroup_mount mount;
	char *path;

	CHECK(!parse_mount("35 25 0:30 / /sys/fs/cgroup rw,nosuid shared:9 - cgroup2 cgroup2 rw\n",
			   &mount));
	CHECK(!mount.controller[0] && !strcmp(mount.dir, "/sys/fs/cgroup") && !*mount.root);
	CHECK(!cgroup_mount_below(&mount, "/sys/fs/cgroup", &path) && !strcmp(path, "/"));
	free(path);
	CHECK(!cgroup_mount_below(&mount, "/sys/fs/cgroup/a/b/", &path) && !strcmp(path, "/a/b"));
	free(path);
	CHECK(cgroup_mount_below(&mount, "/sys/fs/cgroups/a", &path) == -ENOENT);
	cgroup_mount_clear(&mount);
	CHECK(!parse_mount("36 35 0:31 /docker/x /cg\\040roups/m rw - cgroup cgroup rw,memory\n",
			   &mount));
	CHECK(!strcmp(mount.controller, "memory") && !strcmp(mount.dir, "/cg roups/m"));
	CHECK(!cgroup_mount_dir(&mount, "/docker/x/y", &path) && !strcmp(path, "/cg roups/m/y"));
	free(path);
	CHECK(cgroup_mount_dir(&mount, "/docker/xy", &path) == -ENOENT);
	cgroup_mount_clear(&mount);
	CHECK(!parse_mount("36 35 0:31 / /s rw - cgroup cgroup rw,xattr,name=systemd\n", &mount));
	CHECK(!strcmp(mount.controller, "?"));
	cgroup_mount_clear(&mount);
	CHECK(parse_mount("36 35 0:31 / /s rw - tmpfs cgroup rw\n", &mount) == -EINVAL);
	CHECK(parse_mount("- cgroup", &mount) == -EINVAL);
	CHECK(parse_mount("", &mount) == -EINVAL);
}

int main(void)
{
	RUN(test_paths);
	RUN(test_lines);
	RUN(test_units);
	RUN(test_files);
	RUN(test_pods);
	RUN(test_mounts);
	return unit_result();
}
