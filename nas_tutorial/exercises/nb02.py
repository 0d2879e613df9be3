"""Exercises of notebook 02, Know the truth."""

from nas_tutorial.exercises.frame import Exercise, compare


def regret(accuracies, found):
    """How far the architecture number `found` stays behind the best one."""
    return max(accuracies) - accuracies[found]


def test_regret(function):
    accuracies = [0.2, 0.9, 0.5]
    no_maximum = {"the best architecture has no regret, yours has its accuracy": 0.9}
    compare(function(accuracies, 1), 0.0, no_maximum, "for the best")
    sign = {"sign: regret counts what is lost, so it is never negative": -0.7}
    compare(function(accuracies, 0), 0.7, sign, "for the worst")


EXERCISES = (
    Exercise(
        regret,
        test_regret,
        title="Measure regret",
        difficulty=1,
        minutes=3,
        hints=("Which accuracy could you have had?", "The best accuracy minus the one you got."),
        wrong={
            "sign:": lambda accuracies, found: accuracies[found] - max(accuracies),
            "the best architecture has no regret": lambda accuracies, found: accuracies[found],
        },
    ),
)
