"""CIFAR-10 is downloaded once, from the first mirror that has it, whatever the others, the disk or neighbours do."""

import errno
import multiprocessing
import os
import pickle
import tarfile

import numpy as np
import pytest
import torch

from nas_tutorial import data
from nas_tutorial.data import cifar10, download
from tests import mirrors
from tests.test_data import counts, disjoint, parts

BOTH = ["cifar-10-batches-py", "cifar-10-python.tar.gz"]


@pytest.fixture(scope="module")
def miniature(tmp_path_factory):
    """The archive, and a reader with its md5 sums."""
    return mirrors.miniature(tmp_path_factory.mktemp("original"))


@pytest.fixture
def server(miniature, monkeypatch):
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with mirrors.serving(miniature[0].read_bytes()) as running:
        yield running


def fetched(server, miniature, root, *names, **sizes):
    urls = tuple(f"{server.address}/{name}" for name in names)
    return cifar10.load(root=root, mirrors=urls, reader=miniature[1], **sizes)


def test_cifar10_is_downloaded_once(server, miniature, tmp_path):
    d = fetched(server, miniature, tmp_path / "new", "good", "corrupt")
    again = fetched(server, miniature, tmp_path / "new", "good", "corrupt")
    assert server.requests == ["/good"]
    assert torch.equal(d.train.images, again.train.images)
    assert sorted(p.name for p in (tmp_path / "new").iterdir()) == ["cifar-10-batches-py", "cifar-10-python.tar.gz"]
    assert (d.name, d.classes, d.channels, d.side, d.flip, d.crop) == ("cifar10", 10, 3, 32, True, 4)
    assert [len(s) for s in parts(d)] == [50, 50, 20] and counts(d.train, 10) == [5] * 10
    assert disjoint(*parts(d)) and d.class_names[3] == "thing 3"


def test_cifar10_pictures_and_labels_are_those_of_the_files(server, miniature, tmp_path):
    d = fetched(server, miniature, tmp_path, "good", per_class=4, test_per_class=1)
    assert counts(d.full_train, 10) == [4] * 10 and counts(d.test, 10) == [1] * 10
    files = [
        miniature[0].parent / "cifar-10-batches-py" / f[0] for f in miniature[1].train_list + miniature[1].test_list
    ]
    raw = [pickle.loads(f.read_bytes()) for f in files]
    images = torch.from_numpy(np.concatenate([r["data"] for r in raw])).view(-1, 3, 32, 32)
    labels = torch.tensor(sum((r["labels"] for r in raw), []))
    for split in parts(d):
        assert torch.equal(split.images, images[split.sources[:, 0]])
        assert torch.equal(split.labels, labels[split.sources[:, 0]])


def test_cifar10_falls_through_to_a_good_mirror(server, miniature, tmp_path, monkeypatch):
    monkeypatch.setattr(download, "TIMEOUT", 2)
    names = ["missing", "corrupt", "short", "silent", "good"]
    d = fetched(server, miniature, tmp_path, *names)
    assert server.requests == [f"/{name}" for name in names] and len(d.full_train) == 100
    assert sorted(p.name for p in tmp_path.iterdir()) == ["cifar-10-batches-py", "cifar-10-python.tar.gz"]


def test_cifar10_says_what_was_tried(server, miniature, tmp_path):
    with pytest.raises(ConnectionError, match="could not be downloaded; tried .*by hand.*'digits'") as error:
        here = [f"{server.address}/{mirror}" for mirror in ("missing", "corrupt", "short")]
        urls = (*here, "http://127.0.0.1:9/dead", "nonsense")
        cifar10.load(root=tmp_path, mirrors=urls, reader=miniature[1])
    reasons = "404", "does not match the known hash", "IncompleteRead", "refused"
    for expected in (*urls, *reasons, miniature[1].tgz_md5, str(tmp_path)):
        assert expected in str(error.value)
    assert [path.name for path in tmp_path.rglob("*")][1:] == [f"{miniature[1].tgz_md5}.part"]  # for the next try


