"""The data sets: balanced, disjoint, repeatable, and honest about what is wrong with a file."""

import hashlib
import json
import pickle
import re
import subprocess
import sys
import tracemalloc
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st

from nas_tutorial import data
from nas_tutorial.data import digits, loading, pictures, pipeline, records, splits, strokes

quick = settings(max_examples=25, deadline=None)
DRAWN = {"digits": digits, "strokes": strokes}  # built in, and drawn from a seed


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def parts(d):
    return d.train, d.validation, d.test


def disjoint(*splits_):
    """No source picture occurs in two of the splits."""
    seen = [set(s.sources.flatten().tolist()) for s in splits_]
    return sum(map(len, seen)) == len(set().union(*seen))


def counts(split, classes):
    return torch.bincount(split.labels, minlength=classes).tolist()


@pytest.fixture(scope="module")
def cluttered():
    return data.load("digits", seed=0)


# ---------------------------------------------------------------------------------------------------------- splitting


@quick
@given(
    st.lists(st.integers(4, 40), min_size=2, max_size=6),
    st.floats(0, 0.99),
    st.floats(0, 0.5),
    st.integers(0, 10**6),
)
def test_any_partition_is_disjoint_complete_and_balanced(sizes, validation, test, seed):
    labels = torch.cat([torch.full((n,), k) for k, n in enumerate(sizes)])
    labels = labels[torch.randperm(len(labels), generator=seeded(seed))]
    three = splits.partition(labels, validation=validation, test=test, generator=seeded(seed))
    assert sorted(torch.cat(three).tolist()) == list(range(len(labels)))
    for k, n in enumerate(sizes):
        tested = int((labels[three.test] == k).sum())
        validated = int((labels[three.validation] == k).sum())
        assert abs(tested - n * test) <= 1 and (tested > 0) == (test > 0)
        assert abs(validated - (n - tested) * validation) <= 1 and (validated > 0) == (validation > 0)
        assert tested + validated < n


@quick
@given(st.integers(2, 30), st.floats(0, 0.99), st.integers(0, 10**6))
def test_per_class_is_met_exactly_in_every_class(per_class, validation, seed):
    labels = torch.arange(3).repeat_interleave(torch.tensor([40, 50, 60]))
    three = splits.partition(labels, per_class=per_class, validation=validation, test=0.2, generator=seeded(seed))
    pool = torch.bincount(labels[torch.cat(three[:2])], minlength=3)
    assert pool.tolist() == [per_class] * 3
    assert len(set(torch.bincount(labels[three.train], minlength=3).tolist())) == 1
    assert len(set(torch.cat(three).tolist())) == len(torch.cat(three))


def test_the_test_part_does_not_depend_on_the_sizes_of_the_others():
    labels = torch.arange(5).repeat(40)
    a = splits.partition(labels, test=0.2, generator=seeded(3))
    b = splits.partition(labels, test=0.2, per_class=7, validation=0.1, generator=seeded(3))
    assert torch.equal(a.test, b.test) and not torch.equal(a.train, b.train)


def test_a_class_too_small_to_divide_is_named():
    labels = torch.tensor([0, 0, 0, 1])
    with pytest.raises(ValueError, match=r"Class 1 has 1 picture.*at least one.*validation=0"):
        splits.partition(labels, validation=0.5, generator=seeded())


@pytest.mark.parametrize(
    ("sizes", "sentence"),
    [
        ({"per_class": 0}, "per_class is 0.*counts pictures.*1 or more"),
        ({"per_class": 1}, "per_class is 1.*both need a picture.*2 or more"),
        ({"test_per_class": -3}, "test_per_class is -3.*1 or more"),
        ({"validation": 1.0}, "validation is 1.0.*fraction.*less than 1"),
        ({"validation": -0.1}, "validation is -0.1.*0 or more"),
        ({"validation": float("nan")}, "validation is nan"),
    ],
)
def test_impossible_sizes_are_refused(sizes, sentence):
    with pytest.raises(ValueError, match=sentence):
        data.load("digits", **sizes)


# ------------------------------------------------------------------------------------------------- digits and strokes


def test_digits_have_the_promised_form(cluttered):
    assert [len(s) for s in parts(cluttered)] == [4000, 4000, 2000]
    assert (cluttered.channels, cluttered.side, cluttered.classes) == (3, 16, 10)
    assert (cluttered.flip, cluttered.crop) == (False, 0)
    assert cluttered.class_names == tuple("0123456789")
    for split in parts(cluttered):
        assert split.images.dtype == torch.uint8 and split.labels.dtype == torch.int64
        assert split.images.shape == (len(split), 3, 16, 16) and split.images.is_contiguous()
        assert len(set(counts(split, 10))) == 1
    assert repr(cluttered) == "digits: 4,000 train, 4,000 validation, 2,000 test pictures of 3×16×16, 10 classes"


