"""What the programs of training/ share: the network, its loss, its data, its scores and its files."""
