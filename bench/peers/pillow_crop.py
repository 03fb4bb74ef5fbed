"""Crops as JPEG, quality 92 and 4:4:4, by Pillow: each photo decoded once, crops kept in memory.

Usage: pillow_crop.py TASKS WORKERS, where TASKS is a JSON list of {path, rectangles}.
"""

import io
import json
import multiprocessing
import sys

import PIL
from PIL import Image


def crop_photo(task):
    """The size in bytes of each crop of a photo."""
    sizes = []
    with Image.open(task["path"]) as picture:
        pixels = picture if picture.mode == "RGB" else picture.convert("RGB")
        for rectangle in task["rectangles"]:
            crop = io.BytesIO()
            pixels.crop(rectangle).save(crop, "JPEG", quality=92, subsampling="4:4:4")
            sizes.append(crop.tell())
    return sizes


def crop_all(tasks, workers):
    if workers == 1:
        return [crop_photo(task) for task in tasks]
    with multiprocessing.Pool(workers) as pool:
        return pool.map(crop_photo, tasks, chunksize=8)


def main(path, workers):
    with open(path, encoding="utf-8") as file:
        tasks = json.load(file)
    sizes = [size for photo in crop_all(tasks, int(workers)) for size in photo]
    counts = {"photos": len(tasks), "crops": len(sizes), "bytes": sum(sizes)}
    print(json.dumps({"version": PIL.__version__, **counts}))


if __name__ == "__main__":
    main(*sys.argv[1:])
