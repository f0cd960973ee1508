"""The command line, called within the tests' own process."""

from typer.testing import CliRunner

from symbreak.cli.app import app


def run(*words):
    return CliRunner().invoke(app, [str(word) for word in words], env={"COLUMNS": "200"})
