"""A user's own pictures in the forms that other tools keep them in: folders, Parquet, Arrow, torchvision's classes."""

import json
from io import BytesIO
from types import SimpleNamespace

import numpy as np
import pyarrow as pa
import pytest
from PIL import Image
from pyarrow import ipc, parquet

from nas_tutorial import data
from nas_tutorial.cli import main
from nas_tutorial.data import own

SIDE, PER_CLASS, NAMES = 8, 5, ("cat", "dog", "fox")
RANDOM = np.random.default_rng(0)
IMAGES = RANDOM.integers(0, 256, (PER_CLASS * len(NAMES), SIDE, SIDE, 3), dtype=np.uint8)
LABELS = np.repeat(np.arange(len(NAMES)), PER_CLASS)


def png(pixels: np.ndarray) -> bytes:
    """A picture as the bytes of a PNG file."""
    packed = BytesIO()
    Image.fromarray(pixels).save(packed, "PNG")
    return packed.getvalue()


def table(images=IMAGES, labels=LABELS, image="image", names=NAMES) -> pa.Table:
    """A table as Hugging Face's datasets make it."""
    cells = [{"bytes": png(pixels), "path": f"{i}.png"} for i, pixels in enumerate(images)]
    made = pa.table({image: cells, "label": pa.array(labels)})
    told = {"info": {"features": {"label": {"names": list(names), "_type": "ClassLabel"}}}}
    return made.replace_schema_metadata({"huggingface": json.dumps(told)}) if names else made


def as_folder(path, images=IMAGES, labels=LABELS):
    for i, (pixels, label) in enumerate(zip(images, labels, strict=True)):
        file = path / NAMES[label] / f"{i:02}.png"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(png(pixels))
    return path


def as_parquet(path):
    parquet.write_table(table(), path := path.with_suffix(".parquet"))
    return path


def as_stream(path):
    with ipc.new_stream(path := path.with_suffix(".arrow"), table().schema) as file:
        file.write_table(table())
    return path


def as_arrow_file(path):
    with ipc.new_file(path := path.with_suffix(".arrow"), table().schema) as file:
        file.write_table(table())
    return path


def as_npz(path):
    np.savez(path := path.with_suffix(".npz"), images=IMAGES, labels=LABELS, class_names=np.array(NAMES))
    return path


def as_object(path):
    return SimpleNamespace(data=IMAGES, targets=LABELS.tolist(), classes=list(NAMES))


FORMS = (as_folder, as_parquet, as_stream, as_arrow_file, as_object)


@pytest.mark.parametrize("form", FORMS)
def test_every_form_gives_the_pictures_that_an_npz_file_of_them_gives(form, tmp_path):
    expected, found = (data.load(make(tmp_path / "pets"), seed=3, per_class=4) for make in (as_npz, form))
    assert found.fingerprint == expected.fingerprint and found.test.fingerprint == expected.test.fingerprint
    assert found.class_names == NAMES


@pytest.mark.parametrize("form", FORMS[:-1])
def test_a_record_finds_the_same_pictures_again_and_another_picture_is_noticed(form, tmp_path):
    path = form(tmp_path / "pets")
    record = json.loads(json.dumps(data.load(path, side=6).record))
    assert data.from_record(record).fingerprint == data.load(path, side=6).fingerprint
    file = next(path.rglob("*.png")) if path.is_dir() else path
    file.write_bytes(png(255 - IMAGES[0]) if path.is_dir() else file.read_bytes().replace(b"label", b"lapel"))
    with pytest.raises(ValueError, match="not the file that was used|has the columns"):
        data.from_record(record)


def test_test_pictures_of_another_folder_and_form(tmp_path):
    found = data.load(as_parquet(tmp_path / "pets"), test_data=as_folder(tmp_path / "test", IMAGES[::2], LABELS[::2]))
    assert len(found.full_train) == len(IMAGES) and len(found.test) == len(IMAGES[::2])


def test_other_sizes_are_refused_unless_a_side_is_given(tmp_path):
    path = as_folder(tmp_path / "pets")
    wide = np.zeros((10, 30, 3), np.uint8)
    wide[:, 10:20] = 200  # the middle
    (path / "cat" / "00.png").write_bytes(png(wide))
    with pytest.raises(ValueError, match=r"00\.png: is 30×10 pixels, expected a square: give a side"):
        data.load(path)
    pictures, _ = own.read(path, 5)
    assert pictures.images.shape[1:] == (3, 5, 5) and (pictures.images[0] == 200).all()


def test_grey_pictures_stay_grey_unless_one_is_in_colour(tmp_path):
    path = as_folder(tmp_path / "pets", IMAGES[..., 0])
    assert own.read(path)[0].images.shape[1] == 1
    (path / "dog" / "05.png").write_bytes(png(IMAGES[5]))
    assert own.read(path)[0].images.shape[1] == 3


@pytest.mark.parametrize(
    "damage, words",
    [
        (lambda path: (path / "cat" / "00.png").write_bytes(b"no picture"), "00.png: cannot be read as a picture"),
        (lambda path: (path / "cat" / "00.png").write_bytes(png(IMAGES[0].astype(np.uint16)[..., 0])), "8 bits"),
        (lambda path: (path / "ant").mkdir(), "no folder of pictures .*ant"),
    ],
)
def test_a_damaged_folder_is_named(tmp_path, damage, words):
    damage(path := as_folder(tmp_path / "pets"))
    with pytest.raises(ValueError, match=words):
        data.load(path)


@pytest.mark.parametrize(
    "content, words",
    [
        (b"no table", "cannot be read as a .parquet file"),
        (table(image="picture"), "has the columns picture, label, expected one of image, img"),
        (table().set_column(0, "image", pa.array([{"path": "x.png"}] * len(IMAGES))), "picture 0: holds no bytes"),
        (table().set_column(1, "label", pa.array([None] * len(IMAGES))), f"{len(IMAGES)} pictures have no label"),
        (table().set_column(1, "label", pa.array(["cat"] * len(IMAGES))), "expected whole numbers"),
        (table(labels=LABELS - 1), "label -1 is negative"),
    ],
)
def test_a_damaged_table_is_named(tmp_path, content, words):
    path = tmp_path / "pets.parquet"
    path.write_bytes(content) if isinstance(content, bytes) else parquet.write_table(content, path)
    with pytest.raises(ValueError, match=words):
        data.load(path)


def test_a_side_is_for_folders_and_tables_only(tmp_path):
    for source, side, words in (("digits", 8, "leave out side=8"), (as_npz(tmp_path / "pets"), 8, "one size"),
                                (as_folder(tmp_path / "pets"), 3, "pass 4 to 512")):  # fmt: skip
        with pytest.raises(ValueError, match=words):
            data.load(source, side=side)


def test_an_object_without_pictures_is_refused():
    with pytest.raises(ValueError, match="list has no `data` and `targets`"):
        data.load([1, 2, 3])


def test_the_command_line_searches_a_folder_and_retrains_on_it(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    as_folder(tmp_path / "pets")
    common = ["--data", "pets", "--side", "6"]
    sizes = ["--space", "tiny", "--channels", "2", "--set", "trial_epochs=1", "batch_size=4"]
    assert main(["search", *sizes, "--strategy", "random", "--epochs", "1", "--name", "mine", *common]) == 0
    assert main(["retrain", "runs/mine", "--epochs", "1", "--seeds", "0"]) == 0
    assert json.loads((tmp_path / "runs/mine/result.json").read_text())["data"]["origin"]["side"] == 6
