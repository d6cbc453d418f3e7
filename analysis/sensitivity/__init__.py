"""What each conclusion hangs on: refits with one choice changed, and power-scaling of prior and likelihood."""
