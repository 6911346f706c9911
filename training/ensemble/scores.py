"""The project's edge score: skeletons matched one to one within a radius."""

import numpy as np
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import maximum_bipartite_matching
from scipy.spatial import cKDTree
from skimage.morphology import skeletonize


def matched(predicted, true, radius=1.5):
    """Numbers of matched, predicted and true skeleton pixels of two binary maps."""
    p = np.argwhere(skeletonize(np.asarray(predicted) > 0))
    t = np.argwhere(skeletonize(np.asarray(true) > 0))
    if len(p) == 0 or len(t) == 0:
        return 0, len(p), len(t)
    near = cKDTree(t).query_ball_point(p, radius)
    columns = np.concatenate([np.asarray(n, dtype=np.int32) for n in near])
    starts = np.concatenate([[0], np.cumsum([len(n) for n in near])])
    graph = csr_matrix((np.ones(len(columns), bool), columns, starts), shape=(len(p), len(t)))
    pairs = maximum_bipartite_matching(graph, perm_type="column")
    return int((pairs >= 0).sum()), len(p), len(t)


def edge_scores(probability, true, threshold=0.5, radius=1.5):
    """Precision, recall and F of one map."""
    hit, found, there = matched(probability > threshold, true, radius)
    return (hit / found if found else float(there == 0), hit / there if there else float(found == 0),
            2 * hit / (found + there) if found + there else 1.0)


def pooled_f(probabilities, truths, threshold=0.5, radius=1.5):
    """F over several maps taken as one."""
    counts = np.array([matched(p > threshold, t, radius) for p, t in zip(probabilities, truths)])
    hit, found, there = counts.sum(0)
    return 2 * hit / (found + there) if found + there else 1.0


def best_f(probability, true, radius=1.5):
    """The largest F over thresholds, and its threshold."""
    tries = [(edge_scores(probability, true, t, radius)[2], t) for t in np.arange(0.1, 0.95, 0.05)]
    return max(tries)


def calibration_error(probabilities, truths, bins=15, reach=5):
    """Expected calibration error over pixels within `reach` of a true or predicted wall, in bins of
    equal mass."""
    from scipy.ndimage import distance_transform_edt
    p, t = [], []
    for probability, true in zip(probabilities, truths):
        walls = (np.asarray(true) > 0) | (probability > 0.5)
        near = distance_transform_edt(~walls) <= reach if walls.any() else np.zeros_like(walls)
        p.append(probability[near])
        t.append(np.asarray(true)[near] > 0)
    p, t = np.concatenate(p), np.concatenate(t).astype(float)
    order = np.argsort(p, kind="stable")
    parts = [part for part in np.array_split(order, bins) if len(part)]
    return sum(len(part) * abs(p[part].mean() - t[part].mean()) for part in parts) / max(len(p), 1)
