"""Lists the tests of modules, or runs those of one: a line of JSON each, for python.test.ts.

    runner.py list MODULE...
    runner.py run MODULE
"""

import importlib
import json
import os
import re
import sys
import traceback
import unittest


def tests_of(module):
    def flatten(suite):
        for each in suite:
            yield from flatten(each) if isinstance(each, unittest.TestSuite) else [each]

    return list(flatten(unittest.defaultTestLoader.loadTestsFromModule(module)))


def described(test):
    """The promise of a test is its method's name, that of a class the first line of its documentation."""
    method = test.id().rpartition('.')[2]
    group = (type(test).__doc__ or type(test).__name__).strip().splitlines()[0].rstrip('.')
    return {'id': test.id(), 'group': group, 'name': re.sub('^test_', '', method).replace('_', ' ')}


def list_tests(names):
    for name in names:
        try:
            say(suite=name, tests=[described(test) for test in tests_of(importlib.import_module(name))])
        except ModuleNotFoundError as error:
            say(suite=name, missing=error.name.partition('.')[0])


def told(error):
    """An error, and the way to it through files of this folder: those of the libraries hide it."""
    kind, value, trace = error
    here = os.path.dirname(os.path.abspath(__file__))
    frames = [frame for frame in traceback.extract_tb(trace) if os.path.dirname(frame.filename) == here]
    return ''.join([*traceback.format_exception_only(kind, value), '\n', *traceback.format_list(frames)])


class Reporter(unittest.TestResult):
    def addSuccess(self, test):
        say(id=test.id(), outcome='passed', detail='')

    def addSkip(self, test, reason):
        say(id=test.id(), outcome='skipped', detail=reason)

    def addFailure(self, test, error):
        say(id=test.id(), outcome='failed', detail=told(error))

    addError = addFailure


# What a library prints must not come between the lines.
lines, sys.stdout = sys.stdout, sys.stderr


def say(**line):
    print(json.dumps(line), file=lines, flush=True)


if __name__ == '__main__':
    command, *arguments = sys.argv[1:]
    if command == 'list':
        list_tests(arguments)
    else:
        unittest.TestSuite(tests_of(importlib.import_module(arguments[0]))).run(Reporter())
