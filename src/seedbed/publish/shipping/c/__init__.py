"""A linear text model as C: `algorithm.h` is the same for all, what stands before it is the model's own."""
