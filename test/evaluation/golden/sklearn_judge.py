"""What scikit-learn says of predictions: one case in, one answer out, all plain JSON."""
import warnings

import numpy as np
from sklearn import metrics
from sklearn.calibration import calibration_curve


def floats(values):
    return [float(value) for value in values]


def finite(value):
    return float(value) if np.isfinite(value) else None


def judge(case):
    with warnings.catch_warnings():
        warnings.simplefilter('ignore')
        return judge_quietly(case)


def predict(case, probabilities):
    if len(case['classes']) == 2:
        return (probabilities[:, 1] >= case.get('threshold', 0.5)).astype(int)
    return probabilities.argmax(axis=1)


def judge_quietly(case):
    classes = case['classes']
    labels = list(range(len(classes)))
    truth = np.array(case['truth'])
    probabilities = np.array(case['probabilities'], dtype=np.float64)
    predicted = predict(case, probabilities)
    scores = {
        average: metrics.precision_recall_fscore_support(
            truth, predicted, labels=labels, average=average, zero_division=0
        )[:3]
        for average in ['micro', 'macro', 'weighted']
    }
    precision, recall, f1, support = metrics.precision_recall_fscore_support(
        truth, predicted, labels=labels, zero_division=0
    )
    answer = {
        'predicted': predicted.tolist(),
        'report': metrics.classification_report(
            truth, predicted, labels=labels, target_names=classes, digits=4, zero_division=0
        ),
        'precision': floats(precision),
        'recall': floats(recall),
        'f1': floats(f1),
        'support': support.tolist(),
        'averages': {average: floats(values) for average, values in scores.items()},
        'confusion': metrics.confusion_matrix(truth, predicted, labels=labels).tolist(),
        'accuracy': float(metrics.accuracy_score(truth, predicted)),
        'balanced_accuracy': float(metrics.balanced_accuracy_score(truth, predicted)),
        'matthews': float(metrics.matthews_corrcoef(truth, predicted)),
        'log_loss': float(metrics.log_loss(truth, probabilities, labels=labels)),
        'brier': float(metrics.brier_score_loss(truth, probabilities, labels=labels)),
        'curves': [curves(truth == label, probabilities[:, label]) for label in labels],
        'calibration': calibration(classes, truth, predicted, probabilities),
    }
    present = len(set(truth.tolist())) == len(classes)
    if present:
        scored = probabilities[:, 1] if len(classes) == 2 else probabilities
        for average in ['macro', 'weighted']:
            answer[f'{average}_auc'] = float(
                metrics.roc_auc_score(truth, scored, multi_class='ovr', average=average)
            )
            answer[f'{average}_ap'] = float(
                metrics.average_precision_score(truth, scored, average=average)
            )
    return answer


def curves(truth, scores):
    answer = {}
    if truth.any() and not truth.all():
        fpr, tpr, thresholds = metrics.roc_curve(truth, scores)
        answer['roc'] = [floats(fpr), floats(tpr), floats(thresholds[1:])]
        answer['auc'] = float(metrics.roc_auc_score(truth, scores))
    if truth.any():
        precision, recall, thresholds = metrics.precision_recall_curve(truth, scores, pos_label=True)
        answer['pr'] = [floats(precision), floats(recall), floats(thresholds)]
        answer['ap'] = float(metrics.average_precision_score(truth, scores, pos_label=True))
    return answer


def calibration(classes, truth, predicted, probabilities):
    if len(classes) == 2:
        true, mean = calibration_curve(truth == 1, probabilities[:, 1], n_bins=10, pos_label=True)
    else:
        confidence = probabilities.max(axis=1)
        true, mean = calibration_curve(
            truth == predicted, confidence, n_bins=10, pos_label=True
        )
    return [floats(true), floats(mean)]
