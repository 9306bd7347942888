"""Learners that ship with Seedbed, one module each."""

from .embedding_logistic import EmbeddingLogistic
from .majority import Majority
from .naive_bayes import NaiveBayes
from .rules import Rules
from .tfidf_embedding_logistic import TfidfEmbeddingLogistic
from .tfidf_logistic import TfidfLogistic
from .tfidf_svm import TfidfSvm
from .transformer import Transformer

__all__ = [
    "EmbeddingLogistic",
    "Majority",
    "NaiveBayes",
    "Rules",
    "TfidfEmbeddingLogistic",
    "TfidfLogistic",
    "TfidfSvm",
    "Transformer",
]
