"""Writes warp.json: what Keras' own ImageDataGenerator makes of small pictures; run by hand.

python make_warp_golden.py > warp.json   (keras 3.15.1, scipy 1.17.1, numpy)
"""
import base64
import json
import zlib

import keras
import numpy as np
import scipy
from keras.src.legacy.preprocessing.image import ImageDataGenerator

FILLS = ["nearest", "reflect", "wrap", "constant"]
PLAIN = dict(theta=0, tx=0, ty=0, shear=0, zx=1, zy=1, flip_horizontal=False, flip_vertical=False)

# Of each: which picture, and what differs from PLAIN.
TRANSFORMS = [
    (0, dict()),
    (0, dict(flip_horizontal=True)),
    (0, dict(theta=33.3)),
    (0, dict(theta=-137.9, flip_vertical=True)),
    (0, dict(tx=2.5, ty=-1.25)),
    (0, dict(tx=31.7, ty=-40.2)),
    (0, dict(shear=30)),
    (0, dict(zx=0.5, zy=0.5)),
    (0, dict(zx=2, zy=2)),
    (0, dict(theta=25, tx=1.3, ty=-2.1, shear=-17, zx=0.83, zy=1.21, flip_horizontal=True)),
    (0, dict(theta=-179.5, tx=-3.1, ty=4.4, shear=88, zx=1.9, zy=0.1, flip_vertical=True)),
    (1, dict(theta=90)),
    (1, dict(theta=180, flip_horizontal=True, flip_vertical=True)),
    (1, dict(theta=40, tx=-3.2, ty=3.2, shear=0.2, zx=1.2, zy=0.8, flip_horizontal=True)),
    (1, dict(theta=-12.5, shear=-30, zx=3.7, zy=2.9)),
]


def packed(array):
    return base64.b64encode(zlib.compress(array.tobytes(), 9)).decode()


random = np.random.default_rng(20261124)
pictures = [random.integers(0, 256, shape, dtype=np.uint8) for shape in [(12, 9, 3), (16, 16, 3)]]
cases = []
for fill in FILLS:
    generator = ImageDataGenerator(fill_mode=fill, cval=0.0, rescale=1.0 / 255)
    for picture, changes in TRANSFORMS:
        transform = PLAIN | changes
        x = generator.apply_transform(pictures[picture].astype(np.float32), dict(transform))
        x = generator.standardize(np.ascontiguousarray(x))
        assert x.dtype == np.float32
        cases.append({"fill": fill, "picture": picture, "transform": transform, "output": packed(x)})

versions = {"keras": keras.__version__, "scipy": scipy.__version__, "numpy": np.__version__}
print("{")
print(f'"versions": {json.dumps(versions)},')
shown = [{"shape": list(p.shape), "pixels": packed(p)} for p in pictures]
print('"pictures": [\n' + ",\n".join(json.dumps(p) for p in shown) + "\n],")
print('"cases": [\n' + ",\n".join(json.dumps(c) for c in cases) + "\n]")
print("}")
