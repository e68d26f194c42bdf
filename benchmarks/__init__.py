"""Speed, side by side: tensorkit, PyTorch and NumPy on the same work in one process."""
