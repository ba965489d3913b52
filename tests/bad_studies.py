"""Study files that must be refused, each with every mistake and its place; and one that is good."""

from __future__ import annotations

HEAD = 'name = "mine"\n'


DATA = '[data]\nsource = "digits"\n'


ARMS = '[arms.a]\nlayers = [{ Dense = { units = 10 } }]\n[arms.b]\nlayers = ["Flatten", { Dense = { units = 10 } }]\n'


GOOD = HEAD + DATA + ARMS


def top(line: str) -> str:
    return f"{line}\n{GOOD}"


def data(line: str) -> str:
    return f"{HEAD}{DATA}{line}\n{ARMS}"


def arm(*lines: str) -> str:
    return HEAD + DATA + "[arms.a]\n" + "\n".join(lines) + "\n"


def layer(text: str) -> str:
    return arm(f"layers = [{text}]")


def contrasts(*each: str) -> str:
    return GOOD + "".join(f"[[contrasts]]\n{line}\n" for line in each)


A_B = 'a = "a"\nb = "b"'


NO_NETWORK = "an arm has one of `layers`, `model` and `estimator`, it has none; give one of them"


TWO_NETWORKS = "an arm has one of `layers`, `model` and `estimator`, it has `layers` and `model`; give one of them"


BAD: dict[str, tuple[str, list[tuple[str, str]]]] = {
    "nothing": ("", [(key, "missing; it is required") for key in ("name", "data", "arms")]),
    "no toml": ("name = ", [("", "not TOML: Invalid value (at end of document)")]),
    "a key twice": (top('name = "b"'), [("", "not TOML: Cannot overwrite a value (at line 2, column 14)")]),
    "a number of 5,000 digits": (
        "seeds = " + "9" * 5000,
        [("", "not TOML: a whole number of more than 64 bits; TOML has none")],
    ),
    "too deep": ("a = " + 3000 * "[", [("", "not TOML: nested too deeply; a study needs fewer than 20 levels")]),
    "name with a space": (
        GOOD.replace("mine", "my study"),
        [("name", "'my study': letters, digits and . _ - are allowed, a letter or digit first")],
    ),
    "name with a slash": (
        GOOD.replace("mine", "../mine"),
        [("name", "'../mine': letters, digits and . _ - are allowed, a letter or digit first")],
    ),
    "long name": (
        GOOD.replace("mine", 101 * "m"),
        [("name", f"'{56 * 'm'}...: string should have at most 100 characters")],
    ),
    "name is a date": (
        "name = 2020-01-01\n" + DATA + ARMS,
        [("name", "datetime.date(2020, 1, 1): text in quotes is expected")],
    ),
    "no seeds": (top("seeds = 0"), [("seeds", "0: input should be greater than or equal to 1")]),
    "too many seeds": (top("seeds = 3_000_000_000"), [("seeds", "3000000000: input should be less than or equal to")]),
    "seeds in words": (top('seeds = "five"'), [("seeds", "'five': a whole number is expected")]),
    "half a seed": (top("seeds = 2.5"), [("seeds", "2.5: a whole number is expected")]),
    "seeds are true": (top("seeds = true"), [("seeds", "True: a whole number is expected")]),
    "a list of seeds": (top("seeds = [1, 2]"), [("seeds", "[1, 2]: a whole number is expected")]),
    "misspelled key": (
        top("sedes = 3"),
        [("sedes", "unknown key; did you mean 'seeds'? known here are name, question,")],
    ),
    "strange key": (top("xyz = 3"), [("xyz", "unknown key; known here are name, question, seeds")]),
    "no source": (GOOD.replace('source = "digits"', ""), [("data, source", "missing; it is required")]),
    "empty source": (GOOD.replace('"digits"', '""'), [("data, source", "'': must not be empty")]),
    "scale zero": (data("scale = 0"), [("data, scale", "0: input should be greater than 0")]),
    "scale nan": (data("scale = nan"), [("data, scale", "nan: a finite number is expected")]),
    "scale true": (data("scale = true"), [("data, scale", "True: a number is expected")]),
    "flatten yes": (data('flatten = "yes"'), [("data, flatten", "'yes': true or false is expected, without quotes")]),
    "flatten 1": (data("flatten = 1"), [("data, flatten", "1: true or false is expected, without quotes")]),
    "misspelled scale": (
        data("scael = 3"),
        [("data, scael", "unknown key; did you mean 'scale'? known here are source,")],
    ),
    "protocol": (
        GOOD + "[protocol]\nepochs = -1\nbatch_size = 0\nvalidation_split = 1.0\nloss = 3\n",
        [
            ("protocol, loss", "3: a table is expected"),
            ("protocol, epochs", "-1: input should be greater than or equal to 1"),
            ("protocol, batch_size", "0: input should be greater than or equal to 1"),
            ("protocol, validation_split", "1.0: input should be less than 1"),
        ],
    ),
    "two losses": (
        GOOD + "[protocol]\nloss = { a = {}, b = {} }\n",
        [("protocol, loss", "one Keras class with its arguments is expected, found a, b; write it like { Dense")],
    ),
    "no arms": (HEAD + "arms = {}\n" + DATA, [("arms", "empty; at least one is needed")]),
    "arms in a list": (HEAD + "arms = []\n" + DATA, [("arms", "[]: a table is expected")]),
    "arm with a space": (
        GOOD + '[arms."my arm"]\nlayers = ["Flatten"]\n',
        [("arm 'my arm'", "'my arm': letters, digits and . _ - are allowed, a letter or digit first")],
    ),
    "arm without a network": (arm(), [("arm 'a'", NO_NETWORK)]),
    "arm with two networks": (arm('layers = ["Flatten"]', 'model = "{}"'), [("arm 'a'", TWO_NETWORKS)]),
    "misspelled layers": (
        arm('layers = ["Flatten"]', "layer = 3"),
        [
            (
                "arm 'a', layer",
                "unknown key; did you mean 'layers'? known here are layers, model, estimator",
            )
        ],
    ),
    "no layers": (arm("layers = []"), [("arm 'a', layers", "empty; at least one is needed")]),
    "two layers in one": (
        layer("{ Dense = {}, Flatten = {} }"),
        [("arm 'a', layer 1", "one Keras class with its arguments is expected, found Dense, Flatten")],
    ),
    "five bad layers": (
        layer('"Flatten", {}, 5, { Dense = 3 }, { Dense = { units = 0 } }, { Dropout = { rate = 1.2 } }'),
        [
            ("arm 'a', layer 2", "one Keras class with its arguments is expected, found nothing"),
            ("arm 'a', layer 3", "5: a table is expected"),
            ("arm 'a', layer 4, Dense", "3: a table is expected"),
            ("arm 'a', layer 5", "Dense units 0: a layer has a whole number of units, 1 or more"),
            ("arm 'a', layer 6", "Dropout rate 1.2: a rate lies in [0, 1); write 0.2 to drop a fifth of the units"),
        ],
    ),
    "half a unit": (
        layer("{ Dense = { units = 2.5 } }"),
        [("arm 'a', layer 1", "Dense units 2.5: a layer has a whole")],
    ),
    "units true": (
        layer("{ Dense = { units = true } }"),
        [("arm 'a', layer 1", "Dense units True: a layer has a whole")],
    ),
    "spatial dropout": (
        layer("{ SpatialDropout1D = { rate = -0.1 } }"),
        [("arm 'a', layer 1", "SpatialDropout1D rate -0.1: a rate lies in [0, 1)")],
    ),
    "a date among arguments": (
        layer("{ Dense = { units = 1979-05-27 } }"),
        [("arm 'a', layer 1, Dense, units", "datetime.date(1979, 5, 27): text, a number, true or false, a list or")],
    ),
    "a learning rate of nan": (
        arm('layers = ["Flatten"]', "optimizer = { SGD = { learning_rate = nan } }"),
        [("arm 'a', optimizer, SGD, learning_rate", "nan: a finite number is expected")],
    ),
    "infinity deep inside": (
        layer("{ Dense = { units = 3, kernel_regularizer = { L2 = { l2 = inf } } } }"),
        [("arm 'a', layer 1, Dense, kernel_regularizer, L2, l2", "inf: a finite number is expected")],
    ),
    "optimizer in numbers": (
        arm('layers = ["Flatten"]', "optimizer = 3"),
        [("arm 'a', optimizer", "3: a table is expected")],
    ),
    "a level that is no text": (
        arm('layers = ["Flatten"]', "levels = { dropout = true }"),
        [("arm 'a', levels, dropout", "True: text in quotes is expected")],
    ),
    "contrasts": (
        contrasts('a = "a"\nb = "c"', 'a = "a"\nb = "a"', 'a = "b"', 'a = "x"\nb = "y"'),
        [
            ("contrast 2", "'a' is compared with itself; name two arms"),
            ("contrast 3, b", "missing; it is required"),
            ("contrast 1", "unknown arm 'c'; the arms are a, b"),
            ("contrast 4", "unknown arm 'x'; the arms are a, b"),
            ("contrast 4", "unknown arm 'y'; the arms are a, b"),
        ],
    ),
    "a contrast twice": (
        contrasts(A_B, f'{A_B}\nmetric = "test_loss"', 'a = "b"\nb = "a"\nmetric = "test_accuracy"'),
        [("contrast 3", "'b' against 'a' on test_accuracy is declared twice; keep one")],
    ),
    "no such metric": (
        contrasts(f'{A_B}\nmetric = "accuracy"\nmargin = 0'),
        [
            ("contrast 1, margin", "0: input should be greater than 0"),
            ("contrast 1, metric", "'accuracy' is not measured; one of test_accuracy, test_loss, train_accuracy, "),
        ],
    ),
    "metrics of the protocol": (
        GOOD + '[protocol]\nmetrics = ["Acc", "accuracy", "AUC", { Recall = { name = "Auc" } }]\n',
        [
            ("protocol, metrics, item 1", "'Acc' is not a metric of Keras for classifiers; "),
            ("protocol, metrics, item 2", "'accuracy' is measured in every run; leave it out"),
            ("protocol, metrics, item 4", "name 'Auc': small letters, digits and underscores are expected"),
        ],
    ),
    "a metric twice": (
        GOOD + '[protocol]\nmetrics = ["auc", { AUC = { curve = "PR" } }]\n',
        [("protocol, metrics", "'auc' is measured twice; give one of them another name, like name = \"auc_2\"")],
    ),
    "comparison": (
        GOOD + '[comparison]\nscope = "elsewhere"\nlevel = 1.5\nmargin = -1\nlooks = [3, 2]\nall_pairs = 1\n',
        [
            (
                "comparison, scope",
                "'elsewhere': input should be 'new data', 'this test set', 'new data, new training sets' or 'these "
                "training sets'",
            ),
            ("comparison, level", "1.5: input should be less than 1"),
            ("comparison, margin", "-1: input should be greater than 0"),
            ("comparison, all_pairs", "1: true or false is expected, without quotes"),
            ("comparison, looks", "looks [3, 2]: each planned look has more seeds than the one before"),
        ],
    ),
    "factorial without levels": (
        GOOD + "[comparison]\nfactorial = true\n",
        [("comparison, factorial", "true, but not every arm has `levels` of the same factors; give them to every arm")],
    ),
    "factorial with other factors": (
        arm('layers = ["Flatten"]', 'levels = { size = "big" }')
        + '[arms.b]\nlayers = ["Flatten"]\nlevels = { dropout = "on" }\n[comparison]\nfactorial = true\n',
        [("comparison, factorial", "true, but not every arm has `levels` of the same factors; give them to every arm")],
    ),
    "a mistake in a table and one between tables": (
        contrasts('a = "a"\nb = "nobody"').replace("units = 10", "units = -1", 1),
        [
            ("arm 'a', layer 1", "Dense units -1: a layer has a whole number of units, 1 or more"),
            ("contrast 1", "unknown arm 'nobody'; the arms are a, b"),
        ],
    ),
}
