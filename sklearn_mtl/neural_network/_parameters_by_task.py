from typing import Any

from sklearn_mtl.neural_network._class_weight import weighs_classes_of_all
from sklearn_mtl.neural_network.sharing import Sharing
from sklearn_mtl.tasks._chosen import ChosenTasks

# parameters that may be dicts by task, beside class_weight, which may be one by class
BY_TASK = ("loss", "output_activation", "label_smoothing", "task_kinds", "task_weight")


def parameters_by_task(own: dict[str, Any], tasks: ChosenTasks) -> dict[str, Any]:
    """Return the parameters of a network that are of each task, for some of the tasks."""
    found = {name: tasks.by_task(own[name]) for name in BY_TASK if name in own}
    if "class_weight" in own and not weighs_classes_of_all(own["class_weight"]):
        found["class_weight"] = tasks.by_task(own["class_weight"])
    if isinstance(own["sharing"], Sharing):
        inner = own["sharing"]._parameters_for(tasks)
        found |= {f"sharing__{name}": value for name, value in inner.items()}
    return found
