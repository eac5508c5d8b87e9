"""The parameters of every environment, without running anything."""

import inspect

import pytest
from kedro.framework.project import pipelines
from kedro.framework.session import KedroSession
from kedro.framework.startup import bootstrap_project
from pydantic.dataclasses import is_pydantic_dataclass

from tcga_coherent.modality import parse_modalities

ENVIRONMENTS = ["base", "demo", "cohort", "gpu", "paper", "her2st", "tcga_tiles"]


def read_parameters(repo_root, env):
    """Return parameters as nodes get them; an invalid one is an error."""
    bootstrap_project(repo_root)
    pipelines.set_requested(None)
    with KedroSession.create(repo_root, env=env) as session:
        return session.load_context().params


def typed_parameters():
    """Return the names of parameters that nodes take as dataclasses, and these."""
    found = {}
    for node in pipelines["__default__"].nodes:
        hints = inspect.get_annotations(node.func, eval_str=True)
        arguments = inspect.signature(node.func).parameters
        # Inputs by name are a mapping, of which a node may take any number.
        named = (
            node._inputs
            if isinstance(node._inputs, dict)
            else dict(zip(arguments, node.inputs, strict=True))
        )
        for argument, name in named.items():
            if name.startswith("params:") and is_pydantic_dataclass(hints[argument]):
                found[name.removeprefix("params:")] = hints[argument]
    return found


@pytest.mark.parametrize("env", ENVIRONMENTS)
def test_the_parameters_of_every_environment_are_valid(repo_root, env):
    parameters = read_parameters(repo_root, env)
    typed = typed_parameters()
    assert {"diffusion_training", "coherent_sampling", "embedding", "evaluation"} <= set(typed)
    for name, kind in typed.items():
        value = parameters
        for key in name.split("."):
            value = value[key]
        assert isinstance(value, kind), name
    assert set(parse_modalities(parameters["modalities"])) == {"cna", "rnaseq", "rppa", "wsi"}


def test_an_environment_that_changes_one_key_keeps_the_others_of_its_group(repo_root):
    base, paper = (read_parameters(repo_root, env) for env in ("base", "paper"))
    ours, theirs = base["diffusion_training"], paper["diffusion_training"]
    assert ours.validation.criterion != theirs.validation.criterion
    assert ours.validation.n_draws == theirs.validation.n_draws
    assert ours.process == theirs.process
