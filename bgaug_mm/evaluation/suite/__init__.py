"""What evaluate.py runs and writes."""
