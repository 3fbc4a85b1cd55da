"""What customers write: short comments put together from phrases, by theme.

Which theme a customer writes about depends on the gaps of his or her own experience, so that themes
have a prevalence by segment and an effect on the score that can be counted beforehand.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from _people import GAP_MEANS, Floats

COMMENT_BASE, COMMENT_SLOPE = -1.0, 0.45  # log-odds of writing, and by how strong the experience is
SECOND_SHARE = 0.22  # comments that speak of two themes
NO_THEME = "none"

DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday")


@dataclass(frozen=True)
class Theme:
    """What is said (one phrase of each list, put together) and who says it.

    `level` is the log-odds weight of the theme, `gaps` what a point of experience at a touchpoint
    adds to it, `mood` what a good mood adds, `more` the column, value and extra of a segment.
    """

    touchpoint: str
    level: float
    phrases: tuple[tuple[str, ...], ...]
    gaps: dict[str, float] = field(default_factory=dict)
    mood: float = 0.0
    more: tuple[str, str, float] | None = None


THEMES = {
    "bill_surprise": Theme(
        "billing",
        0.35,
        (
            ("The bill", "My last bill", "The invoice", "My monthly bill", "The bill last month"),
            (
                "was {amount} euro higher than agreed",
                "went up again without warning",
                "has extra charges nobody told me about",
                "is never the price I was quoted",
                "shows fees I never ordered",
                "came with hidden charges",
            ),
            ("", " and nobody can explain the price", ", a nasty surprise", " since the summer"),
        ),
        {"billing": -1.2},
    ),
    "phone_wait": Theme(
        "phone_support",
        0.30,
        (
            (
                "I waited {minutes} minutes on the phone",
                "On hold for {minutes} minutes",
                "The hotline kept me in the queue for {minutes} minutes",
                "Endless queue when you call the hotline",
                "Waiting on hold for ever",
            ),
            (
                "",
                " before anyone answered my call",
                " and then the call was cut off",
                ", open 24/7 but nobody answers",
                ", the music drives you mad",
            ),
        ),
        {"phone_support": -1.0},
    ),
    "technician_no_show": Theme(
        "technician_visit",
        0.10,
        (
            ("The technician", "The engineer", "Your technician", "The repair man"),
            (
                "never showed up",
                "did not come on {day}",
                "missed the appointment twice",
                "cancelled the appointment at the last moment",
                "came a day late",
            ),
            ("", " and I took a day off work", ", no apology", " after I stayed home for it"),
        ),
        {"technician_visit": -1.0},
    ),
    "friendly_staff": Theme(
        "store_visit",
        -0.25,
        (
            (
                "Very friendly staff in the shop",
                "The staff in the store were friendly and helpful",
                "Friendly staff in the shop, kind and patient",
                "Lovely friendly staff at the counter",
                "Great advice from the staff in the store",
            ),
            ("", ", felt welcome", " and they knew their plans", ", thank you", " in Cork"),
        ),
        {"store_visit": 0.8},
        mood=0.3,
        more=("acquisition_channel", "store", 1.3),
    ),
    "fast_installation": Theme(
        "installation",
        -0.05,
        (
            (
                "Installation was quick",
                "The installer was fast and tidy",
                "Quick and clean installation",
                "Installed within two days of signing",
                "The installation took {hours} hours",
            ),
            (
                "",
                ", everything worked right away",
                " and he tidied up after himself",
                ", router set up the same day",
            ),
        ),
        {"installation": 1.0},
    ),
    "app_faults": Theme(
        "app",
        -0.10,
        (
            ("The app", "Your app", "The new app", "The android app"),
            (
                "crashes when I log in",
                "keeps logging me out",
                "shows an error page",
                "freezes after the update",
                "does not load my usage",
            ),
            ("", " since the last update", ", please fix the login", " every single time"),
        ),
        {"app": -0.9},
        more=("age_band", "18-29", 1.2),
    ),
    "slow_evenings": Theme(
        "",
        0.10,
        (
            ("The internet", "My connection", "The broadband", "Wifi"),
            (
                "is slow in the evening",
                "drops out every night",
                "is slower than the speed promised",
                "cuts out during video calls",
            ),
            ("", " when everyone is streaming", ", speed test says {speed}", " at weekends"),
        ),
    ),
    "easy_ordering": Theme(
        "online_order",
        -0.25,
        (
            ("Ordering online", "Signing up on the website", "Changing my plan online"),
            (
                "was easy",
                "took only {few} minutes",
                "was simple and clear",
                "could not have been simpler",
            ),
            ("", ", clear steps", ", website easy to follow", " and cheaper than comparing"),
        ),
        {"website": 0.6, "online_order": 0.6},
    ),
    NO_THEME: Theme(
        "",
        -0.45,
        (("All good", "No complaints", "Nothing", "ok", "n/a", "Fine", "No comment", "Thanks"),),
    ),
}
NAMES = list(THEMES)
TAILS = {  # by whether the theme is praise
    False: ("", "", "", " Not happy.", " Please sort this out.", " Bad service.", " Poor value."),
    True: ("", "", "", " Well done.", " Keep it up.", " Very happy.", " Good job."),
}
PRAISE = ("friendly_staff", "fast_installation", "easy_ordering")
SLOTS = {
    "amount": ("12", "8.50", "23", "4.99", "15"),
    "minutes": ("20", "35", "45", "50", "90"),
    "hours": ("2", "3", "1.5"),
    "few": ("5", "ten", "10"),
    "speed": ("12 Mbit", "8 Mbit", "25 Mbit"),
    "day": DAYS,
}
FOREIGN = (  # language, theme, text
    ("de", "bill_surprise", "Die Rechnung war schon wieder höher als vereinbart."),
    ("de", "phone_wait", "Ewig in der Warteschleife, niemand geht ans Telefon."),
    ("de", "technician_no_show", "Der Techniker ist nicht gekommen."),
    ("de", "fast_installation", "Anschluss war schnell fertig, sehr sauber gearbeitet."),
    ("de", "slow_evenings", "Abends ist das Netz viel zu langsam."),
    ("de", "bill_surprise", "Versteckte Gebühren auf der Rechnung, sehr ärgerlich."),
    ("es", "bill_surprise", "La factura subió sin aviso."),
    ("es", "phone_wait", "Media hora esperando al teléfono y nadie contesta."),
    ("es", "technician_no_show", "El técnico no vino y nadie avisó."),
    ("es", "friendly_staff", "Muy amables en la tienda, gracias."),
    ("es", "app_faults", "La aplicación se cierra sola."),
    ("es", "slow_evenings", "Internet muy lento por la noche."),
)
PERSONAL = (  # kind, sentence added; nobody has these: reserved ranges and textbook examples
    ("e-mail", " Write to me at mary.byrne@example.com"),
    ("e-mail", " my mail is p_oshea+bb@example.com."),
    ("e-mail", " Contact: Sean.Walsh@mail.example.com please"),
    ("phone", " Call me on 020 915 0142"),
    ("phone", " ring +353 20 915 0188 after six"),
    ("phone", " my number is (020) 915-0117."),
    ("account", " My account number is {account}"),
    ("account", " see account {account}, thanks"),
    ("account", " Ref {account}"),
    ("iban", " Refund to IE29 AIBK 9311 5212 3456 78"),
    ("iban", " IBAN IE29AIBK93115212345678."),
    ("card", " my card 4111 1111 1111 1111 was charged twice"),
    ("link", " see https://example.com/bills?customer=88213&token=aZ19"),
    ("link", " here www.example.com/ticket/55120013"),
)
HOSTILE = (
    "<script>alert(1)</script>",
    "=cmd()",
    "<img src=x onerror=alert(2)> The bill is too high",
    "👍👍👍",
    "😡😡 bill again",
    '=HYPERLINK("http://example.com","bill")',
    "The bill is wrong again and again. " * 120,
    "!!!???...",
)
Truth = dict[str, Any]


def theme_shares(invited: pd.DataFrame) -> Floats:
    """Compute how likely each theme comes first in a customer's comment, one column a theme."""
    scores = np.zeros((len(invited), len(THEMES)))
    for number, theme in enumerate(THEMES.values()):
        score = theme.level + theme.mood * invited["mood"]
        for touchpoint, slope in theme.gaps.items():
            score += slope * (invited[f"gap_{touchpoint}"] - GAP_MEANS[touchpoint])
        if theme.more:
            column, value, extra = theme.more
            score += extra * (invited[column] == value)
        scores[:, number] = score
    weights = np.exp(scores)
    return weights / weights.sum(axis=1, keepdims=True)


