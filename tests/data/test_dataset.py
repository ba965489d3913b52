import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from paribus.data import chunked, dataset, examples, from_arrays, pending, spool, standardization, summarize
from paribus.data.dataset import content_fingerprint
from paribus.data.split import mixed_order, stratified
from paribus.errors import DataError
from paribus.records import DataSpec

X = np.arange(12, dtype=np.float32).reshape(6, 2)
Y = np.array([0, 1, 2, 0, 1, 2])


@pytest.mark.parametrize(
    ("x", "kept"),
    [
        (np.ones((6, 2), np.uint8), np.uint8),
        (np.ones((6, 2), bool), np.uint8),
        (np.full((6, 2), 255), np.uint8),
        (np.full((6, 2), 256), np.float32),
        (np.full((6, 2), -1), np.float32),
        (np.full((6, 2), 2**24), np.float32),
        (np.ones((6, 2), np.float16), np.float32),
        (np.ones((6, 2), np.float64), np.float32),
        (np.ones((6, 2), ">i2"), np.uint8),
        (np.ones((6, 2), ">f4"), np.float32),
    ],
)
def test_examples_become_uint8_or_float32_of_equal_value(x, kept):
    data = from_arrays(x, Y, x, Y)
    assert data.x_train.dtype == data.x_test.dtype == kept
    assert np.array_equal(data.x_train, x)


def test_both_splits_get_one_type():
    data = from_arrays(np.ones((6, 2), np.uint8), Y, np.full((6, 2), 300), Y)
    assert data.x_train.dtype == data.x_test.dtype == np.float32


@pytest.mark.parametrize("value", [2**24 + 1, -(2**24) - 1])
def test_whole_numbers_that_float32_would_round_are_refused(value):
    bad = np.zeros((6, 2), np.int64)
    bad[2, 1] = value
    with pytest.raises(DataError, match=rf"value {value} at x_test\[2, 1\].*exact in float32"):
        from_arrays(X, Y, bad, Y)


@pytest.mark.parametrize(
    "labels", [Y, Y.astype(np.int8), Y.astype(float), Y[:, None], np.eye(3)[Y], np.eye(3, dtype=bool)[Y]]
)
def test_labels_in_every_form_mean_the_same(labels):
    data = from_arrays(X, labels, X, labels)
    assert data.y_train.dtype == np.int32
    assert data.y_train.tolist() == Y.tolist()
    assert (data.classes, data.class_names) == (3, ("0", "1", "2"))
    assert data.fingerprint == from_arrays(X, Y, X, Y).fingerprint


def test_one_hot_width_and_class_names_give_the_number_of_classes():
    assert from_arrays(X, np.eye(7)[Y], X, np.eye(7)[Y]).classes == 7
    assert from_arrays(X, Y, X, [3] * 6, class_names=["a", "b", "c", "d"]).class_names == ("a", "b", "c", "d")
    with pytest.raises(DataError, match="4 class names for one-hot labels of width 3"):
        from_arrays(X, np.eye(3)[Y], X, np.eye(3)[Y], class_names=["a", "b", "c", "d"])


def test_arrays_that_are_none_are_refused():
    with pytest.raises(DataError, match="x_train: not an array of numbers"):
        from_arrays([[1], [1, 2]], [0, 1], [[1]], [0])
    with pytest.raises(DataError, match="x_test: has masked"):
        from_arrays(X, Y, np.ma.masked_less(X, 3), Y)


def test_memory_is_not_taken_to_convert_a_giant(monkeypatch):
    monkeypatch.setattr(examples, "MAX_ARRAY_BYTES", 40)
    assert from_arrays(X, Y, X, Y).x_train is X
    with pytest.raises(DataError, match="x_train is float64 and would take 48 bytes in memory as float32"):
        from_arrays(X.astype(float), Y, X, Y)


@settings(deadline=None)
@given(hnp.arrays(np.uint8, hnp.array_shapes(min_dims=2, max_dims=3, min_side=1, max_side=6)), st.integers(1, 64))
def test_fingerprint_depends_on_content_only(array, chunk):
    whole = content_fingerprint(array)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(chunked, "CHUNK_BYTES", chunk)
        assert content_fingerprint(array) == whole
    assert content_fingerprint(np.asfortranarray(array)) == whole
    assert content_fingerprint(array.astype(np.int8)) != whole
    assert content_fingerprint(array[None]) != whole
    changed = array.copy()
    changed.flat[-1] ^= 1
    assert content_fingerprint(changed) != whole


def test_fingerprint_is_pinned():
    # Stored runs refer to fingerprints: whoever changes this makes all of them unknown.
    assert from_arrays(X, Y, X, Y).fingerprint == "4ab93464127c7ad271ea43523a97c1593198280be9824a1857851c5a256a0ba9"


def test_mixed_order_is_pinned_and_a_permutation():
    assert mixed_order(12).tolist() == [4, 10, 2, 9, 11, 0, 7, 8, 1, 3, 6, 5]
    assert sorted(mixed_order(1000).tolist()) == list(range(1000))


