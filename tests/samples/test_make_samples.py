"""The generator of the sample company does what truth.json says.

Everything here reads the exports with plain csv and numpy, so that a fault in cxlib cannot hide a
fault in the samples.
"""

from __future__ import annotations

import csv
import gzip
import io
import json
from collections import Counter
from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml

SAMPLES = Path(__file__).parents[2] / "data" / "samples"
HORIZONS = np.array([182.625, 365.25, 730.5])


@pytest.fixture(scope="module")
def generator() -> Iterator[ModuleType]:
    """Return make_samples as a module."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(SAMPLES))
        import make_samples

        yield make_samples


@pytest.fixture(scope="module")
def made(generator: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Any]:
    """Return a folder of freshly made samples and the clean company behind them."""
    out = tmp_path_factory.mktemp("samples")
    return out, generator.write_samples(out)


@pytest.fixture(scope="module")
def company(made: tuple[Path, Any]) -> Any:
    """Return the clean company."""
    return made[1]


@pytest.fixture(scope="module")
def truth() -> dict[str, Any]:
    """Return the committed truth."""
    return json.loads((SAMPLES / "truth.json").read_text("utf-8"))


def content(path: Path) -> bytes:
    """Return what a file holds, unpacked; zlib versions pack alike texts differently."""
    data = path.read_bytes()
    return gzip.decompress(data) if path.suffix == ".gz" else data


def rows_of(pattern: str, encoding: str = "utf-8", delimiter: str = ",") -> list[list[str]]:
    """Return the records of the committed exports that match a pattern, without headers."""
    rows: list[list[str]] = []
    for path in sorted(SAMPLES.glob(pattern)):
        text = io.StringIO(content(path).decode(encoding), newline="")
        rows += list(csv.reader(text, delimiter=delimiter))[1:]
    return rows


def made_files(folder: Path) -> dict[str, Path]:
    """Return the files a generator wrote, by name."""
    files = [folder / "truth.json", *folder.glob("truth_*"), *folder.glob("exports/*")]
    return {path.name: path for path in files}


def test_committed_samples_are_what_the_generator_makes(made: tuple[Path, Any]) -> None:
    """Nobody edited an export by hand, and nobody forgot to run the generator."""
    committed, fresh = made_files(SAMPLES), made_files(made[0])
    assert sorted(committed) == sorted(fresh)
    differing = [name for name in fresh if content(committed[name]) != content(fresh[name])]
    assert differing == []


def test_a_second_run_writes_the_same_bytes(
    generator: ModuleType, made: tuple[Path, Any], tmp_path: Path
) -> None:
    """Packed files included: no time of writing in them."""
    generator.write_samples(tmp_path)
    first, second = made_files(made[0]), made_files(tmp_path)
    assert [name for name in first if first[name].read_bytes() != second[name].read_bytes()] == []


def test_samples_are_small() -> None:
    """No file above 1 MB, all together below 4 MB."""
    sizes = {path.name: path.stat().st_size for path in SAMPLES.rglob("*") if path.is_file()}
    assert [name for name, size in sizes.items() if size > 1_000_000] == []
    assert sum(size for name, size in sizes.items() if not name.endswith(".pyc")) < 4_000_000


def test_the_workbook_names_columns_the_exports_have() -> None:
    """Every source column in cx.yml is in the header of its export."""
    book = yaml.safe_load((SAMPLES / "cx.yml").read_text("utf-8"))
    missing = []
    for table, spec in book["tables"].items():
        for path in sorted(SAMPLES.glob(spec["source"])):
            line = content(path).decode(spec.get("encoding", "utf-8")).splitlines()[0]
            header = line.split(spec.get("delimiter", ","))
            wanted = [
                c if isinstance(c, str) else c.get("column") for c in spec["columns"].values()
            ]
            wanted += [spec.get("respondent_id"), *spec.get("outcome", [])]
            missing += [(table, name) for name in wanted if name and name not in header]
    assert missing == []


def test_dirty_rows_are_as_many_as_the_truth_says(company: Any, truth: dict[str, Any]) -> None:
    """Rows in an export are the clean rows and the planted extra ones."""
    in_place = ("emptied", "off the scale")
    extra = {
        table: sum(n for rule, n in rules.items() if not rule.endswith(in_place))
        for table, rules in truth["dirty"].items()
    }
    extra["answers"] -= truth["dirty"]["answers"]["bad number"]
    n_answers = int(company.invited["responds"].sum()) + len(company.beliefs)
    windows = {"encoding": "cp1252", "delimiter": ";"}
    assert len(company.events) + extra["events"] == len(rows_of("exports/contacts_*"))
    assert len(company.people) + extra["customers"] == len(rows_of("exports/acc*", **windows))
    assert len(company.periods) + extra["subscriptions"] == len(
        rows_of("exports/contracts*", **windows)
    )
    assert n_answers + extra["answers"] == len(rows_of("exports/survey_*"))
    assert len(company.invited) + extra["invitations"] == len(rows_of("exports/invitations*"))
    assert 25 + extra["touchpoints"] == len(rows_of("exports/touchpoints.csv"))
    assert 3 + extra["incidents"] == len(rows_of("exports/incidents.csv"))
    assert len(company.comments) + extra["comments"] == len(rows_of("exports/comments.csv"))


def test_each_rule_finds_its_contacts(truth: dict[str, Any]) -> None:
    """Contacts gone wrong are told by their cells alone, as many as planted."""
    rows = rows_of("exports/contacts_*")
    found: Counter[str] = Counter()
    seen_rows: set[tuple[str, ...]] = set()
    seen_ids: set[str] = set()
    for row in rows:
        rule = contact_fault(row)
        if not rule and tuple(row) in seen_rows:
            rule = "exact duplicate"
        elif not rule and row[0] in seen_ids:
            rule = "duplicate event_id"
        seen_rows.add(tuple(row))
        seen_ids.add(row[0])
        found[rule] += 1
    del found[""]
    assert truth["dirty"]["events"] == found


def contact_fault(row: list[str]) -> str:
    """Name what is wrong with one contact, '' when nothing is."""
    if len(row) != 7:
        return "wrong number of fields"
    if row[1] == "":
        return "missing customer_id"
    try:
        when = datetime.strptime(row[2], "%d.%m.%Y %H:%M:%S")
    except ValueError:
        return "bad date"
    if when.year > 2025:
        return "after as_of"
    if when.hour == 1:
        return f"local time {'exists twice' if when.month == 10 else 'does not exist'}"
    if row[5] not in ("IN", "OUT"):
        return "bad value"
    return "bad number emptied" if row[6] == "n/a" else ""


def test_planted_local_times_are_impossible_or_doubled_in_dublin() -> None:
    """The clock changes they rely on are real, and no other contact falls on one."""
    rows = [row for row in rows_of("exports/contacts_*") if len(row) == 7]
    when = pd.to_datetime([r[2] for r in rows], format="%d.%m.%Y %H:%M:%S", errors="coerce")
    local = when.dropna()
    first = local.tz_localize(
        "Europe/Dublin", ambiguous=np.ones(len(local), bool), nonexistent="NaT"
    )
    neither = local.tz_localize("Europe/Dublin", ambiguous="NaT", nonexistent="NaT")
    assert first.isna().sum() == 8
    assert (neither.isna() & ~first.isna()).sum() == 6


def clean_periods() -> list[tuple[str, date, date | None, str]]:
    """Return the paid periods of the export that stay when bad rows are refused."""
    today, kept, seen = date(2025, 12, 31), [], set()
    for row in rows_of("exports/contracts.csv", "cp1252", ";"):
        if len(row) != 7 or not row[1] or tuple(row) in seen:
            continue
        seen.add(tuple(row))
        try:
            start = date.fromisoformat(row[2])
            end = date.fromisoformat(row[3]) if row[3] else None
        except ValueError:
            continue
        end = None if end and end > today else end
        if start <= today and (end is None or end >= start):
            kept.append((row[1], start, end, row[6]))
    return kept


def kaplan_meier(entry: np.ndarray, leave: np.ndarray, left: np.ndarray) -> np.ndarray:
    """Compute survival at the horizons; at risk are those with entry < t <= leave."""
    survival, found = 1.0, {}
    for day in np.unique(leave[left]):
        at_risk = ((entry < day) & (leave >= day)).sum()
        survival *= 1 - (left & (leave == day)).sum() / at_risk
        found[day] = survival
    days = np.array(sorted(found))
    return np.array([found[days[days <= horizon].max()] for horizon in HORIZONS])


def test_late_entry_and_merged_spells_find_the_true_survival(truth: dict[str, Any]) -> None:
    """Kaplan-Meier on the export, done right, is within a point of the truth."""
    periods = sorted(clean_periods(), key=lambda p: p[:2])
    first_end = min(end for _, _, end, _ in periods if end)
    spells: list[list[Any]] = []
    for customer, start, end, _ in periods:
        last = spells[-1] if spells else [None]
        if last[0] == customer and (start - last[2]).days <= 30:
            last[2] = end
        else:
            spells.append([customer, start, end])
    starts = np.array([s[1] for s in spells], dtype="datetime64[D]")
    left = np.array([s[2] is not None for s in spells])
    ends = np.array([s[2] or date(2025, 12, 31) for s in spells], dtype="datetime64[D]")
    entry = np.maximum((np.datetime64(first_end) - starts).astype(int), 0)
    survival = kaplan_meier(entry, (ends - starts).astype(int), left)
    assert truth["spells"]["n_spells"] == len(spells)
    assert np.abs(survival - truth["survival"]["survival"]).max() < 0.01


def test_naive_survival_is_clearly_wrong(truth: dict[str, Any]) -> None:
    """Each row a lifetime, each end a loss, nobody entering late: off by more than 3 points."""
    periods = clean_periods()
    starts = np.array([p[1] for p in periods], dtype="datetime64[D]")
    ends = np.array([p[2] or date(2025, 12, 31) for p in periods], dtype="datetime64[D]")
    left = np.array([p[2] is not None for p in periods])
    leave = (ends - starts).astype(int)
    survival = kaplan_meier(np.full(len(leave), -1), leave, left)
    assert np.abs(survival - truth["survival"]["survival"]).min() > 0.03


def test_true_survival_agrees_with_simulated_joiners(
    generator: ModuleType, truth: dict[str, Any]
) -> None:
    """The integral over the hazard equals the share of 500,000 simulated joiners still there."""
    rng, people = np.random.default_rng(1), generator.people_
    n = 500_000
    ratio = people.GAP_SPREAD * (
        np.log(0.6) * rng.normal(size=n)
        + np.log(0.5) * rng.normal(size=n) * (rng.random(n) < people.KIND_SHARES[2])
    ) + np.log(1.5) * (rng.random(n) < people.HOUSEHOLD_SHARES[3])
    cancelled = people.days_at_hazard(rng.exponential(size=n) / np.exp(ratio))
    failed = rng.exponential(people.MONTH / people.PAYMENT_FAILURE_HAZARD, n)
    days = np.minimum(cancelled, failed)
    share = [(days > horizon).mean() for horizon in HORIZONS]
    assert pytest.approx(truth["survival"]["survival"], abs=0.003) == share
    by_cause = {
        "cancelled": [((cancelled <= h) & (cancelled < failed)).mean() for h in HORIZONS],
        "payment_failure": [((failed <= h) & (failed < cancelled)).mean() for h in HORIZONS],
    }
    for cause, expected in truth["survival"]["cumulative_incidence"].items():
        assert pytest.approx(expected, abs=0.003) == by_cause[cause]


def test_planted_hazard_ratios_are_in_the_lifetimes(company: Any, truth: dict[str, Any]) -> None:
    """Cox with late entry on latent experience finds what matters and what does not."""
    from statsmodels.duration.hazard_regression import PHReg

    spells = company.spells.merge(company.people, on="customer_id")
    escalation = spells["kind"] == "escalation"
    covariates = pd.DataFrame(
        {
            "billing": spells["gap_billing"],
            "technician_visit": spells["gap_technician_visit"],
            "escalation": escalation,
            "phone_escalation": spells["gap_phone_support"] * escalation,
            "phone_other": spells["gap_phone_support"] * ~escalation,
            "shared": spells["household"] == "shared",
        }
    ).astype(float)
    last = np.minimum(spells["end_day"], 914)
    cancelled = (spells["end_day"] <= 914) & (spells["cause"] == "cancelled")
    entry = np.maximum(-spells["start_day"], 0)
    fit = PHReg(last - spells["start_day"], covariates, cancelled, entry=entry, ties="efron").fit()
    found = dict(zip(covariates, fit.params, strict=True))
    error = dict(zip(covariates, fit.bse, strict=True))
    planted = {
        "billing": truth["hazard"]["billing"],
        "technician_visit": truth["hazard"]["technician_visit"],
        "phone_escalation": truth["hazard"]["phone_support"]["escalation"],
        "phone_other": truth["hazard"]["phone_support"]["other"],
        "shared": truth["hazard"]["household[shared]"],
    }
    off = {name: abs(found[name] - np.log(ratio)) / error[name] for name, ratio in planted.items()}
    assert {name: round(z, 2) for name, z in off.items() if z > 2} == {}
    assert found["billing"] / error["billing"] < -10
    assert found["phone_escalation"] / error["phone_escalation"] < -10


def test_customers_enter_late_and_rows_end_without_leaving(truth: dict[str, Any]) -> None:
    """The share of late entries is as asked for; plan changes, pauses and returns are many."""
    spells = truth["spells"]
    assert pytest.approx(0.45, abs=0.03) == spells["late_entry_share"]
    codes = Counter(reason for *_, reason in clean_periods())
    assert spells["n_plan_changes"] == codes["SWP"]
    assert spells["n_pauses"] == codes["PAU"]
    assert spells["n_spells_ended"] == codes["CAN"] + codes["NPY"]
    assert spells["n_returns"] > 200


def test_journeys_are_apart_and_of_one_kind(company: Any, truth: dict[str, Any]) -> None:
    """Thirty days of silence separate journeys exactly as the truth file numbers them."""
    events = company.events.sort_values(["customer_id", "local_time", "event_id"])
    wait = events.groupby("customer_id")["local_time"].diff()
    number = (wait.isna() | (wait > pd.Timedelta("30D"))).groupby(events["customer_id"]).cumsum()
    assert number.tolist() == events["n"].tolist()
    assert (events.groupby(["customer_id", "n"])["kind"].nunique() == 1).all()
    told = pd.read_csv(SAMPLES / "truth_journeys.csv.gz", dtype=str, keep_default_na=False)
    assert truth["journeys"]["n_journeys"] == len(told)
    assert truth["journeys"]["kinds"] == told["kind"].value_counts().to_dict()
    counted = events.groupby("customer_id")["n"].max()
    assert told.groupby("customer_id")["n"].agg(lambda n: n.astype(int).max()).equals(counted)


def test_journeys_touch_every_stage_channel_and_department(
    generator: ModuleType, company: Any
) -> None:
    """All seven stages, six channels and home visits; journeys of 3 to 20 contacts."""
    rows = pd.DataFrame(generator.journeys.TOUCHPOINTS, index=["stage", "channel", "team", "cost"])
    assert set(rows) == set(company.events["touchpoint"])
    assert rows.loc["stage"].nunique() == 7
    assert {"web", "app", "social", "e-mail", "phone", "store", "home"} == set(
        company.events["channel"]
    )
    ended = company.events.groupby(["customer_id", "n"])["local_time"].agg(["size", "max"])
    ended = ended[ended["max"] < pd.Timestamp("2025-12-01")]["size"]  # later ones may be open
    assert (ended.min(), ended.max() <= 20) == (3, True)


def test_journey_kinds_can_be_found_from_the_touchpoints(company: Any) -> None:
    """Four clusters of touchpoint pairs agree with the planted kinds, yet not perfectly."""
    from sklearn.cluster import KMeans
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.metrics import adjusted_rand_score

    events = company.events.sort_values(["customer_id", "n", "local_time", "event_id"])
    again = events["touchpoint"] == events.groupby(["customer_id", "n"])["touchpoint"].shift()
    journeys = events[~again].groupby(["customer_id", "n"])
    features = TfidfVectorizer(ngram_range=(1, 2), token_pattern=r"\S+").fit_transform(
        journeys["touchpoint"].agg(" ".join)
    )
    labels = KMeans(4, n_init=3, random_state=0).fit_predict(features)
    score = adjusted_rand_score(journeys["kind"].first(), labels)
    assert 0.85 < score < 0.99


def test_the_change_of_month_20_is_in_the_journeys(truth: dict[str, Any]) -> None:
    """Nobody chats with sales or orders in the app before; many do after."""
    for population in ("all_journeys", "direct_journeys"):
        shares = truth["journey_change"][population]
        assert 0 == shares["before"]["live_chat_sales"] == shares["before"]["app_order"]
        assert shares["after"]["live_chat_sales"] > 0.3
        assert shares["before"]["online_order"] - shares["after"]["online_order"] > 0.4


def test_a_third_of_complaints_is_never_answered(company: Any, truth: dict[str, Any]) -> None:
    """The customer begins a complaint, the company its answer; 35 % get none."""
    events = company.events
    begun = events.groupby("touchpoint")["initiated_by"].unique().str[0]
    assert (begun["complaint"], begun["complaint_reply"]) == ("customer", "company")
    told = truth["complaints"]
    assert pytest.approx(0.35, abs=0.03) == told["n_unanswered"] / told["n_complaints"]


def survey(generator: ModuleType) -> pd.DataFrame:
    """Return the clean survey rows of the export as numbers, reversed items turned."""
    header = generator.exports.SURVEY
    rows = [row for row in rows_of("exports/survey_*") if len(row) == len(header)]
    answers = pd.DataFrame(rows, columns=header).drop_duplicates()
    good = answers["Resp"].str.fullmatch(r"(S[12]-\d{5}|E-\d{3})") & (answers["Panel"] != "T")
    answers = answers[good].drop_duplicates("Resp").set_index("Resp")
    ratings = answers.columns[5 : header.index("effort")]
    numbers = answers[ratings].apply(pd.to_numeric, errors="coerce")
    answers[ratings] = numbers.where(numbers.isin(range(11)) & ~(numbers == 99))
    for column in ratings[:-3]:
        answers[column] = answers[column].where(answers[column].between(1, 7))
        if column[2:] in generator.survey.REVERSED:
            answers[column] = 8 - answers[column]
    return answers


def test_gap_signs_are_in_the_answers(generator: ModuleType, truth: dict[str, Any]) -> None:
    """Every item's gap among respondents has the true sign and nearly the true size."""
    answers = survey(generator)
    answers = answers[answers["Panel"] == "C"]
    for name, told in truth["gaps"]["items"].items():
        gap = float((answers[f"P_{name}"] - answers[f"E_{name}"]).mean())
        assert np.sign(told["latent"]) == np.sign(gap)
        assert pytest.approx(told["on_scale"], abs=0.2) == gap  # respondents are happier
    touchpoints = {name: told["latent"] for name, told in truth["gaps"]["touchpoints"].items()}
    assert min(touchpoints, key=touchpoints.__getitem__) == "technician_visit"
    assert touchpoints["installation"] > 0.2


