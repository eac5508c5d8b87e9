"""Headers of the report's tables; a column that is not here has its own name for a header."""

import re

# Small ones tell by their power of ten.
P_VALUE = re.compile(r"p$|p_")

# Quantities that the usual digits would show as more exact than they are, or as nothing.
DIGITS = {"imputed_share": 4, "variance_percent": 1}

COLUMN_LABELS = {
    "auc": "AUC",
    "balanced_accuracy": "balanced accuracy",
    "c_index": "C-index",
    "cancer_type": "cancer type",
    "cindex": "C-index",
    "cna": "CNA",
    "cosine_distance_mean": "cosine distance",
    "coverage_50": "covered by 50 %",
    "coverage_90": "covered by 90 %",
    "crps": "CRPS",
    "energy_distance": "energy distance",
    "energy_score": "energy score",
    "f1": "F1",
    "ipcw": "C-index (IPCW)",
    "macro_f1": "macro F1",
    "mse": "MSE",
    "n_draws": "draws",
    "n_patients": "patients",
    "r2": "R² of draws",
    "r2_of_mean": "R² of mean",
    "rnaseq": "RNA-Seq",
    "rppa": "RPPA",
    "source": "sources",
    "spread_skill": "spread / error",
    "type_agreement": "kNN agreement on cancer type",
    "type_agreement_by_chance": "agreement by chance",
    "type_agreement_umap": "kNN agreement, in UMAP",
    "total_variance_ratio": "variance / real variance",
    "variance_percent": "variance, % of data's",
    "wsi": "WSI",
}
