"""Run notebooks/source/NN_name.py (py:percent) into notebooks/NN_name.ipynb, or check that the two agree.

python -m tools.notebooks [NN ...]            run and write (all, or those with these numbers)
python -m tools.notebooks --measure [NN ...]  the same, and print the figures for the header lines
python -m tools.notebooks --record [NN ...]   the same, and make the records of `measures.recalled` again
python -m tools.notebooks --check [NN ...]    run nothing; fail where a notebook differs from its source, or in form

What is written depends on the sources alone: cell ids come from the content; widget state, timings and messages on
stderr are dropped; an output that differs from the committed one only in seconds or addresses is left as it was.
"""

import argparse
import base64
import json
import os
import re
import sys
import tomllib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote

import jupytext
import nbformat
from nbclient import NotebookClient
from nbformat import NotebookNode

from nas_tutorial.files import write_whole
from tools import snapshot, template

ROOT = Path(__file__).resolve().parent.parent
NOTEBOOKS = ROOT / "notebooks"
KERNEL = {"display_name": "Python 3", "language": "python", "name": "python3"}
ENVIRONMENT = {"OMP_NUM_THREADS": "1", "OMP_WAIT_POLICY": "PASSIVE", "PYTHONHASHSEED": "0"}
INLINE = "module://matplotlib_inline.backend_inline"
KEPT_METADATA = ("tags", "slideshow")
UNSTABLE = re.compile(r"\d+(\.\d+)?\s?(ms|s|min|seconds|minutes|it/s|GB|MB)\b|0x[0-9a-f]{6,}")


class Measured(NamedTuple):
    """What running a notebook cost: seconds of the longest cell and of all cells, peak resident memory in GB."""

    longest: float
    total: float
    gigabytes: float

    def __str__(self) -> str:
        return f"longest cell {self.longest:.0f} s · all cells {self.total:.0f} s · {self.gigabytes:.1f} GB"


def repository() -> str:
    """Return the public address of the repository, written once in pyproject.toml."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return project["urls"]["Repository"].rstrip("/")


def badges(name: str, address: str) -> str:
    """Return the line of links under a title: open in Colab, on Binder, as slides."""
    slug = address.removeprefix("https://github.com/")
    colab = f"https://colab.research.google.com/github/{slug}/blob/main/notebooks/{name}.ipynb"
    binder = f"https://mybinder.org/v2/gh/{slug}/main?labpath={quote(f'notebooks/{name}.ipynb', safe='')}"
    return f"[Open in Colab]({colab}) · [Open on Binder]({binder}) · [Slides](../slides/README.md)"


def sources(numbers: Iterable[str] = ()) -> list[Path]:
    """Return the source files with these numbers ("03" or "3"), or all; raise SystemExit for an unknown number."""
    found = sorted((NOTEBOOKS / "source").glob("[0-9][0-9]_*.py"))
    wanted = [number.zfill(2) for number in numbers]
    known = [path.name[:2] for path in found]
    if unknown := sorted(set(wanted) - set(known)):
        raise SystemExit(f"There is no notebook {', '.join(unknown)}; there are {', '.join(known) or 'none'}.")
    return [path for path in found if not wanted or path.name[:2] in wanted]


def target(source: Path) -> Path:
    """Return the notebook that a source is written to."""
    return NOTEBOOKS / f"{source.stem}.ipynb"


def embedded(link: re.Match) -> str:
    """Return a Markdown link to a picture beside the sources as one that carries the picture."""
    content = (NOTEBOOKS / "source" / link[1]).read_bytes()
    return f"](data:image/png;base64,{base64.b64encode(content).decode()})"


def read_source(source: Path, slides: bool = False) -> NotebookNode:
    """Return the notebook of a source, not run: badges, address and pictures filled in, ids from the content.

    slides: keep the cells that only slides have.
    """
    notebook = jupytext.reads(source.read_text(encoding="utf-8"), fmt="py:percent")
    notebook.cells = [cell for cell in notebook.cells if slides or "slide" not in cell.metadata.get("tags", [])]
    address = repository()
    for cell in notebook.cells:
        cell.source = cell.source.replace("<!-- badges -->", badges(source.stem, address))
        cell.source = cell.source.replace("{{repository}}", address)
        if cell.cell_type == "markdown":
            cell.source = re.sub(r"\]\((pictures/[\w.]+\.png)\)", embedded, cell.source)
        cell.metadata = NotebookNode({key: cell.metadata[key] for key in KEPT_METADATA if key in cell.metadata})
    notebook.metadata = nbformat.from_dict({"kernelspec": KERNEL, "language_info": {"name": "python"}})
    notebook.nbformat, notebook.nbformat_minor = 4, 5
    name_cells(notebook.cells)
    return notebook


def name_cells(cells: list[NotebookNode]) -> None:
    """Give each cell an id made from its type and text; a repeated text gets a number."""
    seen: dict[str, int] = {}
    for cell in cells:
        name = f"{cell.cell_type}-{sha256(cell.source.encode()).hexdigest()[:8]}"
        seen[name] = seen.get(name, 0) + 1
        cell.id = name if seen[name] == 1 else f"{name}-{seen[name]}"


def peak_gigabytes(pid: int) -> float:
    """Return the peak resident memory of a process in GB (10⁹ bytes); nan where the system does not tell."""
    try:
        status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    except OSError:
        return float("nan")
    return int(re.search(r"VmHWM:\s+(\d+) kB", status)[1]) * 1024 / 1e9


def seconds(cell: NotebookNode) -> float:
    """Return how long a cell ran, by the times that the kernel's messages carry."""
    times = cell.metadata.get("execution", {})
    begin, end = times.get("iopub.status.busy"), times.get("shell.execute_reply")
    return (datetime.fromisoformat(end) - datetime.fromisoformat(begin)).total_seconds() if begin and end else 0.0