def test_respondents_are_happier_and_weights_repair_it(
    generator: ModuleType, company: Any, truth: dict[str, Any]
) -> None:
    """The raw score is too high; weighting by the health flag brings the true one back."""
    score = generator.survey.net_promoter_score
    answers = survey(generator).join(company.invited.set_index("respondent_id"), how="inner")
    for wave, told in truth["nonresponse"]["waves"].items():
        own = answers[answers["Wave"] == wave].dropna(subset="recommend")
        raw = score(own["recommend"])
        weighted = score(own["recommend"], 1 / own["response_probability"])
        assert told["nps_respondents_expected"] - told["nps_all_invited"] > 8
        assert pytest.approx(told["nps_respondents_expected"], abs=4) == raw
        assert pytest.approx(told["nps_all_invited"], abs=4) == weighted
        assert 0.35 < told["n_responses"] / told["n_invited"] < 0.45


def test_employees_overrate_four_items_and_are_right_elsewhere(
    generator: ModuleType, truth: dict[str, Any]
) -> None:
    """Beliefs are compared with what the respondents of the same wave say."""
    answers = survey(generator)
    answers = answers[answers["Wave"] == truth["employees"]["wave"]]
    customers, employees = (answers[answers["Panel"] == panel] for panel in "CE")
    assert (len(employees), employees["Team"].nunique()) == (160, 14)
    for name in truth["gaps"]["items"]:
        over = employees[f"B_{name}"].mean() - customers[f"P_{name}"].mean()
        if name in truth["employees"]["overrated"]:
            assert over > 0.8
        else:
            assert abs(over) < 0.2


