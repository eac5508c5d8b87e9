"""All benchmarks on the device that is there, and one record of them.

    python benchmarks/gpu.py --env cohort

On a CUDA card: the training of all denoisers with the parameters of the environment ``gpu``, the
comparisons with the plain loops, and scaling up to a million patients. Without one: the same on CPU
with small budgets, each of which is in the record. Writes ``<date>-<device>.json`` and ``.md`` to
``benchmarks/results/``.
"""

import argparse
import re
from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Any

import pandas as pd
import torch

import results
import sampling
import scaling
import training
from clock import seconds
from environment import Environment, open_environment, training_parameters
from fast_training import TimedTrainer
from tcga_coherent.diffusion.config import TrainingConfig
from tcga_coherent.diffusion.training.tasks import DenoiserTask, multi_tasks, single_tasks
from tcga_coherent.diffusion.training.trainer import group_by_shape

# Methods, "Model implementation and training".
PAPER_EPOCHS = 20_000
PAPER_BATCH_SIZE = 64
CPU_STEPS, CARD_STEPS = 40, 1_000


def measure_throughput(
    environment: Environment, config: TrainingConfig, n_steps: int
) -> pd.DataFrame:
    """Measure how fast each stack trains, validations left out.

    Parameters
    ----------
    environment
        Latents.
    config
        Training parameters.
    n_steps
        Steps to measure, after as many to warm up.

    Returns
    -------
    DataFrame
        One row a stack: ``family``, ``models``, ``batch_size``, ``steps_per_second`` and
        ``paper_budget_minutes``, what its longest model would take for the paper's epochs.
    """
    validation = replace(config.validation, every=n_steps, patience=10)
    config = replace(config, max_steps=2 * n_steps, validation=validation)
    rows = []
    for family, tasks in families(environment).items():
        for shape, group in group_by_shape(tasks, config).items():
            trainer = TimedTrainer(group, shape, config, environment.device)
            started = seconds(environment.device)
            trained = []
            for _ in trainer.train():
                trained.append(seconds(environment.device) - started - trainer.validation_seconds)
            speed = n_steps / (trained[1] - trained[0])
            longest = max(len(task.train.target) for task in group)
            paper_steps = PAPER_EPOCHS * longest / config.batch_size
            rows.append(
                {
                    "family": family,
                    "models": len(group),
                    "batch_size": config.batch_size,
                    "steps_per_second": speed,
                    "paper_budget_minutes": paper_steps / speed / 60,
                }
            )
    return pd.DataFrame(rows)


def train_whole(environment: Environment, config: TrainingConfig) -> pd.DataFrame:
    """Train all stacks to their end; return one row a stack with time and scores.

    Parameters
    ----------
    environment
        Latents.
    config
        Training parameters.
    """
    rows = []
    for family, tasks in families(environment).items():
        for shape, group in group_by_shape(tasks, config).items():
            trainer = TimedTrainer(group, shape, config, environment.device)
            started = seconds(environment.device)
            for _ in trainer.train():
                pass
            spent = seconds(environment.device) - started
            scores = [model.energy_score for model in trainer.results()]
            rows.append(
                {
                    "family": family,
                    "models": len(group),
                    "batch_size": config.batch_size,
                    "steps": trainer.step,
                    "minutes": spent / 60,
                    "minutes_of_validation": trainer.validation_seconds / 60,
                    "mean_energy_score": sum(scores) / len(scores),
                }
            )
    return pd.DataFrame(rows)


def families(environment: Environment) -> dict[str, list[DenoiserTask]]:
    """Return the tasks of both families of denoisers."""
    return {
        "single": single_tasks(environment.latents, environment.split),
        "multi": multi_tasks(environment.latents, environment.split),
    }


