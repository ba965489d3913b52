"""Out of the store: a study's runs as files of other programs. Reads what is stored, trains nothing.

Every file is written under another name, flushed and renamed, so that it is whole or not there; a file that is there
already is refused unless it is to be replaced.
"""
