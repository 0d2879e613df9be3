"""Nothing that the package reads can run as Python or as a command of a shell, and no name becomes markup."""

import ast
from html.parser import HTMLParser
from pathlib import Path

import pytest

import nas_tutorial
from nas_tutorial import drawing, spaces
from nas_tutorial.exercises.quiz import Quiz
from nas_tutorial.pictures import images, strips

PACKAGE = Path(nas_tutorial.__file__).parent
MODULES = sorted(PACKAGE.rglob("*.py"))
FORBIDDEN_IMPORTS = {"pickle", "cPickle", "dill", "cloudpickle", "joblib", "marshal", "shelve", "subprocess", "yaml"}
FORBIDDEN_CALLS = {"eval", "exec", "__import__", "compile"}
FORBIDDEN_METHODS = {("os", "system"), ("os", "popen"), ("torch", "load"), ("torch", "save"), ("np", "save")}
ALLOWED = {
    ("exercises/nb02_build_answers.py", "exec"),  # of its own source with some lines changed, no file's
    ("exercises/nb09_build_answers.py", "torch.load"),  # of what an answer wrote itself a moment ago, into a new folder
    ("exercises/nb09_build_answers.py", "torch.save"),
    ("trials/processes.py", "pickle"),  # of what a process sends to those that it began, no file's
}


def dangers(tree):
    """Everything in a module that could run what it reads."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name.split(".")[0] in FORBIDDEN_IMPORTS)
        elif isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] in FORBIDDEN_IMPORTS:
            yield node.module
        elif isinstance(node, ast.Call):
            yield from dangers_of_call(node)


def dangers_of_call(node):
    named = node.func
    if isinstance(named, ast.Name) and named.id in FORBIDDEN_CALLS:
        yield named.id
    if isinstance(named, ast.Attribute) and isinstance(named.value, ast.Name):
        if (named.value.id, named.attr) in FORBIDDEN_METHODS:
            yield f"{named.value.id}.{named.attr}"
        if (named.value.id, named.attr) == ("np", "load") and not refuses_pickle(node):
            yield "np.load with pickle"
    yield from ("shell=True" for keyword in node.keywords if keyword.arg == "shell")


def refuses_pickle(node):
    return any(k.arg == "allow_pickle" and getattr(k.value, "value", None) is False for k in node.keywords)


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.relative_to(PACKAGE).as_posix())
def test_no_module_can_run_what_it_reads(path):
    name = path.relative_to(PACKAGE).as_posix()
    found = {(name, danger) for danger in dangers(ast.parse(path.read_text(encoding="utf-8")))}
    assert found <= ALLOWED


@pytest.mark.parametrize(
    "code",
    ["import pickle", "from pickle import loads", "eval(x)", "os.system(x)", "run(x, shell=True)", "np.load(x)"],
)
def test_the_scan_finds_what_it_looks_for(code):
    assert [*dangers(ast.parse(code))]


# --- names from files and arguments ---------------------------------------------------------------------------------
HOSTILE = """<script>alert("x")</script> & 'y'"""
CELL = spaces.Tiny().parse("|conv_3x3~0|+|skip~0|conv_1x1~1|")


@pytest.mark.parametrize(
    "page",
    [
        lambda: drawing.sheet([CELL, CELL], captions=[HOSTILE, "b"]).svg,
        lambda: images.image(b"", "png", HOSTILE),
        lambda: strips.policy_svg(CELL.space, [0.5] * 125, [1 / 125] * 125, HOSTILE),
        lambda: Quiz(HOSTILE, ("a", "b", "c"), "B", (HOSTILE, "e", "f")).page,
    ],
    ids=["sheet", "image", "policy", "quiz"],
)
def test_a_name_never_becomes_markup(page):
    text = page()
    assert "alert" in text and "script" not in tags(text)


def tags(text):
    """The names of all elements of a page."""
    found, parser = [], HTMLParser()
    parser.handle_starttag = lambda tag, attributes: found.append(tag)
    parser.feed(text)
    return found