@contextmanager
def executed(notebook: NotebookNode) -> Iterator[NotebookClient]:
    """Run a notebook in place, in the folder of the notebooks; within the block its kernel is still there."""
    os.environ.update(ENVIRONMENT, MPLBACKEND=INLINE)
    quiet = ["--IPKernelApp.log_level=ERROR"]
    client = NotebookClient(notebook, timeout=3600, kernel_name="python3", coalesce_streams=True, extra_arguments=quiet)
    with client.setup_kernel(cwd=str(NOTEBOOKS)):
        for index, cell in enumerate(notebook.cells):
            client.execute_cell(cell, index)
        client.set_widgets_metadata()
        yield client


def execute(notebook: NotebookNode) -> Measured:
    """Run a notebook in place, and measure it."""
    with executed(notebook) as client:
        gigabytes = peak_gigabytes(client.km.provisioner.pid)
    spent = [seconds(cell) for cell in notebook.cells]
    return Measured(max(spent), sum(spent), gigabytes)


def clean(notebook: NotebookNode) -> None:
    """Drop what must not be committed: stderr, timings, widget state (a still picture takes its place)."""
    widgets = snapshot.states(notebook.metadata.pop("widgets", {}))
    notebook.metadata = nbformat.from_dict({"kernelspec": KERNEL, "language_info": {"name": "python"}})
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)
        if cell.cell_type == "code":
            kept = [output for output in cell.outputs if output.get("name") != "stderr"]
            cell.outputs = [snapshot.still(output, widgets) for output in kept]


def keep_old_outputs(new: NotebookNode, old: NotebookNode) -> None:
    """Where a cell has the old text and its outputs differ only in seconds or addresses, keep the old outputs."""
    before = {cell.id: cell.outputs for cell in old.cells if cell.cell_type == "code"}
    for cell in new.cells:
        if cell.cell_type == "code" and masked(cell.outputs) == masked(before.get(cell.id)):
            cell.outputs = before[cell.id]
            numbered = (output for output in cell.outputs if output.output_type == "execute_result")
            for output in numbered:
                output.execution_count = cell.execution_count


def masked(outputs: list[NotebookNode] | None) -> str | None:
    """Return outputs as text without the parts that change from run to run."""
    text = re.sub(r'"execution_count": \d+', "", json.dumps(outputs, sort_keys=True))
    return None if outputs is None else UNSTABLE.sub("#", text)


def build(source: Path, measure: bool = False) -> list[str]:
    """Run one source into its notebook; return the complaints about the result."""
    print(f"{source.stem}: running …", end=" ", flush=True)
    notebook, path = read_source(source), target(source)
    measured = execute(notebook)
    clean(notebook)
    if path.exists():
        keep_old_outputs(notebook, nbformat.read(path, as_version=4))
    nbformat.validate(notebook)
    write_whole(path, nbformat.writes(notebook) + "\n")
    print(f"{measured} · {path.stat().st_size / 1e3:.0f} KB" if measure else f"{measured.total:.0f} s")
    return form(notebook, path) + template.cost_problems(notebook, measured)


def form(notebook: NotebookNode, path: Path) -> list[str]:
    """Return everything in which a notebook departs from the form of a lesson; its set-up is that of the first one."""
    return template.problems(notebook, path, template.set_up_cell(read_source(sources()[0])))


def disagreement(source: Path) -> str | None:
    """Return where a source and its notebook differ, cell by cell, or None where they agree; runs nothing."""
    path = target(source)
    if not path.exists():
        return f"{path.name} is missing: make notebooks NB={source.name[:2]}"
    ours, theirs = read_source(source).cells, nbformat.read(path, as_version=4).cells
    for index, (mine, other) in enumerate(zip(ours, theirs, strict=False)):
        if any(mine.get(key) != other.get(key) for key in ("cell_type", "source", "id", "metadata")):
            return f"{path.name}: cell {index} differs from its source: make notebooks NB={source.name[:2]}"
    if len(ours) != len(theirs):
        return f"{path.name} has {len(theirs)} cells, its source {len(ours)}: make notebooks NB={source.name[:2]}"
    return None


def faults(source: Path) -> list[str]:
    """Return where a notebook differs from its source, else where it departs from the form; runs nothing."""
    if difference := disagreement(source):
        return [difference]
    return form(nbformat.read(target(source), as_version=4), target(source))


def orphans() -> list[str]:
    """Return a complaint for every notebook without a source."""
    known = {target(source) for source in sources()}
    return [f"{path.name} has no source in notebooks/source" for path in set(NOTEBOOKS.glob("*.ipynb")) - known]


def main(argv: list[str] | None = None) -> int:
    """Read the command line; return 1 where something is wrong, else 0."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("numbers", nargs="*", help="two-digit numbers of notebooks; all when none is given")
    parser.add_argument("--check", action="store_true", help="run nothing: compare with sources, check the form")
    parser.add_argument("--record", action="store_true", help="make the records again that the notebooks read")
    parser.add_argument("--measure", action="store_true", help="print seconds and memory for the header lines")
    options = parser.parse_args(argv)
    chosen = sources(options.numbers)
    if options.record:
        os.environ["NAS_TUTORIAL_RECORD"] = "1"
    if options.check:
        complaints = [fault for source in chosen for fault in faults(source)] + orphans()
    else:
        complaints = [problem for source in chosen for problem in build(source, options.measure)]
    for complaint in complaints:
        print(complaint, file=sys.stderr)
    return int(bool(complaints))


if __name__ == "__main__":
    sys.exit(main())
