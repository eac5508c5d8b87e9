import pandas as pd

from tcga_coherent.report.headlines import headlines
from tcga_coherent.report.parts import Parts
from tcga_coherent.report.views import Headline, Section


def first_value(table, modalities):
    return [f"{modalities[table['target'][0]]}: {table['value'][0]}."]


SECTIONS = [
    Section("One", headlines=(Headline("first", first_value, ("target", "value")),)),
    Section("Two", headlines=(Headline("second", first_value, ("target", "value")),)),
]


def say(**tables):
    parts = Parts("demo", {name: lambda t=table: t for name, table in tables.items()}, {})
    return headlines(SECTIONS, parts, {"cna": "CNA"})


def table(target):
    return pd.DataFrame({"target": [target], "value": [0.75]})


def test_tables_are_summed_up_in_the_order_of_the_sections():
    assert say(second=table("cna"), first=table("cna").assign(value=0.5)) == [
        "CNA: 0.5.",
        "CNA: 0.75.",
    ]


def test_absent_tables_are_not_summed_up():
    assert say() == []


def test_a_table_of_another_version_is_named():
    assert say(second=pd.DataFrame({"target": ["cna"]})) == [
        "second.csv was made by another version: it has no column 'value'."
    ]


def test_an_error_in_a_sentence_is_told_and_costs_no_other():
    assert say(first=table("methylation"), second=table("cna")) == [
        "The summary of first could not be made: KeyError: 'methylation'.",
        "CNA: 0.75.",
    ]
