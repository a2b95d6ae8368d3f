"""What is asked: declared or fitted demand as a grid of periods and load blocks."""
