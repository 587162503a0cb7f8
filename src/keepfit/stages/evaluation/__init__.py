"""What a model shows on rows it was not trained on: threshold, metrics with intervals, groups, the champion."""