def run(environment: Environment) -> dict[str, Any]:
    """Run everything on the environment's device; return what the record holds."""
    on_card = environment.device.type == "cuda"
    config = training_parameters("gpu") if on_card else environment.training
    paper = replace(config, batch_size=PAPER_BATCH_SIZE)
    n_steps = CARD_STEPS if on_card else CPU_STEPS
    throughput = pd.concat(
        [measure_throughput(environment, budget, n_steps) for budget in (config, paper)]
    )
    print(throughput.round(2).to_string(index=False), flush=True)
    whole = train_whole(environment, config) if on_card else pd.DataFrame()
    compared = training.run(environment, quick=not on_card)
    targets = list(environment.latents) if on_card else list(environment.latents)[:1]
    n_patients = len(environment.patients("test")) if on_card else sampling.PATIENTS_QUICK
    sampled = sampling.run(environment, targets, n_patients, plain_seeds=1)
    scaled = scaling.run(
        environment.device, 1_000_000 if on_card else 100_000, torch.get_num_threads()
    )
    return {
        **results.machine(environment.device),
        "environment": environment.name,
        "training_parameters": asdict(config),
        "throughput": throughput.to_dict("records"),
        "whole_training": whole.to_dict("records"),
        "training": _numbers(compared),
        "models": compared["models"].to_dict("records"),
        "sampling": {**_numbers(sampled), "targets": targets},
        "scaling": scaled.to_dict("records"),
        "time_exponent": scaling.time_exponent(scaled),
    }


def record_page(record: Mapping[str, Any]) -> str:
    """Return the record as a page of tables.

    Parameters
    ----------
    record
        Result of :func:`run`.
    """
    head = [
        "device",
        "date",
        "torch",
        "cuda",
        "python",
        "tcga_coherent",
        "cpu_threads",
        "environment",
    ]
    compared = [
        {"benchmark": name, **{key: record[name][key] for key in keys}, **_measures(record[name])}
        for name, keys in (
            ("training", ("ratio", "plain_seconds", "fast_seconds")),
            ("sampling", ("ratio", "plain_seconds", "fast_seconds")),
        )
    ]
    parts = [
        f"# {record['device']}, {record['date']}",
        results.markdown_table(pd.DataFrame([{name: record[name] for name in head}])),
        "## Training and sampling against the plain loops",
        results.markdown_table(pd.DataFrame(compared)),
        f"Sampling: {record['sampling']['n_patients']} patients, {record['sampling']['n_draws']} draws, "
        f"{', '.join(record['sampling']['targets'])}.",
        "## Speed of training",
        results.markdown_table(pd.DataFrame(record["throughput"])),
    ]
    if record["whole_training"]:
        parts += [
            "## Whole training",
            results.markdown_table(pd.DataFrame(record["whole_training"])),
        ]
    parts += [
        "## Scaling of sampling",
        results.markdown_table(scaling.sizes_and_costs(pd.DataFrame(record["scaling"]))),
        f"Time grows with the number of patients to the power of {record['time_exponent']:.2f}.",
    ]
    return "\n\n".join(parts) + "\n"


def _numbers(found: Mapping[str, Any]) -> dict[str, Any]:
    """Leave tables and figures out."""
    return {
        key: value
        for key, value in found.items()
        if not hasattr(value, "columns") and key != "figure"
    }


def _measures(found: Mapping[str, Any]) -> dict[str, float]:
    return {
        f"{name}_{version}": value
        for version in ("plain", "fast")
        for name, value in found[version].items()
    }


def main() -> None:
    """Run the benchmarks and write the record."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--env", default="demo", help="environment whose latents are used")
    parser.add_argument("--device", default="auto", help="auto, cpu or cuda")
    arguments = parser.parse_args()
    environment = open_environment(arguments.env, arguments.device)
    record = run(environment)
    slug = re.sub(r"[^a-z0-9]+", "-", record["device"].lower()).strip("-")
    name = f"{record['date']}-{slug}"
    results.write_json(name, record)
    results.write_text(f"{name}.md", record_page(record))
    print(f"Written: {results.FOLDER / name}.json and .md")


if __name__ == "__main__":
    main()
