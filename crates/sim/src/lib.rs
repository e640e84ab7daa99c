//! Whole clusters from a seed: networks, crashes, adversaries.
