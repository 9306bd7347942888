"""Splitters that ship with Seedbed, clusters of rows that belong together, and the independent verifier."""

from .certify import certify, make_split
from .clusters import Clusters, cluster
from .group import Group
from .hashed import Hashed
from .in_turn import Rows, split_in_turn
from .k_fold import KFold
from .placing import split_by_value
from .predefined import Predefined
from .random import Random
from .stratified import Stratified
from .time import Time
from .verify import Verification, verify

__all__ = [
    "Clusters",
    "Group",
    "Hashed",
    "KFold",
    "Predefined",
    "Random",
    "Rows",
    "Stratified",
    "Time",
    "Verification",
    "certify",
    "cluster",
    "make_split",
    "split_by_value",
    "split_in_turn",
    "verify",
]
