"""The modelling table: what is refused, what is filled in, how groups are named."""

from __future__ import annotations

import pandas as pd
import pytest

from cxlib import churn
from cxlib.churn.lifetimes import label_groups
from cxlib.errors import InputError, TooLittleData


def table(**columns: list) -> pd.DataFrame:
    """Two lifetimes, with columns replaced."""
    return pd.DataFrame(
        {"customer_id": ["NA", "007"], "duration_days": [10, 5], "churned": [True, False]} | columns
    )


def test_entry_days_default_to_zero_and_the_input_stays_as_it_was() -> None:
    """A missing or empty entry means from the start; the caller's table is not touched."""
    given = table(entry_days=[None, 3])
    checked = churn.check_lifetimes(given)

    assert checked["entry_days"].tolist() == [0.0, 3.0]
    assert given["entry_days"].isna().iloc[0]
    assert churn.check_lifetimes(table())["entry_days"].tolist() == [0.0, 0.0]


def test_a_lifetime_of_no_days_is_allowed() -> None:
    """A customer seen on the first day only stays in the table."""
    assert len(churn.check_lifetimes(table(duration_days=[10, 0]))) == 2


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"duration_days": [10, -1]}, "1 lifetimes have a negative duration_days."),
        ({"duration_days": [10, None]}, "1 lifetimes have no duration_days."),
        ({"entry_days": [-2, 0]}, "1 lifetimes have a negative entry_days."),
        ({"entry_days": [10, 0]}, "1 lifetimes enter observation at or after their end."),
        ({"churned": [True, None]}, "1 lifetimes have no yes or no in churned."),
    ],
)
def test_impossible_lifetimes_are_refused_by_name(columns: dict, message: str) -> None:
    """The message counts the rows and names customers."""
    with pytest.raises(InputError) as caught:
        churn.check_lifetimes(table(**columns))

    assert message in str(caught.value)
    assert "customer_id 'NA'" in str(caught.value) or "customer_id '007'" in str(caught.value)


def test_several_faults_come_as_several_blocks() -> None:
    """Nobody has to run twice to see the second fault."""
    with pytest.raises(InputError, match=r"(?s)negative duration_days.*negative entry_days"):
        churn.check_lifetimes(table(duration_days=[10, -1], entry_days=[-1, 0]))


def test_a_missing_column_is_named_with_the_closest_one() -> None:
    """A renamed column gets a hint."""
    with pytest.raises(InputError, match="did you mean 'duration_day'"):
        churn.check_lifetimes(table().rename(columns={"duration_days": "duration_day"}))


def test_all_censored_is_too_little_data() -> None:
    """Nobody left, so there is nothing to say; that is a result, not an error of input."""
    with pytest.raises(TooLittleData, match="None of the 2 lifetimes ended"):
        churn.check_lifetimes(table(churned=[False, False]))


def test_attributes_come_from_customers_unless_the_lifetimes_have_them() -> None:
    """The lifetimes' own column wins; customers who are not there get no value."""
    customers = pd.DataFrame({"customer_id": ["007"], "plan": ["x"], "region": ["north"]})
    added = churn.add_attributes(
        table(plan=["a", "b"]), customers=customers, names=["plan", "region", "", "region"]
    )

    assert added["plan"].tolist() == ["a", "b"]
    assert added["region"].astype(object).where(added["region"].notna(), None).tolist() == [
        None,
        "north",
    ]


def test_an_unknown_attribute_is_refused() -> None:
    """The message suggests the closest attribute."""
    customers = pd.DataFrame({"customer_id": ["007"], "region": ["north"]})
    with pytest.raises(InputError, match="did you mean 'region'"):
        churn.add_attributes(table(), customers=customers, names=["regoin"])


def test_a_customer_listed_twice_is_refused() -> None:
    """A join must not multiply lifetimes."""
    customers = pd.DataFrame({"customer_id": ["007", "007"], "region": ["north", "south"]})
    with pytest.raises(InputError, match="Customer '007' stands there twice"):
        churn.add_attributes(table(), customers=customers, names=["region"])


