"""What the programs of training/ share: the network and its loss in PyTorch, labelled images, files."""
