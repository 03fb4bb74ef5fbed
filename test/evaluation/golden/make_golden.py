"""Makes the golden files beside it with scikit-learn; run it by hand, in its folder, never by a test."""
import json

import numpy as np
import sklearn

from sklearn_judge import judge

RANDOM = np.random.default_rng(20261)


def softmax(scores):
    raised = np.exp(scores - scores.max(axis=1, keepdims=True))
    return raised / raised.sum(axis=1, keepdims=True)


def case(classes, truth, probabilities, **more):
    probabilities = np.asarray(probabilities, dtype=np.float64)
    truth = np.asarray(truth)
    return {'classes': classes, 'truth': truth.tolist(), 'probabilities': probabilities.tolist(), **more}


def two(classes, truth, p, **more):
    p = np.asarray(p, dtype=np.float64)
    return case(classes, truth, np.stack([1 - p, p], axis=1), **more)


def drawn(classes, count, skill, present=None, parts=None):
    """Random examples of the present classes, and a network that knows them a little."""
    present = range(len(classes)) if present is None else present
    truth = RANDOM.choice(list(present), size=count)
    scores = RANDOM.normal(size=(count, len(classes)))
    scores[np.arange(count), truth] += skill
    probabilities = softmax(scores)
    if parts is not None:
        probabilities = RANDOM.multinomial(parts, probabilities) / parts
    return case(classes, truth, probabilities)


FOOD = ['Hamburger', 'Sandwich']
COUNTS = RANDOM.integers(0, 2, size=301)
NEAR = np.clip(0.5 + (COUNTS - 0.5) * 0.3 + RANDOM.normal(size=301) * 0.25, 0, 1)
SEVEN = ['Apple', 'Bagel', 'Carrot', 'Drink', 'Egg', 'Fig', 'Grape']

CASES = {
    'binary': two(FOOD, COUNTS, NEAR),
    'binary-threshold': two(FOOD, COUNTS, NEAR, threshold=0.37),
    'binary-ties': two(FOOD, COUNTS, np.round(NEAR, 1)),
    'binary-constant': two(FOOD, COUNTS, np.full(301, 0.5)),
    'binary-certain': two(FOOD, [0, 1, 1, 0, 1], [0, 1, 0, 1, 1]),
    'binary-float32': case(
        FOOD, COUNTS, np.stack([1 - NEAR.astype(np.float32), NEAR.astype(np.float32)], axis=1)
    ),
    'binary-perfect': two(FOOD, [0, 0, 1, 1], [0.1, 0.2, 0.8, 0.9]),
    'binary-all-wrong': two(FOOD, [0, 0, 1, 1], [0.8, 0.9, 0.1, 0.2]),
    'binary-one-class': two(FOOD, [1, 1, 1], [0.8, 0.3, 0.6]),
    'binary-other-class': two(FOOD, [0, 0, 0], [0.8, 0.3, 0.6]),
    'binary-one-example': two(FOOD, [1], [0.7]),
    # Precision 1/32 and 3/32: fractions half way between two numbers of four digits.
    'binary-half-way': two(FOOD, [1] + [0] * 31, [0.9] * 32),
    'binary-half-way-up': two(FOOD, [1] * 3 + [0] * 29, [0.9] * 32),
    'three': drawn(['Apple', 'Orange', 'Pear'], 120, 1.0),
    'three-ties': drawn(['Apple', 'Orange', 'Pear'], 90, 1.0, parts=10),
    'three-missing-class': drawn(['Apple', 'Orange', 'Pear'], 60, 0.5, present=[0, 2]),
    'three-one-class': drawn(['Apple', 'Orange', 'Pear'], 20, 0.5, present=[1]),
    'three-one-example': drawn(['Apple', 'Orange', 'Pear'], 1, 0.5),
    'three-all-wrong': case(
        ['Apple', 'Orange', 'Pear'],
        [0, 1, 2, 0],
        [[0.1, 0.5, 0.4], [0.3, 0.1, 0.6], [0.7, 0.2, 0.1], [0.2, 0.2, 0.6]],
    ),
    'seven': drawn(SEVEN, 200, 1.5),
    'seven-missing-class': drawn(SEVEN, 100, 1.0, present=[0, 1, 3, 6]),
    'nineteen': drawn([f'Class number {number}' for number in range(19)], 160, 2.0),
    'long-names': drawn(['A rather long name of a class of food', 'b', 'weighted avg'], 30, 1.0),
    'short-names': drawn(['a', 'b', 'c'], 30, 1.0),
    'unicode-names': drawn(['Crème brûlée', 'e\u0301clair', '寿司', '🍔🍟 und noch mehr davon'], 50, 1.0),
}

for name, one in CASES.items():
    golden = {'scikit-learn': sklearn.__version__, 'case': one, 'answer': judge(one)}
    with open(f'{name}.json', 'w', encoding='utf-8') as file:
        file.write(json.dumps(golden, ensure_ascii=False, allow_nan=False) + '\n')
