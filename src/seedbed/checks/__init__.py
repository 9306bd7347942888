"""Checks that ship with Seedbed, one module each."""