@pytest.mark.parametrize("named", [".", "cifar-10-python.tar.gz", "cifar-10-batches-py"])
@pytest.mark.parametrize("unpacked", [False, True])
def test_cifar10_prefers_a_local_copy(server, miniature, tmp_path, named, unpacked):
    (tmp_path / miniature[0].name).write_bytes(miniature[0].read_bytes())
    if unpacked:
        cifar10.unpack(tmp_path / miniature[0].name, tmp_path)
        (tmp_path / miniature[0].name).unlink()
    assert len(fetched(server, miniature, tmp_path / named, "good").test) == 20
    assert server.requests == []


def test_cifar10_repairs_damaged_copies(server, miniature, tmp_path):
    fetched(server, miniature, tmp_path, "good")
    (tmp_path / "cifar-10-batches-py" / "data_batch_3").write_bytes(b"half")
    assert len(fetched(server, miniature, tmp_path, "good").full_train) == 100
    assert server.requests == ["/good"]  # the archive was whole
    (tmp_path / "cifar-10-batches-py" / "data_batch_3").unlink()
    (tmp_path / miniature[0].name).write_bytes(b"half")
    assert len(fetched(server, miniature, tmp_path, "good").full_train) == 100
    assert server.requests == ["/good", "/good"]


def test_cifar10_names_a_folder_it_cannot_unpack_into(server, miniature, tmp_path):
    (tmp_path / "cifar-10-batches-py").write_text("a file where the folder should be")
    with pytest.raises(OSError, match="cannot be unpacked into .*pass that folder as root"):
        fetched(server, miniature, tmp_path, "good")


def test_load_knows_cifar10(server, miniature, tmp_path, monkeypatch):
    monkeypatch.setattr("torchvision.datasets.CIFAR10", miniature[1])
    monkeypatch.setattr(cifar10, "MIRRORS", (f"{server.address}/good",))
    monkeypatch.setattr(cifar10, "ROOT", tmp_path / "cache")
    assert len(data.load("cifar10", per_class=5, validation=0.2).validation) == 10
    assert (tmp_path / "cache" / "cifar-10-batches-py").is_dir()


def test_the_real_archive_is_the_one_asked_for():
    assert cifar10.torchvision_reader().tgz_md5 == "c58f30108f718f92721af3b95e74349a"
    assert cifar10.MIRRORS[-1] == cifar10.torchvision_reader().url and len(cifar10.MIRRORS) >= 3


# --- faults of servers ---
def test_every_fault_of_a_server_is_passed_over_and_leaves_nothing(server, miniature, tmp_path, monkeypatch):
    monkeypatch.setattr(download, "TIMEOUT", 0.5)
    monkeypatch.setattr(download, "GRACE", 0.1)
    monkeypatch.setattr(cifar10, "MOST", 2 * len(server.body))
    faults = ["missing", "forbidden", "broken", "circle", "corrupt", "short", "silent", "huge", "endless", "trickle"]
    with pytest.raises(ConnectionError) as error:
        fetched(server, miniature, tmp_path, *faults)
    said = str(error.value)
    reasons = [
        "404",
        "403",
        "500",
        "redirects",
        "hash",
        "IncompleteRead",
        "timed out",
        "more than",
        "more than",
        "second",
    ]
    for fault, why in zip(faults, reasons, strict=True):
        assert why in said.split(f"/{fault} (")[1].split(")")[0], (fault, said)
    for way_out in ("by hand", "'digits'", ".npz"):
        assert way_out in said
    assert len(fetched(server, miniature, tmp_path, *faults, "moved").full_train) == 100
    assert sorted(path.name for path in tmp_path.iterdir()) == BOTH


def test_a_slow_server_is_waited_for(server, miniature, tmp_path):
    assert len(fetched(server, miniature, tmp_path, "slow", "good").full_train) == 100
    assert server.requests == ["/slow"]


