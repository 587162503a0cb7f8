"""Docker Compose on one machine: the service, the loop, and what watches them.

    files/        what is written as it stands, but for @NAMES@: Dockerfile, compose.yaml, rules, routes, README
    policy.py     alert rules that follow from what the model declares
    panels.py     what the Grafana dashboard shows; dashboard.py writes it
    online.py     Redis, if that is where the online store is

The service's image holds what `keepfit serve` imports and no more; the loop's holds all of keepfit. Both run this keepfit.
"""

from __future__ import annotations

import shlex
from importlib import resources
from importlib.abc import Traversable

from keepfit.packing import USER, base, metadata, package, pinned, tagged
from keepfit.stages.deploy.compose import online
from keepfit.stages.deploy.compose.dashboard import dashboard
from keepfit.stages.deploy.compose.policy import policy_rules
from keepfit.stages.deploy.target import Deployment, Files

SERVED = (
    "arro3-core", "blake3", "click", "fastapi", "filelock", "httptools", "msgspec", "numba", "numpy", "onnxruntime", "packaging",
    "prometheus-client", "pydantic", "pyyaml", "rich", "uvicorn", "uvloop", "vadersentiment",
)  # fmt: skip
"""What `keepfit serve` of a project imports: the kernel's numba is among it, the lake, MLflow and what trains are not."""
OPENMP = "RUN apt-get update && apt-get install --yes --no-install-recommends libgomp1 && rm -rf /var/lib/apt/lists/*\n"
"""LightGBM's package leaves it to the system; XGBoost and scikit-learn bring their own."""
DASHBOARD, POLICY = "grafana/dashboards/keepfit.json", "rules/policy.yml"


def deploy(told: Deployment) -> Files:
    """Return the files of the folder, path -> content."""
    names = {
        "MODEL": told.model,
        "TAG": tagged(told.model),
        "ENTITY": told.entity,
        "PROFILE": told.profile,
        "BASE": base(),
        "USER": str(USER),
        "RAW_FILES": shlex.quote(told.raw_files),  # as a text that nothing is put into, where it needs that
        "EXTRAS": "".join(f" --extra {extra}" for extra in told.extras),
        "LIBRARIES": OPENMP if "lightgbm" in told.extras else "",
        **online.names(told.store),
    }
    store = ["keepfit[redis]"] if told.store else []
    everything = ["keepfit", *store, *(f"keepfit[{extra}]" for extra in told.extras)]
    return {
        **{path: _filled(text, names) for path, text in _written().items()},
        "requirements/service.txt": _lines(pinned([*SERVED, *(["redis[hiredis]"] if told.store else [])])),
        "requirements/loop.txt": _lines(pinned(everything)),
        **{f"app/{path}": content for path, content in (package() | metadata()).items()},
        **{f"app/project/{path}": content for path, content in told.project.items()},
        **({POLICY: policy_rules(told.declared)} if told.declared else {}),
        DASHBOARD: dashboard(told.model, told.declared.metric if told.declared else ""),
    }


def _written() -> dict[str, str]:
    found: dict[str, str] = {}

    def walk(folder: Traversable, path: str) -> None:
        for one in sorted(folder.iterdir(), key=lambda one: one.name):
            if one.is_dir():
                walk(one, f"{path}{one.name}/")
            else:
                found[f"{path}{one.name}"] = one.read_text(encoding="utf-8")

    walk(resources.files(__package__) / "files", "")
    return found


def _filled(text: str, names: dict[str, str]) -> bytes:
    for name, value in names.items():
        text = text.replace(f"@{name}@", value)
    return text.encode()


def _lines(lines: list[str]) -> bytes:
    return "".join(f"{line}\n" for line in lines).encode()
