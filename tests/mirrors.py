"""A CIFAR-10 of 20 pictures a file, and a server with mirrors that have it, or one fault each."""

import hashlib
import http.server
import pickle
import tarfile
import threading
from contextlib import contextmanager

import numpy as np


def pickled(path, **content):
    """Write a dictionary as CIFAR-10's files are written; the name of the file, and its md5 sum."""
    path.write_bytes(pickle.dumps(content))
    return [path.name, hashlib.md5(path.read_bytes()).hexdigest()]


def miniature(place):
    """Built like the real one: the archive in this folder, and a reader with its md5 sums."""
    from torchvision.datasets import CIFAR10

    folder = place / CIFAR10.base_folder
    folder.mkdir()
    rng = np.random.default_rng(0)

    def file(name):
        labels = rng.permutation(np.arange(20) % 10).tolist()
        return pickled(folder / name, data=rng.integers(0, 256, (20, 3072), dtype=np.uint8), labels=labels)

    train, test = [file(f"data_batch_{k}") for k in range(1, 6)], [file("test_batch")]
    name, md5 = pickled(folder / "batches.meta", label_names=[f"thing {k}" for k in range(10)])
    archive = folder.parent / CIFAR10.filename
    with tarfile.open(archive, "w:gz") as tar:
        tar.add(folder, CIFAR10.base_folder)
    meta = {"filename": name, "key": "label_names", "md5": md5}
    sums = {"tgz_md5": hashlib.md5(archive.read_bytes()).hexdigest(), "train_list": train, "test_list": test}
    return archive, type("Miniature", (CIFAR10,), sums | {"meta": meta})


class Handler(http.server.BaseHTTPRequestHandler):
    """A mirror for each fault, named by the path: /good sends the archive, and can send the rest of it."""

    def do_GET(self):
        name = self.path.strip("/")
        self.server.requests.append(self.path)
        try:
            getattr(self, name.replace("-", "_"), self.missing)()
        except (BrokenPipeError, ConnectionResetError):
            pass  # the reader has had enough

    def reply(self, body, status=200, length=None, **more):
        self.send_response(status)
        for header, value in {"Content-Length": len(body) if length is None else length, **more}.items():
            self.send_header(header.replace("_", "-"), str(value))
        self.end_headers()
        self.wfile.write(body)

    def good(self):
        start, whole = self.headers.get("Range", "bytes=0-"), self.server.body
        at = int(start.removeprefix("bytes=").removesuffix("-"))
        if at >= len(whole):
            self.reply(b"", 416)
        else:
            self.reply(whole[at:], 206 if at else 200)

    def no_ranges(self):
        self.reply(self.server.body)

    def corrupt(self):
        self.reply(b"sorry")

    def short(self):
        self.reply(self.server.body[: len(self.server.body) // 2], length=len(self.server.body))

    def silent(self):
        self.short()
        self.server.enough.wait()

    def missing(self):
        self.reply(b"", 404)

    def forbidden(self):
        self.reply(b"", 403)

    def broken(self):
        self.reply(b"", 500)

    def moved(self):
        self.reply(b"", 302, Location="/good")

    def circle(self):
        self.reply(b"", 302, Location="/circle")

    def huge(self):
        self.reply(b"x", length=10**12)

    def endless(self):
        self.send_response(200)
        self.end_headers()
        while not self.server.enough.is_set():
            self.wfile.write(b"x" * 10_000)

    def trickle(self):
        self.send_response(200)
        self.end_headers()
        while not self.server.enough.wait(0.02):
            self.wfile.write(b"x")

    def slow(self):
        """In ten pieces, which is fast enough."""
        self.send_response(200)
        self.send_header("Content-Length", str(len(self.server.body)))
        self.end_headers()
        for piece in np.array_split(np.frombuffer(self.server.body, np.uint8), 10):
            self.wfile.write(piece.tobytes())
            self.server.enough.wait(0.02)

    def log_message(self, *_):
        pass


@contextmanager
def serving(body):
    """A server of mirrors on this machine, until the block ends; `requests` are the paths that were asked for."""
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as running:
        running.body, running.requests, running.enough = body, [], threading.Event()
        running.address = f"http://127.0.0.1:{running.server_port}"
        thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield running
        finally:
            running.enough.set()
            running.shutdown()
            thread.join()
