"""One tumour a patient: the same sample type in all modalities.

Where metastases are accepted (see :mod:`tcga_coherent.omics.patients.barcodes`) a patient may have copy numbers
of the primary tumour and expression of a metastasis: two tumours, not one. Of the sample types that a
patient has, that with the most modalities is taken in all of them, the primary tumour of two that
have as many.
"""

from collections.abc import Mapping

import pandas as pd

from tcga_coherent.omics.patients.barcodes import METASTASIS, PRIMARY, BarcodeRule, parse_barcodes


def choose_tumours(
    barcodes: Mapping[str, pd.Index], cancer_types: pd.Series, rule: BarcodeRule
) -> pd.Series:
    """Choose the sample type of the patients who have both a primary tumour and a metastasis.

    Parameters
    ----------
    barcodes
        Modality to its raw barcodes.
    cancer_types
        Cancer type of every patient, index patient.
    rule
        Which samples stand for their patients.

    Returns
    -------
    pandas.Series
        ``01`` or ``06``, index patient; patients with one of the two only are not in it.
    """
    found = []
    for index in barcodes.values():
        samples = parse_barcodes(index, rule.scheme)
        samples = samples.assign(sample_type=samples["sample_type"].replace("", PRIMARY))
        found.append(
            samples[samples["sample_type"].isin([PRIMARY, METASTASIS])].drop_duplicates(
                ["patient", "sample_type"]
            )
        )
    everything = pd.concat(found)
    of_type = everything["patient"].map(cancer_types).isin(rule.metastatic_types)
    concerned = everything[of_type]
    counts = pd.crosstab(concerned["patient"], concerned["sample_type"])
    counts = counts.reindex(columns=[PRIMARY, METASTASIS], fill_value=0)
    both = counts[(counts > 0).all(axis=1)]
    # idxmax takes the first of equals, the primary tumour.
    return both.idxmax(axis=1) if len(both) else pd.Series(dtype=object)


def other_tumours(barcodes: pd.Index, tumours: pd.Series, rule: BarcodeRule) -> pd.Index:
    """Return the barcodes of a patient's other tumour than that chosen.

    A patient's metastasis beside the primary tumour of the same modality is not among them where the
    primary tumour was chosen: :func:`~tcga_coherent.omics.patients.barcodes.assign_patients` drops it.

    Parameters
    ----------
    barcodes
        Raw barcodes of one modality.
    tumours
        As `choose_tumours` returns it.
    rule
        Which samples stand for their patients.
    """
    samples = parse_barcodes(barcodes, rule.scheme)
    sample_type = samples["sample_type"].replace("", PRIMARY)
    chosen = samples["patient"].map(tumours)
    with_primary = samples["patient"].isin(samples.loc[sample_type == PRIMARY, "patient"])
    differs = sample_type.isin([PRIMARY, METASTASIS]) & chosen.notna() & (sample_type != chosen)
    left_to_rule = (chosen == PRIMARY) & with_primary
    return barcodes[(differs & ~left_to_rule).to_numpy()]