def test_no_handwriting_is_in_two_splits(cluttered):
    assert cluttered.train.sources.shape == (4000, 5)
    assert disjoint(*parts(cluttered))
    assert len(cluttered.train.sources.unique()) > 600  # nearly all of its 40 % of 1,797


def test_sources_tell_the_truth(cluttered):
    """The digit's label is its source's, and the digit's ink is found in the picture."""
    ink, labels = digits.handwriting()
    split = cluttered.test
    assert torch.equal(labels[split.sources[:, 0]], split.labels)
    assert (split.sources[:, 1:] != split.sources[:, :1]).all()
    grey = split.images[:100].float().mean(1, keepdim=True)  # (100, 1, 16, 16)
    patches = F.unfold(grey, 8)  # (100, 64, 81)
    template = ink[split.sources[:100, 0]].flatten(1)  # (100, 64)
    centred = [x - x.mean(1, keepdim=True) for x in (patches, template[..., None])]
    likeness = F.cosine_similarity(*centred, dim=1).amax(1)  # (100,)
    assert likeness.median() > 0.9


@quick
@given(st.integers(2, 9), st.floats(0, 0.99), st.integers(1, 4), st.integers(0, 10**6))
def test_drawn_sets_are_disjoint_and_balanced_for_any_sizes(per_class, validation, test_per_class, seed):
    for maker in DRAWN.values():
        d = maker.load(seed=seed, per_class=per_class, validation=validation, test_per_class=test_per_class)
        assert disjoint(*parts(d))
        classes = d.classes
        assert counts(d.full_train, classes) == [per_class] * classes
        assert counts(d.test, classes) == [test_per_class] * classes
        assert len(set(counts(d.train, classes))) == 1
        assert (len(d.validation) > 0) == (validation > 0)


@pytest.mark.parametrize("name", DRAWN)
def test_a_seed_decides_everything(name):
    a, b, other = (data.load(name, seed=s, per_class=20) for s in (5, 5, 6))
    for x, y, z in zip(parts(a), parts(b), parts(other), strict=True):
        assert torch.equal(x.images, y.images) and torch.equal(x.labels, y.labels)
        assert not torch.equal(x.images, z.images)


@pytest.mark.parametrize("name", DRAWN)
def test_test_pictures_do_not_depend_on_what_is_trained_on(name):
    a, b = data.load(name, per_class=20), data.load(name, per_class=30, validation=0.1)
    assert torch.equal(a.test.images, b.test.images)


def test_loading_leaves_the_global_generator_alone():
    before = torch.get_rng_state()
    d = data.load("digits", per_class=4, test_per_class=1)
    list(data.loader(d.train, 5, generator=seeded()))
    assert torch.equal(before, torch.get_rng_state())


def linear_accuracy(d):
    """Test accuracy of ridge regression on the labels: the best a linear model of the pixels can do."""

    def pixels(split):
        return F.pad(data.normalise(split.images, d).flatten(1).double(), (0, 1), value=1)  # (N, C·H·W + 1)

    x = pixels(d.full_train)
    gram = x.T @ x + 0.1 * len(x) * torch.eye(x.shape[1], dtype=torch.float64)
    weights = torch.linalg.solve(gram, x.T @ F.one_hot(d.full_train.labels).double())
    return ((pixels(d.test) @ weights).argmax(1) == d.test.labels).double().mean().item()


def test_a_linear_model_cannot_read_cluttered_digits(cluttered):
    assert linear_accuracy(cluttered) < 0.25


def test_the_linear_probe_can_read_plain_digits():
    """Without clutter, colour and shifts the probe above succeeds."""
    ink, labels = digits.handwriting()
    images = (ink * 255).to(torch.uint8)[:, None]
    index = splits.partition(labels, test=0.2, generator=seeded())
    three = tuple(data.Split(images[i], labels[i]) for i in index)
    assert linear_accuracy(pictures.describe("plain", three, tuple("0123456789"), flip=False, crop=0)) > 0.85


def test_strokes_are_three_pixels_in_the_direction_of_their_class():
    d = data.load("strokes")
    assert (d.channels, d.side, d.classes, d.flip, d.crop) == (3, 10, 4, False, 0)
    grey = d.train.images.float()[:, :1]
    assert torch.equal(d.train.images[:, :1].expand(-1, 3, -1, -1), d.train.images)
    kernels = torch.stack([torch.eye(3), torch.eye(3).flip(1)])
    straight = torch.zeros(3, 3)
    straight[1] = 1
    kernels = torch.stack([straight, straight.T, *kernels])[:, None]  # (4, 1, 3, 3), written without STEPS
    guess = F.conv2d(grey, kernels).amax((2, 3)).argmax(1)
    assert (guess == d.train.labels).float().mean() > 0.95
    assert linear_accuracy(d) < 0.45


