"""What train_ensemble.py is made of: the network, its data, its scores and its files."""
