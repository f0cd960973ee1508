"""The paper's experiments, one module each; ``docs/experiments.md`` says what was chosen."""
