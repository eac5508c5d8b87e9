"""Forests as arrays: all that predicting takes, and no row of a training patient.

A pickle runs code, and formats that keep the whole object keep what each node of a survival tree says of every time:
60 times as much as the few values of the leaves that are asked for here.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tcga_coherent.measures.fidelity import Array

LEAF = -1
# Between the name of an output and the years after which it is predicted.
AFTER = "@"
# Of each node, under the names of the trees' attributes and of the fields of their nodes.
NODE_ARRAYS = {
    "children_left": "left_child",
    "children_right": "right_child",
    "feature": "feature",
    "threshold": "threshold",
    "missing_go_to_left": "missing_go_to_left",
}


@dataclass(frozen=True, eq=False)
class StoredForest:
    """A forest whose prediction is the mean over its trees of the values of a leaf.

    Attributes
    ----------
    outputs
        Name of each value of a leaf; the outputs of :class:`tcga_coherent.downstream.task.Model` first.
    n_outputs, n_features
        Number of these outputs, and of what they are predicted from.
    n_nodes
        Nodes of each tree, shape (trees,).
    nodes
        :data:`NODE_ARRAYS` of the nodes of all trees, one after the other; children are numbered tree by tree.
    leaf_values
        In the order of the leaves, shape (leaves, outputs).
    """

    outputs: tuple[str, ...]
    n_outputs: int
    n_features: int
    n_nodes: NDArray[np.int32]
    nodes: dict[str, np.ndarray]
    leaf_values: Array

    @classmethod
    def of_trees(
        cls, trees: Sequence[Any], values: Sequence[Array], outputs: Sequence[str], n_outputs: int
    ) -> "StoredForest":
        """Take fitted trees apart.

        Parameters
        ----------
        trees
            ``tree_`` of each fitted estimator of scikit-learn or scikit-survival.
        values
            What each node of each tree predicts, nodes x outputs.
        outputs, n_outputs
            As of the class.
        """
        nodes = {
            name: np.concatenate([getattr(tree, name) for tree in trees]) for name in NODE_ARRAYS
        }
        small = {"threshold": np.float64, "missing_go_to_left": np.uint8}
        return cls(
            tuple(outputs),
            n_outputs,
            trees[0].n_features,
            np.array([tree.node_count for tree in trees], np.int32),
            {name: array.astype(small.get(name, np.int32)) for name, array in nodes.items()},
            np.concatenate(values)[nodes["children_left"] == LEAF],
        )

    def quantities(self, features: Array) -> Array:
        """Predict all outputs, rows x outputs, from rows x features; NaN is missing."""
        # The precision of scikit-learn's trees.
        rows = np.ascontiguousarray(features, dtype=np.float32)
        total = np.zeros((len(rows), len(self.outputs)))
        for tree, values in self._trees:
            total += values[tree.apply(rows)]
        return total / len(self.n_nodes)

    def predict(self, features: Array) -> Array:
        """Predict the outputs of the model alone, likewise."""
        return self.quantities(features)[:, : self.n_outputs]

    def state(self) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
        """Return arrays and JSON-serialisable facts; :meth:`from_state` reads them."""
        arrays = {"n_nodes": self.n_nodes, "leaf_values": self.leaf_values, **self.nodes}
        facts = ("n_outputs", "n_features")
        return arrays, {
            "outputs": list(self.outputs),
            **{name: getattr(self, name) for name in facts},
        }

    @classmethod
    def from_state(cls, arrays: dict[str, np.ndarray], metadata: dict[str, Any]) -> "StoredForest":
        """Return the forest that :meth:`state` described.

        Raises
        ------
        ValueError
            When a node leads out of its tree or in a circle: scikit-learn follows it wherever it points.
        """
        forest = cls(
            tuple(metadata["outputs"]),
            metadata["n_outputs"],
            metadata["n_features"],
            arrays["n_nodes"],
            {name: arrays[name] for name in NODE_ARRAYS},
            arrays["leaf_values"],
        )
        forest._check()
        return forest

    def _check(self) -> None:
        numbers = np.concatenate([np.arange(size) for size in self.n_nodes])
        sizes = np.repeat(self.n_nodes, self.n_nodes)
        left, right, feature = (self.nodes[name] for name in list(NODE_ARRAYS)[:3])
        inner = left != LEAF
        if not (
            all(len(array) == len(numbers) for array in self.nodes.values())
            and len(self.leaf_values) == (~inner).sum()
            and all(((numbers < child) & (child < sizes))[inner].all() for child in (left, right))
            and ((feature >= 0) & (feature < self.n_features))[inner].all()
        ):
            raise ValueError(
                f"The trees that predict {', '.join(self.outputs)} are damaged: run the evaluation pipeline again, "
                f"or copy the bundle anew."
            )

    @cached_property
    def _trees(self) -> list[tuple[Any, Array]]:
        """Trees of scikit-learn, and what their nodes predict."""
        from sklearn.tree._tree import NODE_DTYPE, Tree

        is_leaf = self.nodes["children_left"] == LEAF
        values = np.zeros((len(is_leaf), len(self.outputs)))
        values[is_leaf] = self.leaf_values
        fields = np.zeros(len(is_leaf), NODE_DTYPE)
        for name, field in NODE_ARRAYS.items():
            fields[field] = self.nodes[name]
        trees: list[tuple[Any, Array]] = []
        for last, size in zip(np.cumsum(self.n_nodes), self.n_nodes, strict=True):
            own = slice(last - size, last)
            tree = Tree(self.n_features, np.ones(1, np.intp), 1)
            tree.__setstate__(
                {
                    "max_depth": int(size),
                    "node_count": int(size),
                    "nodes": fields[own].copy(),
                    "values": np.zeros((size, 1, 1)),
                }
            )
            trees.append((tree, values[own]))
        return trees
