"""One row's whole story: `seedbed explain`."""
