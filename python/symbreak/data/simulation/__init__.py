"""Simulated Bragg CDI: crystals with dislocations, what a detector makes of them, data sets."""
