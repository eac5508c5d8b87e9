"""The report's tables for LaTeX documents that load booktabs."""

from tcga_coherent.report.display import Display

# In text mode of any engine and encoding; the backslash comes first.
ESCAPES = str.maketrans(
    {
        "\\": r"\textbackslash{}",
        "&": r"\&",
        "%": r"\%",
        "$": r"\$",
        "#": r"\#",
        "_": r"\_",
        "{": r"\{",
        "}": r"\}",
        "~": r"\textasciitilde{}",
        "^": r"\textasciicircum{}",
        "<": r"\textless{}",
        ">": r"\textgreater{}",
        "−": "$-$",
        "±": r"$\pm$",
        "–": "--",
        "²": "$^2$",
        "×": r"$\times$",
        "≥": r"$\ge$",
        "≤": r"$\le$",
        "…": r"\dots{}",
        "Δ": r"$\Delta$",
    }
)


def escape(text: str) -> str:
    """Write `text` so that LaTeX shows it as it is."""
    return text.translate(ESCAPES)


def to_latex(shown: Display) -> str:
    """Return a table environment with caption and label.

    Parameters
    ----------
    shown
        Table as the report shows it. One whose every row was skipped has no column to show, and becomes
        a comment.
    """
    if not shown.cells.shape[1]:
        return f"% {shown.name} holds no numbers: the report says why.\n"
    cells = shown.cells.map(escape)
    cells.columns = cells.columns.map(lambda column: tuple(escape(name) for name in column))
    cells.columns.names = ["group", "header"]
    if not any(cells.columns.get_level_values("group")):
        cells.columns = cells.columns.get_level_values("header")
    cells.columns.names = [None] * cells.columns.nlevels
    return str(
        cells.style.hide(axis="index").to_latex(
            hrules=True,
            column_format="".join("r" if number else "l" for number in shown.numeric),
            multicol_align="c",
            caption=escape(shown.caption),
            label=f"tab:{shown.key}",
            position_float="centering",
        )
    )