def mention_chances(invited: pd.DataFrame) -> Floats:
    """Compute how likely a comment mentions each theme, first or second."""
    first = theme_shares(invited)
    none = NAMES.index(NO_THEME)
    chances = first.copy()
    for other in range(len(NAMES)):
        if other == none:
            continue  # who has nothing to say has no second theme
        rest = first.copy()
        rest[:, [other, none]] = 0
        rest /= rest.sum(axis=1, keepdims=True)
        chances += SECOND_SHARE * first[:, [other]] * rest
    return chances


def comment_chance(invited: pd.DataFrame) -> Floats:
    """Compute how likely a respondent writes: the more, the stronger the experience."""
    odds = COMMENT_BASE + COMMENT_SLOPE * invited["experience"].abs()
    return (1 / (1 + np.exp(-odds))).to_numpy()


def draw_comments(rng: np.random.Generator, invited: pd.DataFrame) -> pd.DataFrame:
    """Draw the comments of those who responded, one row a comment in the order of `invited`.

    Columns `respondent_id`, `customer_id`, `answered_day`, `touchpoint`, `text`, and the truth:
    `themes` (names joined by a blank), `language`, `holds` (personal data, hostile, or nothing).
    """
    writes = invited["responds"] & (rng.random(len(invited)) < comment_chance(invited))
    own = invited[writes].reset_index(drop=True)
    shares = theme_shares(own)
    rows = [_write(rng, shares[i]) for i in range(len(own))]
    themes = [" ".join(said) for said, _ in rows]
    comments = own[["respondent_id", "customer_id", "answered_day"]].assign(
        touchpoint=[THEMES[said[0]].touchpoint for said, _ in rows],
        text=[text for _, text in rows],
        themes=themes,
        language="en",
        holds="",
    )
    comments.loc[rng.random(len(own)) < 0.4, "touchpoint"] = ""
    return _make_awkward(rng, comments)


