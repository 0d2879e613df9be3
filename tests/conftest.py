"""Tests run on the CPU, on every small space, and in the environment that notebooks are built in.

Notebooks are tests, too, and stay below the memory that Binder gives.
"""

import os

import pytest

from tools import chromium
from tools.notebooks import ENVIRONMENT, peak_gigabytes
from tools.template import COST

os.environ |= {**ENVIRONMENT, "CUDA_VISIBLE_DEVICES": ""}  # before torch is loaded; kernels and processes inherit it

from small import QUICK  # noqa: E402


@pytest.fixture(params=QUICK.values(), ids=QUICK, scope="session")
def space(request):
    """Each search space in a small size, with few nodes."""
    return request.param


@pytest.fixture(scope="module")
def browser():
    """A Chromium; where there is none its tests are skipped, but not by CI. Of one file: it keeps an event loop."""
    if chromium.executable() is None and not os.environ.get("NAS_TUTORIAL_CI"):
        pytest.skip("no Chromium was found: install one, or name it in CHROMIUM, to test pages, slides and widgets")
    with chromium.browser() as found:
        yield found


class NotebookHooks:
    """What pytest does with the cells that nbval collects; a plugin, as a conftest speaks only for its own folder."""

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(self, item):
        """Fail the cell with which a notebook's kernel passes the limit of memory."""
        result = yield
        if is_notebook(item) and (peak := peak_gigabytes(item.parent.kernel.km.provisioner.pid)) > COST["GB"]:
            pytest.fail(f"the kernel of {item.path.name} has used {peak:.2f} GB, at most {COST['GB']} GB are allowed")
        return result


def is_notebook(item):
    """Tell whether a test is a cell of a notebook."""
    return item.path.suffix == ".ipynb"


def pytest_configure(config):
    """Watch the memory of notebooks."""
    config.pluginmanager.register(NotebookHooks(), "notebook-hooks")