# ------------------------------------------------------------------------------------------------------ a user's file


def own(path, sizes=(20, 20, 20), shape=(8, 8, 3), seed=0, **extra):
    """Write an .npz file with sizes[k] random pictures of class k."""
    rng = np.random.default_rng(seed)
    labels = rng.permutation(np.repeat(np.arange(len(sizes)), sizes))
    arrays = {"images": rng.integers(0, 256, (len(labels), *shape), dtype=np.uint8), "labels": labels}
    np.savez(path, **(arrays | extra))
    return path


def without(path, key):
    with np.load(path) as file:
        arrays = {k: file[k] for k in file.files if k != key}
    np.savez(path, **arrays)


@quick
@given(st.lists(st.integers(4, 30), min_size=2, max_size=5), st.floats(0, 0.9), st.integers(0, 10**6))
def test_own_files_are_split_by_class(tmp_path_factory, sizes, validation, seed):
    d = data.load(own(tmp_path_factory.mktemp("own") / "mine.npz", sizes), seed=seed, validation=validation)
    assert disjoint(*parts(d)) and sum(map(len, parts(d))) == sum(sizes)
    assert all(abs(n - 0.2 * size) <= 1 and n > 0 for n, size in zip(counts(d.test, len(sizes)), sizes, strict=True))
    assert len({tuple(image.flatten().tolist()) for s in parts(d) for image in s.images}) == sum(sizes)


def test_own_pictures_arrive_unchanged_with_channels_first(tmp_path):
    path = own(tmp_path / "mine.npz", shape=(24, 24, 3), class_names=np.array(["cat", "dog", "owl"]))
    d = data.load(path)
    with np.load(path) as file:
        for split in parts(d):
            expected = file["images"][split.sources[:, 0]].transpose(0, 3, 1, 2)
            assert np.array_equal(split.images.numpy(), expected)
            assert np.array_equal(split.labels.numpy(), file["labels"][split.sources[:, 0]])
    assert (d.name, d.class_names, d.flip, d.crop) == ("mine", ("cat", "dog", "owl"), True, 4)


def test_grey_small_pictures(tmp_path):
    d = data.load(str(own(tmp_path / "grey.npz", shape=(12, 12))))
    assert (d.channels, d.side, d.flip, d.crop) == (1, 12, False, 0)
    assert d.class_names == ("0", "1", "2")


def test_a_test_file_is_the_whole_test_split(tmp_path):
    path, other = own(tmp_path / "a.npz"), own(tmp_path / "b.npz", (5, 6, 7), seed=1)
    d = data.load(path, test_data=other)
    assert counts(d.test, 3) == [5, 6, 7] and counts(d.full_train, 3) == [20, 20, 20]
    d = data.load(path, test_data=other, test_per_class=4, per_class=6)
    assert counts(d.test, 3) == [4, 4, 4] and counts(d.full_train, 3) == [6, 6, 6]


IMAGES = np.zeros((60, 8, 8), np.uint8)
LABELS = np.repeat(np.arange(3), 20)
BROKEN = {
    "float images": ({"images": IMAGES.astype(np.float32)}, "images are float32, expected uint8.*astype"),
    "NaN images": ({"images": np.full((60, 8, 8), np.nan)}, "images hold NaN, expected uint8.*replace"),
    "wide images": ({"images": np.zeros((60, 8, 9), np.uint8)}, r"\(60, 8, 9, 1\), expected square.*crop or pad"),
    "channels first": ({"images": np.zeros((60, 3, 8, 8), np.uint8)}, r"expected square.*transpose\(0, 2, 3, 1\)"),
    "flat images": ({"images": np.zeros((60, 64), np.uint8)}, r"shape \(60, 64\), expected N×H×W.*reshape"),
    "no images": ({"images": IMAGES[:0], "labels": LABELS[:0]}, r"shape \(0, 8, 8\), expected"),
    "object images": ({"images": np.array([None] * 60)}, "Python objects, plain numbers are expected.*astype"),
    "too few labels": ({"labels": LABELS[:50]}, "60 images but 50 labels, expected as many.*give every image"),
    "one-hot labels": ({"labels": np.eye(60, 3, dtype=int)}, r"\(60, 3\), expected \(N,\).*reshape"),
    "negative label": ({"labels": LABELS - 1}, "label -1 is negative, expected 0 or more.*from 0"),
    "float labels": ({"labels": LABELS + 0.5}, "labels are float64, expected whole numbers.*astype"),
    "NaN labels": ({"labels": np.full(60, np.nan)}, "labels hold NaN, expected whole numbers.*remove"),
    "text labels": ({"labels": LABELS.astype(str)}, "labels are <U21, expected whole numbers"),
    "object labels": ({"labels": LABELS.astype(object)}, "Python objects"),
    "an empty class": ({"labels": LABELS * 2}, "class 1 has no picture, expected some for 0 … 4.*renumber"),
    "a huge label": ({"labels": LABELS * 10**9}, "class 1 has no picture"),
    "a single class": ({"labels": LABELS * 0}, "all labels are 0, expected two classes or more.*add"),
    "too few names": ({"class_names": np.array(["a"])}, "1 class_names for 3 classes.*one name"),
}