def _write(rng: np.random.Generator, shares: Floats) -> tuple[list[str], str]:
    """Write one comment: its themes, and the text with the slips people make."""
    shares = shares.copy()
    said = [int(rng.choice(len(NAMES), p=shares))]
    none = NAMES.index(NO_THEME)
    if said[0] != none and rng.random() < SECOND_SHARE:
        shares[[said[0], none]] = 0
        said.append(int(rng.choice(len(NAMES), p=shares / shares.sum())))
    names = [NAMES[number] for number in said]
    text = ". ".join(_phrase(rng, THEMES[name]) for name in names)
    if names[0] != NO_THEME:
        text += "." + str(rng.choice(TAILS[names[-1] in PRAISE]))
    return names, _slip(rng, text)


def _phrase(rng: np.random.Generator, theme: Theme) -> str:
    text = "".join(
        (" " if number == 1 and len(theme.phrases) > 2 else "") + str(rng.choice(options))
        for number, options in enumerate(theme.phrases)
    )
    return text.format(**{name: rng.choice(options) for name, options in SLOTS.items()})


def _slip(rng: np.random.Generator, text: str) -> str:
    """Swap two letters now and then, forget capitals, shout, leave out the full stop."""
    if rng.random() < 0.10 and len(text) > 20:
        at = int(rng.integers(2, len(text) - 3))
        if text[at : at + 2].isalpha():
            text = text[:at] + text[at + 1] + text[at] + text[at + 2 :]
    how = rng.random()
    text = text.lower() if how < 0.18 else text.upper() if how < 0.21 else text
    return text.rstrip(".") if rng.random() < 0.3 else text


def _make_awkward(rng: np.random.Generator, comments: pd.DataFrame) -> pd.DataFrame:
    """Let some write in another language, give away personal data, or write what no page may run.

    A hostile text takes the place of a comment without theme, or of one about the bill when it
    speaks of the bill; a foreign one that of a comment with the same single theme.
    """
    comments = comments.copy()
    taken: set[int] = set()

    def take(theme: str) -> int:
        free = comments.index[(comments["themes"] == theme)].difference(sorted(taken))
        chosen = int(rng.choice(free))
        taken.add(chosen)
        return chosen

    for language, theme, text in FOREIGN:
        comments.loc[take(theme), ["text", "language"]] = [text, language]
    for kind, sentence in PERSONAL:
        at = take(str(rng.choice(("bill_surprise", "phone_wait", "technician_no_show"))))
        added = sentence.format(account=comments.loc[at, "customer_id"])
        comments.loc[at, ["text", "holds"]] = [
            comments.loc[at, "text"].rstrip(".") + "." + added,
            kind,
        ]
    for text in HOSTILE:
        at = take("bill_surprise" if "bill" in text else NO_THEME)
        comments.loc[at, ["text", "holds"]] = [text, "hostile"]
    return comments
