"""Every loss, metric, optimizer and layer class that Keras exports: trained here and by Keras, and compared.

``names`` lists them, ``layers`` and ``cases`` say how each is used, ``runner`` trains both ways.
"""
