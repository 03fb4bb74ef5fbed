"""Keras' side of the training benchmark: keras_train.py THREADS WARM-UP ITERATIONS"""

import json
import os
import sys
import time

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "2"
os.environ["CUDA_VISIBLE_DEVICES"] = ""
threads, warm_up, iterations = (int(argument) for argument in sys.argv[1:4])

import numpy as np
import tensorflow as tf

tf.config.threading.set_intra_op_parallelism_threads(threads)
tf.config.threading.set_inter_op_parallelism_threads(1 if threads == 1 else 2)
import keras
from keras import layers

keras.utils.set_random_seed(1)
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
model.compile(keras.optimizers.RMSprop(0.0005), loss="binary_crossentropy", metrics=["accuracy"], jit_compile=False)
random = np.random.default_rng(1)
pixels = (random.integers(0, 256, (4, 16, 128, 128, 3)) / 255).astype(np.float32)
batches = [tf.constant(batch) for batch in pixels]
labels = tf.constant((np.arange(16) % 2).astype(np.float32).reshape(16, 1))


def iterate(iteration):
    return model.train_on_batch(batches[iteration % 4], labels)


for iteration in range(warm_up):
    iterate(iteration)
cpu = time.process_time()
walls = []
for iteration in range(iterations):
    start = time.perf_counter()
    result = iterate(warm_up + iteration)
    walls.append(1000 * (time.perf_counter() - start))
cpu = 1000 * (time.process_time() - cpu) / iterations
walls.sort()
print(
    json.dumps(
        {
            "cpuMs": cpu,
            "wallMs": walls[len(walls) // 2],
            "leastMs": walls[0],
            "iterations": iterations,
            "loss": float(result[0]),
            "version": f"{keras.__version__} on TensorFlow {tf.__version__}",
        }
    )
)
