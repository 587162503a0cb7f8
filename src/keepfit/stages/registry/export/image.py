"""A folder that builds a container image: what the server needs and no more, a user without rights, no file that it writes."""

from __future__ import annotations

from keepfit.packing import USER, base, package, pinned, tagged

NEEDED = ("click", "fastapi", "httptools", "msgspec", "numpy", "onnxruntime", "prometheus-client", "uvicorn", "uvloop")
"""What `keepfit serve --artifact` imports; `numba` and the lake are not among it."""
DOCKERFILE = """\
# {model} version {version}, exported by keepfit. Build and run:
#   docker build -t {tag} .
#   docker run --read-only --cap-drop ALL --security-opt no-new-privileges -p 8000:8000 -e KEEPFIT_TOKENS {tag}
# KEEPFIT_TOKENS holds lines of `keepfit token new`; without tokens it starts only with --insecure as the last word.
FROM {base}

RUN useradd --uid {user} --no-create-home --shell /usr/sbin/nologin keepfit
WORKDIR /app
COPY requirements.txt .
RUN pip install --no-cache-dir --no-deps --requirement requirements.txt
COPY keepfit keepfit
COPY artifact artifact
RUN python -m compileall -q keepfit

ENV PYTHONPATH=/app PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1
USER {user}
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s --retries=3 \\
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/readyz', timeout=2)"]
ENTRYPOINT ["python", "-m", "keepfit", "serve", "--artifact", "artifact", "--host", "0.0.0.0", "--port", "8000"]
"""


def image(model: str, version: str) -> dict[str, bytes]:
    """Return the files of the folder but for the artifact, path -> content."""
    tag = f"{tagged(model)}:{version}"
    told = DOCKERFILE.format(model=model, version=version, tag=tag, base=base(), user=USER)
    return {
        "Dockerfile": told.encode(),
        ".dockerignore": b"*\n!requirements.txt\n!keepfit\n!artifact\n",
        "requirements.txt": "".join(f"{line}\n" for line in pinned(NEEDED)).encode(),
        **package(),
    }
