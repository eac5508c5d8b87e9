"""Checks of ``--params`` before a run."""

from difflib import get_close_matches

from kedro.framework.context import KedroContext
from kedro.framework.hooks import hook_impl
from kedro.framework.project import settings
from kedro.validation import ParameterValidationError

# Groups of which nodes read single keys: no dataclass sees the others.
READ_BY_KEY = ("compute", "ingestion")


class RunParameterHooks:
    """Refuse ``--params`` that nothing would read."""

    @hook_impl
    def after_context_created(self, context: KedroContext) -> None:
        """Compare the names of run parameters with those of the configuration.

        Raises
        ------
        ParameterValidationError
            Naming the parameter that the configuration does not have, and the likely one.
        """
        loader = context.config_loader
        given = loader.runtime_params or {}
        configured = type(loader)(
            conf_source=loader.conf_source, env=loader.env, **settings.CONFIG_LOADER_ARGS
        )["parameters"]
        known = list(configured)
        names = list(given)
        for group in READ_BY_KEY:
            known += [f"{group}.{key}" for key in configured[group]]
            if isinstance(given.get(group), dict):
                names += [f"{group}.{key}" for key in given[group]]
        for name in names:
            if name not in known:
                similar = get_close_matches(name, known, n=1)
                raise ParameterValidationError(
                    f"--params names the unknown parameter {name!r}"
                    f"{f': did you mean {similar[0]!r}?' if similar else '.'} A parameter of your own "
                    f"must be in conf, with null where it has no value."
                )
