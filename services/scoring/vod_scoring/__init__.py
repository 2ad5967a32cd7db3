"""Ranks releases by a policy file, with reasons: a pure function."""
