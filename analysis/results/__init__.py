"""What the stages hand on, and the files and terminal tables that they become."""
