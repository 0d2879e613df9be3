"""`make test-matrix`: the quick tests with each Python that is found, the oldest and the newest torch, two ipywidgets.

python tools/matrix.py [--list] [--only WORDS] [-k EXPRESSION]      needs some GB of disk and of download for each line

Each line gets a virtual environment of its own in build/matrix, which is removed when its tests are over.
"""

import argparse
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PLACE = ROOT / "build" / "matrix"
INDEX = "https://download.pytorch.org/whl/cpu"
VERSIONS = ("3.11", "3.12", "3.13")
OLDEST = ["torch==2.4.*", "torchvision==0.19.*", "numpy<2"]
QUICK = "tests/test_spaces.py tests/test_data.py tests/test_darts.py tests/test_widgets.py tests/test_cli.py".split()


def python_of(version: str) -> str | None:
    """The path of this Python on this machine, installed or in pyenv's folder."""
    root = Path(os.environ.get("PYENV_ROOT", "~/.pyenv")).expanduser()
    found = sorted(root.glob(f"versions/{version}.*/bin/python"))
    return str(found[-1]) if found else shutil.which(f"python{version}")


def lines() -> list[tuple[str, str, list[str]]]:
    """What is tried: a name, a Python, and what pip installs besides the package."""
    found = {version: path for version in VERSIONS if (path := python_of(version))}
    first, all_of_them = next(iter(found.items())), list(found.items())
    newest = [(f"Python {version}, newest torch", path, []) for version, path in all_of_them]
    oldest = (f"Python {first[0]}, torch 2.4", first[1], OLDEST)
    widgets = [(f"Python {first[0]}, ipywidgets {v}", first[1], [f"ipywidgets=={v}.*"]) for v in ("7.7", "8")]
    return [*newest, oldest, *widgets]


def tried(name: str, python: str, more: list[str], expression: str) -> bool:
    """Install and test one line; whether all of it went well."""
    folder = PLACE / name.replace(" ", "_").replace(",", "")
    own = folder / "bin" / "python"
    install = [own, "-m", "pip", "install", "-q", "--extra-index-url", INDEX, "-e", f"{ROOT}[test]", *more]
    words = [own, "-m", "pytest", "-q", "-p", "no:cacheprovider", *QUICK, *(["-k", expression] if expression else [])]
    try:
        subprocess.run([python, "-m", "venv", folder], check=True)
        subprocess.run(install, check=True)
        return subprocess.run(words, cwd=ROOT).returncode == 0
    except subprocess.CalledProcessError:
        return False
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def main() -> int:
    """Try all lines, or those whose name holds the words; 1 where one fails."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--list", action="store_true", help="only say what would be tried")
    parser.add_argument("--only", default="", help="lines whose name holds these words")
    parser.add_argument("-k", default="", dest="expression", help="tests, as for pytest")
    options = parser.parse_args()
    chosen = [line for line in lines() if options.only in line[0]]
    if options.list:
        print("\n".join(f"{name:<32}{python}  {' '.join(more)}" for name, python, more in chosen))
        return 0
    results = {name: tried(name, python, more, options.expression) for name, python, more in chosen}
    print("\n".join(f"{name:<32}{'passed' if good else 'FAILED'}" for name, good in results.items()))
    return int(not all(results.values()))


if __name__ == "__main__":
    sys.exit(main())
