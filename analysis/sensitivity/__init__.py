"""What each conclusion hangs on: refits with one choice changed at a time, and power-scaling of prior and likelihood."""
