"""Exporters that ship with Seedbed, one module each, and the papers that go with a dataset."""
