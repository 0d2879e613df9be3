"""More exercises of notebook 06: how often NNI's policy learns, and a reward with a budget."""

from collections.abc import Iterable
from math import ceil

from nas_tutorial.exercises.cases import judge, returned
from nas_tutorial.exercises.frame import Exercise, expect


# --- count the lessons of an epoch ------------------------------------------------------------------------------------
def lessons(pictures, batch, group):
    """(steps of the policy, rewards thrown away) in an epoch of NNI's trainer."""
    rewards = ceil((pictures // 2) / batch)
    return rewards // group, rewards % group


LESSONS = {
    "only the second half of the pictures, pictures // 2, gives rewards": (
        lambda pictures, batch, group: divmod(ceil(pictures / batch), group)
    ),
    "the last batch may be smaller, and gives a reward, too: round up": (
        lambda pictures, batch, group: divmod(pictures // 2 // batch, group)
    ),
    "a last batch of any size gives a reward: round up, not to the nearest": (
        lambda pictures, batch, group: divmod(round(pictures // 2 / batch), group)
    ),
    "a group that is not full teaches nothing: round its number down": (
        lambda pictures, batch, group: (ceil(ceil(pictures // 2 / batch) / group), lessons(pictures, batch, group)[1])
    ),
    "order: first the steps, then what is thrown away": lambda pictures, batch, group: lessons(pictures, batch, group)[
        ::-1
    ],
    "one reward for a batch, not for a picture": lambda pictures, batch, group: divmod(pictures // 2, group),
    "of an odd number the first half gets one more picture; the second has pictures // 2": (
        lambda pictures, batch, group: divmod(ceil(-(-pictures // 2) / batch), group)
    ),
    "thrown away are rewards, not pictures": (
        lambda pictures, batch, group: (
            lessons(pictures, batch, group)[0],
            pictures // 2 - lessons(pictures, batch, group)[0] * group * batch,
        )
    ),
}


def test_lessons(function):
    cases = ((50_000, 64, 20), (2_433, 64, 20), (2_434, 64, 20), (2_560, 64, 20), (2_600, 64, 20), (1_000, 30, 7))
    judge(function, lessons, LESSONS, cases, rewards_of_an_epoch, read=two_numbers)


def rewards_of_an_epoch(pictures, batch, group):
    """The way to `lessons`."""
    half = pictures // 2
    return f"{half:,} pictures make {ceil(half / batch)} batches, each of which gives one reward; a step takes {group}"


def two_numbers(got, where):
    """What a student's function returns, as a pair."""
    returned(got, where)
    expect(isinstance(got, Iterable), f"return two numbers, (steps, thrown away), not {got!r:.40}")
    pair = tuple(got)
    expect(len(pair) == 2, f"return two numbers, (steps, thrown away), not {pair}")
    return pair


# --- pay for what is over the budget ----------------------------------------------------------------------------------
def over_budget(accuracy, parameters, budget, price):
    """A reward: the accuracy, minus `price` times the share by which the parameters exceed the budget."""
    return accuracy - price * max(0, parameters / budget - 1)


OVER_BUDGET = {
    "a network below the budget pays nothing, and gets nothing on top: max(0, …)": (
        lambda accuracy, parameters, budget, price: accuracy - price * (parameters / budget - 1)
    ),
    "sign: what is over the budget makes the reward smaller": (
        lambda accuracy, parameters, budget, price: accuracy + price * max(0, parameters / budget - 1)
    ),
    "a share: divide what is over by the budget": (
        lambda accuracy, parameters, budget, price: accuracy - price * max(0, parameters - budget)
    ),
    "only what is over the budget is paid for: parameters / budget − 1": (
        lambda accuracy, parameters, budget, price: accuracy - price * parameters / budget * (parameters > budget)
    ),
    "the share is of the budget, not of the parameters": (
        lambda accuracy, parameters, budget, price: accuracy - price * max(0, 1 - budget / parameters)
    ),
    "the price is missing": (lambda accuracy, parameters, budget, price: accuracy - max(0, parameters / budget - 1)),
    "the price is the same however far it is over; make it grow with the share": (
        lambda accuracy, parameters, budget, price: accuracy - price * (parameters > budget)
    ),
    "that is a wall: nothing is left over the budget; here it costs the more, the further": (
        lambda accuracy, parameters, budget, price: accuracy if parameters <= budget else 0.0
    ),
    "the accuracy is missing": lambda accuracy, parameters, budget, price: -price * max(0, parameters / budget - 1),
}


def test_over_budget(function):
    cases = [(0.8, 300, 200, 0.4), (0.5, 100, 200, 0.4), (0.9, 1000, 200, 0.1), (0.6, 200, 200, 0.5)]
    judge(function, over_budget, OVER_BUDGET, cases, share_over)


def share_over(accuracy, parameters, budget, price):
    """The way to `over_budget`."""
    if parameters <= budget:
        return f"{parameters} is not over the budget, so nothing is paid"
    return f"{parameters - budget} parameters are over the budget, which is {parameters / budget - 1:.4g} of it"


EXERCISES = (
    Exercise(
        lessons,
        test_lessons,
        title="Count the lessons of an epoch",
        difficulty=2,
        minutes=5,
        hints=(
            "First the rewards: half of the pictures (rounded down), in batches (rounded up), one reward each.",
            "`math.ceil(a / b)` rounds up. Then `//` counts the full groups and `%` what is left.",
        ),
        wrong={key: value for key, value in LESSONS.items()} | {"return two numbers": lambda p, b, g: [p // 2 // b]},
        right=(
            lambda pictures, batch, group: [
                -(-(pictures // 2) // batch) // group,
                -(-(pictures // 2) // batch) % group,
            ],
        ),
    ),
    Exercise(
        over_budget,
        test_over_budget,
        title="Pay for what is over the budget",
        difficulty=1,
        minutes=4,
        hints=(
            "By which share is it over? `parameters / budget - 1`: 300 of 200 are over by 0.5.",
            "A share below zero costs nothing: `max(0, …)`.",
        ),
        wrong=OVER_BUDGET,
        right=(
            lambda accuracy, parameters, budget, price: (
                accuracy if parameters <= budget else accuracy - price * (parameters - budget) / budget
            ),
        ),
    ),
)
