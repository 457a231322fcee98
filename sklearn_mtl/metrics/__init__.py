"""Scores that keep tasks apart and skip labels nobody observed."""
