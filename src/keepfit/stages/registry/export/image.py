"""A folder that builds a container image: what the server needs and no more, a user without rights, no file that it writes."""

from __future__ import annotations

import sys
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import keepfit

NEEDED = ("click", "fastapi", "httptools", "msgspec", "numpy", "onnxruntime", "prometheus-client", "uvicorn", "uvloop")
"""What `keepfit serve --artifact` imports; `numba` and the lake are not among it."""
LEFT_OUT = ("templates", "testing", "__pycache__")
DOCKERFILE = """\
# {model} version {version}, exported by keepfit. Build and run:
#   docker build -t {tag} .
#   docker run --read-only --cap-drop ALL --security-opt no-new-privileges -p 8000:8000 -e KEEPFIT_TOKENS {tag}
# KEEPFIT_TOKENS holds lines of `keepfit token new`; without tokens it starts only with --insecure as the last word.
FROM python:{python}-slim-bookworm

RUN useradd --uid 10001 --no-create-home --shell /usr/sbin/nologin keepfit
WORKDIR /app
COPY requirements.txt .
RUN pip install --no-cache-dir --no-deps --requirement requirements.txt
COPY keepfit keepfit
COPY artifact artifact
RUN python -m compileall -q keepfit

ENV PYTHONPATH=/app PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1
USER 10001
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s --retries=3 \\
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/readyz', timeout=2)"]
ENTRYPOINT ["python", "-m", "keepfit", "serve", "--artifact", "artifact", "--host", "0.0.0.0", "--port", "8000"]
"""


def image(model: str, version: str) -> dict[str, bytes]:
    """Return the files of the folder but for the artifact, path -> content."""
    python = f"{sys.version_info.major}.{sys.version_info.minor}"
    tag = f"{model.lower().replace('_', '-')}:{version}"
    told = DOCKERFILE.format(model=model, version=version, tag=tag, python=python)
    return {
        "Dockerfile": told.encode(),
        ".dockerignore": b"*\n!requirements.txt\n!keepfit\n!artifact\n",
        "requirements.txt": "".join(f"{line}\n" for line in requirements()).encode(),
        **package(),
    }


def requirements() -> list[str]:
    """Return what the server needs, and what that needs, each at the version that is installed here."""
    found: dict[str, str] = {}
    left = list(NEEDED)
    while left:
        name = canonicalize_name(left.pop())
        if name in found:
            continue
        try:
            here = distribution(name)
        except PackageNotFoundError:  # of another system: uvloop on Windows
            continue
        found[name] = here.version
        needs = [Requirement(one) for one in here.requires or ()]
        left += [one.name for one in needs if one.marker is None or one.marker.evaluate({"extra": ""})]
    return sorted(f"{name}=={version}" for name, version in found.items())


def package() -> dict[str, bytes]:
    """Return this keepfit: an image runs what wrote it."""
    root = Path(keepfit.__file__).parent
    paths = sorted(root.rglob("*.py"))
    inner = {path: path.relative_to(root) for path in paths}
    return {
        f"keepfit/{own.as_posix()}": path.read_bytes()
        for path, own in inner.items()
        if not set(own.parts) & set(LEFT_OUT)
    }
