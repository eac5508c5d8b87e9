"""Project settings read by Kedro."""

from tcga_coherent.hooks import (
    ComputeHooks,
    ConfigurationHooks,
    IdentityHooks,
    NodeTimeHooks,
    RunLockHooks,
)

HOOKS = (ConfigurationHooks(), RunLockHooks(), ComputeHooks(), IdentityHooks(), NodeTimeHooks())

# Without the soft merge an environment that overrides one nested key silently
# drops the siblings of that key.
CONFIG_LOADER_ARGS = {
    "base_env": "base",
    "default_run_env": "local",
    "merge_strategy": {"parameters": "soft"},
}
