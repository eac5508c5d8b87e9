import base64

import pandas as pd

from tcga_coherent.report.parts import Image, Parts


def test_what_was_just_made_takes_the_place_of_a_file_of_its_name():
    folder = Parts(
        "demo",
        {"a": lambda: pd.DataFrame({"x": [1]}), "b": lambda: pd.DataFrame({"x": [2]})},
        {"a": lambda: Image("image/png", b"old")},
    )
    parts = folder.with_made(
        {
            "a_table": pd.DataFrame({"x": [3]}),
            "ranking_report_table": pd.DataFrame({"x": [4]}),
            "a_figure": "<svg>²</svg>",
        }
    )
    assert {name: load()["x"][0] for name, load in parts.tables.items()} == {
        "a": 3,
        "b": 2,
        "ranking_report": 4,
    }
    assert parts.figures["a"]() == Image("image/svg+xml", "<svg>²</svg>".encode())
    assert folder.figures["a"]().content == b"old"


def test_a_figure_becomes_an_address_that_needs_no_file():
    head, content = Image("image/svg+xml", "<svg>²</svg>".encode()).data_uri.split(",")
    assert head == "data:image/svg+xml;base64"
    assert base64.b64decode(content).decode() == "<svg>²</svg>"
