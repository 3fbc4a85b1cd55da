"""Themes are found when they are there, and only then."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import cohen_kappa_score

from cxlib.errors import InputError
from cxlib.gaps.comments.themes import _kappa, _shuffle_words, find_themes
from cxlib.gaps.comments.words import count_words, read_stop_words, split_words, weigh_words
from tests.gaps.comments.conftest import SAMPLES, make_comments

PLANTED_WORDS = {
    "bill_surprise": "bill",
    "phone_wait": "hotline",
    "technician_no_show": "technician",
    "friendly_staff": "staff",
    "fast_installation": "installation",
    "app_faults": "app",
    "slow_evenings": "speed",
    "easy_ordering": "website",
}
GERMAN = {
    "Rechnung": ["{} ist zu hoch und der Preis falsch", "der Preis auf {} war nicht vereinbart"],
    "Techniker": ["{} kam nicht und der Termin war weg", "der Termin mit {} ist geplatzt"],
    "Laden": ["die Beratung im {} war nett und gut", "im {} ist die Beratung wirklich nett"],
}


def match(themes, planted) -> dict[str, int]:
    """Find the column of each planted theme by its most telling word."""
    words = themes.table["words"].str.split(", ").tolist()
    return {name: next(i for i, w in enumerate(words) if PLANTED_WORDS[name] in w)
            for name in planted["themes"] if name != planted["no_theme"]}  # fmt: skip


def test_the_planted_themes_are_found(themes, planted):
    """Eight, one for one, all stable, and four in five comments sorted as planted."""
    columns = match(themes, planted)
    assert sorted(columns.values()) == list(range(8))
    assert themes.table["is_stable"].all()
    assert themes.explained > 1.5 * themes.by_chance
    truth = pd.read_csv(SAMPLES / planted["file"], keep_default_na=False)
    said = themes.comments.table[["respondent_id"]].merge(truth, on="respondent_id")["themes"]
    for name, column in columns.items():
        own = said.str.split().map(lambda names, name=name: name in names).to_numpy(bool)
        assert cohen_kappa_score(own, themes.mentions[:, column]) > 0.8
    nothing = said.eq(planted["no_theme"]).to_numpy()
    assert themes.is_unassigned[nothing].mean() > 0.8


def test_the_same_seed_gives_the_same_themes(comments, themes):
    """To the last weight; with as many themes, another seed finds the same ones."""
    again = find_themes(comments, n_themes=8, random_state=5)
    assert set(again.names) == set(themes.names)
    assert np.array_equal(again.weights, themes.weights)
    assert len(again.choice) == 1


def test_shuffled_words_have_no_themes(comments):
    """Every comment keeps its length and every word its frequency; no theme is left."""
    rng = np.random.default_rng(3)
    words = np.array(" ".join(comments.table["text"].iloc[:300]).split())
    lengths = comments.table["text"].iloc[:300].str.split().map(len)
    parts = np.split(rng.permutation(words), np.cumsum(lengths)[:-1])
    found = find_themes(make_comments([" ".join(part) for part in parts]))
    assert found.names == []
    assert "chance" in found.reason or "none comes back" in found.reason


def test_shuffling_keeps_lengths_and_frequencies():
    """Sums over rows and columns stay, which makes the test exact."""
    counts, _ = count_words(pd.Series(["a1b bb bb cc", "bb cc dd", "cc dd dd", "bb dd"] * 5), "")
    shuffled = _shuffle_words(counts, np.random.default_rng(0))
    for axis in (0, 1):
        assert np.array_equal(shuffled.sum(axis=axis), counts.sum(axis=axis))


def test_themes_without_stop_words_in_another_language():
    """German comments need no list: short words that are everywhere are cut."""
    rng = np.random.default_rng(1)
    kinds = rng.choice(list(GERMAN), 240)
    texts = [str(rng.choice(GERMAN[kind])).format(kind) for kind in kinds]
    for stop_words in ("", ["die", "der", "ist", "und", "war", "im", "auf", "mit", "zu"]):
        found = find_themes(make_comments(texts), n_themes=3, stop_words=stop_words)
        names = [set(name.split(", ")) for name in found.names]
        assert not set.union(*names) & {"und", "die", "der", "ist", "war"}
        for kind in GERMAN:
            column = next(i for i, name in enumerate(names) if kind.lower() in name)
            assert (found.mentions[:, column] == (kinds == kind)).all()


def test_few_or_dissimilar_comments_have_no_themes():
    """The reason is a sentence a reader understands."""
    assert "49 comments are too few" in find_themes(make_comments(["bill wrong"] * 49)).reason
    unlike = make_comments([f"word{'abcdefgh'[i % 8]}{'xyzuvw'[i // 8 % 6]}{i}" for i in range(60)])
    found = find_themes(unlike)
    assert found.names == []
    assert "others do not: 0." in found.reason
    assert found.weights.shape == (60, 0)
    assert found.is_unassigned.all()


def test_equal_comments_are_no_reason_to_fail():
    """Everybody writes the same: a sentence, no traceback."""
    found = find_themes(make_comments(["the bill was wrong again"] * 80))
    assert found.names == []
    assert found.reason


def test_a_number_that_cannot_be_had_is_refused(comments):
    """One theme is none; a thousand are too many."""
    for number in (-1, 1):
        with pytest.raises(InputError, match="themes cannot be found"):
            find_themes(comments, n_themes=number)
    with pytest.raises(InputError, match="1000 themes cannot be found in 852 comments"):
        find_themes(comments, n_themes=1000)


def test_an_unstable_theme_is_named_so(comments):
    """With twice as many themes as there are, some do not come back."""
    many = find_themes(comments, n_themes=14)
    assert not many.table["is_stable"].all()
    assert many.table.loc[~many.table["is_stable"], "agreement"].max() < 0.6


def test_kappa_of_columns_is_cohens():
    """Against scikit-learn, pair by pair; columns without variation give 0."""
    rng = np.random.default_rng(0)
    a, b = rng.random((50, 3)) < 0.4, rng.random((50, 2)) < 0.5
    expected = [[cohen_kappa_score(x, y) for y in b.T] for x in a.T]
    assert _kappa(a.astype(float), b.astype(float)) == pytest.approx(np.array(expected))
    assert _kappa(np.ones((5, 1)), np.ones((5, 1))).tolist() == [[0.0]]


def test_weights_are_tf_idf():
    """Against scikit-learn on the same words."""
    from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer

    texts = ["red blue", "red red green", "blue green red", "green", ""]
    counts = CountVectorizer().fit_transform(texts)
    reference = TfidfVectorizer(sublinear_tf=True).fit_transform(texts)
    assert weigh_words(counts).toarray() == pytest.approx(reference.toarray())


def test_words_of_customers_are_no_stop_words():
    """Lists of search engines hold 'bill' and 'call'; ours does not."""
    assert not {"bill", "call", "system", "interest", "fire", "wait"} & read_stop_words("english")
    with pytest.raises(InputError, match="no list of stop words called 'klingon'"):
        read_stop_words("klingon")


def test_masked_pieces_and_numbers_are_no_words():
    """Placeholders never become a theme."""
    assert split_words("Mail [e-mail] or [phone], it’s 24/7 – Ça va") == [
        *("mail", "or", "it's", "ça", "va")
    ]


def test_equal_comments_have_words_but_no_themes():
    """Words that all share tell nothing apart; that is what the page says."""
    found = find_themes(make_comments(["The bill was wrong again"] * 500))
    assert found.names == []
    assert "share and others do not: 0" in found.reason


def test_a_perfect_fit_is_a_number():
    """A few wordings said often are fitted without rest; roundings must not make that NaN."""
    wordings = [
        "Die Rechnung war falsch und zu hoch",
        "Der Techniker kam pünktlich und war freundlich",
        "Das Internet fällt ständig aus",
        "Die Hotline ist nie erreichbar, lange Wartezeit",
    ]
    told = [wordings[i % 4] if i % 3 else "nichts" for i in range(300)]
    found = find_themes(make_comments(told), n_themes=5, stop_words="")
    assert found.explained == pytest.approx(1.0)
    assert found.by_chance < 0.9