@given(
    hnp.arrays(np.int32, st.integers(2, 300), elements=st.integers(0, 6)),
    st.floats(0.01, 0.99),
)
def test_split_is_a_partition_in_proportion(labels, fraction):
    try:
        train, test = stratified(labels, fraction, "data")
    except DataError:
        assert np.bincount(labels).max() == 1
        return
    assert sorted([*train, *test]) == list(range(len(labels)))
    sizes = np.bincount(labels)
    in_test = np.bincount(labels[test], minlength=len(sizes))
    assert len(test) >= 1
    # Every class keeps a training example, and no class is more than one example off its share.
    assert np.all((in_test < sizes) | (sizes == 0))
    assert np.all(in_test - sizes * fraction < 1 + len(labels) * 1e-9 + 1)
    assert np.array_equal(stratified(labels, fraction, "data")[1], test)


def test_split_does_not_follow_the_order_of_the_file():
    train, _ = stratified(np.repeat([0, 1, 2], 50), 0.25, "data")
    tail = np.repeat([0, 1, 2], 50)[train][-20:]
    assert set(tail.tolist()) == {0, 1, 2}


@settings(deadline=None)
@given(
    hnp.arrays(
        np.float32,
        st.tuples(st.integers(1, 30), st.integers(1, 3), st.integers(1, 3)),
        elements=st.floats(-1000, 1000, width=32),
    ),
    st.integers(1, 200),
)
def test_standardization_agrees_with_scikit_learn(x, chunk):
    from sklearn.preprocessing import StandardScaler

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(chunked, "CHUNK_BYTES", chunk)
        ours = standardization(x)
    flat = x.reshape(len(x), -1).astype(np.float64)
    theirs = StandardScaler().fit(flat)
    constant = flat.min(axis=0) == flat.max(axis=0)
    assert ours.mean.shape == ours.deviation.shape == x.shape[1:]
    assert ours.mean.dtype == ours.deviation.dtype == np.float32
    assert np.allclose(ours.mean.ravel(), theirs.mean_, rtol=1e-6, atol=1e-30)
    # scikit-learn also calls a feature constant whose variation is that of rounding in float64.
    varies = ~constant & (flat.std(axis=0) > 1e-9 * np.abs(flat).max())
    assert np.allclose(ours.deviation.ravel()[varies], theirs.scale_[varies], rtol=1e-5)
    assert np.all(ours.deviation.ravel()[constant] == 1)


def test_standardization_of_a_constant_leaves_zero():
    x = np.full((7, 1), 0.1, np.float32)
    found = standardization(x)
    assert np.all((x - found.mean) / found.deviation == 0)


def test_standardization_of_pixels_is_exact():
    x = np.array([[0, 255], [2, 255]], np.uint8)
    found = standardization(x)
    assert found.mean.tolist() == [1.0, 255.0]
    assert found.deviation.tolist() == [1.0, 1.0]


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"x_train": np.array([[1, "a"]] * 6, dtype=object)}, "things: x_train holds Python objects"),
        ({"x_test": np.full((6, 2), "a")}, "things: x_test has type <U1; expected real numbers"),
        ({"y_train": list("abcabc")}, "things: y_test: label 0 of example 0 among words; expected a word"),
        ({"y_test": np.zeros((6, 65_537), bool)}, "things: y_test: one-hot labels with 65537 columns"),
        ({"y_test": [float("nan")] * 6}, "things: y_test: label nan of example 0; expected a class index"),
    ],
)
def test_arrays_of_another_kind_are_refused(changed, says):
    arrays = {"x_train": X, "y_train": Y, "x_test": X, "y_test": Y} | changed
    with pytest.raises(DataError) as caught:
        from_arrays(**arrays, name="things")
    assert str(caught.value).startswith(says)


def test_booleans_are_labels():
    assert from_arrays(X, Y > 0, X, Y > 0).y_train.tolist() == [0, 1, 1, 0, 1, 1]


def test_a_fingerprint_is_taken_once_and_again_when_a_file_changes(tmp_path, monkeypatch):
    x = np.random.default_rng(0).random((6, 2), dtype=np.float32)
    spool(from_arrays(x, Y, x, Y, name="mine"), tmp_path / "mine")
    spec = DataSpec(str(tmp_path / "mine"), flatten=True)
    first, hashed = summarize(spec), []
    taken = content_fingerprint
    monkeypatch.setattr(dataset, "content_fingerprint", lambda *arrays: hashed.append(1) or taken(*arrays))
    assert pending(spec) == 0
    assert summarize(spec) == summarize(spec) == first
    assert not hashed
    np.save(tmp_path / "mine" / "x_train.npy", x + 1)
    assert pending(spec) == sum(each.stat().st_size for each in (tmp_path / "mine").glob("*.npy"))
    assert summarize(spec).fingerprint == from_arrays(x + 1, Y, x, Y).fingerprint != first.fingerprint
    assert len(hashed) == 2
    x[3, 1] = np.nan
    np.save(tmp_path / "mine" / "x_train.npy", x)
    with pytest.raises(DataError, match=r"value nan at x_train\[3, 1\]"):
        summarize(spec)


def test_reading_data_does_not_ask_for_its_fingerprint(monkeypatch):
    monkeypatch.setattr(dataset, "content_fingerprint", lambda *_: pytest.fail("hashed"))
    assert from_arrays(X, Y, X, Y).flattened().input_shape == (2,)


def test_only_folders_of_four_files_can_be_waited_for(tmp_path):
    assert pending(DataSpec("mnist")) == pending(DataSpec(str(tmp_path))) == 0
