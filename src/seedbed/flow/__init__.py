"""Wires the stages: passes values from one to the next."""
