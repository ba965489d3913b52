"""The store: every ended run, whole or not at all. The only package that knows SQL.

``base`` states what a store promises, ``memory`` keeps runs for as long as the process lives, ``sqlite`` keeps them in
a folder. This package imports none of them by itself, so that a command that needs no store pays for none.
"""
