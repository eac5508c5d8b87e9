import numpy as np
import pytest
from sklearn.metrics import balanced_accuracy_score, f1_score

from tcga_coherent.measures.classification_scores import class_scores, most_probable

RNG = np.random.default_rng(0)
TRUTH = RNG.choice(["I", "II", "III"], 60, p=[0.6, 0.3, 0.1])
# A class that no patient has is predicted too.
PREDICTED = np.where(RNG.random(60) < 0.5, TRUTH, RNG.choice(["I", "II", "III", "IV"], 60))


def test_scores_are_those_of_scikit_learn_over_the_classes_of_the_truth() -> None:
    scores = class_scores(TRUTH, PREDICTED)
    expected = f1_score(TRUTH, PREDICTED, average="macro", labels=np.unique(TRUTH))
    assert scores.macro_f1 == pytest.approx([expected])
    recall = [(PREDICTED[name == TRUTH] == name).mean() for name in np.unique(TRUTH)]
    assert scores.balanced_accuracy == pytest.approx([np.mean(recall)])
    known = PREDICTED != "IV"
    assert class_scores(TRUTH[known], PREDICTED[known]).balanced_accuracy == pytest.approx(
        [balanced_accuracy_score(TRUTH[known], PREDICTED[known])]
    )


def test_counts_score_a_bootstrap_sample_as_its_rows_would() -> None:
    counts = RNG.multinomial(60, np.full(60, 1 / 60), size=4)
    # The last sample misses a class, which then does not count.
    counts[3, TRUTH == "III"] = 0
    scores = class_scores(TRUTH, PREDICTED, counts)
    for sample, row in enumerate(counts):
        drawn = np.repeat(np.arange(60), row)
        truth, predicted = TRUTH[drawn], PREDICTED[drawn]
        expected = f1_score(truth, predicted, average="macro", labels=np.unique(truth))
        assert scores.macro_f1[sample] == pytest.approx(expected)


def test_true_and_predicted_classes_are_not_interchangeable() -> None:
    truth, predicted = np.array(["a", "a", "a", "b"]), np.array(["a", "a", "b", "b"])
    assert class_scores(truth, predicted).balanced_accuracy == pytest.approx([(2 / 3 + 1) / 2])


def test_the_most_probable_class_is_taken_for_each_patient() -> None:
    probabilities = np.array([[0.2, 0.5, 0.3], [0.6, 0.3, 0.1]])
    assert list(most_probable(probabilities, ["I", "II", "III"])) == ["II", "I"]
