"""Make or repair `.venv` and install the package with the extras asked for; does nothing when that is already done.

python tools/make_venv.py [--extra test] [--torch-index auto|default|URL]

Standard library only. A stamp is written at the very end: an interrupted or failed set-up is repaired by running again.
"""

import argparse
import hashlib
import json
import os
import platform
import re
import shutil
import subprocess
import sys
import threading
import time
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CPU_INDEX = "https://download.pytorch.org/whl/cpu"
TESTED = ((3, 11), (3, 12), (3, 13))
# Each of these extras of pyproject.toml contains those before it.
NESTED = ("notebooks", "workshop", "test", "dev")


def version_of(python):
    """Return (major, minor) of a Python command, or None where it does not run."""
    code = "import sys; print(*sys.version_info[:2])"
    try:
        done = subprocess.run([python, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, timeout=60)
        major, minor = done.stdout.split()
        return int(major), int(minor)
    except (OSError, ValueError, subprocess.TimeoutExpired):
        return None


def choose_python(candidates, version_of=version_of):
    """Return the first candidate with a tested version, else the first newer one; SystemExit where there is none."""
    found = [(name, version_of(name)) for name in candidates]
    found = [(name, version) for name, version in found if version]
    for name, version in found:
        if version in TESTED:
            return name
    for name, version in found:
        if version > TESTED[-1]:
            print("Note: Python {}.{} is newer than the versions tested (3.11 to 3.13).".format(*version))
            return name
    seen = ", ".join("{} is {}.{}".format(name, *version) for name, version in found) or "no Python was found"
    advice = "Install one, or name it: make PYTHON=/path/to/python"
    raise SystemExit(f"nas_tutorial needs Python 3.11 to 3.13, but {seen}. {advice}")


def pip_chooses_torch(pip_config):
    """Tell from the text of `pip config list` whether this machine's pip has its own source of packages."""
    return bool(re.search(r"\.(constraint|find-links|index-url|extra-index-url|no-index)=", pip_config))


def has_gpu_driver():
    """Tell whether an NVIDIA driver is installed."""
    return shutil.which("nvidia-smi") is not None or Path("/proc/driver/nvidia").exists()


def answers(url, seconds=5):
    """Tell whether a URL answers within some seconds (name look-up included, hence the thread)."""
    result = []

    def ask():
        try:
            with urllib.request.urlopen(url + "/torch/", timeout=seconds) as reply:
                result.append(reply.status == 200)
        except (OSError, ValueError):
            pass

    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    thread.join(seconds)
    return bool(result and result[0])


def torch_index(wish, pip_config, system=platform.system, has_gpu_driver=has_gpu_driver, answers=answers):
    """Return the index to take torch from, or None for plain pip.

    wish: "auto", "default" (plain pip) or a URL. "auto" takes PyTorch's CPU index only on Linux, where plain pip would
    bring gigabytes of CUDA, without a GPU driver, and when nobody has configured pip and the index answers.
    """
    if wish == "default":
        return None
    if wish != "auto":
        return wish
    plain = pip_chooses_torch(pip_config) or system() != "Linux" or has_gpu_driver() or not answers(CPU_INDEX)
    return None if plain else CPU_INDEX


def stamp_key(root, index_wish):
    """Return what a finished set-up depends on: the project file, the folder it stands in, and the choice of torch."""
    text = (root / "pyproject.toml").read_text(encoding="utf-8") + str(root) + index_wish
    return hashlib.sha256(text.encode()).hexdigest()


def installed_extras(stamp, key):
    """Return the extras that a finished set-up with this key has, or None where there is no such set-up."""
    try:
        content = json.loads(stamp.read_text(encoding="utf-8"))
        return set(content["extras"]) if content["key"] == key else None
    except (OSError, ValueError, KeyError):
        return None


def with_nested(extras):
    """Return extras together with those that they contain."""
    inner = {name for extra in extras if extra in NESTED for name in NESTED[: NESTED.index(extra)]}
    return set(extras) | inner


def remove_half_installed(venv):
    """Delete what an interrupted pip left behind, so that pip does not take it for installed; return the names."""
    broken = [info for info in venv.glob("lib/*/site-packages/*.dist-info") if not (info / "RECORD").exists()]
    broken += list(venv.glob("lib/*/site-packages/~*"))
    for path in broken:
        if path.is_dir():
            shutil.rmtree(str(path))
        else:
            path.unlink()
    return sorted(path.name for path in broken)


def run(*command):
    """Run a command; leave with its exit status and one sentence where it fails."""
    done = subprocess.run(command)
    if done.returncode:
        sentence = "Set-up stopped: see the message above. Type the same make command again to go on from here;"
        print(sentence, "make TORCH_INDEX=default takes torch from where pip takes everything else.", file=sys.stderr)
        raise SystemExit(done.returncode)


def ensure_venv(venv, base_python):
    """Make the virtual environment unless it is there with a working pip; return its Python."""
    python = venv / "bin" / "python"
    works = (
        python.exists()
        and not subprocess.run(
            [str(python), "-m", "pip", "--version"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        ).returncode
    )
    if not works:
        run(base_python, "-m", "venv", "--clear", str(venv))
    return str(python)


def install(python, root, extras, index):
    """Install torch from its index where one is given, then the package (editable) with its extras."""
    pip = (python, "-m", "pip", "install", "-qq", "--disable-pip-version-check")
    if index:
        run(*pip, "torch", "torchvision", "--index-url", index)
    run(*pip, "-e", str(root) + ("[{}]".format(",".join(sorted(extras))) if extras else ""))
    run(python, "-c", "import nas_tutorial")


def set_up(root, extras, index_wish, base_python):
    """Bring root/.venv to the state asked for."""
    venv = root / ".venv"
    stamp, key = venv / "nas_tutorial.json", stamp_key(root, index_wish)
    have = installed_extras(stamp, key)
    if have is not None and extras <= have:
        return
    extras = with_nested(extras | (have or set()))
    started = time.monotonic()
    python = ensure_venv(venv, choose_python(base_python))
    stamp.unlink(missing_ok=True)
    remove_half_installed(venv)
    pip_config = subprocess.run([python, "-m", "pip", "config", "list"], stdout=subprocess.PIPE, check=True).stdout
    index = torch_index(index_wish, pip_config.decode())
    what, time_needed = "the packages", "one to ten minutes"
    if have is not None:
        what, time_needed = f"what {', '.join(sorted(extras - have))} needs", "about a minute"
    source = index or "where pip takes everything"
    print(f"Installing {what} into .venv (torch from {source}); {time_needed}, once.", flush=True)
    install(python, root, extras, index)
    stamp.write_text(json.dumps({"key": key, "extras": sorted(extras)}), encoding="utf-8")
    print(f"Installed in {time.monotonic() - started:.0f} s.", flush=True)


def main(argv=None):
    """Read the command line and set up."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--extra", action="append", default=[], help="an extra of pyproject.toml, such as test")
    parser.add_argument("--torch-index", default="auto", help="auto, default (plain pip) or the URL of an index")
    options = parser.parse_args(argv)
    candidates = [sys.executable, "python3.13", "python3.12", "python3.11", "python3"]
    set_up(ROOT, set(options.extra), options.torch_index, candidates)


if __name__ == "__main__":
    os.chdir(str(ROOT))
    main()
