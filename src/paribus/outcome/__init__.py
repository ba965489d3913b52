"""The result object, from which every table, figure, sentence and export is made."""
