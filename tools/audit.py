"""`make audit`: known holes in what is installed (pip-audit), dangerous code (bandit), and the licences.

What could not be checked, as without a network, is said to be unchecked, and ends with status 2; a finding with 1.
"""

import re
import subprocess
import sys
from importlib import metadata
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
HARMLESS = (
    "B101,B311,B405,B314"  # asserts; random numbers that protect nothing; XML that our own Graphviz has just drawn
)
REVIEWED = {
    "data/download.py B202": "every member is checked before, and the archive by its md5 sum",
    "exercises/nb02_build_answers.py B102": "runs the package's own source with lines changed, nothing from a file",
    "exercises/nb09_build_answers.py B614": "answers to an exercise, which read what they wrote a moment before",
    "trials/processes.py B": "what a process sends to those that it began, nothing from a file",
}
SECONDS = 300


def holes() -> int:
    """Known holes in the packages of this environment; 0, 1, or 2 where nobody could be asked."""
    try:
        words = [sys.executable, "-m", "pip_audit", "--progress-spinner", "off", "--skip-editable", "--timeout", "15"]
        done = subprocess.run(words, capture_output=True, text=True, timeout=SECONDS)
    except subprocess.TimeoutExpired:
        done = None
    if done is None or "Error" in done.stderr:
        print("pip-audit: NOT CHECKED, the list of known holes could not be reached (it needs pypi.org)")
        return 2
    print(f"pip-audit: {done.stdout.strip() or done.stderr.strip()}")
    return int(done.returncode != 0)


def dangerous_code() -> int:
    """What bandit finds in the package, but for what was looked at."""
    template = ["-f", "custom", "--msg-template", "{relpath} {test_id} line {line}: {msg}"]
    words = [sys.executable, "-m", "bandit", "-q", "-r", "nas_tutorial", "-s", HARMLESS, *template]
    done = subprocess.run(words, capture_output=True, text=True, cwd=ROOT)
    found = [line.removeprefix("nas_tutorial/") for line in done.stdout.splitlines() if " B" in line]
    for line in found:
        why = next((reason for place, reason in REVIEWED.items() if line.startswith(place)), None)
        print(f"bandit: {line}{f' (looked at: {why})' if why else ''}")
    new = [line for line in found if not line.startswith(tuple(REVIEWED))]
    print(f"bandit: {len(new)} to look at, {len(found) - len(new)} looked at before")
    return int(bool(new))


def licence(name: str) -> str:
    """The licence of an installed package, as it says itself."""
    about = metadata.metadata(name)
    classes = [c.rsplit(" :: ", 1)[-1] for c in about.get_all("Classifier") or () if c.startswith("License ::")]
    told = about.get("License-Expression") or ", ".join(classes) or (about.get("License") or "").split("\n")[0]
    return told[:80] or "not told"


def licences() -> None:
    """Print the licence of everything that the package needs to run."""
    for requirement in sorted(metadata.requires("nas_tutorial") or ()):
        if "extra ==" not in requirement:
            name = re.match(r"[\w.-]+", requirement)[0]
            try:
                print(f"licence: {name:<16}{metadata.version(name):<14}{licence(name)}")
            except metadata.PackageNotFoundError:
                print(f"licence: {name:<16}not installed here")


def main() -> int:
    """All three; the highest status."""
    licences()
    return max(dangerous_code(), holes())


if __name__ == "__main__":
    sys.exit(main())
