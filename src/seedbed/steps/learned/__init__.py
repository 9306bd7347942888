"""What the parts that learn from training rows share: numbers out of columns, folds, forests, vectors of features."""
