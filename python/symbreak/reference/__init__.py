"""The same functions in obvious torch: specification, oracle of the tests, bench baseline."""
