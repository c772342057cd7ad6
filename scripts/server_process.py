"""A haechi-server example in a process of its own, on a socket that this process opened. Loopback only."""

import os
import resource
import socket
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
TICK = os.sysconf("SC_CLK_TCK")


def passed_socket():
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen(1024)
    return listener


def example(name):
    target = os.environ.get("CARGO_TARGET_DIR", os.path.join(ROOT, "target"))
    return os.path.join(target, os.environ.get("HAECHI_PROFILE", "debug"), "examples", name)


def build(*names):
    command = ["cargo", "build", "-q", "-p", "haechi-server"]
    if os.environ.get("HAECHI_PROFILE") == "release":
        command.append("--release")
    for name in names:
        command += ["--example", name]
    subprocess.run(command, cwd=ROOT, check=True)


def start(name, listener, descriptors=None, **environment):
    """Starts an example on the socket (its standard input) and waits until it listens."""

    def limit():
        if descriptors:
            resource.setrlimit(resource.RLIMIT_NOFILE, (descriptors, descriptors))

    process = subprocess.Popen(
        [example(name)],
        stdin=listener,
        stdout=subprocess.PIPE,
        text=True,
        preexec_fn=limit,
        env=dict(os.environ, LISTEN_FDS="1", LISTEN_FDS_FIRST_FD="0", HAECHI_BIND="systemd", **environment),
    )
    process.stdout.readline()
    return process


def cpu_seconds(process):
    with open(f"/proc/{process.pid}/stat") as stat:
        fields = stat.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICK


def own_kib(process):
    """Returns the process's proportional set size."""
    with open(f"/proc/{process.pid}/smaps_rollup") as rollup:
        return next(int(line.split()[1]) for line in rollup if line.startswith("Pss:"))


def verdict(name, figures, passed):
    print(f"{'PASS' if passed else 'FAIL'} {name}: {figures}")
    sys.exit(0 if passed else 1)
