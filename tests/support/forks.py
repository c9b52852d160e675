"""Programs that fork: in a process of their own, because one with threads, as pytest's workers are, must not."""

import json
import subprocess
import sys
from typing import Any

PREFIX = """
import json, os, sys, threading

class Child:
    # A forked process that calls a function and ends; `result` waits for what it returned, or for its error's text.
    def __init__(self, call):
        reading, writing = os.pipe()
        self.id = os.fork()
        if self.id == 0:
            try:
                answer = json.dumps(call())
            except BaseException as error:
                answer = json.dumps(f"{type(error).__name__}: {error}")
            os.write(writing, answer.encode())
            os._exit(0)
        os.close(writing)
        self.reading = reading

    def result(self):
        with open(self.reading, "rb") as file:
            text = file.read()
        os.waitpid(self.id, 0)
        return json.loads(text) if text else None

def show(value):
    print(json.dumps(value), flush=True)
"""


def shown(program: str, *arguments: str, warnings: str = "error") -> list[Any]:
    """Run a program that has `Child(call).result()` and `show(value)`, and return what it showed.

    Args:
        program: its code.
        arguments: in its `sys.argv`.
        warnings: what Python does with warnings; newer ones warn of a fork of a process with threads.
    """
    command = [sys.executable, "-W", warnings, "-c", PREFIX + program, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.stderr == ""
    assert done.returncode == 0
    return [json.loads(line) for line in done.stdout.splitlines()]