def clean_rows(generator: ModuleType) -> pd.DataFrame:
    """Return the survey rows of the export that have an id of their own, as text."""
    header = generator.exports.SURVEY
    rows = [row for row in rows_of("exports/survey_*") if len(row) == len(header)]
    answers = pd.DataFrame(rows, columns=header)
    good = answers["Resp"].str.fullmatch(r"(S[12]-\d{5}|E-\d{3})") & (answers["Panel"] != "T")
    return answers[good].drop_duplicates("Resp").set_index("Resp")


def test_few_answer_faster_than_anyone_reads(generator: ModuleType, truth: dict[str, Any]) -> None:
    """As many as planted, straight-liners among them; the others take about nine minutes."""
    rows = clean_rows(generator)
    customers = rows[rows["Panel"] == "C"]
    seconds = customers["Seconds"].astype(int)
    told = truth["seconds"]
    fast = seconds < told["fast_below_seconds"]
    assert told["n_fast"] == fast.groupby(customers["Wave"]).sum().to_dict()
    assert pytest.approx(told["median_seconds"], abs=5) == seconds[~fast].median()
    rated = customers.filter(regex="^[EP]_").where(lambda cells: cells.isin(list("1234567")))
    straight = rated.nunique(axis=1) == 1
    assert told["n_straight"] == straight.groupby(customers["Wave"]).sum().to_dict()
    assert fast[straight].all()


