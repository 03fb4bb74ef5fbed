"""The boxes of two classes that are neither groups nor drawings, with their images, by pandas.

Usage: pandas_query.py METADATA_FOLDER ENGINE, where ENGINE is c (pandas' default) or pyarrow.
"""

import json
import os
import sys

import pandas

CLASSES = ["Hamburger", "Sandwich"]


def main(folder, engine):
    names = ["LabelName", "Class"]
    path = os.path.join(folder, "class-descriptions-boxable.csv")
    classes = pandas.read_csv(path, header=None, names=names)
    labels = classes[classes.Class.isin(CLASSES)].LabelName
    boxes = pandas.read_csv(os.path.join(folder, "train-annotations-bbox.csv"), engine=engine)
    path = os.path.join(folder, "train-images-boxable-with-rotation.csv")
    images = pandas.read_csv(path, engine=engine)
    wanted = boxes.LabelName.isin(labels) & (boxes.IsGroupOf == 0) & (boxes.IsDepiction == 0)
    joined = boxes[wanted].merge(images, on="ImageID")
    counts = {"boxes": len(joined), "images": joined.ImageID.nunique()}
    print(json.dumps({"version": pandas.__version__, **counts}))


main(*sys.argv[1:])
