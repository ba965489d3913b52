"""Asking stored networks about new examples: pictures and arrays, made into what the study's data is. Trains nothing.

Whatever is done to a picture on the way (turned to grey, inverted, resized) is said in the answer.
"""