def test_perceptions_lie_in_the_zone_as_planted(
    generator: ModuleType, truth: dict[str, Any]
) -> None:
    """Below the minimum, within, above what is desired; and no minimum above what is desired."""
    answers = survey(generator).query("Panel == 'C'")
    more = clean_rows(generator).loc[answers.index].filter(regex="^[LD]_")
    more = more.apply(pd.to_numeric).mask(lambda frame: frame == 99)
    for name in {column[2:] for column in more} & set(generator.survey.REVERSED):
        more[[f"L_{name}", f"D_{name}"]] = 8 - more[[f"L_{name}", f"D_{name}"]]
    for touchpoint, told in truth["tolerance"]["touchpoints"].items():
        items = generator.survey.ITEMS
        names = [name for name, item in items.items() if item.touchpoint == touchpoint]
        over = np.mean([(answers[f"P_{n}"] - more[f"L_{n}"]).mean() for n in names])
        under = np.mean([(answers[f"P_{n}"] - more[f"D_{n}"]).mean() for n in names])
        assert pytest.approx(told["adequacy"], abs=0.2) == over  # respondents are happier
        assert pytest.approx(told["superiority"], abs=0.2) == under
        assert all((more[f"L_{n}"] > more[f"D_{n}"]).sum() == 0 for n in names)
    verdicts = {told["verdict"] for told in truth["tolerance"]["touchpoints"].values()}
    assert len(verdicts) == 3


