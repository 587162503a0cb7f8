"""A model version as a folder of files that cannot run code on load, and what scores with it.

    artifact.json   the definition it was built from, features in order, categories, threshold, lineage, digests of the files
    model.onnx      what answers, in batches and in requests
    model.<native>  the estimator's own format, for further training and for comparison
    low.onnx, high.onnx, and their native files: the quantiles that bound an interval, where the estimator learns them
    trees.npz       the trees as arrays, of a model that is made of them: what explains an answer
    profile.json    the reference profile that drift is measured against
    estimation.json what its answers mean and what its errors are like, by which metrics are estimated before labels mature;
                    loss.onnx, of a regression, says how large the error of a row is to be expected; no earlier version has them

Training writes it, the registry keeps it, serving and monitoring read it. No pickle anywhere.
"""

from keepfit.artifact.folder import (
    Artifact,
    beside,
    contents,
    digest,
    lineage,
    read,
    require_sealed,
    seals,
    sizes,
    verified,
    write,
)
from keepfit.artifact.interval import Interval, interval_from
from keepfit.artifact.kinds import FLAG, NUMBER, TEXT, kinds
from keepfit.artifact.knots import Knots, knots_from
from keepfit.artifact.matrix import RowEncoder, encode, learn_categories
from keepfit.artifact.pointer import (
    Pointer,
    challenger_of,
    read_pointer,
    remove_pointer,
    swap,
    watched_of,
    write_pointer,
)
from keepfit.artifact.predictor import Predictor
from keepfit.artifact.timing import latency

__all__ = [
    "FLAG",
    "NUMBER",
    "TEXT",
    "Artifact",
    "Interval",
    "Knots",
    "Pointer",
    "Predictor",
    "RowEncoder",
    "beside",
    "challenger_of",
    "contents",
    "digest",
    "encode",
    "interval_from",
    "kinds",
    "knots_from",
    "latency",
    "learn_categories",
    "lineage",
    "read",
    "read_pointer",
    "remove_pointer",
    "require_sealed",
    "seals",
    "sizes",
    "swap",
    "verified",
    "watched_of",
    "write",
    "write_pointer",
]