# --- going on ---
@pytest.mark.parametrize("mirror", ["good", "no-ranges"])
def test_what_has_come_is_not_asked_for_again(server, miniature, tmp_path, mirror):
    with pytest.raises(ConnectionError):
        fetched(server, miniature, tmp_path, "short")
    (part,) = tmp_path.rglob("*.part")
    assert part.read_bytes() == server.body[: len(server.body) // 2]
    assert len(fetched(server, miniature, tmp_path, mirror).full_train) == 100
    assert server.requests == ["/short", f"/{mirror}"] and sorted(path.name for path in tmp_path.iterdir()) == BOTH


@pytest.mark.parametrize("wrong", [b"x", b"x" * 10**6])
def test_a_wrong_beginning_is_not_gone_on_with(server, miniature, tmp_path, wrong):
    part = tmp_path / f".{miniature[0].name}.partial" / f"{miniature[1].tgz_md5}.part"
    part.parent.mkdir()
    part.write_bytes(wrong)
    assert len(fetched(server, miniature, tmp_path, "good").full_train) == 100
    assert server.requests == ["/good", "/good"] and sorted(path.name for path in tmp_path.iterdir()) == BOTH


# --- faults of the disk ---
@pytest.mark.parametrize("number, says", [(errno.ENOSPC, "is full"), (errno.EROFS, "cannot be written to")])
def test_the_disk_is_not_called_the_network(server, miniature, tmp_path, monkeypatch, number, says):
    def no_room(*_):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(download.os, "replace", no_room)
    with pytest.raises(OSError, match=f"{says}.* root") as error:
        fetched(server, miniature, tmp_path, "good", "good")
    assert str(tmp_path) in str(error.value) and "download" not in str(error.value) and server.requests == ["/good"]


def test_a_folder_that_cannot_be_is_named_before_anything_is_asked_for(server, miniature, tmp_path):
    (tmp_path / "file").write_text("mine")
    with pytest.raises(OSError, match="file/folder cannot be written to .* root"):
        fetched(server, miniature, tmp_path / "file" / "folder", "good")
    assert server.requests == []


@pytest.mark.parametrize(
    "name, kind", [("../evil", tarfile.REGTYPE), ("/evil", tarfile.REGTYPE), ("x", tarfile.SYMTYPE)]
)
def test_an_archive_that_leads_elsewhere_is_refused(tmp_path, name, kind):
    archive = tmp_path / "in" / "bad.tar.gz"
    archive.parent.mkdir()
    with tarfile.open(archive, "w:gz") as tar:
        member = tarfile.TarInfo(name)
        member.type, member.linkname = kind, "/etc/passwd"
        tar.addfile(member)
    with pytest.raises(ValueError, match="which is no file within it"):
        download.unpack(archive, archive.parent)
    assert [path.name for path in tmp_path.rglob("*")] == ["in", "bad.tar.gz"]


# --- neighbours ---
def load_elsewhere(root, urls, sums, results):
    """In a process of its own."""
    from torchvision.datasets import CIFAR10

    found = cifar10.load(root=root, mirrors=urls, reader=type("Miniature", (CIFAR10,), sums))
    results.put(len(found.full_train))


def test_six_processes_that_share_a_folder_download_once(server, miniature, tmp_path):
    context = multiprocessing.get_context("fork" if hasattr(os, "fork") else "spawn")
    results, sums = (
        context.Queue(),
        {n: getattr(miniature[1], n) for n in ("tgz_md5", "train_list", "test_list", "meta")},
    )
    work = (tmp_path, (f"{server.address}/slow",), sums, results)
    processes = [context.Process(target=load_elsewhere, args=work) for _ in range(6)]
    for process in processes:
        process.start()
    assert [results.get(timeout=120) for _ in processes] == [100] * 6
    for process in processes:
        process.join()
    assert server.requests == ["/slow"] and sorted(path.name for path in tmp_path.iterdir()) == BOTH
