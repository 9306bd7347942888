"""Labels for new rows by a saved model: `seedbed predict`."""
