"""Fetching from addresses that strangers chose: what is public, and a transport that goes nowhere else."""
