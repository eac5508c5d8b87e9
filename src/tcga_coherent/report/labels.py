"""Headers of the report's tables; a column that is not here has its own name for a header."""

import re

# Small ones tell by their power of ten.
P_VALUE = re.compile(r"p$|p_")

# Quantities that the usual digits would show as more exact than they are, or as nothing.
DIGITS = {"imputed_share": 4, "variance_percent": 1}

COLUMN_LABELS = {
    "auc": "AUC",
    "c_index": "C-index",
    "cindex": "C-index",
    "cna": "CNA",
    "cosine_distance_mean": "cosine distance",
    "coverage_50": "covered by 50 %",
    "coverage_90": "covered by 90 %",
    "covered": "share covered",
    "crps": "CRPS",
    "crps_gain": "CRPS, change",
    "f1": "F1",
    "ipcw": "C-index (IPCW)",
    "macro_f1": "macro F1",
    "macro_f1_difference_to_real": "macro F1 − real",
    "mse": "MSE",
    "n_draws": "draws",
    "n_layers": "layers",
    "n_patients": "patients",
    "pca_r2_test": "R² of PCA, test",
    "pca_r2_train": "R² of PCA, training",
    "pca_r2_val": "R² of PCA, validation",
    "r2": "R² of draws",
    "r2_beyond_type": "R² beyond type's mean",
    "r2_of_mean": "R² of mean",
    "r2_of_mean_gain": "R² of mean, gain",
    "r2_test": "R², test",
    "r2_train": "R², training",
    "r2_val": "R², validation",
    "rnaseq": "RNA-Seq",
    "rows_test": "patients, test",
    "rows_train": "patients, training",
    "rows_val": "patients, validation",
    "rppa": "RPPA",
    "source": "sources",
    "spread_skill": "spread / error",
    "threshold_change": "threshold, change",
    "total_variance_ratio": "variance / real variance",
    "type_agreement": "kNN agreement on cancer type",
    "type_agreement_by_chance": "agreement by chance",
    "type_agreement_umap": "kNN agreement, in UMAP",
    "variance_percent": "variance, % of data's",
    "wsi": "WSI",
}
