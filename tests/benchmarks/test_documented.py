from pathlib import Path

import pandas as pd
import pytest

import documented

NAMES = {"cna": "CNA", "rnaseq": "RNA-Seq"}
SOURCES = {**NAMES, "wsi": "WSI"}
METHODS = ("coherent", "multi", "ridge_features", "ridge", "knn", "mean")


def row(target: str, method: str, source: str, r2: float, crps: float) -> dict[str, object]:
    return {
        **{"target": target, "method": method, "source": source, "r2_of_mean": r2, "crps": crps},
        **{"r2_of_mean_low": r2 - 0.1, "r2_of_mean_high": r2 + 0.1},
        **{"coverage_50": 0.52, "coverage_90": 0.88 if method == "multi" else 0.91},
    }


@pytest.fixture
def tables() -> dict[str, pd.DataFrame]:
    """Coherent wins three of four rows by R2, and all by CRPS."""
    rows = []
    for target, source in (("cna", "rnaseq"), ("rnaseq", "cna")):
        for sources in (source, f"{source}+wsi"):
            lost = sources == "cna"
            for number, method in enumerate(METHODS):
                r2 = 0.5 - 0.1 * number + (0.25 if lost and method == "ridge_features" else 0)
                rows.append(row(target, method, sources, r2, 0.3 + 0.01 * number))
        rows.append(row(target, "single", source, 0.3, 0.4))
    spread = pd.DataFrame(
        [
            *({"target": t, "method": m, "measure": "spread_error", "every_type": True, "value": v}
              for t, m, v in (("cna", "coherent", 0.6), ("rnaseq", "coherent", -0.05), ("cna", "multi", 0.9))),
            {"target": "cna", "method": "coherent", "measure": "spread_error", "every_type": False, "value": 0.7},
        ]
    )  # fmt: skip
    decoded = pd.DataFrame(
        [
            {"target": t, "method": m, "unit": unit, "correlation_median": v, "coverage_50": c, "coverage_90": 0.9}
            for t in NAMES
            for m, v, c in (("ceiling", 0.9, None), ("coherent", 0.7, 0.55))
            for unit in ("standardised", "input")
        ]
    )  # fmt: skip
    return {
        "table1_reconstruction": pd.DataFrame(rows),
        "calibration": spread,
        "decoded_reconstruction": decoded,
    }


def test_the_best_of_each_target_is_marked_and_wins_are_counted(tables) -> None:
    text = documented.reconstruction(tables, NAMES)
    assert "| CNA | **.500** / **.300** | .300 | .400 / .310 | .300 / .320 |" in text
    assert "Over all 4 pairs of target and set of sources" in text
    assert (
        "the best R2 of all methods in 3; the farthest it stays behind is .050 (rnaseq from cna)"
        in text
    )
    assert text.endswith("By CRPS it is the best in 4.")


def test_every_source_set_stands_beside_the_strongest_other_method(tables) -> None:
    lines = documented.source_sets(tables, SOURCES).splitlines()
    assert len(lines) == 2 + 4
    assert "| RNA-Seq | CNA | .500 [.400, .600] / .300 | .550 / .320 | Ridge on features |" in lines


def test_coverage_and_spread_are_those_of_generators(tables) -> None:
    text = documented.calibration(tables, NAMES)
    assert "50 % intervals cover 52 to 52 % and 90 % intervals cover 88 to 91 %" in text
    assert text.endswith("coherent from all sources: CNA .600, RNA-Seq -.050.")


def test_features_are_told_in_standardised_units(tables) -> None:
    text = documented.decoded(tables, NAMES)
    assert "| ceiling | .900 | .900 |" in text
    assert "50 % intervals of decoded features cover 55 to 55 %." in text


def test_a_page_is_rewritten_between_its_marks_alone(tables) -> None:
    page = "before\n<!-- numbers: calibration -->\nold\n<!-- end of numbers -->\nafter\n"
    written = documented.rewrite(page, tables, NAMES)
    assert written.startswith("before\n<!-- numbers: calibration -->\nOf generated draws")
    assert written.endswith("\n<!-- end of numbers -->\nafter\n")
    assert documented.rewrite(written, tables, NAMES) == written


def test_every_block_of_the_pages_is_known_and_every_one_is_used(repo_root: Path) -> None:
    used = [
        match[2]
        for page in documented.PAGES
        for match in documented.BLOCK.finditer((repo_root / page).read_text(encoding="utf-8"))
    ]
    assert sorted(used) == sorted(documented.BLOCKS)


def test_sets_of_patients_stand_beside_other_real_ones() -> None:
    rows = [
        {"space": space, "set": who, "reading": reading, "precision": 0.6, "recall": 0.7, "energy_distance": e}
        for space in ("all", "cna")
        for who, reading, e in (("real", "measured", 0.0), ("train", "measured", 0.031), ("coherent", "draw", 0.014), ("coherent", "mean", 0.5))
    ]  # fmt: skip
    text = documented.fidelity({"fig1_umap": pd.DataFrame(rows)}, NAMES)
    assert "| all, side by side | other real patients | .600 | .700 | .031 |" in text
    assert "| CNA | coherent | .600 | .700 | .014 |" in text
    assert ".500" not in text


def test_completions_are_shown_as_means_of_patterns_by_pooling() -> None:
    def scored(method: str, removed: str, pooling: str, value: float) -> list[dict]:
        common = {"method": method, "removed": removed, "pooling": pooling}
        headlines = (("stage", "macro_f1", value), ("survival", "c_index", value + 0.4))
        other = {**common, "task": "stage", "metric": "balanced_accuracy", "score_mean": 0.999}
        return [other] + [
            {**common, "task": task, "metric": metric, "score_mean": score}
            for task, metric, score in headlines
        ]

    mean = "mean of patterns"
    rows = [
        *scored("real", "none", "point", 0.346),
        *scored("cancer_type", "all", "point", 0.379),
        *scored("ablation", mean, "point", 0.241),
        *scored("ablation", "cna", "point", 0.111),
        *scored("coherent", mean, "draw", 0.297),
        *scored("coherent", mean, "mean_of_draws", 0.319),
    ]
    text = documented.rescue({"table2_rescue": pd.DataFrame(rows)}, NAMES)
    assert "| full data | .346 | .746 |" in text
    assert "| cancer type alone | .379 | .779 |" in text
    assert "| Ablation | .241 | .641 |" in text
    assert "| Coherent Denoising: draw / mean of draws | .297 / .319 | .697 / .719 |" in text
    assert ".111" not in text
    assert ".999" not in text


def test_both_scores_stand_beside_chance_for_every_modality() -> None:
    rows = [
        {"task": "stage", "strategy": strategy, "unacquired": "missing", "modality": name, "area_mean": area,
         "area_low": area - 0.01, "area_high": area + 0.01, "above_random": "yes" if area > 0.01 else "undecided"}
        for strategy, area in (("coherent", 0.002), ("coherent_expected_change", 0.031), ("entropy", 0.5))
        for name in NAMES
    ]  # fmt: skip
    text = documented.whom_to_measure({"counterfactual_area": pd.DataFrame(rows)}, NAMES)
    assert "| stage, variance | missing | .002 [-.008, .012] undecided |" in text
    assert "| stage, expected change | missing | .031 [.021, .041] yes |" in text
    assert ".500" not in text
