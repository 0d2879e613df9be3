"""Jobs for the tests of trials: functions that other processes can import, without torch."""

import os
import signal
import time


def noted(log, number):
    """Write a line, and return the square of a number."""
    with open(log, "a", encoding="utf-8") as file:
        file.write(f"{number}\n")
    return number**2


def killed_once(log, number, victims):
    """As `noted`, but the first time that one of the victims is at work, the system kills its process."""
    mark = log.with_name(f"victim-{number}")
    if number in victims and not mark.exists():
        mark.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return noted(log, number)


def killed(log, number, victims):
    """As `noted`, but the system kills the process of a victim each time."""
    if number in victims:
        os.kill(os.getpid(), signal.SIGKILL)
    return noted(log, number)


def failing(log, number, bad):
    """As `noted`, but some numbers are an error."""
    if number in bad:
        raise ArithmeticError(f"{number} is bad")
    return noted(log, number)


def stuck_on(node, mark, log, number):
    """As `noted`; the first job on one machine of a Ray cluster never ends."""
    import ray

    if ray.get_runtime_context().get_node_id() == node and not mark.exists():
        mark.touch()
        time.sleep(3600)
    time.sleep(0.2)  # so that one machine is not done before the other one has begun
    return noted(log, number)