@pytest.mark.parametrize(("wrong", "sentence"), BROKEN.values(), ids=BROKEN.keys())
def test_what_is_wrong_with_a_file_is_said_in_one_sentence(tmp_path, wrong, sentence):
    path = own(tmp_path / "mine.npz", shape=(8, 8), **wrong)
    with pytest.raises(ValueError, match=sentence) as error:
        data.load(path)
    assert str(error.value).startswith(str(path)) and str(error.value).count("\n") == 0


@pytest.mark.parametrize("key", ["images", "labels"])
def test_a_missing_array_is_named_with_what_is_there(tmp_path, key):
    path = own(tmp_path / "mine.npz", x=np.zeros(3))
    without(path, key)
    other = "labels" if key == "images" else "images"
    with pytest.raises(ValueError, match=rf"{key} expected but only {other}, x found.*numpy.savez"):
        data.load(path)


def test_too_few_pictures_in_a_class(tmp_path):
    path = own(tmp_path / "mine.npz", (20, 10, 20))
    with pytest.raises(ValueError, match="per_class=9 .* class 1 has only 8 pictures .* at most 8"):
        data.load(path, per_class=9)
    with pytest.raises(ValueError, match="test_per_class=3 .* class 1 has only 2 pictures"):
        data.load(path, test_per_class=3)
    assert counts(data.load(path, per_class=8, test_per_class=2).full_train, 3) == [8, 8, 8]


def test_missing_files_and_unknown_names(tmp_path):
    names = ", ".join(loading.BUILT_IN)
    for name in ("digit", tmp_path / "nowhere.npz"):
        with pytest.raises(FileNotFoundError, match=f"no file and no data set .*{names} or the path"):
            data.load(name)
    with pytest.raises(FileNotFoundError, match="There is no file .*nowhere.npz"):
        data.load(own(tmp_path / "mine.npz"), test_data=tmp_path / "nowhere.npz")
    with pytest.raises(ValueError, match="'digits' brings its own test pictures: leave out test_data"):
        data.load("digits", test_data=tmp_path / "mine.npz")


@pytest.mark.parametrize("content", [b"", b"no archive at all", pickle.dumps([1, 2])])
def test_unreadable_files(tmp_path, content):
    path = tmp_path / "mine.npz"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"cannot be read as an .npz file .*numpy.savez"):
        data.load(path)


def test_a_bare_array_is_unreadable_too(tmp_path):
    np.save(tmp_path / "mine.npy", IMAGES)
    with pytest.raises(ValueError, match="cannot be read as an .npz file"):
        data.load(tmp_path / "mine.npy")


