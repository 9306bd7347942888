"""What exporters of models share: how a form is held against the model, how it gets smaller, what stands beside it."""
