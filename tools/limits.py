"""`make limits`: every notebook on a small machine, into docs/limits.md; `python -m tools.limits [NN ...]`.

One core, 1.8 GB, no network, no `dot`, a home that cannot be written to, LC_ALL=C, and a path with spaces and umlauts.
"""

import json
import os
import shutil
import stat
import subprocess
import sys
import tempfile
from pathlib import Path

from nas_tutorial.files import write_whole
from tools import notebooks

ROOT = Path(__file__).resolve().parent.parent
DOCUMENT, FIGURES = ROOT / "docs" / "limits.md", ROOT / "docs" / "limits.json"
GIGABYTES = 1.8
COPIED = ("nas_tutorial", "notebooks", "tools", "pyproject.toml")
NO_NETWORK = """
import socket
def refuse(self, address, *_):
    if self.family in (socket.AF_INET, socket.AF_INET6) and not str(address[0]).startswith(("127.", "::1")):
        raise OSError(101, "Network is unreachable (blocked)")
    return before(self, address)
before = socket.socket.connect
socket.socket.connect = refuse
def resolve(host, *rest, **more):
    if host not in (None, "", "localhost", "127.0.0.1", "::1"):
        raise socket.gaierror(-3, "No names (blocked)")
    return look_up(host, *rest, **more)
look_up, socket.getaddrinfo = socket.getaddrinfo, resolve
"""
RUN = """
import json, sys
from pathlib import Path
from tools import notebooks
notebook = notebooks.read_source(Path(sys.argv[1]))
measured = notebooks.execute(notebook)
print("MEASURED", json.dumps(measured._asdict()))
"""
HEAD = """# How small a machine may be

Every notebook was run from its source with one core, no network (sockets are blocked), no `dot` program, a home folder
that cannot be written to, `LC_ALL=C`, and a path with spaces and umlauts. Memory is the largest that the kernel had in
RAM; the limit is {limit} GB (10⁹ bytes). Made by `make limits`; seconds are those of the machine that ran it.

| notebook | result | all cells | longest cell | memory |
| --- | --- | ---: | ---: | ---: |
"""


def small_machine(place: Path) -> tuple[Path, dict[str, str]]:
    """A copy of the project at an unusual path, and the environment to run it in."""
    project, home, blocked = place / "mein Kurs äöü", place / "home", place / "blocked"
    project.mkdir()
    for name in COPIED:
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        copy(ROOT / name, project / name)
    blocked.mkdir()
    (blocked / "sitecustomize.py").write_text(NO_NETWORK, encoding="utf-8")
    home.mkdir()
    home.chmod(stat.S_IRUSR | stat.S_IXUSR)
    programs = os.pathsep.join(
        folder for folder in os.environ["PATH"].split(os.pathsep) if not (Path(folder) / "dot").exists()
    )
    for_runtime = {"JUPYTER_RUNTIME_DIR": str(place / "runtime"), "IPYTHONDIR": str(place / "ipython")}
    closed = "/proc" if os.geteuid() == 0 else str(home)  # nobody can make a file there, root included
    settings = {"HOME": closed, "LC_ALL": "C", "PATH": programs, "OMP_NUM_THREADS": "1", **for_runtime}
    return project, {**settings, "PYTHONPATH": os.pathsep.join((str(blocked), str(project)))}


def measured(source: Path) -> dict[str, object]:
    """Run one notebook so; its figures, or the end of what it said."""
    with tempfile.TemporaryDirectory(prefix="nas limits ") as place:
        project, environment = small_machine(Path(place))
        words = ["taskset", "-c", "0"] if shutil.which("taskset") else []
        words += [sys.executable, "-c", RUN, str(project / "notebooks" / "source" / source.name)]
        done = subprocess.run(words, env=environment, cwd=project, capture_output=True, text=True)
    told = [line.removeprefix("MEASURED ") for line in done.stdout.splitlines() if line.startswith("MEASURED ")]
    return json.loads(told[0]) if told else {"fault": done.stderr.strip().splitlines()[-1:] or ["no word"]}


def row(name: str, found: dict) -> str:
    """One line of the table."""
    if "fault" in found:
        return f"| {name} | stops: {found['fault'][0][:120]} | | | |"
    fits = "runs" if found["gigabytes"] <= GIGABYTES else f"needs more than {GIGABYTES} GB"
    return f"| {name} | {fits} | {found['total']:.0f} s | {found['longest']:.0f} s | {found['gigabytes']:.2f} GB |"


def page(figures: dict[str, dict]) -> str:
    """The document."""
    return HEAD.format(limit=GIGABYTES) + "\n".join(row(name, figures[name]) for name in sorted(figures)) + "\n"


def main(numbers: list[str]) -> int:
    """Run those notebooks, or all, and write their figures beside those of the others; 1 where one does not fit."""
    figures = json.loads(FIGURES.read_text(encoding="utf-8")) if FIGURES.exists() else {}
    for source in notebooks.sources(numbers):
        figures[source.stem] = measured(source)
        print(row(source.stem, figures[source.stem]), flush=True)
        write_whole(FIGURES, json.dumps(figures, indent=1) + "\n")
        write_whole(DOCUMENT, page(figures))
    return int(any("fault" in found or found["gigabytes"] > GIGABYTES for found in figures.values()))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
