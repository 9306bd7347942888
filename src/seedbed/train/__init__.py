"""Learners that ship with Seedbed, one module each."""

from collections.abc import Mapping

from seedbed.core.learner import Learner

from .best_sentence import BestSentence
from .copy_input import CopyInput
from .decision_tree import DecisionTree
from .distilled import Distilled
from .embedding_logistic import EmbeddingLogistic
from .embedding_ridge import EmbeddingRidge
from .ensemble import Ensemble
from .extractive_qa import ExtractiveQa
from .few_shot import FewShot
from .fine_tuned_remote import FineTunedRemote
from .gradient_boosting import GradientBoosting
from .keras_text import KerasText
from .language_model import LanguageModel
from .majority import Majority
from .mean import Mean
from .naive_bayes import NaiveBayes
from .nearest import Nearest
from .ngram import Ngram
from .prompted import Prompted
from .random_forest import RandomForest
from .rules import Rules
from .tabular_linear import TabularLinear
from .tfidf_embedding_logistic import TfidfEmbeddingLogistic
from .tfidf_logistic import TfidfLogistic
from .tfidf_ridge import TfidfRidge
from .tfidf_svm import TfidfSvm
from .transformer import Transformer
from .tuned import Tuned

#: Who learns a task where a recipe names nobody: a bar, and what is quick. Tasks that are missing are not learned then:
#: what they cost hangs on the data.
USUAL: Mapping[str, tuple[str, ...]] = {
    "text_classification": ("majority", "tfidf_logistic"),
    "multi_label_classification": ("majority", "tfidf_logistic"),
    "regression": ("mean", "tfidf_ridge"),
    "tabular_classification": ("majority", "gradient_boosting"),
    "tabular_regression": ("mean", "gradient_boosting"),
}


def usual_learners(kind: str) -> tuple[Learner, ...]:
    """Who learns a kind of task where a recipe names nobody."""
    made = (Learner.catalogue[use](use=use) for use in USUAL.get(kind, ()))
    return tuple(one for one in made if isinstance(one, Learner))


__all__ = [
    "USUAL",
    "BestSentence",
    "CopyInput",
    "DecisionTree",
    "Distilled",
    "EmbeddingLogistic",
    "EmbeddingRidge",
    "Ensemble",
    "ExtractiveQa",
    "FewShot",
    "FineTunedRemote",
    "GradientBoosting",
    "KerasText",
    "LanguageModel",
    "Majority",
    "Mean",
    "NaiveBayes",
    "Nearest",
    "Ngram",
    "Prompted",
    "RandomForest",
    "Rules",
    "TabularLinear",
    "TfidfEmbeddingLogistic",
    "TfidfLogistic",
    "TfidfRidge",
    "TfidfSvm",
    "Transformer",
    "Tuned",
    "usual_learners",
]
