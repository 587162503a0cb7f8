"""Feature columns to the matrix that models read."""

from __future__ import annotations

import math

import numpy as np

from keepfit.artifact import encode, learn_categories

NULL = math.nan
LARGEST = np.finfo(np.float32).max


def labels(*values):
    return np.array(values, object)


def test_labels_are_learnt_in_order_and_null_is_none_of_them():
    columns = {"channel": labels("web", None, "shop", "web"), "amount": np.array([1.0, NULL, 3.0, 4.0])}
    assert learn_categories(columns) == {"channel": ("shop", "web")}


def test_a_column_of_nulls_only_is_a_category_without_labels():
    columns = {"channel": labels(None, None)}
    assert learn_categories(columns) == {"channel": ()}
    assert np.isnan(encode(columns, ["channel"], {"channel": ()})).all()


def test_a_label_is_its_position_and_an_unseen_one_is_null():
    columns = {"amount": np.array([1.5, NULL, 2.0]), "channel": labels("web", "phone", None)}
    matrix = encode(columns, ["channel", "amount"], {"channel": ("shop", "web")})
    assert matrix.dtype == np.float32
    assert np.array_equal(matrix, np.array([[1, 1.5], [NULL, NULL], [NULL, 2]], np.float32), equal_nan=True)


def test_columns_are_taken_by_name_and_others_left():
    columns = {"b": np.array([2.0]), "extra": np.array([9.0]), "a": np.array([1.0])}
    assert encode(columns, ["a", "b"], {}).tolist() == [[1, 2]]


def test_a_number_beyond_float32_is_its_largest():
    found = encode({"a": np.array([1e300, -math.inf, NULL, 1e30])}, ["a"], {})[:, 0]
    assert np.array_equal(found, np.array([LARGEST, -LARGEST, NULL, 1e30], np.float32), equal_nan=True)


def test_no_rows_make_an_empty_matrix():
    assert encode({"a": np.empty(0), "c": np.empty(0, object)}, ["a", "c"], {"c": ("x",)}).shape == (0, 2)
