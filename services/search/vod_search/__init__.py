"""Finds releases of one episode at the configured indexers, and says what their names mean."""
