"""From what a detector wrote to a diffraction pattern that can be phased."""
