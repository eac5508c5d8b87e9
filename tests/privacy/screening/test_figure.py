from tcga_coherent.modality import parse_modalities
from tcga_coherent.privacy.screening.experiment import TEST, ScreeningParameters, screen
from tcga_coherent.privacy.screening.figure import draw_screening
from tests.pipelines.latent_cohort import MODALITIES
from tests.privacy.screening.test_experiment import copies, make_cohort


def test_a_panel_shows_draws_and_the_threshold_and_a_skipped_one_its_reason() -> None:
    cohort = make_cohort()
    modalities = parse_modalities(MODALITIES)
    first, second, *_ = modalities
    cohort.latents[first] = cohort.latents.pop("cna")
    record = copies(make_cohort(), cohort.train[:5], TEST)
    generated = [type(record)(first, "coherent", TEST, "draw", record.records)]
    screened, _ = screen(cohort, generated, ScreeningParameters(0.05))
    figure = draw_screening(screened, dict.fromkeys(list(modalities)[1:], "too few"), modalities)
    panel, skipped, *_ = figure.axes
    threshold = screened[0].threshold.value
    assert panel.get_title() == modalities[first].label
    assert skipped.get_title() == modalities[second].label
    assert skipped.texts[0].get_text() == "too few"
    # Held-out patients, the generated ones, the threshold and the nominal rate.
    assert len(panel.lines) == 4
    assert panel.lines[1].get_xdata().max() < threshold == panel.lines[2].get_xdata()[0]
