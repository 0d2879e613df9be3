"""One file from the first of several servers that has it whole."""

import tarfile
from collections.abc import Sequence
from pathlib import Path

TIMEOUT = 20  # seconds without a byte, after which the next server is tried
CHUNK = 1 << 20  # bytes


def fetch(path: Path, mirrors: Sequence[str], md5: str) -> Path:
    """Make sure that `path` holds the file with the given md5 sum: a good copy is kept, else mirrors are tried in turn.

    Raises ConnectionError that names all that was tried, why it failed, and what to do.
    """
    failures = []
    for url in mirrors:
        try:
            return retrieve(url, path, md5)
        except (OSError, ValueError) as error:
            failures.append(f"{url} ({reason(error)})")
    raise ConnectionError(
        f"{path.name} could not be downloaded; tried {', '.join(failures)}: connect to the internet and try again, or "
        f"put the file (md5 {md5}) into {path.parent} by hand, or use the data set 'digits', which needs no download."
    )


def retrieve(url: str, path: Path, md5: str) -> Path:
    """Let pooch download from one server, unless `path` is a good copy; OSError or ValueError where it cannot."""
    import pooch

    settings = {"timeout": TIMEOUT, "headers": {"Accept-Encoding": "identity"}}  # the md5 sum is that of the raw bytes
    download = pooch.HTTPDownloader(progressbar=True, chunk_size=CHUNK, **settings)
    return Path(pooch.retrieve(url, f"md5:{md5}", path.name, path.parent, downloader=download))


def reason(error: BaseException) -> str:
    """The first sentence of what an error goes back to: "[Errno 111] Connection refused", whatever was made of it."""
    while before := error.__cause__ or error.__context__:
        error = before
    return (str(error) or type(error).__name__).split(". ")[0]


def unpack(archive: Path, folder: Path) -> None:
    """Unpack a checked .tar.gz into a folder; Pythons that know safe filters use the one for data.

    Raises OSError where the folder cannot be written to.
    """
    try:
        with tarfile.open(archive) as tar:
            tar.extraction_filter = getattr(tarfile, "data_filter", lambda member, _: member)
            tar.extractall(folder)
    except OSError as error:
        raise OSError(
            f"{archive.name} cannot be unpacked into {folder} ({error}): "
            "move the archive into a folder that can be written to, and pass that folder as root."
        ) from error
