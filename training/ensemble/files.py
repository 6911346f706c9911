"""Weights out: AtomAI's ensemble dictionary. (In: reshednet.read.)"""

from collections import OrderedDict


def plain(state):
    """Single precision copies: half precision of a weights file becomes what AtomAI writes."""
    return OrderedDict((k, v.detach().cpu().float() if v.is_floating_point() else v.detach().cpu())
                       for k, v in state.items())


def metadict(shape, members):
    """What AtomAI's save_ensemble writes. shape: the arguments of ResHedNet."""
    return {
        "model_type": "seg", "model": "ResHedNet", "nb_classes": shape["classes"],
        "batch_norm": True, "dropout": None, "upsampling": shape["upsampling"],
        "nb_filters": shape["filters"], "layers": list(shape["layers"]), "optimizer": None,
        "weights": {i: plain(state) for i, state in enumerate(members)},
    }
