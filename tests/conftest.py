"""Notebooks as tests: they run in the environment they are built in, and below the memory that Binder gives."""

import os

import pytest

from tools.notebooks import ENVIRONMENT, peak_gigabytes
from tools.template import COST


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
    """Give tests and kernels the environment that notebooks are built in."""
    os.environ.update(ENVIRONMENT)
    config.pluginmanager.register(NotebookHooks(), "notebook-hooks")
