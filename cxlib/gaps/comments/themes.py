"""Themes of comments by non-negative factors, kept only as far as they come back."""

from __future__ import annotations

import math
import warnings
from collections.abc import Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cxlib.errors import InputError
from cxlib.gaps.comments.select import Comments
from cxlib.gaps.comments.words import count_words, weigh_words
from cxlib.stats import Floats

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

Flags = NDArray[np.bool_]
Rows = NDArray[np.int64]

STABLE = 0.6  # kappa below which a theme does not come back
LEAST_STRENGTH, LEAST_SHARE = 0.1, 0.3  # a comment mentions a theme from these on
_MOST_THEMES = 15
_COMMENTS_A_THEME = 25
_LEAST_COMMENTS = 2 * _COMMENTS_A_THEME
_CHOICE_ROWS = 2_000  # the number of themes is chosen on as many comments
_N_SAMPLES, _N_SHUFFLES = 10, 19
_NAME_WORDS, _LISTED_WORDS = 3, 10


@dataclass(frozen=True)
class Themes:
    """What comments are about.

    Parameters
    ----------
    comments : Comments
        What was sorted.
    table : pandas.DataFrame, one row per theme, the commonest first
        Columns `theme` (its three most telling words), `words` (ten), `n` (comments that mention
        it), `agreement` (0 to 1), `is_stable`.
    weights : ndarray of float, comments x themes
        Share of each theme in a comment, rows sum to 1; zeros where no word is known.
    strength : ndarray of float, comments x themes
        How much of the comment (a row of length 1) each theme accounts for.
    mentions : ndarray of bool, comments x themes
        Whether a comment mentions a theme.
    choice : pandas.DataFrame, one row per number of themes tried
        Columns `n_themes`, `agreement`, `std_error`, `is_chosen`.
    explained, by_chance : float
        Share of the squared weights that the themes account for, and the most they accounted for
        after words were shuffled between comments; NaN when not tried.
    reason : str
        Why there are no themes, ``""`` when there are.
    """

    comments: Comments
    table: pd.DataFrame
    weights: Floats
    strength: Floats
    mentions: Flags
    choice: pd.DataFrame
    explained: float
    by_chance: float
    reason: str

    @property
    def names(self) -> list[str]:
        """Names of the themes, in the order of columns."""
        return [str(name) for name in self.table["theme"]]

    @property
    def is_unassigned(self) -> Flags:
        """Whether a comment mentions no theme."""
        return np.asarray(~self.mentions.any(axis=1))


