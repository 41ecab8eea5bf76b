# pass=train: stochastic gradient descent over the rows, in their order; prints a bias and a weight for each feature.
# pass=validate: reads these from `model`, and prints metrics as lines for a run record.

function read_row() {
    x[1] = ($2 - 30) / 20
    x[2] = ($3 - 70) / 25
    x[3] = ($4 - 2) / 2
    x[4] = ($5 - 9) / 9
    x[5] = $6
    churned = $8
}

function probability(    z, i) {
    z = w[0]
    for (i = 1; i <= 5; i++) z += w[i] * x[i]
    return 1 / (1 + exp(-z))
}

FNR == 1 { next }

pass == "train" {
    read_row()
    rows++
    for (i = 1; i <= 5; i++) all[rows, i] = x[i]
    label[rows] = churned
}

pass == "validate" {
    if (!loaded) { for (i = 0; i <= 5; i++) getline w[i] < model; loaded = 1 }
    read_row()
    p = probability()
    said = p >= 0.45
    tp += said && churned
    fp += said && !churned
    fn += !said && churned
    right += said == churned
    loss -= log(churned ? p : 1 - p)
    n++
}

END {
    if (pass == "train") {
        for (e = 1; e <= epochs; e++)
            for (r = 1; r <= rows; r++) {
                for (i = 1; i <= 5; i++) x[i] = all[r, i]
                slope = rate / e * (label[r] - probability())
                w[0] += slope
                for (i = 1; i <= 5; i++) w[i] += slope * x[i]
            }
        for (i = 0; i <= 5; i++) printf "%.9f\n", w[i]
    } else {
        printf "metrics.f1=%.6f\n", 2 * tp / (2 * tp + fp + fn)
        printf "metrics.accuracy=%.6f\n", right / n
        printf "metrics.log_loss=%.6f\n", loss / n
    }
}
