"""Keras' side of the quality comparison: keras_quality.py FOLDER SEED

FOLDER holds examples.bin (uint8 [n, 128, 128, 3]) and examples.json (labels and splits of the n).
"""

import json
import os
import sys

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "2"
os.environ["CUDA_VISIBLE_DEVICES"] = ""

import numpy as np
import keras
import tensorflow as tf
from keras import layers
from keras.src.legacy.preprocessing.image import ImageDataGenerator
from sklearn.metrics import accuracy_score, balanced_accuracy_score, roc_auc_score

BATCH_SIZE = 16
EPOCHS = 40
PATIENCE = 12


def read_examples(folder):
    """Pixels and labels of each split."""
    with open(os.path.join(folder, "examples.json"), encoding="utf-8") as file:
        table = json.load(file)
    pixels = np.fromfile(os.path.join(folder, "examples.bin"), dtype=np.uint8).reshape(-1, 128, 128, 3)
    labels = np.array(table["labels"])
    splits = np.array(table["splits"])
    return {name: (pixels[splits == name], labels[splits == name]) for name in ("train", "validation", "test")}


def make_model():
    model = keras.Sequential(
        [
            keras.Input((128, 128, 3)),
            layers.Conv2D(32, 3, activation="relu"),
            layers.MaxPooling2D(2),
            layers.Conv2D(32, 3, activation="relu"),
            layers.MaxPooling2D(2),
            layers.Conv2D(64, 3, activation="relu"),
            layers.MaxPooling2D(2),
            layers.Flatten(),
            layers.Dense(64, activation="relu"),
            layers.Dropout(0.5),
            layers.Dense(1, activation="sigmoid"),
        ]
    )
    optimizer = keras.optimizers.RMSprop(0.0005)
    model.compile(optimizer, loss="binary_crossentropy", metrics=["accuracy"], jit_compile=False)
    return model


def main(folder, seed):
    keras.utils.set_random_seed(seed)
    tf.config.experimental.enable_op_determinism()
    examples = read_examples(folder)
    augmented = ImageDataGenerator(
        rescale=1 / 255,
        rotation_range=40,
        width_shift_range=0.2,
        height_shift_range=0.2,
        shear_range=0.2,
        zoom_range=0.2,
        horizontal_flip=True,
        fill_mode="nearest",
    )
    plain = ImageDataGenerator(rescale=1 / 255)
    stopping = keras.callbacks.EarlyStopping(monitor="val_loss", patience=PATIENCE, restore_best_weights=True)
    model = make_model()
    counts = np.bincount(examples["train"][1], minlength=2)
    balanced = {label: counts.sum() / (2 * count) for label, count in enumerate(counts)}
    fitted = model.fit(
        augmented.flow(*examples["train"], batch_size=BATCH_SIZE),
        validation_data=plain.flow(*examples["validation"], batch_size=BATCH_SIZE, shuffle=False),
        epochs=EPOCHS,
        class_weight=balanced,
        callbacks=[stopping],
        verbose=0,
    )
    pixels, truth = examples["test"]
    probabilities = model.predict(plain.flow(pixels, batch_size=BATCH_SIZE, shuffle=False), verbose=0)
    probabilities = probabilities.ravel()
    predicted = (probabilities >= 0.5).astype(int)
    history = [dict(zip(fitted.history, values)) for values in zip(*fitted.history.values())]
    figures = {
        "balancedAccuracy": balanced_accuracy_score(truth, predicted),
        "accuracy": accuracy_score(truth, predicted),
        "rocArea": roc_auc_score(truth, probabilities),
        "epochs": len(history),
        "bestEpoch": stopping.best_epoch + 1,
        "history": history,
    }
    print(json.dumps({"version": f"{keras.__version__} on TensorFlow {tf.__version__}", "figures": figures}))


main(sys.argv[1], int(sys.argv[2]))
