"""Lists the tests of modules, or runs those of one: a line of JSON each, for python.test.ts.

    runner.py list MODULE...
    runner.py run MODULE
"""

import importlib
import json
import re
import sys
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


class Reporter(unittest.TestResult):
    def addSuccess(self, test):
        say(id=test.id(), outcome='passed', detail='')

    def addSkip(self, test, reason):
        say(id=test.id(), outcome='skipped', detail=reason)

    def addFailure(self, test, error):
        say(id=test.id(), outcome='failed', detail=self._exc_info_to_string(error, test))

    addError = addFailure


def say(**line):
    print(json.dumps(line), flush=True)


if __name__ == '__main__':
    command, *arguments = sys.argv[1:]
    if command == 'list':
        list_tests(arguments)
    else:
        unittest.TestSuite(tests_of(importlib.import_module(arguments[0]))).run(Reporter())