def find_themes(
    comments: Comments,
    *,
    n_themes: int = 0,
    stop_words: str | Collection[str] = "english",
    random_state: int = 0,
) -> Themes:
    """Find what comments are about, and whether it would be found again.

    Parameters
    ----------
    comments : Comments
        From `select_comments`.
    n_themes : int, default 0
        Number of themes; 0 chooses it.
    stop_words : str or collection of str, default "english"
        Words without a theme: ``"english"``, ``""`` for other languages (short words in more than a
        fifth of the comments are cut then), or the words themselves.
    random_state : int, default 0
        Seed of the samples.

    Returns
    -------
    Themes
        Without a theme, with the reason, when there are fewer than 50 comments, hardly a word
        that some share and others do not, or no theme that comes back.

    Raises
    ------
    InputError
        When the number of themes cannot be had.

    Notes
    -----
    The matrix of tf-idf weights is approximated by two non-negative ones, comments x themes and
    themes x words, by least squares (coordinate descent from a singular value decomposition, so
    that nothing depends on a random start). A comment mentions a theme when the theme accounts for
    at least 0.1 of it and 0.3 of what all themes account for; it may mention none, or three.

    Agreement: the factors are fitted again on ten random halves of the comments. Themes of the two
    fits are paired one to one, and the agreement of a pair is Cohen's kappa of which comments
    mention it. Below 0.6 on average a theme is not stable. Of 2 to 15 themes (one for 25 comments
    at most) the largest number is chosen whose agreement, over all its themes, is within one
    standard error of the best: fewer themes hardly agree better, and tell less. All numbers are
    tried on the same halves, of at most 2,000 comments.

    Common words make stable themes even when nobody says anything, so words are shuffled between
    comments too, which leaves every comment its length and every word its frequency. Unless the
    themes account for more than in each of 19 shuffles, there are none (a test at 5 %).

    References
    ----------
    .. [1] D. D. Lee, H. S. Seung (1999). Learning the parts of objects by non-negative matrix
           factorization. Nature 401, 788-791.
    .. [2] D. Greene, D. O'Callaghan, P. Cunningham (2014). How many topics? Stability analysis for
           topic models. ECML PKDD, LNCS 8724, 498-513.
    .. [3] J. Cohen (1960). A coefficient of agreement for nominal scales. Educational and
           Psychological Measurement 20, 37-46; 0.6 and more is "substantial" by J. R. Landis,
           G. G. Koch (1977), Biometrics 33, 159-174.
    .. [4] J. L. Horn (1965). A rationale and test for the number of factors in factor analysis.
           Psychometrika 30, 179-185.
    """
    from threadpoolctl import threadpool_limits

    n = len(comments.table)
    if n_themes < 0 or n_themes == 1:
        raise InputError(
            f"{n_themes} themes cannot be found.", "argument 'n_themes'", "give 2 or more, or 0"
        )
    if n < _LEAST_COMMENTS:
        reason = f"{n} comments are too few to find themes in; it takes {_LEAST_COMMENTS}."
        return _no_themes(comments, reason)
    counts, words = count_words(comments.table["text"], stop_words)
    most = min(_MOST_THEMES, n // _COMMENTS_A_THEME, len(words) // _NAME_WORDS)
    if n_themes > min(n, len(words)) // 2:
        raise InputError(
            f"{n_themes} themes cannot be found in {n:,} comments with {len(words):,} words.",
            "argument 'n_themes'",
            f"give at most {min(n, len(words)) // 2}, or 0",
        )
    if most < 2:
        reason = f"Words that some of the {n:,} comments share and others do not: {len(words)}."
        return _no_themes(comments, f"{reason} That is too few to tell comments apart.")
    rng = np.random.default_rng(random_state)
    numbers = [n_themes] if n_themes else list(range(2, most + 1))
    with threadpool_limits(1):  # on small matrices more threads wait for each other
        choice = _rate_numbers(weigh_words(counts), numbers, rng)
        return _describe(comments, counts, words, choice, rng)


def _describe(
    comments: Comments,
    counts: csr_matrix,
    words: NDArray[Any],
    choice: pd.DataFrame,
    rng: np.random.Generator,
) -> Themes:
    """Fit the themes to all comments, rate each, and put the commonest first."""
    number = int(choice.loc[choice["is_chosen"], "n_themes"].iloc[0])
    few = _take(counts, rng)
    explained = _factorise(weigh_words(few), number)[2]
    shuffles = (weigh_words(_shuffle_words(few, rng)) for _ in range(_N_SHUFFLES))
    by_chance = max(_factorise(shuffled, number)[2] for shuffled in shuffles)
    tried = {"choice": choice, "explained": explained, "by_chance": by_chance}
    if explained <= by_chance:
        reason = (
            f"Words do not occur together in {counts.shape[0]:,} comments more than chance lets "
            f"them: {number} themes account for {explained:.0%} of the words, and for up to "
            f"{by_chance:.0%} when words are shuffled."
        )
        return _no_themes(comments, reason, **tried)
    matrix = weigh_words(counts)
    strength, loadings, _ = _factorise(matrix, number)
    mentions = _mention(strength)
    agreement = _agree(matrix, mentions, number, _draw_halves(len(mentions), rng)).mean(axis=0)
    if agreement.max() < STABLE:
        reason = (
            f"Themes were looked for in {len(mentions):,} comments, but none comes back when half "
            f"of them are sorted anew (kappa at most {agreement.max():.2f}; {STABLE} needed)."
        )
        return _no_themes(comments, reason, **tried)
    n = mentions.sum(axis=0)
    order = np.lexsort((np.arange(number), -n))
    # a word that loads on other themes too says less of this one
    telling = loadings**2 / np.maximum(loadings.sum(axis=0), 1e-12)
    top = [words[np.argsort(-telling[theme], kind="stable")] for theme in order]
    table = pd.DataFrame(
        {
            "theme": [", ".join(own[:_NAME_WORDS]) for own in top],
            "words": [", ".join(own[:_LISTED_WORDS]) for own in top],
            "n": n[order],
            "agreement": agreement[order],
            "is_stable": agreement[order] >= STABLE,
        }
    )
    strength = strength[:, order]
    total = strength.sum(axis=1, keepdims=True)
    weights = np.divide(strength, total, out=np.zeros_like(strength), where=total > 0)
    return Themes(comments, table, weights, strength, mentions[:, order], reason="", **tried)


def _no_themes(
    comments: Comments,
    reason: str,
    choice: pd.DataFrame | None = None,
    explained: float = math.nan,
    by_chance: float = math.nan,
) -> Themes:
    columns = ["theme", "words", "n", "agreement", "is_stable"]
    tried = ["n_themes", "agreement", "std_error", "is_chosen"]
    nothing = np.zeros((len(comments.table), 0))
    return Themes(
        comments=comments,
        table=pd.DataFrame(columns=columns),
        weights=nothing,
        strength=nothing,
        mentions=nothing.astype(bool),
        choice=pd.DataFrame(columns=tried) if choice is None else choice,
        explained=explained,
        by_chance=by_chance,
        reason=reason,
    )


def _factorise(matrix: csr_matrix, number: int) -> tuple[Floats, Floats, float]:
    """Fit comments x themes and themes x words (rows of length 1), and how much they explain."""
    from sklearn.decomposition import NMF
    from sklearn.exceptions import ConvergenceWarning

    model = NMF(number, init="nndsvda", random_state=0, max_iter=200, tol=1e-3)
    with warnings.catch_warnings(), np.errstate(invalid="ignore"):
        warnings.simplefilter("ignore", ConvergenceWarning)  # the last digits change no theme
        strength = model.fit_transform(matrix)
    # of a perfect fit roundings may leave the root of less than nothing
    error = np.nan_to_num(model.reconstruction_err_)
    length = np.linalg.norm(model.components_, axis=1)
    safe = np.where(length > 0, length, 1.0)
    explained = 1 - error**2 / max(matrix.power(2).sum(), 1e-12)
    return strength * length, model.components_ / safe[:, None], float(explained)


def _take(matrix: csr_matrix, rng: np.random.Generator) -> csr_matrix:
    """Take as many comments as numbers of themes are tried on."""
    n = matrix.shape[0]
    return matrix[np.sort(rng.choice(n, min(n, _CHOICE_ROWS), replace=False))]


def _shuffle_words(counts: csr_matrix, rng: np.random.Generator) -> csr_matrix:
    """Deal all words to the comments anew, as many to each as it had."""
    from scipy.sparse import csr_matrix

    often = counts.data.astype(int)
    comment = np.repeat(np.arange(counts.shape[0]), np.diff(counts.indptr))
    words = rng.permutation(np.repeat(counts.indices, often))
    where = (np.repeat(comment, often), words)
    return csr_matrix((np.ones(len(words)), where), shape=counts.shape)  # the same twice is a sum


def _mention(strength: Floats) -> Flags:
    total = strength.sum(axis=1, keepdims=True)
    return (strength >= LEAST_STRENGTH) & (strength >= LEAST_SHARE * total)


def _rate_numbers(matrix: csr_matrix, numbers: list[int], rng: np.random.Generator) -> pd.DataFrame:
    """Rate numbers of themes by the agreement over themes and samples, and choose one."""
    few = _take(matrix, rng)
    halves = _draw_halves(few.shape[0], rng)
    rows = []
    for number in numbers:
        mentions = _mention(_factorise(few, number)[0])
        means = _agree(few, mentions, number, halves).mean(axis=1)
        rows.append((number, means.mean(), means.std(ddof=1) / math.sqrt(len(means))))
    rated = pd.DataFrame(rows, columns=["n_themes", "agreement", "std_error"])
    good = rated["agreement"] + rated["std_error"] >= rated["agreement"].max()
    return rated.assign(is_chosen=rated["n_themes"] == rated.loc[good, "n_themes"].max())


def _draw_halves(n: int, rng: np.random.Generator) -> list[Rows]:
    size = min(n, _CHOICE_ROWS) // 2
    return [np.sort(rng.choice(n, size, replace=False)) for _ in range(_N_SAMPLES)]


def _agree(matrix: csr_matrix, mentions: Flags, number: int, halves: list[Rows]) -> Floats:
    """Fit halves again: agreement of each theme (columns) in each half (rows)."""
    from scipy.optimize import linear_sum_assignment

    found = np.zeros((len(halves), number))
    for sample, rows in enumerate(halves):
        first = mentions[rows].astype(float)
        again = _mention(_factorise(matrix[rows], number)[0]).astype(float)
        alike = _kappa(first, again)
        pairs = linear_sum_assignment(-alike)
        found[sample, pairs[0]] = alike[pairs]
    return found


def _kappa(first: Floats, again: Floats) -> Floats:
    """Compute Cohen's kappa of each column of flags with each column of the other."""
    n = len(first)
    a, b = first.mean(axis=0)[:, None], again.mean(axis=0)
    agreed = 1 - a - b + 2 * (first.T @ again) / n
    expected = a * b + (1 - a) * (1 - b)
    rest = 1 - expected
    return np.divide(agreed - expected, rest, out=np.zeros_like(agreed), where=rest > 0)