def test_group_labels_print_as_the_source_wrote_them() -> None:
    """Whole numbers have no decimals even where a missing value made the column float."""
    labels = label_groups(pd.DataFrame({"sex": [2.0, None, 10.0, 1.0]}), by="sex")

    assert labels.cat.categories.tolist() == ["1", "2", "10"]
    assert labels.astype(object).where(labels.notna(), None).tolist() == ["2", None, "10", "1"]


def test_an_empty_text_is_no_group() -> None:
    """Readers write a missing text as an empty one."""
    assert label_groups(pd.DataFrame({"plan": ["x", ""]}), by="plan").isna().sum() == 1


@pytest.mark.parametrize(
    ("by", "message"), [("paln", "did you mean 'plan'"), ("kind", "A group is called 'all'")]
)
def test_unusable_groups_are_refused(by: str, message: str) -> None:
    """An unknown column and a group that would pass for the total are refused."""
    with pytest.raises(InputError, match=message):
        label_groups(pd.DataFrame({"plan": ["x"], "kind": ["all"]}), by=by)


def test_attributes_of_few_values_are_suggested() -> None:
    """The plan and what customers are; no dates, no ids, nothing with one value or too many."""
    lifetimes = pd.DataFrame(
        {
            "customer_id": ["a", "b", "c"],
            "duration_days": [1, 2, 3],
            "churned": [True, False, True],
            "spell": [1, 2, 1],
            "plan": ["S", "M", "S"],
            "late_flag": ["x", "y", "x"],
        }
    )
    customers = pd.DataFrame(
        {
            "customer_id": ["a", "b", "c"],
            "segment": ["1", "2", "1"],
            "region": ["north", "south", None],
            "country": ["IE", "IE", "IE"],
            "age": ["30", "40", "50"],
        }
    )
    assert churn.suggest_covariates(lifetimes, customers=customers, most_levels=2, min_cell=1) == [
        "plan",
        "region",
    ]
    assert churn.suggest_covariates(lifetimes, min_cell=1) == ["plan", "late_flag"]
    assert churn.suggest_covariates(lifetimes) == []


@pytest.mark.parametrize("name", ["churned", "duration_days", "spell", "end_reason"])
def test_columns_that_tell_of_the_end_are_no_groups(name: str) -> None:
    """An attribute of that name would be the outcome itself."""
    lifetimes = pd.DataFrame({"customer_id": ["a"], "duration_days": [1], "churned": [True]})
    customers = pd.DataFrame({"customer_id": ["a"], name: ["p"]})
    with pytest.raises(InputError, match=f"'{name}' tells of the lifetime itself"):
        churn.add_attributes(lifetimes, customers=customers, names=[name])


def test_a_status_is_not_suggested_and_a_level_called_all_is_no_obstacle() -> None:
    """A value that tells for certain who left explains nothing; 'all' only clashes with groups."""
    n = 60
    lifetimes = pd.DataFrame(
        {
            "customer_id": [str(i) for i in range(n)],
            "duration_days": [float(5 + i % 17) for i in range(n)],
            "churned": [i % 2 == 0 for i in range(n)],
        }
    )
    customers = pd.DataFrame(
        {
            "customer_id": lifetimes["customer_id"],
            "status": ["closed" if i % 2 == 0 else "open" for i in range(n)],
            "scope": ["all" if i % 3 == 0 else "some" for i in range(n)],
            "rare": ["odd" if i < 3 else "even" for i in range(n)],
        }
    )
    assert churn.suggest_covariates(lifetimes, customers=customers) == ["scope"]
    table = churn.add_attributes(lifetimes, customers=customers, names=["scope"])
    terms = churn.fit_hazard(table, covariates=["scope"]).table["term"].tolist()
    assert terms == ["scope[all]"]
    with pytest.raises(InputError, match="A group is called 'all'"):
        churn.select_groups(table, by="scope")
