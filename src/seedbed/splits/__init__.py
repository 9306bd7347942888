"""Splitters that ship with Seedbed, clusters of rows that belong together, and the independent verifier."""

from .certify import certify, make_split
from .clusters import Clusters, cluster
from .group import Group
from .random import Random
from .stratified import Stratified
from .verify import Verification, verify

__all__ = [
    "Clusters",
    "Group",
    "Random",
    "Stratified",
    "Verification",
    "certify",
    "cluster",
    "make_split",
    "verify",
]
