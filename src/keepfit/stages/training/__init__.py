"""From a training set to a fitted model: split by time, fit, choose the threshold, write the artifact's files."""
