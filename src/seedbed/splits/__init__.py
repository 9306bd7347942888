"""Splitters that ship with Seedbed, clusters of rows that belong together, and the independent verifier."""

from .certify import certify, make_split
from .clusters import Clusters, cluster
from .group import Group
from .hashed import Hashed
from .in_turn import Rows, split_in_turn
from .random import Random
from .stratified import Stratified
from .verify import Verification, verify

__all__ = [
    "Clusters",
    "Group",
    "Hashed",
    "Random",
    "Rows",
    "Stratified",
    "Verification",
    "certify",
    "cluster",
    "make_split",
    "split_in_turn",
    "verify",
]
