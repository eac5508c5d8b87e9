"""The baselines there are, in the order of tables: the strongest first.

A further one is a file beside this one and a line here; tables, figures and studies read it from here.
"""

from tcga_coherent.baselines import knn, mean, ridge, ridge_features
from tcga_coherent.baselines.baseline import Baseline

BASELINES: dict[str, Baseline] = {
    baseline.name: baseline
    for baseline in (ridge_features.BASELINE, ridge.BASELINE, knn.BASELINE, mean.BASELINE)
}
# Where one simple method is enough: the one to beat.
STRONGEST = next(iter(BASELINES))
