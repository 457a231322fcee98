"""What scikit-learn is told of an estimator made of others."""

from collections.abc import Sequence
from typing import Any

from sklearn.base import is_classifier, is_regressor
from sklearn.utils import ClassifierTags, RegressorTags, get_tags


def kind_of(estimator: Any) -> str | None:
    """Return "regression" or "classification" as the estimator is tagged, None for neither."""
    if not is_tagged(estimator):
        return None
    if is_regressor(estimator):
        return "regression"
    return "classification" if is_classifier(estimator) else None


def is_tagged(estimator: Any) -> bool:
    """Return whether scikit-learn can be told of it."""
    return hasattr(estimator, "__sklearn_tags__") and not isinstance(estimator, type)


def join_tags(tags: Any, estimators: Sequence[Any]) -> Any:
    """Return the tags of labels in many columns, of which each estimator is given some.

    Parameters
    ----------
    tags : sklearn.utils.Tags
        Of the whole; changed in place.
    estimators : sequence of estimators
    """
    tags.target_tags.required = True
    tags.target_tags.multi_output = True
    if not estimators or not all(map(is_tagged, estimators)):
        return tags
    subs = [get_tags(est) for est in estimators]
    for one in ("sparse", "allow_nan", "categorical", "string", "one_d_array", "two_d_array"):
        setattr(tags.input_tags, one, all(getattr(sub.input_tags, one) for sub in subs))
    for one in ("positive_only", "pairwise"):
        setattr(tags.input_tags, one, any(getattr(sub.input_tags, one) for sub in subs))
    tags.target_tags.positive_only = any(sub.target_tags.positive_only for sub in subs)
    tags.non_deterministic = any(sub.non_deterministic for sub in subs)
    kinds = {kind_of(est) for est in estimators}
    if kinds == {"regression"}:
        of_values = [sub.regressor_tags or RegressorTags() for sub in subs]
        tags.estimator_type = "regressor"
        tags.regressor_tags = RegressorTags(poor_score=any(k.poor_score for k in of_values))
    elif kinds == {"classification"}:
        of_classes = [sub.classifier_tags or ClassifierTags() for sub in subs]
        tags.estimator_type = "classifier"
        tags.classifier_tags = ClassifierTags(
            poor_score=any(k.poor_score for k in of_classes),
            multi_class=all(k.multi_class for k in of_classes),
        )
    return tags
