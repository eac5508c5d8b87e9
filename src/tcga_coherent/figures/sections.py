"""What the report shows of the cohort and of the training of the models."""

import pandas as pd

from tcga_coherent.report.views import FigureView, Section, TableView


def best_checkpoints(table: pd.DataFrame) -> pd.DataFrame:
    """Return the step of each model that was kept."""
    return table[table["best"]].drop_duplicates("model", keep="last")


COHORT = Section(
    "Data",
    "Patients of each cancer type, by the modalities they have. Test and validation patients "
    "have all modalities.",
    (
        TableView(
            "table4_cohort",
            "Table 4. Patients by cancer type and modality; complete: with all modalities.",
        ),
        FigureView(
            "table4_cohort",
            "Bars of the number of patients by cancer type and modality.",
            "Patients by cancer type and modality.",
        ),
        TableView(
            "split",
            "Patients of each cancer type in training, validation and test, and how many the "
            "shares of the split would have wanted.",
            command="--pipeline preprocessing",
        ),
        TableView(
            "quality_control",
            "Patients and features that each step of preprocessing removed, and values imputed.",
            command="--pipeline preprocessing",
        ),
        FigureView(
            "quality_control",
            "Bars of the patients and features left after each step of preprocessing.",
            "Patients and features left after each step of preprocessing.",
            command="--pipeline preprocessing",
        ),
        TableView(
            "embedding",
            "Encoders: R² of values decoded from latents, against PCA of the same size.",
            columns=(
                *("modality", "encoder", "features", "latent_size", "rows_train"),
                *("r2_train", "r2_val", "r2_test", "pca_r2_test"),
            ),
            command="--pipeline embedding",
        ),
    ),
    "--pipeline ingestion",
)


HYPERPARAMETERS = Section(
    "Ensemble studies",
    "What the results owe to choices of the method.",
    (TableView("s7_hyperparameters", "Table S7. Hyperparameters searched and chosen."),),
    "--pipeline ensemble_studies",
)


TRAINING = Section(
    views=(
        FigureView(
            "consensus_weights",
            "Weight of each source by noise level, a panel a target.",
            "Weights of the ensemble's members at each noise level.",
            command="--pipeline diffusion_training",
        ),
        FigureView(
            "tuning",
            "Validation score of the trials of the hyperparameter search.",
            "Search for hyperparameters.",
            command="--pipeline tuning",
        ),
        TableView(
            "single.training_history",
            "Single-condition models: the checkpoint kept.",
            rows=best_checkpoints,
            command="--pipeline diffusion_training",
        ),
        TableView(
            "multi.training_history",
            "Multi-condition models: the checkpoint kept.",
            rows=best_checkpoints,
            command="--pipeline diffusion_training",
        ),
        FigureView(
            "training_curves",
            "Training loss and validation score by step, a panel a target.",
            "Training of the denoisers.",
            command="--pipeline diffusion_training",
        ),
    ),
    command="--pipeline diffusion_training",
)
