"""What file formats share: whole files beside their schema, types in words, values in plain terms."""
