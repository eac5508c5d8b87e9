"""What happens around a run, a subject a file."""

from tcga_coherent.hooks.compute import ComputeHooks
from tcga_coherent.hooks.identity import IdentityHooks
from tcga_coherent.hooks.node_times import NodeTimeHooks
from tcga_coherent.hooks.run_parameters import RunParameterHooks

__all__ = ["ComputeHooks", "IdentityHooks", "NodeTimeHooks", "RunParameterHooks"]
