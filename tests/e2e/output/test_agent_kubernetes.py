#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""`agent` on a node of Kubernetes: pods by the files that containerd keeps, and the manifests."""
import contextlib
import copy
import json
import os
import shutil
import socket
import subprocess

import lib
from lib.agents import Agent, Cgroup

TASKS = "/run/containerd/io.containerd.runtime.v2.task/k8s.io"


@contextlib.contextmanager
def bundle(number, annotations, mode):
    """What containerd keeps of a container; no directory of it is left that was not there."""
    path = os.path.join(TASKS, number)
    made = path
    while not os.path.exists(os.path.dirname(made)):
        made = os.path.dirname(made)
    os.makedirs(path)
    try:
        config = os.path.join(path, "config.json")
        with open(config, "w", encoding="ascii") as file:
            json.dump({"ociVersion": "1.0.2", "annotations": annotations}, file)
        os.chmod(config, mode)
        yield
    finally:
        shutil.rmtree(made)


@contextlib.contextmanager
def pod_cgroup(cgroup, number):
    """The cgroup that the kubelet and containerd make for a container, below one of the test."""
    inner = copy.copy(cgroup)
    inner.path = "%s/kubepods-burstable-pod1.slice/cri-containerd-%s.scope" % (cgroup.path, number)
    os.makedirs(inner.path)
    try:
        yield inner
    finally:
        lib.wait_until(lambda: not open(inner.path + "/cgroup.procs", encoding="ascii").read(), "an empty cgroup")
        os.rmdir(inner.path)
        os.rmdir(os.path.dirname(inner.path))


@lib.test()
def test_pods():
    """Namespace, pod, container and image are labels; what others than root may write says nothing."""
    good, bad = ("%032x%032x" % (os.getpid(), i) for i in (1, 2))
    notes = {"io.kubernetes.cri.container-name": "app", "io.kubernetes.cri.sandbox-name": "shop-7d9-x2",
             "io.kubernetes.cri.sandbox-namespace": "web", "io.kubernetes.cri.image-name": "registry/app:3"}
    with Cgroup() as cgroup, Agent(cgroup) as agent:
        for number, mode in ((good, 0o644), (bad, 0o666)):
            with bundle(number, notes, mode), pod_cgroup(cgroup, number) as inner:
                inner.start([lib.system().exe, "-c", "import json"]).wait()
                lib.wait_until(lambda n=number: agent.sum_of("pyimport_starts_total") >= 1 + (n == bad), "the start")
        got = sorted(tuple(sorted(dict(labels).items())) for (name, labels) in agent.samples()
                     if name == "pyimport_starts_total")
        lib.check_equal(got, sorted([
            (("container", "app"), ("entry", "-c"), ("image", "registry/app:3"), ("namespace", "web"),
             ("pod", "shop-7d9-x2")),
            (("container", bad[:12]), ("entry", "-c"))]), "labels")


VALIDATE = """import fs from "node:fs";
const lists = {Namespace: "v1", ConfigMap: "v1", DaemonSet: "apps/v1"};
for (const one of JSON.parse(fs.readFileSync(0))) {
    const kind = await import("kubernetes-models/" + lists[one.kind] + "/" + one.kind);
    new kind[one.kind](one).validate();
    console.log(one.kind, one.metadata.name);
}"""


def objects(directory):
    """What Kustomize makes of a directory, or of the base without it."""
    import yaml
    if shutil.which("kubectl"):
        done = subprocess.run(["kubectl", "kustomize", directory], capture_output=True, text=True)
        lib.check_equal(done.returncode, 0, "kubectl kustomize: %s" % done.stderr)
        return list(yaml.safe_load_all(done.stdout))
    if os.path.basename(directory) != "kubernetes":
        raise lib.Skip("no kubectl")
    with open(directory + "/daemonset.yaml", encoding="utf-8") as file:
        return list(yaml.safe_load_all(file))


@lib.test(params={"base": "kubernetes", "overlay": "kubernetes-otlp"})
def test_manifests(name):
    """Kubernetes' own schemas take the manifests, and the agent the options that they give it."""
    models = os.path.join(os.environ.get("PYIMPORT_TOOLS", "/var/tmp/pyimport-tools"), "kubernetes")
    if not os.path.exists(models) or not shutil.which("node"):
        raise lib.Skip("no node, or no schemas: scripts/test_tools.sh")
    found = objects(os.path.join(lib.settings.REPO, "packaging/fleet", name))
    done = subprocess.run(["node", "--input-type=module", "-e", VALIDATE], input=json.dumps(found), cwd=models, capture_output=True, text=True)
    lib.check_equal((done.returncode, "DaemonSet pyimport-agent\n" in done.stdout), (0, True), done.stderr[-2000:])
    wrong = copy.deepcopy(found)
    next(one for one in wrong if one["kind"] == "DaemonSet")["spec"]["template"]["spec"]["containers"][0]["image"] = 7
    done = subprocess.run(["node", "--input-type=module", "-e", VALIDATE], input=json.dumps(wrong), cwd=models, capture_output=True, text=True)
    lib.check(done.returncode and "image" in done.stderr, "a wrong manifest was taken: %s", done.stderr[-2000:])
    args = next(one for one in found if one["kind"] == "DaemonSet")["spec"]["template"]["spec"]["containers"][0]["args"]
    config = [one["data"] for one in found if one["kind"] == "ConfigMap"]
    args = [arg.replace("/etc/pyimport", lib.workdir()).replace("$(HOST_IP)", "127.0.0.1") for arg in args]
    for key, text in config[0].items() if config else ():
        lib.write(key, text)
    # A port that is taken: everything before that is right.
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        args[args.index("--listen") + 1] = "127.0.0.1:%d" % taken.getsockname()[1]
        done = subprocess.run([lib.TOOL, *args], capture_output=True, text=True)
    lib.check(done.returncode == 1 and "cannot listen" in done.stderr, "%r", done)


if __name__ == "__main__":
    lib.main()
