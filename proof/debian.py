"""A minimal Debian in a folder, and commands inside it, which know of this machine only how to fetch packages."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from proof.records import ImpossibleError

SUITE = "bookworm"
PACKAGES = ("python3", "python3-venv", "git", "make", "ca-certificates")
USER = 1000
HOURS = 2
CERTIFICATES = "/etc/ssl/certs/ca-certificates.crt"


@dataclass(frozen=True)
class Case:
    """Who runs a command there, and what is mounted: a bare chroot has not even /proc.

    Attributes:
        root: root, or a plain user without a home.
        mounts: of proc and devpts.
    """

    root: bool
    mounts: tuple[str, ...] = ("proc",)


def minimal(folder: Path) -> Path:
    """A minimal Debian with our few packages, made once.

    Raises:
        ImpossibleError: this needs root and debootstrap.
    """
    if os.geteuid() != 0 or not shutil.which("debootstrap"):
        raise ImpossibleError("it needs root and debootstrap (Debian: apt-get install debootstrap)")
    base = folder / SUITE
    if not base.exists():
        unfinished = folder / "unfinished"
        shutil.rmtree(unfinished, ignore_errors=True)
        folder.mkdir(parents=True, exist_ok=True)
        command = ["debootstrap", "--variant=minbase", f"--include={','.join(PACKAGES)}", SUITE, str(unfinished)]
        subprocess.run(command + _mirror(), check=True, stdout=subprocess.DEVNULL)
        for name in ("archives", "../lib/apt/lists"):
            shutil.rmtree(unfinished / "var/cache/apt" / name, ignore_errors=True)
        unfinished.rename(base)
    return base


def run(case: Case, tree: Path, command: str, folder: str, log: Path) -> int:
    """Run a command inside a Debian; its output goes to ``log``. Whatever it leaves running ends with it."""
    mounting = {
        "proc": f"mount -t proc proc {shlex.quote(f'{tree}/proc')}",
        "devpts": f"mount -t devpts -o newinstance,ptmxmode=0666 devpts {shlex.quote(f'{tree}/dev/pts')}",
    }
    who = [] if case.root else [f"--userspec={USER}:{USER}"]
    home = "/root" if case.root else "/nonexistent"
    variables = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": home, **_fetching(tree)}
    inside = ["env", "-i", *(f"{name}={value}" for name, value in variables.items()), "sh", "-c"]
    chroot = ["chroot", *who, str(tree), *inside, f"cd {folder} && {command}"]
    steps = [*(mounting[name] for name in case.mounts), f"exec {shlex.join(chroot)}"]
    # Mounts and processes of its own: both end with the command, so that this folder can be removed afterwards.
    outer = ["unshare", "--mount", "--pid", "--fork", "--kill-child", "sh", "-c", " && ".join(steps)]
    with log.open("wb") as output:
        done = subprocess.run(
            ["timeout", f"{HOURS}h", *outer],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            check=False,
        )
    return done.returncode


def own(tree: Path, folder: str) -> None:
    """Give a folder inside to the plain user."""
    subprocess.run(["chown", "-R", f"{USER}:{USER}", f"{tree}/{folder}"], check=True)


def _mirror() -> list[str]:
    """Where this machine's apt takes this suite from, as debootstrap's last argument; its own default without any."""
    command = ["apt-get", "indextargets", "--format", "$(CODENAME) $(REPO_URI)", "Created-By: Packages"]
    lines = subprocess.run(command, capture_output=True, text=True, check=False).stdout.splitlines()
    return [line.split()[1] for line in lines if line.split()[0] == SUITE][:1]


def _fetching(tree: Path) -> dict[str, str]:
    """The settings of this machine's pip: other machines, certificates, proxies."""
    variables = {name: value for name, value in os.environ.items() if name.lower().endswith("_proxy")}
    command = [sys.executable, "-m", "pip", "config", "list"]
    for line in subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines():
        name, _, quoted = line.partition("=")
        key, value = name.rpartition(".")[2], quoted.strip("'")
        if key == "cert":
            (tree / CERTIFICATES.lstrip("/")).write_bytes(Path(value).read_bytes())
            variables["PIP_CERT"] = CERTIFICATES
        elif re.search("https?://", value) or key in {"timeout", "default-timeout", "retries"}:
            variables[f"PIP_{key.upper().replace('-', '_')}"] = value
    return variables
