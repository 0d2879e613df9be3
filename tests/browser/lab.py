"""A JupyterLab of its own for tests: its server, the kernel behind a notebook, and the notebook in a browser."""

import ast
import json
import os
import socket
import subprocess
import sys
import time
import urllib.request
from contextlib import contextmanager

from jupyter_client import BlockingKernelClient

from tools.notebooks import ROOT

PATIENCE = 240  # seconds, for machines with much else to do
TOKEN = "try"
SETTINGS = {  # no question about news before the widgets; all cells on the page, in sight or not
    "apputils-extension/notification": {"fetchNews": "false", "checkForUpdates": False},
    "notebook-extension/tracker": {"windowingMode": "none"},
}


@contextmanager
def served(folder):
    """JupyterLab on the notebooks of a folder, with settings of its own; yields its address."""
    for name, setting in SETTINGS.items():
        file = folder / "settings" / "@jupyterlab" / f"{name}.jupyterlab-settings"
        file.parent.mkdir(parents=True)
        file.write_text(json.dumps(setting))
    homes = {f"JUPYTER_{name}_DIR": str(folder / name.lower()) for name in ("CONFIG", "DATA", "RUNTIME")}
    homes |= {"JUPYTERLAB_SETTINGS_DIR": str(folder / "settings"), "PYTHONPATH": str(ROOT)}
    port = free_port()
    options = [f"--port={port}", f"--IdentityProvider.token={TOKEN}", f"--notebook-dir={folder}", "--allow-root"]
    command = [sys.executable, "-m", "jupyterlab", "--no-browser", "--log-level=ERROR", *options]
    with (folder / "log.txt").open("w") as log:
        server = subprocess.Popen(command, env={**os.environ, **homes}, stdout=log, stderr=log)
    try:
        address = f"http://127.0.0.1:{port}"
        eventually(lambda: answers(address, server))
        yield address
    finally:
        server.terminate()
        server.wait()


def free_port():
    """The number of a port that nobody listens to."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


def answers(address, server):
    """Tell whether the server is there; AssertionError where it has ended."""
    assert server.poll() is None, "JupyterLab has ended"
    try:
        return urllib.request.urlopen(f"{address}/api?token={TOKEN}").status == 200
    except OSError:
        return False


def eventually(holds):
    """Wait until something holds, and return it; AssertionError where it never does."""
    end = time.monotonic() + PATIENCE
    while not (found := holds()):
        assert time.monotonic() < end, f"in {PATIENCE} s this did not become true: {holds.__doc__ or holds}"
        time.sleep(0.05)
    return found


def opened(browser, address, name):
    """A notebook in a tab, its kernel ready; returns the page."""
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    page.set_default_timeout(1000 * PATIENCE)
    page.goto(f"{address}/lab/tree/{name}?token={TOKEN}&reset")
    page.locator(".jp-Notebook .jp-CodeCell").first.wait_for()
    page.locator(".jp-NotebookPanel-toolbar .jp-Notebook-ExecutionIndicator[data-status=idle]").wait_for()
    return page


def menu(page, *names):
    """Choose an item of a menu; names: the way to it."""
    page.get_by_role("menuitem", name=names[0], exact=True).click()
    for name in names[1:]:
        page.locator(".lm-Menu-item").filter(has=page.get_by_text(name, exact=True)).click()


def run_above(page, cell):
    """Run all cells above this one; once more where the page did not take it up, as its kernel was not ready yet."""
    first = page.locator(".jp-CodeCell .jp-InputPrompt").first

    def begun():
        """Cells above were run."""
        if first.inner_text().strip() in ("", "[ ]:"):
            cell.locator(".jp-InputArea-editor").click()
            menu(page, "Run", "Run All Above Selected Cell")
            page.wait_for_timeout(3000)
        return first.inner_text().strip() not in ("", "[ ]:")

    eventually(begun)


class Kernel:
    """The only kernel of a server: what its objects say, without a cell."""

    def __init__(self, folder):
        (file,) = (folder / "runtime").glob("kernel-*.json")
        self.client = BlockingKernelClient(connection_file=str(file))
        self.client.load_connection_file()
        self.client.start_channels()

    def ask(self, expression):
        """The value of an expression of plain values; AssertionError where it raises."""
        reply = self.client.execute("", silent=True, user_expressions={"it": expression}, reply=True, timeout=PATIENCE)
        found = reply["content"]["user_expressions"]["it"]
        assert found["status"] == "ok", found
        return ast.literal_eval(found["data"]["text/plain"])

    def close(self):
        """Stop listening; the kernel runs on."""
        self.client.stop_channels()
