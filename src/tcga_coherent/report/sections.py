"""What the report shows, in the order of the paper's Results: read it top to bottom.

To show one more table or figure, add a view to the section it belongs to. A view whose dataset is not
there becomes a sentence with the command that makes it.
"""

from tcga_coherent.report.selections import (
    RANKS_SHOWN,
    all_targets,
    best_checkpoints,
    changes_of_single_draws,
    excerpt_of_ranking,
    from_all_sources,
    of_the_paper,
    over_all_types,
    over_patterns,
    quarters,
    single_modalities,
    whole_patients,
)
from tcga_coherent.report.views import FigureView, Section, TableView

MANIFOLD_COLUMNS = (
    *("set", "reading", "type_agreement", "type_agreement_by_chance", "type_agreement_umap"),
    *("precision", "recall", "f1", "energy_distance", "total_variance_ratio", "n_patients"),
)

SECTIONS = (
    Section(
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
    ),
    Section(
        "Fidelity",
        "Real and generated test patients in one projection, fitted on real patients only. Each "
        "modality of a generated patient is one draw from the three others.",
        (
            FigureView(
                "fig1_umap",
                "Three UMAP scatter plots side by side: real, multi-condition and coherent patients, "
                "by cancer type.",
                "Figure 1. UMAP of all modalities together. The nearer the clouds of generated "
                "patients to the real ones, the better.",
            ),
            TableView(
                "fig1_umap",
                "What the eye sees in Figure 1, in numbers. Agreement: share of the nearest real "
                "test patients, the patient itself left out, that are of a patient's cancer type. Precision and recall: share of "
                "generated patients among the real ones, and of real ones among the generated. "
                "[ ] is the bootstrap interval over test patients.",
                columns=MANIFOLD_COLUMNS,
                rows=whole_patients,
            ),
            FigureView(
                "s1_umap",
                "UMAP scatter plots of each modality alone, real and generated.",
                "Figure S1. UMAP of each modality alone.",
            ),
            TableView(
                "fig1_umap",
                "The same for each modality alone.",
                columns=("space", *MANIFOLD_COLUMNS),
                rows=single_modalities,
                key="s1_umap",
            ),
        ),
        "--pipeline evaluation --tags fidelity",
    ),
    Section(
        "Reconstruction",
        "Every modality of the test patients is generated from the others and compared with what "
        "was measured. R² is 1 − SSres/SStot over all entries of the test latents. R² of draws is "
        "that of one generated profile, as in the paper; R² of mean that of the mean of all draws, "
        "the point estimate.",
        (
            TableView(
                "table1_reconstruction",
                "Table 1. ± is the standard deviation over draws, [ ] the bootstrap interval over "
                "test patients. The paper's ± is over its 10 draws.",
                columns=(
                    "target",
                    "method",
                    "source",
                    "r2",
                    "variance_percent",
                    "r2_of_mean",
                    "crps",
                ),
                rows=of_the_paper,
            ),
            FigureView(
                "table1_reconstruction",
                "Dots of R² of the mean of draws with intervals, a panel a target, a row a set of "
                "sources, a marker a method; below, coverage of intervals.",
                "Table 1 as a figure, all sets of sources. Bars are bootstrap intervals over patients.",
            ),
            TableView(
                "table1_reconstruction",
                "Table 1, all methods from all sets of sources. Spread as above.",
                key="table1_reconstruction_all",
                columns=(
                    "target",
                    "method",
                    "source",
                    "r2",
                    "r2_of_mean",
                    "variance_percent",
                    "crps",
                    "energy_score",
                    "coverage_50",
                    "coverage_90",
                    "spread_skill",
                ),
            ),
            TableView(
                "s2_reconstruction_by_type",
                "Table S2. R² of the mean draw from all sources by cancer type. [ ] is the bootstrap "
                "interval over test patients of the type.",
                columns=("cancer_type", "method", "target", "r2_of_mean"),
                rows=from_all_sources,
                across=("target",),
                command="--pipeline evaluation --tags reconstruction",
            ),
            FigureView(
                "s2_reconstruction_by_type",
                "R² by cancer type, a panel a target.",
                "Figure S2. Reconstruction by cancer type.",
                command="--pipeline evaluation --tags reconstruction",
            ),
            FigureView(
                "s2_source_sets_by_type",
                "R² by cancer type and set of sources, a panel a target.",
                "Figure S2, by set of sources.",
                command="--pipeline evaluation --tags reconstruction",
            ),
            TableView(
                "decoded_reconstruction",
                "Reconstruction in the features themselves: genes, proteins, copy numbers, decoded "
                "from generated latents.",
                command="--pipeline evaluation --tags reconstruction",
            ),
            FigureView(
                "decoded_reconstruction",
                "Distribution over features of the correlation between decoded and measured values.",
                "Correlation of each feature's decoded with its measured values over test patients.",
                command="--pipeline evaluation --tags reconstruction",
            ),
            TableView(
                "decoded_features",
                "Features reconstructed best and worst. [ ] is the bootstrap interval over test "
                "patients; the best of many are best by luck too.",
                command="--pipeline evaluation --tags reconstruction",
            ),
            TableView(
                "calibration",
                "Calibration over all test patients: share of true values within central intervals of "
                "the draws. [ ] is the bootstrap interval over patients.",
                columns=("target", "method", "interval", "covered"),
                rows=over_all_types,
                across=("interval",),
            ),
            FigureView(
                "calibration",
                "Excess of coverage over the level of intervals, histogram of the rank of the truth "
                "among the draws, and error against predicted spread, a column a target.",
                "Calibration. Above: zero is honest. Middle: flat is honest. Below: on the dashed line "
                "the spread is as large as the error.",
            ),
            FigureView(
                "calibration_by_type",
                "Coverage of 50 and 90 % intervals, and spread over error, by cancer type and target.",
                "Calibration by cancer type.",
            ),
            TableView(
                "coherence_error",
                "Does disagreement of the ensemble tell error, and find modalities exchanged between "
                "patients? [ ] is the bootstrap interval over patients.",
            ),
            FigureView(
                "coherence_error",
                "Error against disagreement of the ensemble, and receiver operating curves of "
                "exchanged modalities.",
                "Coherence and error.",
            ),
        ),
        "--pipeline evaluation",
    ),
    Section(
        "Preserved signal",
        "Random forests are trained on real latents of one modality and tested on real and on "
        "generated ones of the test patients: what a classifier needs is still there where both do "
        "alike.",
        (
            FigureView(
                "fig2_signal",
                "Macro F1 of classifiers by modality and task, for real, multi-condition and coherent "
                "test patients.",
                "Figure 2 and S3. Classifiers of cancer type and stage.",
            ),
            TableView(
                "signal_claims",
                "What the paper says of preserved signal, and whether it holds here. ± is the standard "
                "deviation over repeats (seed of the forest and draw), [ ] the bootstrap interval over "
                "test patients, which decides.",
            ),
            TableView(
                "fig2_signal",
                "Figure 2 and S3 in numbers. Spreads as above.",
                columns=(
                    "task",
                    "modality",
                    "method",
                    "input",
                    "macro_f1",
                    "balanced_accuracy",
                    "macro_f1_difference_to_real",
                    "n_patients",
                ),
            ),
        ),
        "--pipeline evaluation --tags signal",
    ),
    Section(
        "Rescue of incomplete patients",
        "Models trained on complete patients meet test patients of whom modalities are removed. "
        "Ablation leaves the gap to the model; the completions fill it in.",
        (
            TableView(
                "table2_rescue",
                "Table 2. Macro F1 (stage) and C-index (survival): what removal costs against complete "
                "patients (ablation, below zero), and what completion by a single draw gains over "
                "that. ± is the standard deviation over repeats (seed of the forest and draw), [ ] the "
                "bootstrap interval over test patients.",
                columns=("task", "removed", "method", "change"),
                rows=changes_of_single_draws,
                across=("method",),
            ),
            FigureView(
                "fig3_rescue",
                "Score of each completion by pattern of removed modalities, for both tasks.",
                "Figure 3. Score by pattern of removed modalities.",
            ),
            FigureView(
                "s4_rescue",
                "Score of further completions by pattern of removed modalities.",
                "Figure S4. All completions.",
            ),
            TableView(
                "table2_rescue",
                "All completions. Multiple: the forest predicts on every draw, and predictions are "
                "pooled. Share recovered: gain in proportion to what ablation costs, where that is "
                "more than its spread. Spreads as above.",
                columns=(
                    "task",
                    "removed",
                    "method",
                    "pooling",
                    "score",
                    "gain_over_ablation",
                    "share_of_drop_recovered",
                    "n_patients",
                ),
                key="table2_rescue_all",
            ),
            TableView(
                "rescue_verdict",
                "Is one way better than another? Yes: by more than its spread over repeats, and by the "
                "whole bootstrap interval over patients; no: not above zero. Measured data (real) are "
                "held against ablation and against the cancer type alone. Spreads as above.",
                columns=(
                    "task",
                    "removed",
                    "method",
                    "pooling",
                    "against",
                    "difference",
                    "verdict",
                ),
            ),
            TableView(
                "s4_rescue",
                "Table S4. All scores, as the mean over patterns. Differences are signed so that more "
                "is better. Spreads as above.",
                columns=(
                    *("task", "metric", "method", "pooling", "score"),
                    *("drop_from_full", "gain_over_ablation", "n_patients"),
                ),
                rows=over_patterns,
            ),
        ),
        "--pipeline evaluation --tags rescue",
    ),
    Section(
        "Whom to measure next",
        "For a modality that nobody has yet, counterfactual completions say how much a model's "
        "prediction of each patient would depend on it. Patients are measured in the order of that "
        "score, at random, or in the order that would help most (oracle).",
        (
            FigureView(
                "fig4_counterfactual",
                "Score of the model against the share of patients measured, informed and random order.",
                "Figure 4. Acquisition curves of the stage classifier.",
            ),
            FigureView(
                "s5_counterfactual",
                "C-index against the share of patients measured, informed and random order.",
                "Figure S5. Acquisition curves of the survival forest.",
            ),
            TableView(
                "counterfactual_area",
                "Mean difference between the curve of each order and that of random order (area), and "
                "what measuring everybody gains over measuring nobody. Unacquired: what a model sees of "
                "patients who are not measured. ± is the standard deviation over repeats, [ ] the "
                "bootstrap interval over test patients.",
                columns=(
                    *("task", "modality", "unacquired", "strategy", "area", "above_random"),
                    *("share_of_oracle", "gain", "n_patients"),
                ),
            ),
            TableView(
                "fig4_counterfactual",
                "Figures 4 and S5 in numbers, at quarters of the patients. Spreads as above.",
                columns=("task", "modality", "unacquired", "strategy", "measured", "score"),
                rows=quarters,
                across=("measured",),
            ),
            TableView(
                "counterfactual_ranking_report",
                f"The first {RANKS_SHOWN} ranks of the table for a clinic; the file has all, with the "
                "names of the patients, which a report that is passed on must not show.",
                rows=excerpt_of_ranking,
            ),
        ),
        "--pipeline evaluation --tags counterfactual",
    ),
    Section(
        "Statistics",
        "Repeats of one split tell how much chance in the models matters, not how much another "
        "sample of patients would: tests over repeats and intervals over patients stand apart.",
        (
            TableView(
                "s6_statistics",
                "Table S6. Over repeats: repeated-measures ANOVA and paired t tests, corrected for "
                "the number of tests of their kind in the study (means of patterns apart) by Holm's and "
                "Bonferroni's rules. Over patients: the paired difference with its bootstrap "
                "interval [ ]. ± is the standard deviation over repeats.",
                columns=(
                    *("study", "condition", "metric", "unit", "test", "treatment", "reference"),
                    *("difference", "statistic", "p", "p_holm", "p_bonferroni", "n_tests"),
                ),
            ),
        ),
        "--pipeline evaluation --tags statistics",
    ),
    Section(
        "Ensemble studies",
        "What the results owe to choices of the method.",
        (
            TableView("s7_hyperparameters", "Table S7. Hyperparameters searched and chosen."),
            TableView(
                "s8_weights",
                "Table S8. Weights of the ensemble, and gain over the paper's, the inverse of the MSE. "
                "± is the standard deviation over repeats, [ ] the bootstrap interval over test "
                "patients.",
                columns=("target", "weights", "r2_of_mean", "crps", "r2_of_mean_gain", "crps_gain"),
            ),
            FigureView(
                "s8_weights", "Scores by kind of weights.", "Figure S8. Weights of the ensemble."
            ),
            TableView(
                "s9_rejection",
                "Table S9. Threshold of rejection, changed by up to 30 %. Spreads as above.",
                columns=(
                    "settings",
                    "target",
                    "threshold_change",
                    "rejected_share",
                    "mean_attempts",
                    "r2_of_mean",
                    "crps",
                ),
            ),
            FigureView(
                "s9_rejection",
                "Scores and rejected share by threshold.",
                "Figure S9. Threshold of rejection.",
            ),
            TableView("s10_latent_size", "Table S10. Size of the latents. Spreads as above."),
            FigureView(
                "s10_latent_size", "Scores by size of latents.", "Figure S10. Size of the latents."
            ),
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
        "--pipeline ensemble_studies",
    ),
    Section(
        "Privacy",
        "What the models give away. Table 3 asks, as the paper does, whether profiles generated without "
        "any patient look like patients; the rows of a Gaussian, of held-out patients and of copies say "
        "what its numbers mean. Whether they betray training patients is asked by the attacks.",
        (
            TableView(
                "table3_privacy",
                "Table 3. F1 of covering the manifold of training patients (high is bad) and energy "
                "distance to them (low is bad). ± is the standard deviation over runs.",
            ),
            FigureView(
                "fig5_unconditional",
                "PCA and UMAP projections of training patients and of profiles generated without a "
                "condition, a column a method.",
                "Figure 5. Profiles generated without a condition, among training patients.",
            ),
            TableView(
                "privacy_attacks",
                "Attacks beyond the paper, all modalities together: what someone who holds generated "
                "profiles, or the models, learns of training patients. [ ] is the bootstrap interval over "
                "patients; null is what nothing remembered gives.",
                columns=(
                    *("attack", "method", "setting", "group", "statistic"),
                    *("value", "null", "beyond_null", "tpr_at_1_fpr"),
                ),
                rows=all_targets,
            ),
            FigureView(
                "privacy_attacks",
                "Strength of each attack with its interval, by method.",
                "Attacks on training patients.",
            ),
            TableView(
                "privacy_utility",
                "Risk beside use, for each method.",
            ),
            FigureView(
                "privacy_utility",
                "Risk of each method against how well it reconstructs.",
                "Risk against use.",
            ),
            TableView(
                "screening",
                "Records closer to a training patient than the threshold below which the nominal rate of "
                "validation patients lie. Distances are those of latents; means of draws are held to the "
                "ratio of the closest two distances. [ ] is the binomial interval over patients, and of "
                "the nominal rate what so few validation patients leave open.",
                columns=(
                    *("modality", "records", "method", "kind", "against", "threshold"),
                    *("n_records", "n_flagged", "flagged", "nominal", "beyond_nominal"),
                    *("closest_is_own", "n_patients"),
                ),
                digits=4,
            ),
            FigureView(
                "screening",
                "Cumulative share of generated records and of held-out patients by their distance to the "
                "closest training patient, with the threshold, a panel a modality.",
                "Distance to the closest training patient. Left of the threshold records are flagged.",
            ),
        ),
        "--pipeline privacy",
    ),
)
