"""Export: a study's stored runs as files that other programs read. Trains nothing.

Every file is written under a temporary name, flushed and renamed, so that no half of a file is ever seen. An existing
file is replaced only where the caller asks for it.
"""
