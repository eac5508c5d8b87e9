"""AJCC stage, I to IV."""

from tcga_coherent.downstream.classification import ClassificationTask

TASK = ClassificationTask(
    "stage", "stage", "Tumour stage", curve_label="Macro F1 of the stage", reported="stage_f1"
)
