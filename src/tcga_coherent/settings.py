"""Project settings read by Kedro."""

from tcga_coherent.configuration import LOADER_ARGS, EnvironmentConfigLoader
from tcga_coherent.hooks import (
    ComputeHooks,
    ConfigurationHooks,
    IdentityHooks,
    NodeTimeHooks,
    RunLockHooks,
)

HOOKS = (ConfigurationHooks(), RunLockHooks(), ComputeHooks(), IdentityHooks(), NodeTimeHooks())

CONFIG_LOADER_CLASS = EnvironmentConfigLoader
CONFIG_LOADER_ARGS = LOADER_ARGS
