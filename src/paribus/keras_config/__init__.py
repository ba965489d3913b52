"""What is known of Keras's configs without importing Keras: names, custom objects, graphs, model files."""
