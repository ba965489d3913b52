"""Predictions of stored networks for new examples: pictures and arrays, converted to the study's data. Trains nothing.

The answer names every step of a picture's conversion (turned to grey, inverted, resized).
"""
