#!/usr/bin/env python3
"""Makes docs/figure.png from what `make demo` leaves in build/demo (needs Pillow and NumPy)."""
import sys

import numpy as np
from PIL import Image

demo, out = sys.argv[1], sys.argv[2]
amplitude = np.asarray(Image.open(f"{demo}/film.png")).astype(float)
lo, hi = np.percentile(amplitude, [0.5, 99.5])
grey = Image.fromarray((255 * np.clip((amplitude - lo) / (hi - lo), 0, 1)).astype(np.uint8))
panels = [grey.resize((512, 512), Image.NEAREST).convert("RGB")]
panels += [Image.open(f"{demo}/film_{name}.png").convert("RGB") for name in ("mean", "variance", "overlay")]
height, gap = max(p.height for p in panels), 12
width = sum(p.width for p in panels) + gap * (len(panels) - 1)
figure, x = Image.new("RGB", (width, height), "white"), 0
for p in panels:
    figure.paste(p, (x, 0))
    x += p.width + gap
figure.resize((width * 2 // 3, height * 2 // 3), Image.LANCZOS).save(out, optimize=True)