def claiming(path, shape, content):
    """A file whose `images` claim this shape, and hold this content."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        with archive.open("labels.npy", "w") as file:
            np.lib.format.write_array(file, np.zeros(60, np.int64))
        with archive.open("images.npy", "w", force_zip64=True) as file:
            np.lib.format.write_array_header_1_0(file, {"descr": "|u1", "fortran_order": False, "shape": shape})
            for piece in content:
                file.write(piece)
    return path


@pytest.mark.parametrize("shape", [(10**12, 8, 8), (2**62, 8, 8), (-1, 8, 8), (60, 8, 9)])
def test_a_size_that_is_not_there_is_refused_before_memory_is_taken(tmp_path, shape):
    path = claiming(tmp_path / "mine.npz", shape, content=[b"x" * 60 * 64])
    with pytest.raises(ValueError, match="cannot be read as an .npz file"):
        data.load(path)


def test_a_bomb_takes_no_memory(tmp_path):
    """100 MB of zeros in 100 KB are refused, and less than a tenth of them is ever held."""
    path = claiming(tmp_path / "mine.npz", (10**5, 32, 32), content=[b"\0" * 10**5 * 32] * 32)
    assert path.stat().st_size < 10**6
    tracemalloc.start()
    with pytest.raises(ValueError, match="images would grow from 0.1 MB to 102 MB, as no pictures do"):
        data.load(path)
    assert tracemalloc.get_traced_memory()[1] < 10**7
    tracemalloc.stop()


def test_more_than_the_machine_has_is_refused_with_figures(tmp_path, monkeypatch):
    monkeypatch.setattr(data.arrays, "memory_of_machine", lambda: 5000)
    with pytest.raises(ValueError, match=r"its arrays need 0.0 GB, more than half of the 0.0 GB"):
        data.load(own(tmp_path / "mine.npz"))


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_damaged_files_never_surprise(tmp_path_factory, draw):
    """A file cut short or with one wrong byte is either read or refused with ValueError, nothing else."""
    path = own(tmp_path_factory.mktemp("damaged") / "mine.npz", (4, 4), shape=(3, 3))
    content = bytearray(path.read_bytes())
    where = draw.draw(st.integers(0, len(content) - 1))
    content[where] ^= draw.draw(st.integers(1, 255))
    path.write_bytes(content[: where if draw.draw(st.booleans()) else None])
    try:
        assert data.load(path).classes == 2
    except ValueError as error:
        assert str(path) in str(error)


@pytest.mark.parametrize(
    ("shape", "sizes", "sentence"),
    [
        ((8, 8, 1), (5, 5, 5), "pictures are 1×8×8, those to train on are 3×8×8.*one shape"),
        ((8, 8, 3), (5, 5, 5, 5), "label 3 is not among the 3 classes.*relabel"),
    ],
)
def test_a_test_file_must_fit(tmp_path, shape, sizes, sentence):
    path, other = own(tmp_path / "a.npz"), own(tmp_path / "b.npz", sizes, shape)
    with pytest.raises(ValueError, match=sentence) as error:
        data.load(path, test_data=other)
    assert str(other) in str(error.value)


@pytest.mark.parametrize("names", [["dog", "cat", "owl"], ["cat", "dog"], ["cat", "dog", "owl", "elk"]])
def test_a_test_file_with_other_class_names_is_refused(tmp_path, names):
    path = own(tmp_path / "a.npz", class_names=np.array(["cat", "dog", "owl"]))
    other = own(tmp_path / "b.npz", seed=1, class_names=np.array(names))
    with pytest.raises(ValueError, match="b.npz: class_names are .*, those to train on are 'cat', 'dog', 'owl': bring"):
        data.load(path, test_data=other)
    assert data.load(path, test_data=own(other, seed=1)).class_names == ("cat", "dog", "owl")


# ------------------------------------------------------------------------------------------------ the same ones again


def sources(folder):
    """Arguments of `data.load` for every kind of source that needs no download."""
    path, other = own(folder / "mine.npz"), own(folder / "my test.npz", (5, 5, 5), seed=1)
    return [
        {"name_or_path": "digits", "per_class": 10, "test_per_class": 3, "seed": 2},
        {"name_or_path": "strokes", "per_class": 10, "validation": 0.3},
        {"name_or_path": path, "seed": 3, "per_class": np.int64(6)},
        {"name_or_path": str(path), "per_class": 5, "test_data": other, "test_per_class": 2},
    ]


def test_a_record_is_plain_and_brings_the_same_pictures_again(tmp_path):
    for arguments in sources(tmp_path):
        made = data.load(**arguments)
        record = json.loads(json.dumps(made.record))
        again = data.from_record(record)
        assert record == made.record == again.record
        for one, other in zip(parts(made), parts(again), strict=True):
            assert torch.equal(one.images, other.images) and torch.equal(one.labels, other.labels)


def test_a_record_names_the_data_completely(tmp_path):
    *_, arguments = sources(tmp_path)
    record = data.load(**arguments).record
    files = {name: hashlib.sha256((tmp_path / file).read_bytes()).hexdigest()
             for name, file in (("source", "mine.npz"), ("test_data", "my test.npz"))}  # fmt: skip
    assert record["origin"] == {
        "source": str(tmp_path / "mine.npz"),
        "test_data": str(tmp_path / "my test.npz"),
        "seed": 0,
        "per_class": 5,
        "validation": 0.5,
        "test_per_class": 2,
        "sha256": files,
    }
    assert (record["name"], record["class_names"]) == ("mine", ["0", "1", "2"])
    assert {name: split["size"] for name, split in record["splits"].items()} == {"train": 9, "validation": 6, "test": 6}
    assert len({split["sha256"] for split in record["splits"].values()}) == 3


def test_a_hash_tells_any_other_picture_label_or_order():
    split = data.load("strokes", per_class=4).train
    pixel = split.images.clone()
    pixel[3, 2, 9, 9] ^= 1
    label = split.labels.clone()
    label[-1] ^= 1
    turned = [data.Split(split.images.flip(0), split.labels.flip(0)), data.Split(split.images.mT, split.labels)]
    others = [data.Split(pixel, split.labels), data.Split(split.images, label), *turned, split + split]
    assert len({s.fingerprint for s in (split, *others)}) == 6
    assert data.Split(split.images.clone(), split.labels).fingerprint == split.fingerprint
    assert [a != b for a, b in zip(split.hashes, others[0].hashes, strict=True)] == [i == 3 for i in range(len(split))]


def test_moved_files_are_found_where_they_are_said_to_be(tmp_path):
    *_, arguments = sources(tmp_path)
    record = data.load(**arguments).record
    moved = tmp_path / "elsewhere"
    moved.mkdir()
    for name in ("mine.npz", "my test.npz"):
        (tmp_path / name).rename(moved / name)
    with pytest.raises(FileNotFoundError, match="no file .*mine.npz.*bring it back, or say where it is now"):
        data.from_record(record)
    again = data.from_record(record, source=moved / "mine.npz", test_data=moved / "my test.npz")
    assert again.record["splits"] == record["splits"]


def test_a_file_that_has_changed_is_named(tmp_path):
    path = own(tmp_path / "mine.npz")
    record = data.load(path).record
    own(path, seed=5)
    with pytest.raises(ValueError, match=r"other train pictures than the recorded .*mine.npz is not the file.*bring"):
        data.from_record(record)
    own(path, sizes=(20, 20))
    with pytest.raises(ValueError, match="These are other train pictures"):
        data.from_record(record)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"seed": 1}, "other train pictures .*seed is 1, not 0; load them with the recorded"),
        ({"per_class": 6}, "other train pictures .*per_class is 6, not 4"),
        ({}, "other test pictures .*this version of the package makes others of the same arguments"),
    ],
)
def test_pictures_that_came_out_otherwise_are_told_with_the_reason(change, sentence):
    record = json.loads(json.dumps(data.load("strokes", per_class=4).record))
    made = data.load("strokes", **{"per_class": 4, **change})
    if not change:
        record["splits"]["test"]["sha256"] = "0" * 64
        with pytest.raises(ValueError, match=sentence):
            data.from_record(record)
    assert re.search(sentence, records.differs(record, made))
    assert records.differs(made.record, made) is None


def test_data_made_by_hand_cannot_be_loaded_again():
    made = data.load("strokes", per_class=4)
    by_hand = data.Data("mine", *parts(made), made.class_names, made.mean, made.std, False, 0)
    assert by_hand.record["splits"] == made.record["splits"]
    for record in (by_hand.record, "mine"):
        with pytest.raises(ValueError, match="Nothing is recorded of where the pictures 'mine' are from.*pass them"):
            data.from_record(record)
    with pytest.raises(ValueError, match="strokes has crop 0, recorded was 2: make the data as before"):
        data.from_record(replace(made, crop=2).record)


def test_pictures_are_hashed_once(monkeypatch):
    made, hashed, plain = data.load("strokes", per_class=4, test_per_class=1), [], hashlib.sha256
    monkeypatch.setattr(pictures.hashlib, "sha256", lambda *args: hashed.append(args) or plain(*args))
    for _ in range(3):
        assert made.record and made.fingerprint and made.full_train.fingerprint
        data.check_test_pictures(made)
    assert len([pixels for (pixels,) in hashed if len(pixels) == 300]) == 2 * 16 + 4  # the joint split once more


# ---------------------------------------------------------------------------------------- pictures tested on are unseen


def with_test(made, test):
    """The data with other test pictures."""
    return replace(made, test=data.Split(test, torch.zeros(len(test), dtype=torch.int64)))


@pytest.mark.parametrize("learnt", ["train", "validation"])
def test_more_than_a_handful_of_learnt_pictures_cannot_be_tested_on(learnt):
    made = data.load("strokes", per_class=20, test_per_class=50)  # 200 test pictures: 5 are a handful
    for twins in (6, 200):
        images = torch.cat([getattr(made, learnt).images.repeat(5, 1, 1, 1)[:twins], made.test.images[twins:]])
        with pytest.raises(ValueError, match=f"^{twins} of the 200 test pictures of strokes .*--test-data"):
            data.check_test_pictures(with_test(made, images))


def test_a_few_twins_are_told():
    made = data.load("strokes", per_class=20, test_per_class=50)
    for twins, points in ((1, "0.5"), (5, "2.5")):
        few = with_test(made, torch.cat([made.train.images[:twins], made.test.images[twins:]]))
        with pytest.warns(UserWarning, match=f"{twins} of the 200 test pictures .* by up to {points} points"):
            data.check_test_pictures(few)
    few = with_test(made, torch.cat([made.train.images[:1], made.test.images[:3]]))
    with pytest.warns(UserWarning, match="1 of the 4 test pictures"):
        data.check_test_pictures(few)
    with pytest.raises(ValueError, match="2 of the 4 test pictures"):
        data.check_test_pictures(with_test(made, torch.cat([made.train.images[:2], made.test.images[:2]])))
    with pytest.raises(ValueError, match="1 of the 1 test pictures"):
        data.check_test_pictures(with_test(made, made.train.images[:1]))


def test_pictures_that_were_searched_on_cannot_be_tested_on():
    searched, made = (data.load("strokes", per_class=20, test_per_class=5, seed=s) for s in (0, 1))
    data.check_test_pictures(made, searched)
    with pytest.raises(ValueError, match="20 of the 20 test pictures .* or the architecture was searched on"):
        data.check_test_pictures(with_test(made, searched.validation.images[:20]), searched)


def test_the_training_file_is_no_test_file(tmp_path):
    path, copy = own(tmp_path / "a.npz"), own(tmp_path / "copy.npz")
    for other in (path, copy):
        with pytest.raises(ValueError, match="60 of the 60 test pictures"):
            data.check_test_pictures(data.load(path, test_data=other))


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("name", DRAWN)
def test_drawn_pictures_never_coincide(name, seed):
    made = data.load(name, seed=seed)
    data.check_test_pictures(made)
    images = torch.cat([split.images for split in parts(made)]).flatten(1)
    assert len(images.unique(dim=0)) == len(images)


# ------------------------------------------------------------------------------------------------------------- batches


def served(split, size, workers, epochs=1, **options):
    loader = data.loader(split, size, workers=workers, **options)
    return [batch for _ in range(epochs) for batch in loader]


@pytest.mark.parametrize("shuffled", [False, True])
def test_worker_counts_agree(cluttered, shuffled):
    few = data.Split(cluttered.train.images[:50], cluttered.train.labels[:50])
    runs = [served(few, 8, w, epochs=2, generator=seeded(1) if shuffled else None) for w in (0, 1, 2)]
    for run in runs:
        assert len(run) == 14
        for (images, labels), (first_images, first_labels) in zip(run, runs[0], strict=True):
            assert torch.equal(images, first_images) and torch.equal(labels, first_labels)
    assert torch.equal(runs[0][0][1], runs[0][7][1]) != shuffled  # a new order in the second epoch


def test_workers_do_not_draw_ahead(cluttered):
    """Whoever shares the generator with the loader sees the same numbers for any number of workers."""
    few = data.Split(cluttered.train.images[:12], cluttered.train.labels[:12])
    draws = []
    for workers in (0, 2):
        generator = seeded(2)
        draws.append(
            [torch.rand(1, generator=generator) for _ in data.loader(few, 4, generator=generator, workers=workers)]
        )
    assert draws[0] == draws[1]


@quick
@given(st.integers(1, 40), st.integers(1, 50), st.booleans(), st.booleans())
def test_batches_serve_every_picture_once(count, size, shuffled, drop_last):
    split = data.Split(torch.arange(count).to(torch.uint8).view(-1, 1, 1, 1), torch.arange(count))
    generator = seeded() if shuffled else None
    if drop_last and size > count:
        with pytest.raises(ValueError, match=f"Batches of {size} cannot be made of {count} pictures.*drop_last=False"):
            data.loader(split, size, generator=generator, drop_last=True)
        return
    loader = data.loader(split, size, generator=generator, drop_last=drop_last)
    got = list(loader)
    assert len(got) == len(loader) and all(len(labels) == size for _, labels in got[:-1])
    assert all(torch.equal(images.flatten().long(), labels) for images, labels in got)
    labels = torch.cat([labels for _, labels in got]).tolist()
    expected = count // size * size if drop_last else count
    assert len(labels) == len(set(labels)) == expected
    assert shuffled or labels == list(range(expected))


def test_batches_need_a_positive_size(cluttered):
    with pytest.raises(ValueError, match="Batches of 0 cannot be made of 2000 pictures.*between 1 and 2000"):
        data.loader(cluttered.test, 0)


# ----------------------------------------------------------------------------------------- normalising and augmenting


def test_normalised_train_pictures_have_mean_0_and_deviation_1(cluttered):
    x = data.normalise(cluttered.train.images, cluttered)
    assert x.dtype == torch.float32 and x.shape == cluttered.train.images.shape
    assert x.mean((0, 2, 3)).abs().max() < 1e-4
    assert (x.std((0, 2, 3)) - 1).abs().max() < 1e-3


def test_statistics_come_from_the_train_split_alone():
    dark, light = torch.zeros(4, 1, 2, 2, dtype=torch.uint8), torch.full((4, 1, 2, 2), 255, dtype=torch.uint8)
    dark[:2] = 100
    labels = torch.tensor([0, 1, 0, 1])
    three = (data.Split(dark, labels), data.Split(light, labels), data.Split(light, labels))
    d = pictures.describe("d", three, ("a", "b"), flip=False, crop=0)
    assert d.mean.item() == pytest.approx(50 / 255) and d.std.item() == pytest.approx(50 / 255)
    assert len(d.full_train) == 8 and d.full_train.sources is None


def test_pictures_without_contrast_stay_finite():
    images = torch.full((4, 3, 2, 2), 7, dtype=torch.uint8)
    split = data.Split(images, torch.tensor([0, 1, 0, 1]))
    d = pictures.describe("flat", (split,) * 3, ("a", "b"), flip=False, crop=0)
    assert data.normalise(images, d).abs().max() < 1e-4


@pytest.fixture(scope="module")
def photographs(tmp_path_factory):
    return data.load(own(tmp_path_factory.mktemp("photographs") / "photographs.npz", (40, 40), (32, 32, 3)))


def test_only_what_the_data_allow_is_done(cluttered, photographs):
    x = data.normalise(cluttered.train.images[:64], cluttered)
    assert torch.equal(data.augment(x, cluttered, seeded()), x)
    y = data.normalise(photographs.train.images, photographs)
    z = data.augment(y, photographs, seeded())
    assert z.shape == y.shape and not torch.equal(z, y)
    assert torch.equal(z, data.augment(y, photographs, seeded()))
    assert not torch.equal(z, data.augment(y, photographs, seeded(1)))


@quick
@given(st.integers(1, 4), st.integers(4, 9), st.integers(1, 6), st.integers(0, 10**6))
def test_crops_are_shifts_by_up_to_the_padding(padding, side, count, seed):
    x = torch.rand(count, 2, side, side, generator=seeded(seed)) + 1
    got = pipeline.random_crop(x, padding, seeded(seed))
    padded = F.pad(x, [padding] * 4)
    shifts = range(2 * padding + 1)
    for picture, source in zip(got, padded, strict=True):
        windows = [source[:, r : r + side, c : c + side] for r in shifts for c in shifts]
        assert any(torch.equal(picture, w) for w in windows)


def test_all_shifts_occur():
    x = torch.zeros(2000, 1, 9, 9)
    x[:, :, 4, 4] = 1
    where = pipeline.random_crop(x, 2, seeded()).flatten(1).argmax(1)
    hits = torch.bincount(where, minlength=81).view(9, 9)
    assert (hits[2:7, 2:7] > 40).all() and hits.sum() == hits[2:7, 2:7].sum() == 2000  # 80 expected each


def test_about_half_of_the_pictures_are_mirrored():
    x = torch.rand(2000, 1, 2, 3, generator=seeded())
    y = pipeline.random_mirror(x, seeded())
    mirrored = (y == x.flip(-1)).all((1, 2, 3))
    assert torch.equal(y[~mirrored], x[~mirrored])
    assert abs(int(mirrored.sum()) - 1000) < 5 * (2000 / 4) ** 0.5


@pytest.mark.parametrize(("side", "size"), [(16, 32), (4, 10), (5, 10), (1, 8)])
def test_cutout_blanks_a_clipped_square_around_a_uniform_centre(side, size):
    blank = pipeline.random_cutout(torch.ones(4000, 3, size, size), side, seeded()) == 0
    assert torch.equal(blank[:, :1].expand_as(blank), blank)
    rows, columns = blank[:, 0].any(2).sum(1), blank[:, 0].any(1).sum(1)  # (N,)
    assert torch.equal(blank[:, 0].sum((1, 2)), rows * columns)  # a rectangle
    starts = torch.arange(size) - side // 2
    lengths = (starts + side).clamp(max=size) - starts.clamp(min=0)  # (size,) for each centre
    assert rows.max() == lengths.max() == side and rows.min() == lengths.min()
    mean, deviation = lengths.double().mean(), lengths.double().std(unbiased=False)
    for got in (rows, columns):
        assert abs(got.double().mean() - mean) <= 5 * deviation / 4000**0.5


def test_augment_applies_cutout_to_every_picture(cluttered):
    x = torch.ones(100, 3, 16, 16)
    area = (data.augment(x, cluttered, seeded(), cutout=4) == 0).sum((1, 2, 3)) // 3
    assert area.max() == 16 and area.min() >= 4


# ---------------------------------------------------------------------------------------------------------- importing


def test_importing_pulls_in_nothing_heavy():
    heavy = ("sklearn", "torchvision", "pooch", "requests", "ipywidgets", "graphviz", "matplotlib")
    code = f"import sys, nas_tutorial.data; print([m for m in {heavy} if m in sys.modules])"
    root = Path(data.__file__).parents[2]
    answer = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == "[]"