def test_stated_points_are_as_planted(generator: ModuleType, truth: dict[str, Any]) -> None:
    """Five numbers that make a hundred, but for one in a hundred customers."""
    points = clean_rows(generator).query("Panel == 'C'").filter(regex="^W_").astype(int)
    points = points[(points != 99).all(axis=1)]
    wrong = points.sum(axis=1) != 100
    assert 0 < wrong.mean() < 0.02
    assert pytest.approx(truth["stated_importance"]["points"], abs=1.5) == {
        column[2:]: mean for column, mean in points[~wrong].mean().items()
    }


def test_kano_pairs_have_their_categories(generator: ModuleType, truth: dict[str, Any]) -> None:
    """The planted category is the commonest; of the mixed feature two are equally common."""
    rows = clean_rows(generator).query("Panel == 'C'")
    category = {
        pair: generator.ratings.KANO[number]
        for number, name in enumerate(generator.ratings.KANO)
        for pair in generator.ratings.CODES[name]
    }
    for feature, told in truth["kano"]["features"].items():
        codes = rows[[f"KF_{feature}", f"KD_{feature}"]].astype(int).to_numpy()
        found = Counter(category[tuple(pair)] for pair in codes.tolist() if 99 not in pair)
        shares = {name: n / found.total() for name, n in found.items()}
        planted = dict(zip(truth["kano"]["order"], told["shares"], strict=True))
        assert pytest.approx(planted, abs=0.02) == shares
        first, second = (name for name, _ in found.most_common(2))
        if told["category"] == "undecided":
            assert abs(shares[first] - shares[second]) < 0.02
        else:
            assert first == told["category"]


