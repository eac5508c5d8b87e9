"""What happens around a run, a subject a file."""

from tcga_coherent.hooks.compute import ComputeHooks
from tcga_coherent.hooks.configuration import ConfigurationHooks
from tcga_coherent.hooks.identity import IdentityHooks
from tcga_coherent.hooks.node_times import NodeTimeHooks
from tcga_coherent.hooks.run_lock import RunLockHooks

__all__ = ["ComputeHooks", "ConfigurationHooks", "IdentityHooks", "NodeTimeHooks", "RunLockHooks"]