def test_comments_say_what_was_planted(
    generator: ModuleType, company: Any, truth: dict[str, Any]
) -> None:
    """Themes are as common as expected, and leaving one out moves the score as expected."""
    told = truth["comments"]
    comments = company.comments.merge(
        company.census[["respondent_id", "recommend"]], on="respondent_id", validate="one_to_one"
    )
    score = generator.survey.net_promoter_score
    assert told["n_comments"] == len(comments) == len(pd.read_csv(SAMPLES / told["file"]))
    assert 700 <= len(comments) <= 1000
    everyone = score(comments["recommend"])
    assert pytest.approx(told["nps_of_commenters"], abs=5) == everyone
    for name, theme in told["themes"].items():
        own = comments["themes"].str.split().map(lambda names, name=name: name in names)
        assert theme["n"] == own.sum()
        assert pytest.approx(theme["share"], abs=0.03) == own.mean()
        effect = everyone - score(comments.loc[~own, "recommend"])
        assert pytest.approx(theme["nps_effect"], abs=1.5) == effect
    effects = {name: theme["nps_effect"] for name, theme in told["themes"].items()}
    assert min(effects, key=effects.__getitem__) == "bill_surprise"
    assert effects["bill_surprise"] < -4


def test_comments_hold_what_must_not_be_shown(company: Any, truth: dict[str, Any]) -> None:
    """Personal data of every kind, hostile texts, and a dozen in other languages."""
    texts = {row[4] for row in rows_of("exports/comments.csv") if len(row) == 5}
    comments = company.comments
    assert set(comments["text"]) <= texts
    held = comments.loc[~comments["holds"].isin(["", "hostile"]), "holds"].value_counts()
    assert truth["comments"]["personal"] == held.to_dict()
    assert {"<script>alert(1)</script>", "=cmd()"} <= texts
    assert max(map(len, texts)) > 4_000
    assert truth["comments"]["n_other_language"] == (comments["language"] != "en").sum()


def test_awkward_ids_and_hostile_texts_are_there(truth: dict[str, Any]) -> None:
    """An id 'NA', ids with leading zeros, a formula and a script, each as plain text."""
    rows = [row for row in rows_of("exports/accounts.csv", "cp1252", ";") if row]
    ids = [row[0] for row in rows]
    assert ids.count("NA") == 1
    assert sum(name.startswith("00") for name in ids) > 500
    cells = Counter(cell for row in rows for cell in row)
    assert [cells[text] for text in truth["hostile"]["customers"]] == [1, 1]
    contacts = Counter(row[1] for row in rows_of("exports/contacts_*") if len(row) > 1)
    assert contacts["NA"] > 0
